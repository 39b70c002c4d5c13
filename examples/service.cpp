// A service that starts runs on request: each line of standard input is a day, and each day is one run, however often
// it is asked for, even after the service was killed.
#include <troupe/troupe.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

struct sale {
  std::string what{};
  double amount = 0;
};

} // namespace

template <>
struct troupe::codec<sale> : troupe::fields<sale> {
  static constexpr std::string_view name = "sale";
  template <class O, class V>
  static void each(O& o, V&& visit) {
    visit(o.what, o.amount);
  }
};

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : ".";
  troupe::pipeline sales("sales");
  sales.folder(folder);
  sales.param("day", "none");
  const auto book = sales.source("book", {"sales.txt"});
  const auto all = sales.make(
      "all", {.version = "1"},
      [](const troupe::files& in) {
        std::vector<sale> read;
        std::ifstream file(in.paths.front());
        for (sale one; file >> one.what >> one.amount;)
          read.push_back(one);
        return read;
      },
      book);
  const auto report = sales.make(
      "report", {.version = "1", .retry = {.attempts = 3}, .params = {"day"}},
      [](troupe::context& told, const std::vector<sale>& read) -> troupe::result<std::string> {
        double sum = 0;
        for (const auto& one : read)
          sum += one.amount;
        if (told.stop_requested())
          return troupe::error{troupe::errc::cancelled, "asked to stop", {}};
        return std::string(*told.param("day")) + ": " + std::to_string(sum);
      },
      all);

  auto engine = troupe::engine::open({.state = folder + "/state"}); // last: its functions are gone before what they use
  if (!engine) {
    std::cerr << engine.error().text() << "\n";
    return 2;
  }
  if (const auto added = engine->add(sales); !added) {
    std::cerr << added.error().text() << "\n";
    return 2;
  }
  const auto recovered = engine->recover();
  if (!recovered) {
    std::cerr << recovered.error().text() << "\n";
    return 2;
  }
  for (const auto& one : *recovered)
    std::cout << "run #" << one.number << (one.run ? " goes on" : " stays as it was: " + one.reason) << std::endl;
  for (std::string day; std::getline(std::cin, day);) {
    const auto run = engine->start("sales", {.params = {{"day", day}}, .key = day});
    if (!run) {
      std::cout << run.error().text() << std::endl;
      continue;
    }
    const auto how = run->wait();
    const auto value = engine->latest(report);
    std::cout << "run #" << run->number() << " " << (how ? "succeeded" : how.error().text()) << ", "
              << (value ? **value : value.error().message) << std::endl;
  }
}
