// Thirty lines: a file, two functions, and what is remembered of them. Run it twice: the second time nothing is to do.
#include <troupe/troupe.hpp>

#include <cstdio>
#include <fstream>

int main() {
  troupe::pipeline words("words");
  const auto text = words.source("text", {"text.txt"});
  const auto lines = words.make(
      "lines",
      [](const troupe::files& in) {
        std::ifstream file(in.paths.front());
        std::vector<std::string> all;
        for (std::string line; std::getline(file, line);)
          all.push_back(line);
        return all;
      },
      text);
  const auto longest = words.make(
      "longest",
      [](const std::vector<std::string>& all) {
        std::string found;
        for (const auto& line : all)
          found = line.size() > found.size() ? line : found;
        return found;
      },
      lines);

  auto engine = troupe::engine::open({.state = "state"});
  const auto ready = engine ? engine->add(words) : engine.error();
  if (!ready || !engine->recover())
    return std::fprintf(stderr, "%s\n", ready ? "cannot recover" : ready.error().text().c_str()), 2;
  const auto run = engine->start("words");
  const auto how = run ? run->wait() : run.error();
  if (!how)
    return std::fprintf(stderr, "%s\n", how.error().text().c_str()), 1;
  std::printf("%s (%u made, %u fresh)\n", (**engine->latest(longest)).c_str(), how->succeeded, how->fresh);
}
