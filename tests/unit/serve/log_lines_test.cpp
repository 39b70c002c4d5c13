// Lines of a log, asked for in every way, held against the obvious answer.
#include "serve/log_lines.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>

#include <fstream>
#include <random>
#include <string>

using namespace troupe_internal;
using namespace troupe_internal::serve;

namespace {

struct log_file {
  explicit log_file(const std::string& text) {
    std::ofstream(folder / "log", std::ios::binary) << text;
    fd = unique_fd(open((folder / "log").c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(fd);
  }
  temporary_folder folder;
  unique_fd fd;
};

std::vector<std::string> texts(const log_answer& answer) {
  std::vector<std::string> all;
  for (const auto& line : answer.lines)
    all.push_back(std::to_string(line.number) + ":" + line.text);
  return all;
}

} // namespace

TEST_CASE("lines are numbered from 1, also the last one without its end") {
  const log_file log("one\ntwo\r\n\nfour");
  const auto all = find_log_lines(log.fd, {}).value();
  CHECK(texts(all) == std::vector<std::string>{"1:one", "2:two", "3:", "4:four"});
  CHECK(all.total == 4);
  CHECK(read_log(log.fd).value() == "one\ntwo\r\n\nfour");
  CHECK(find_log_lines(log_file("").fd, {})->total == 0);
  CHECK(texts(find_log_lines(log.fd, {.from = 2, .count = 2}).value()) == std::vector<std::string>{"2:two", "3:"});
  CHECK(texts(find_log_lines(log.fd, {.tail = 2}).value()) == std::vector<std::string>{"3:", "4:four"});
  const auto found = find_log_lines(log.fd, {.count = 1, .words = "o"}).value();
  CHECK(texts(found) == std::vector<std::string>{"1:one"});
  CHECK(found.matches == 3);
  CHECK(texts(find_log_lines(log.fd, {.tail = 1, .words = "o"}).value()) == std::vector<std::string>{"4:four"});
}

TEST_CASE("a line that never ends is cut, and the next is found") {
  const log_file log(std::string(300'000, 'x') + "\nafter\n");
  const auto all = find_log_lines(log.fd, {}).value();
  REQUIRE(all.lines.size() == 2);
  CHECK(all.lines[0].text.size() == 65'536);
  CHECK(all.lines[1].text == "after");
}

TEST_CASE("of many lines over many pieces none is lost, whatever is asked") {
  std::mt19937 random(7); // NOLINT(cert-msc51-cpp): the same each time
  std::string text;
  std::vector<std::string> lines;
  for (int i = 0; i < 20'000; ++i) {
    lines.push_back(std::string(random() % 20, 'a') + std::to_string(random() % 50));
    text += lines.back() + "\n";
  }
  const log_file log(text);
  for (int round = 0; round < 20; ++round) {
    log_question asked{1 + random() % 25'000, random() % 1'000, random() % 2 == 0 ? 0 : random() % 500,
                       random() % 2 == 0 ? "" : "aa1"};
    std::vector<std::string> wanted;
    std::uint64_t matches = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (lines[i].find(asked.words) == std::string::npos)
        continue;
      ++matches;
      if (asked.tail > 0 || (i + 1 >= asked.from && wanted.size() < asked.count))
        wanted.push_back(std::to_string(i + 1) + ":" + lines[i]);
    }
    if (asked.tail > 0 && wanted.size() > asked.tail)
      wanted.erase(wanted.begin(), wanted.end() - static_cast<std::ptrdiff_t>(asked.tail));
    const auto found = find_log_lines(log.fd, asked).value();
    CHECK(texts(found) == wanted);
    CHECK(found.total == lines.size());
    CHECK(found.matches == matches);
  }
}
