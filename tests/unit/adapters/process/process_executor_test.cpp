// Commands run as processes: what they are given, how they are reported, what stays behind (nothing).
#include "adapters/process/process_table.hpp"
#include "support/process_runner.hpp"
#include "support/processes.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

using namespace troupe_internal;
using kind = process_exit::kind;
namespace fs = std::filesystem;

TEST_CASE_FIXTURE(process_runner, "a command's exit status is reported") {
  const auto ok = run_shell("exit 0");
  CHECK(ok.how == kind::ended);
  CHECK(ok.exit_code == 0);
  CHECK(ok.signal == 0);
  CHECK(ok.message.empty());
  CHECK_FALSE(ok.has_log);
  const auto bad = run_shell("exit 75");
  CHECK(bad.how == kind::ended);
  CHECK(bad.exit_code == 75);
}

TEST_CASE_FIXTURE(process_runner, "what a command used is reported, with the children that it waited for") {
  const auto busy = run_shell("(i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done); true");
  REQUIRE(busy.resources.has_value());
  CHECK(busy.resources->user_cpu > duration::zero());
  CHECK(busy.resources->user_cpu < std::chrono::minutes(1));
  CHECK(impossible_use(*busy.resources) == nullptr);
  rusage own{};
  getrusage(RUSAGE_SELF, &own);
  CHECK(busy.resources->peak_is_bound); // the kernel counts this process's memory as the child's
  CHECK(busy.resources->peak_memory_kib <= static_cast<std::uint64_t>(own.ru_maxrss) + 1024);
  // dd reads into one buffer, which is all resident then.
  const auto large = std::to_string(own.ru_maxrss / 1024 + 64);
  const auto hungry = run_shell("dd if=/dev/zero of=/dev/null bs=" + large + "M count=1 2>/dev/null");
  REQUIRE(hungry.resources.has_value());
  CHECK_FALSE(hungry.resources->peak_is_bound);
  CHECK(hungry.resources->peak_memory_kib > static_cast<std::uint64_t>(own.ru_maxrss));
  CHECK_FALSE(run(request({"/no/such/command"})).resources.has_value());
}

TEST_CASE_FIXTURE(process_runner, "a command that died of a signal is reported with it") {
  const auto exit = run_shell("kill -SEGV $$");
  CHECK(exit.how == kind::ended);
  CHECK(exit.signal == SIGSEGV);
}

TEST_CASE_FIXTURE(process_runner, "what is spawned is reported with its group and start time") {
  const auto key = start(shell("echo $$ > pid; sleep 60"));
  const auto spawned = wait_spawned(key);
  CHECK(wait_line("pid") == std::to_string(spawned.process_group));
  const auto facts = read_process_facts(spawned.process_group);
  REQUIRE(facts.has_value());
  CHECK(facts->group == spawned.process_group);
  CHECK(facts->start_ticks == spawned.start_ticks);
  CHECK(facts->start_ticks > 0);
  executor().end(key, urgency::at_once);
  CHECK(wait(key).how == kind::ended_by_us);
}

TEST_CASE_FIXTURE(process_runner, "output and errors go to the log in order") {
  auto r = shell("echo one; echo two >&2; echo three");
  log_at(r, folder / "deep/er/x.log");
  const auto exit = run(std::move(r));
  CHECK(exit.has_log);
  CHECK(folder.read("deep/er/x.log") == "one\ntwo\nthree\n");
}

TEST_CASE_FIXTURE(process_runner, "without output there is no log") {
  CHECK_FALSE(run_shell(":").has_log);
  CHECK_FALSE(folder.exists("1.log"));
}

TEST_CASE_FIXTURE(process_runner, "the environment is exactly the one asked for") {
  auto r = request({"/usr/bin/env"});
  r.environment = {"A=1", "B=two words", "C=new\nline \xff", "EMPTY="};
  CHECK(run(std::move(r)).exit_code == 0);
  CHECK(log() == "A=1\nB=two words\nC=new\nline \xff\nEMPTY=\n");
}

TEST_CASE_FIXTURE(process_runner, "what many requests share of their environment comes first, PATH may be in it") {
  folder.write("bin/tool", "#!/bin/sh\n/usr/bin/env\n");
  fs::permissions(folder / "bin/tool", fs::perms::owner_all);
  auto r = request({"tool"});
  r.environment = {"B=own"};
  r.shared_environment = std::make_shared<const std::vector<std::string>>(
      std::vector<std::string>{"PATH=" + (folder / "bin"), "A=shared"});
  CHECK(run(r).exit_code == 0);
  CHECK(log().find("A=shared\n") != std::string::npos);
  CHECK(log().find("B=own\n") != std::string::npos);
  r = request({"/bin/true"});
  r.shared_environment =
      std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"A=" + std::string(1'000'000, 'a')});
  CHECK(run(r).message.find("an argument or environment variable of the command is too long: 1000003 bytes") == 0);
  r.shared_environment =
      std::make_shared<const std::vector<std::string>>(std::vector<std::string>{std::string("A=\0", 3)});
  r.key = 1000;
  CHECK(wait(start(r)).message.find("zero byte") != std::string::npos);
}

TEST_CASE_FIXTURE(process_runner,
                  "a command that was looked up ahead is started from there, or from where it is by now") {
  for (const auto* name : {"one/tool", "two/tool"}) {
    folder.write(name, "#!/bin/sh\necho $0\n");
    fs::permissions(folder / name, fs::perms::owner_all);
  }
  const auto prepared = [this] {
    auto r = request({"tool"});
    r.environment = {"PATH=" + (folder / "one") + ":" + (folder / "two")};
    prepare(r);
    return r;
  };
  auto r = prepared();
  CHECK(r.file == folder / "one/tool");
  CHECK(run(std::move(r)).exit_code == 0);
  CHECK(log() == (folder / "one/tool") + "\n");
  const std::vector<std::function<void(const std::string&)>> ways_to_go{
      [](const std::string& tool) { fs::remove(tool); },
      [](const std::string& tool) { fs::permissions(tool, fs::perms::owner_read); },
      [](const std::string& tool) {
        fs::remove(tool);
        fs::create_symlink(tool, tool);
      },
  };
  for (const auto& goes : ways_to_go) {
    r = prepared();
    CHECK(r.file == folder / "one/tool");
    goes(folder / "one/tool");
    CHECK(run(std::move(r)).exit_code == 0);
    CHECK(log() == (folder / "two/tool") + "\n");
    fs::remove(folder / "one/tool");
    folder.write("one/tool", "#!/bin/sh\n");
    fs::permissions(folder / "one/tool", fs::perms::owner_all);
  }
  r = prepared();
  fs::remove(folder / "one/tool");
  fs::remove(folder / "two/tool");
  CHECK(run(std::move(r)).message.find("the command \"tool\" does not exist in any folder of PATH") == 0);
  r = request({"no-such-command"});
  prepare(r);
  CHECK(r.file.empty());
  r = request({});
  prepare(r);
  CHECK(r.file.empty());
}

TEST_CASE_FIXTURE(process_runner, "arguments arrive as they are") {
  run(request({"/usr/bin/printf", "[%s]", "", "two words", "new\nline", "\xff", "*", "$HOME"}));
  CHECK(log() == "[][two words][new\nline][\xff][*][$HOME]");
}

TEST_CASE_FIXTURE(process_runner, "no descriptor but 0 to 2 reaches a command, and 0 is /dev/null") {
  const int leaky = open("/dev/zero", O_RDONLY); // not close-on-exec
  const int high = dup2(leaky, 900);
  run_shell("ls -l /proc/$$/fd; :"); // of the shell, which waits meanwhile
  close(leaky);
  close(high);
  std::istringstream lines(log());
  std::vector<std::string> seen;
  for (std::string line; std::getline(lines, line);)
    if (const auto arrow = line.find(" -> "); arrow != std::string::npos)
      seen.push_back(line.substr(line.rfind(' ', arrow - 1) + 1).substr(0, 10));
  CHECK(seen == std::vector<std::string>{"0 -> /dev/", "1 -> pipe:", "2 -> pipe:"});
}

TEST_CASE_FIXTURE(process_runner, "signals are at their defaults and none is blocked") {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &before);
  run(request({"/bin/cat", "/proc/self/status"}));
  sigaction(SIGPIPE, &before, nullptr);
  CHECK(log().find("SigBlk:\t0000000000000000\n") != std::string::npos);
  const auto ignored = log().find("SigIgn:\t");
  REQUIRE(ignored != std::string::npos);
  CHECK(std::stoull(log().substr(ignored + 8, 16), nullptr, 16) == 0);
}

TEST_CASE_FIXTURE(process_runner, "a command runs in its folder, also one whose name is not UTF-8") {
  fs::create_directory(folder / "work \xff\n");
  auto r = shell("pwd");
  r.cwd = folder / "work \xff\n";
  run(std::move(r));
  CHECK(log() == (folder / "work \xff\n") + "\n");
}

TEST_CASE_FIXTURE(process_runner, "commands are found in the PATH of their environment, from their folder") {
  folder.write("bin/tool", "#!/bin/sh\necho tool in bin\n");
  folder.write("other/tool", "#!/bin/sh\necho tool in other\n");
  folder.write("here", "#!/bin/sh\necho here\n");
  for (const auto* name : {"bin/tool", "here"})
    fs::permissions(folder / name, fs::perms::owner_all);
  auto r = request({"tool"});
  r.environment = {"PATH=/nowhere:" + (folder / "other") + ":bin"}; // the one in other is not executable
  CHECK(run(std::move(r)).exit_code == 0);
  CHECK(log() == "tool in bin\n");
  auto empty_entry = request({"here"});
  empty_entry.environment = {"PATH=/nowhere:"};
  CHECK(run(std::move(empty_entry)).exit_code == 0);
  CHECK(log() == "here\n");
  auto twice = request({"tool"});
  twice.environment = {"PATH=" + (folder / "bin"), "PATH=/nowhere"}; // the first counts, as for getenv
  CHECK(run(std::move(twice)).exit_code == 0);
  CHECK(log() == "tool in bin\n");
  auto no_path = request({"true"});
  no_path.environment = {};
  CHECK(run(std::move(no_path)).exit_code == 0);
  auto relative = request({"bin/tool"});
  CHECK(run(std::move(relative)).exit_code == 0);
}

TEST_CASE_FIXTURE(process_runner, "a script without #! runs in the shell, as with execvp") {
  folder.write("script", "echo \"$0 $1\"\n");
  fs::permissions(folder / "script", fs::perms::owner_all);
  CHECK(run(request({"./script", "argument"})).exit_code == 0);
  CHECK(log() == "./script argument\n");
}

TEST_CASE_FIXTURE(process_runner, "a command that cannot be started says why, and was not spawned") {
  folder.write("plain", "text");
  folder.write("broken", "#!/no/such/interpreter\n");
  folder.write("busy", "#!/bin/sh\n");
  fs::permissions(folder / "plain", fs::perms::owner_read);
  fs::permissions(folder / "broken", fs::perms::owner_all);
  fs::permissions(folder / "busy", fs::perms::owner_all);
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0700) == 0);
  const auto message = [this](process_request r) {
    const auto key = start(std::move(r));
    const auto exit = wait(key);
    CHECK(exit.how == kind::not_started);
    CHECK_FALSE(exit.has_log);
    CHECK_FALSE(was_spawned(key));
    return exit.message;
  };
  CHECK(message(request({"no-such-command"})) ==
        "the command \"no-such-command\" does not exist in any folder of PATH (/usr/local/bin:/usr/bin:/bin)");
  CHECK(message(request({"./none"})) == "the command \"./none\" does not exist");
  CHECK(message(request({"/none"})) == "the command \"/none\" does not exist");
  CHECK(message(request({"./plain"})) == "the command \"./plain\" is not executable: chmod +x would make it so");
  CHECK(message(request({"./plain/beneath"})) == "the command \"./plain/beneath\" does not exist");
  CHECK(message(request({"/usr"})) == "the command \"/usr\" is a folder");
  CHECK(message(request({"./pipe"})) == "the command \"./pipe\" is not a file that could be executed");
  CHECK(
      message(request({"./broken"})) ==
      "the command \"./broken\" names an interpreter in its first line that cannot be executed: /no/such/interpreter");
  CHECK(message(request({})) == "the command is empty");
  CHECK(message(request({""})) == "the command is empty");
  CHECK(message(request({"/bin/echo", std::string("a\0b", 3)})).find("zero byte") != std::string::npos);
  auto in_path = request({"plain"});
  in_path.environment = {"PATH=" + folder.path()};
  CHECK(message(std::move(in_path)) ==
        "the command \"plain\" is not executable (" + (folder / "plain") + "): chmod +x would make it so");

  auto gone = request({"/bin/true"});
  gone.cwd = folder / "gone";
  CHECK(message(gone) == "the working folder \"" + (folder / "gone") + "\" cannot be used: No such file or directory");
  gone.key = 1000;
  gone.argv = {"./tool"};
  CHECK(message(gone) == "the working folder \"" + (folder / "gone") + "\" does not exist");
  auto file_as_folder = request({"/bin/true"});
  file_as_folder.cwd = folder / "plain";
  CHECK(message(file_as_folder) == "the working folder \"" + (folder / "plain") + "\" is not a folder");

  const std::string long_text(200 * 1024, 'x');
  CHECK(
      message(request({"/bin/true", long_text})) ==
      "an argument or environment variable of the command is too long: 204801 bytes, the system takes 131072 for one");
  auto many = request({"/bin/true"});
  for (int i = 0; i < 100; ++i)
    many.argv.emplace_back(100 * 1024, 'x');
  CHECK(message(many).find("the arguments and the environment of the command are too long: ") == 0);
  CHECK(message(request({std::string(5000, '/')})).find("does not exist") != std::string::npos);
}

TEST_CASE_FIXTURE(process_runner, "a file that is being written cannot be executed, and it says so") {
  fs::copy_file("/bin/true", folder / "busy");
  const int writer = open((folder / "busy").c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(writer >= 0);
  const auto exit = run(request({"./busy"}));
  close(writer);
  CHECK(exit.how == kind::not_started);
  CHECK(exit.message == "the command \"./busy\" is being written by another process");
}

TEST_CASE_FIXTURE(process_runner, "a command that takes too long is asked to end, and reported as timed out") {
  auto r = shell("trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.01; done");
  r.timeout = std::chrono::seconds(1);
  const auto exit = run(std::move(r));
  CHECK(exit.how == kind::timed_out);
  CHECK(exit.exit_code == 3);
  CHECK(log().find("ready\n") == 0);
  CHECK(log().find("asked\n") != std::string::npos);
}

TEST_CASE_FIXTURE(process_runner, "a command that ignores SIGTERM is killed after its grace") {
  auto r = shell("trap '' TERM; echo > ready; while :; do sleep 0.01; done");
  r.timeout = std::chrono::milliseconds(1);
  r.grace = std::chrono::milliseconds(200);
  const auto exit = run(std::move(r));
  CHECK(exit.how == kind::timed_out);
  CHECK(exit.signal != 0);
}

TEST_CASE_FIXTURE(process_runner, "end asks first, and a more urgent end overrides the grace") {
  auto r = shell("trap 'echo asked >> asked' TERM; echo > ready; while :; do sleep 0.01; done");
  r.grace = std::chrono::hours(1);
  const auto key = start(std::move(r));
  (void)wait_line("ready");
  executor().end(key, urgency::graceful);
  CHECK(wait_line("asked") == "asked");
  executor().end(key, urgency::graceful); // says nothing new
  CHECK_FALSE(reported(key));
  executor().end(key, urgency::at_once);
  const auto exit = wait(key);
  CHECK(exit.how == kind::ended_by_us);
  CHECK(exit.signal == SIGKILL);
  executor().end(key, urgency::at_once); // ignored
  executor().end(12345, urgency::graceful);
  CHECK(folder.read("asked") == "asked\n");
}

TEST_CASE_FIXTURE(process_runner, "end_all ends all") {
  std::vector<process_key> keys;
  for (int i = 0; i < 5; ++i)
    keys.push_back(start(shell("sleep 1000")));
  executor().end_all(0, urgency::graceful);
  for (const auto key : keys) {
    const auto exit = wait(key);
    CHECK(exit.how == kind::ended_by_us);
    CHECK(exit.signal == SIGTERM);
  }
}

TEST_CASE_FIXTURE(process_runner, "a command that moved itself into another group is still ended") {
  folder.write("move.py", "import os, time\n"
                          "child = os.fork()\n"
                          "if child == 0:\n"
                          "    os.setpgid(0, 0)\n"
                          "    time.sleep(1000)\n"
                          "while os.getpgid(child) != child: time.sleep(0.01)\n"
                          "os.setpgid(0, child)\n"
                          "print('moved', file=open('moved', 'w'))\n"
                          "time.sleep(1000)\n");
  auto r = request({"python3", "move.py"});
  r.grace = duration::max(); // more than a clock can add
  r.timeout = r.grace;
  const auto key = start(std::move(r));
  (void)wait_line("moved");
  executor().end(key, urgency::graceful);
  const auto exit = wait(key);
  CHECK(exit.how == kind::ended_by_us);
  CHECK(exit.signal == SIGTERM);
  CHECK(children_of_this_process() == 0);
}

TEST_CASE_FIXTURE(process_runner, "a stopped command can still be ended") {
  const auto key = start(shell("echo > ready; kill -STOP $$; echo never"));
  (void)wait_line("ready");
  executor().end(key, urgency::graceful);
  CHECK(wait(key).signal == SIGTERM);
}

TEST_CASE_FIXTURE(process_runner, "destroying the executor ends all at once and reports it") {
  const auto key = start(shell("trap '' TERM; sleep 1000 & echo $! > pid; wait"));
  const auto pid = static_cast<pid_t>(std::stol(wait_line("pid")));
  stop();
  CHECK(reported(key));
  CHECK(wait(key).how == kind::ended_by_us);
  CHECK_FALSE(alive(pid));
}

TEST_CASE_FIXTURE(process_runner, "hundreds of starts leave no descriptor and no zombie") {
  run_shell("exit 0");
  const auto files = open_files();
  std::vector<process_key> keys;
  for (int i = 0; i < 500; ++i) {
    keys.push_back(start(i % 50 == 0  ? request({"./none"})
                         : i % 5 == 0 ? shell("sleep 0 & echo x")
                                      : request({"true"})));
    if (keys.size() >= 4)
      wait(keys[keys.size() - 4]);
  }
  for (const auto key : keys)
    wait(key);
  CHECK(open_files() == files);
  CHECK(children_of_this_process() == 0);
}

TEST_CASE_FIXTURE(process_runner, "running out of descriptors is reported, and passes") {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  run_shell("exit 0");
  const auto files = open_files();
  const auto run_with_free = [&](rlim_t free) {
    auto low = before;
    const int lowest = dup(0);
    close(lowest);
    low.rlim_cur = static_cast<rlim_t>(lowest) + free;
    setrlimit(RLIMIT_NOFILE, &low);
    const auto exit = run_shell("echo output; sleep 0.3; exit 3");
    setrlimit(RLIMIT_NOFILE, &before);
    return exit;
  };
  for (const rlim_t free : {0U, 1U}) { // not enough for a pipe
    const auto exit = run_with_free(free);
    CHECK(exit.how == kind::internal);
    CHECK(exit.message.find("Too many open files") != std::string::npos);
    CHECK(exit.message.find("ulimit -n") != std::string::npos);
  }
  const auto enough = run_with_free(2);
  CHECK(enough.how == kind::ended);
  CHECK(enough.exit_code == 3);
  CHECK(enough.message.empty());
  CHECK(log() == "output\n");
  CHECK(open_files() == files);
  CHECK(children_of_this_process() == 0);
}

TEST_CASE_FIXTURE(process_runner, "a command that no thread can wait for needs a descriptor more") {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  std::vector<process_key> keys;
  for (int i = 0; i < 16; ++i)
    keys.push_back(start(request({"/bin/sleep", "600"})));
  for (const auto key : keys)
    static_cast<void>(wait_spawned(key));
  const auto files = open_files();
  auto low = before;
  const int lowest = dup(0);
  close(lowest);
  low.rlim_cur = static_cast<rlim_t>(lowest) + 2;
  setrlimit(RLIMIT_NOFILE, &low);
  const auto exit = run_shell("sleep 600");
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(exit.how == kind::internal);
  CHECK(exit.message.find("cannot watch the process: Too many open files") != std::string::npos);
  CHECK(open_files() == files);
  CHECK(run_shell("exit 3").exit_code == 3);
  executor().end_all(0, urgency::at_once);
  for (const auto key : keys)
    CHECK(wait(key).how == kind::ended_by_us);
  CHECK(children_of_this_process() == 0);
}

TEST_CASE("the plain way to start processes does the same") {
  process_executor_options options;
  options.plain_clone_only = true;
  process_runner runner(options);
  runner.folder.write("script", "echo \"$0 $1\"; exit 4\n");
  fs::permissions(runner.folder / "script", fs::perms::owner_all);
  CHECK(runner.run(runner.request({"./script", "argument"})).exit_code == 4);
  CHECK(runner.log() == "./script argument\n");
  const auto key = runner.start(runner.shell("readlink /proc/$$/fd/0; echo > ready; sleep 100"));
  const auto spawned = runner.wait_spawned(key);
  const auto facts = read_process_facts(spawned.process_group);
  REQUIRE(facts.has_value());
  CHECK(facts->group == spawned.process_group);
  CHECK(facts->start_ticks == spawned.start_ticks);
  (void)runner.wait_line("ready");
  runner.executor().end(key, urgency::graceful);
  CHECK(runner.wait(key).signal == SIGTERM);
  CHECK(runner.log(key) == "/dev/null\n");
  auto gone = runner.request({"/bin/true"});
  gone.cwd = runner.folder / "gone";
  CHECK(runner.run(std::move(gone)).how == kind::not_started);
  CHECK(runner.run(runner.request({"/bin/true", std::string(200 * 1024, 'x')})).how == kind::not_started);
}

TEST_CASE("an ignored SIGCHLD does not lose exit statuses") {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGCHLD, &ignore, &before);
  {
    process_runner runner;
    CHECK(runner.run_shell("exit 7").exit_code == 7);
  }
  sigaction(SIGCHLD, &before, nullptr);
}

namespace {
std::shared_ptr<const secret_mask> mask_of(std::vector<std::string> secrets) {
  return std::make_shared<const secret_mask>(secrets);
}
} // namespace

TEST_CASE_FIXTURE(process_runner, "no secret reaches the log, in whatever pieces it is written") {
  auto r = shell(
      "printf 'one s3cr3t'; sleep 0.05; printf -- '-Zq9x two\\ns3cr3t-Zq9x'; echo s3cr3t-Zq9x >&2; printf s3cr3t-Z");
  r.mask = mask_of({"s3cr3t-Zq9x"});
  const auto log = r.log_file;
  CHECK(run(std::move(r)).has_log);
  std::string all = folder.read(fs::path(log).filename().string());
  CHECK(all == "one *** two\n***\ns3cr3t-Z");
}

TEST_CASE_FIXTURE(process_runner,
                  "a secret that is larger than a read, and output that is larger than the log, are masked too") {
  const std::string secret = std::string(100'000, 'x') + "end";
  folder.write("secret", secret);
  auto r = shell("echo before; cat secret; echo after; cat secret secret secret; echo last");
  r.mask = mask_of({secret});
  r.max_log = 8192;
  const auto name = fs::path(r.log_file).filename().string();
  CHECK(run(std::move(r)).has_log);
  CHECK(folder.read(name) == "before\n***after\n***last\n");
}

TEST_CASE_FIXTURE(process_runner, "a prompt shows though its end might begin a secret") {
  auto r = shell("printf 'name: s'; while [ ! -e go ]; do sleep 0.01; done; echo 3cret");
  r.mask = mask_of({"s3cr3t-Zq9x"});
  const auto name = fs::path(r.log_file).filename().string();
  const auto key = start(std::move(r));
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!(fs::exists(folder / name) && folder.read(name) == "name: s") && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(folder.read(name) == "name: s");
  folder.write("go", "");
  CHECK(wait(key).exit_code == 0);
  CHECK(folder.read(name) == "name: s3cret\n");
}

TEST_CASE_FIXTURE(process_runner, "what a killed command had begun to write is in its log, without the secrets") {
  auto r = shell("echo s3cr3t-Zq9x; printf s3cr; : > begun; sleep 60");
  r.mask = mask_of({"s3cr3t-Zq9x"});
  const auto name = fs::path(r.log_file).filename().string();
  const auto key = start(std::move(r));
  while (!fs::exists(folder / "begun"))
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  executor().end(key, urgency::at_once);
  CHECK(wait(key).how == kind::ended_by_us);
  CHECK(folder.read(name) == "***\ns3cr");
}
