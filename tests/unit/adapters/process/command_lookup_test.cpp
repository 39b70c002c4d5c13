// Which file a command names, and the words for what the system refuses.
#include "adapters/process/process_spawn.hpp"
#include "support/process_runner.hpp"
#include "support/processes.hpp"

#include <doctest/doctest.h>

#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <optional>
#include <thread>

using namespace troupe_internal;
using kind = process_exit::kind;
namespace fs = std::filesystem;

namespace {

process_request request_in(const temporary_folder& folder, std::vector<std::string> argv) {
  process_request r;
  r.argv = std::move(argv);
  r.cwd = folder.path();
  return r;
}

} // namespace

TEST_CASE_FIXTURE(temporary_folder, "what the system has run out of is an internal error that names the limit") {
  const auto r = request_in(*this, {"/bin/true"});
  const auto refused = [&](int error_number) {
    const auto failure = explain_spawn_error(r, "/bin/true", error_number);
    CHECK(failure.how == kind::internal);
    return failure.message;
  };
  CHECK(refused(EAGAIN).find("no more processes can be started (") == 0);
  CHECK(refused(EAGAIN).find("ulimit -u") != std::string::npos);
  CHECK(refused(ENOMEM) == "not enough memory to start the command \"/bin/true\"");
  CHECK(refused(EMFILE).find("no more files can be opened (the limit is ") == 0);
  CHECK(refused(ENFILE).find("ulimit -n") != std::string::npos);
}

TEST_CASE_FIXTURE(temporary_folder, "a command that exists and still cannot be executed says what else may be wrong") {
  const auto r = request_in(*this, {"/bin/true"});
  const auto words = [&](int error_number) {
    const auto failure = explain_spawn_error(r, "/bin/true", error_number);
    CHECK(failure.how == kind::not_started);
    return failure.message;
  };
  CHECK(words(ENOENT) == "the command \"/bin/true\" needs a loader that does not exist on this system");
  CHECK(words(EACCES).find("mounted noexec?") != std::string::npos);
  CHECK(words(EINVAL) == "the command \"/bin/true\" cannot be executed: Invalid argument");
  CHECK(words(E2BIG).find("too long") != std::string::npos);
  CHECK(explain_spawn_error(r, "/bin/gone-meanwhile", ENOENT).message.find("does not exist") != std::string::npos);
}

TEST_CASE_FIXTURE(temporary_folder, "a working folder that cannot be used is what the words are about") {
  auto r = request_in(*this, {"/bin/true"});
  r.cwd = std::string(5000, 'x');
  CHECK(explain_spawn_error(r, "/bin/true", ENAMETOOLONG).message.find("File name too long") != std::string::npos);
}

TEST_CASE_FIXTURE(temporary_folder, "a command that may not be reached is told apart from one that is not there") {
  fs::create_directories(*this / "closed");
  write("closed/tool", "");
  fs::permissions(path(), fs::perms::all);
  fs::permissions(*this / "closed", fs::perms::none);
  std::optional<result<std::string>> by_path;
  std::optional<result<std::string>> by_name;
  std::thread([&] { // the raw call is for this thread alone
    if (geteuid() == 0)
      syscall(SYS_setresuid, 65534, 65534, 65534);
    by_path = find_command("closed/tool", "", path());
    by_name = find_command("tool", "closed", path());
  })
      .join();
  REQUIRE(by_path->has_error());
  CHECK(by_path->error().message == "the command \"closed/tool\" may not be reached: Permission denied");
  REQUIRE(by_name->has_error());
  CHECK(by_name->error().message == "the command \"tool\" does not exist in any folder of PATH (closed)");
}

TEST_CASE_FIXTURE(temporary_folder, "a folder in PATH that is named like the command is passed over") {
  fs::create_directories(*this / "one/tool");
  write("two/tool", "");
  CHECK(find_command("tool", "one:two", path()).error().message == "the command \"tool\" is a folder (one/tool)");
  fs::permissions(*this / "two/tool", fs::perms::owner_all);
  CHECK(find_command("tool", "one:two", path()).value() == "two/tool");
}
