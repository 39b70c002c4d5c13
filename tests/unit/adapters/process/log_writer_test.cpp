// Logs of bounded size: head and tail kept, the middle counted, full disks survived.
#include "adapters/process/log_writer.hpp"
#include "support/process_runner.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

using namespace troupe_internal;
namespace fs = std::filesystem;

namespace {

std::string lines(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i)
    text += "line " + std::to_string(i) + "\n";
  return text;
}

/// The most memory this process ever had, in KiB.
long peak_kb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/// Writes to files fail beyond this size while it lives, as on a full disk.
class file_size_limit {
public:
  explicit file_size_limit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    was_ = signal(SIGXFSZ, SIG_IGN);
    auto low = before_;
    low.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &low);
  }
  ~file_size_limit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, was_);
  }

private:
  rlimit before_{};
  void (*was_)(int) = nullptr;
};

} // namespace

TEST_CASE_FIXTURE(temporary_folder, "what fits is kept whole, whatever the pieces") {
  const auto text = lines(0, 1000);
  for (const std::size_t piece : {1U, 7U, 1000U, 100'000U}) {
    log_writer log(open_log_at(*this / "log"), *this / "log", text.size() + 300);
    for (std::size_t i = 0; i < text.size(); i += piece)
      log.write(std::string_view(text).substr(i, piece));
    log.finish();
    CHECK(read("log") == text);
    CHECK(log.made());
    CHECK(log.problem().empty());
  }
}

TEST_CASE_FIXTURE(temporary_folder, "no byte, no file") {
  log_writer log(open_log_at(*this / "log"), *this / "log", 1000);
  log.write("");
  log.finish();
  CHECK_FALSE(log.made());
  CHECK_FALSE(exists("log"));
}

TEST_CASE_FIXTURE(temporary_folder, "without a limit all is kept") {
  log_writer log(open_log_at(*this / "log"), *this / "log", 0);
  const auto text = lines(0, 300'000);
  log.write(text);
  log.finish();
  CHECK(read("log") == text);
}

TEST_CASE_FIXTURE(temporary_folder, "beyond the limit head and tail are kept, and whole lines say how much is not") {
  const auto text = lines(0, 100'000);
  for (const std::size_t piece : {11U, 4096U, 2'000'000U}) {
    log_writer log(open_log_at(*this / "log"), *this / "log", 20'000);
    for (std::size_t i = 0; i < text.size(); i += piece)
      log.write(std::string_view(text).substr(i, piece));
    log.finish();
    const auto kept = read("log");
    CHECK(kept.size() <= 20'000);
    CHECK(kept.size() > 19'000);
    CHECK(kept.starts_with(lines(0, 500)));
    CHECK(kept.ends_with(lines(99'500, 100'000)));
    const auto first = kept.find("\n[troupe: max_log is 20KB: from here on only the end is kept]\n[troupe: ");
    REQUIRE(first != std::string::npos);
    const auto number_at = kept.find("[troupe: ", first + 20) + 9;
    const auto dropped = std::stoull(kept.substr(number_at));
    const auto tail_at = kept.find("]\n", number_at) + 2;
    CHECK(kept.substr(number_at).find(" bytes dropped here, max_log is 20KB]\nline ") != std::string::npos);
    CHECK(dropped + (first + (text[first] == '\n' ? 1 : 0)) + (kept.size() - tail_at) == text.size());
  }
}

TEST_CASE_FIXTURE(temporary_folder, "limits too small for a line still bound the log") {
  for (const std::uint64_t limit : {1U, 2U, 10U, 1000U}) {
    log_writer log(open_log_at(*this / "log"), *this / "log", limit);
    log.write(std::string(5000, 'x'));
    log.finish();
    const auto kept = read("log");
    CHECK(kept.size() <= limit + 200);
    CHECK(kept.find("bytes dropped here") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(temporary_folder, "sizes are said as people write them") {
  const auto said = [this](std::uint64_t limit) {
    log_writer log(open_log_at(*this / "log"), *this / "log", limit);
    log.write(std::string(limit + 1, 'x'));
    log.finish();
    const auto kept = read("log");
    const auto at = kept.find("max_log is ") + 11;
    return kept.substr(at, kept.find(':', at) - at);
  };
  CHECK(said(3'000'000) == "3MB");
  CHECK(said(12'000) == "12KB");
  CHECK(said(4097) == "4097 bytes");
}

TEST_CASE_FIXTURE(temporary_folder, "the head can be read while the middle is dropped") {
  log_writer log(open_log_at(*this / "log"), *this / "log", 10'000);
  log.write(std::string(9'000, 'x'));
  CHECK(read("log").size() == 10'000 - 5'000 - 256);
  log.write(std::string(9'000, 'y'));
  CHECK(read("log").find("from here on only the end is kept") != std::string::npos);
  log.finish();
}

TEST_CASE_FIXTURE(temporary_folder, "a log that cannot be made is told, not fatal") {
  int tries = 0;
  log_writer blocked([&]() -> result<int> { return fail(error_code::io, "no room " + std::to_string(++tries)); }, "log",
                     1000);
  blocked.write("x");
  blocked.write("y");
  blocked.finish();
  CHECK_FALSE(blocked.made());
  CHECK(blocked.problem() == "the log is missing: no room 1");
}

TEST_CASE_FIXTURE(temporary_folder, "a disk that fills up costs the rest of the log, and it says so") {
  log_writer log(open_log_at(*this / "log"), *this / "log", 0);
  {
    const file_size_limit limit(10'000);
    log.write(lines(0, 500));
    log.write(lines(500, 300'000));
    log.finish();
  }
  CHECK(log.made());
  CHECK(log.problem().find("the log is not complete: cannot write the log " + (*this / "log")) == 0);
  CHECK(fs::file_size(*this / "log") == 10'000);
}

TEST_CASE_FIXTURE(temporary_folder, "once a full disk has room again, the end of the log is still written") {
  log_writer log(open_log_at(*this / "log"), *this / "log", 0);
  {
    const file_size_limit limit(10'000);
    log.write(lines(0, 300'000));
  }
  log.finish();
  const auto kept = read("log");
  CHECK(kept.find(" bytes dropped here: the log could not be written]\n") != std::string::npos);
  CHECK(kept.ends_with(lines(299'000, 300'000)));
  CHECK_FALSE(log.problem().empty());

  log_writer short_log(open_log_at(*this / "short"), *this / "short", 0);
  {
    const file_size_limit limit(1'000);
    short_log.write(lines(0, 500));
  }
  short_log.finish();
  CHECK(read("short") == lines(0, 500));
  CHECK(short_log.problem().empty());
}

TEST_CASE_FIXTURE(process_runner, "a flood of output is cut down to its limit in little memory") {
  auto r = shell("echo first; head -c 200000000 /dev/zero | tr '\\0' 'x'; echo; echo last");
  r.max_log = 1'000'000;
  const auto before = peak_kb();
  const auto exit = run(std::move(r));
  CHECK(exit.how == process_exit::kind::ended);
  CHECK(exit.warnings.empty());
  const auto kept = log();
  CHECK(kept.size() <= 1'000'000);
  CHECK(kept.starts_with("first\nxxx"));
  CHECK(kept.ends_with("x\nlast\n"));
  CHECK(kept.find(" bytes dropped here, max_log is 1MB]\n") != std::string::npos);
  CHECK(peak_kb() - before < 20'000);
}

TEST_CASE_FIXTURE(process_runner, "a full disk does not fail a command that succeeds, but is told") {
  auto r = request({"/bin/sh", "-c", "head -c 100000 /dev/zero; exit 0"});
  log_at(r, "/dev/full/log");
  const auto exit = run(std::move(r));
  CHECK(exit.how == process_exit::kind::ended);
  CHECK(exit.exit_code == 0);
  CHECK_FALSE(exit.has_log);
  CHECK(exit.message.empty());
  REQUIRE(exit.warnings.size() == 1);
  CHECK(exit.warnings[0].code == "log_incomplete");
  CHECK(exit.warnings[0].text.find("/dev/full/log") != std::string::npos);
  auto full = request({"/bin/echo", "x"});
  log_at(full, "/dev/full");
  const auto told = run(std::move(full));
  CHECK(told.how == process_exit::kind::ended);
  REQUIRE(told.warnings.size() == 1);
  CHECK(told.warnings[0].text.find("No space left on device") != std::string::npos);
}

TEST_CASE_FIXTURE(process_runner, "lines of two streams stay in the order they were written") {
  run_shell("for i in 1 2 3 4 5 6 7 8 9; do echo out $i; echo err $i >&2; done");
  std::string expected;
  for (int i = 1; i < 10; ++i)
    expected += "out " + std::to_string(i) + "\nerr " + std::to_string(i) + "\n";
  CHECK(log() == expected);
}
