// What a dead supervisor left is found by proof and ended; strangers are not touched.
#include "adapters/process/leftovers.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <map>
#include <set>
#include <thread>
#include <utility>

using namespace troupe_internal;

namespace {

process_place here() {
  return own_place().value();
}
process_place elsewhere() {
  auto place = here();
  ++place.pid_namespace;
  return place;
}

/// The id of a process that has ended.
pid_t gone() {
  const auto pid = fork();
  if (pid == 0)
    _exit(0);
  REQUIRE(waitpid(pid, nullptr, 0) == pid);
  return pid;
}

/// Processes that are none of this one's descendants, as after the death of their supervisor: started through two
/// forks, so that init (or whoever reaps here) has them.
struct fixture {
  temporary_folder folder;
  std::string state_id = "state of " + folder.path(); // each test's own
  /// That started what start() starts, as a command is told: one that has ended. Empty: it is not told.
  std::string supervisor = supervisor_mark(getpid(), process_start_ticks(getpid()).value() + 1, here());
  std::vector<pid_t> started;

  ~fixture() {
    for (const auto pid : started)
      kill(pid, SIGKILL);
  }

  /// Runs a script whose first line of work is to write its pid into the file `name`; gives that pid.
  pid_t start(const std::string& name, const std::string& script, bool marked, bool own_group = true) {
    const auto path = folder / name;
    const auto text = "echo $$ > " + path + "; " + script;
    const auto middle = fork();
    if (middle == 0) {
      if (fork() == 0) {
        if (own_group)
          setpgid(0, 0);
        const int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        const auto mark = "TROUPE_STATE_ID=" + state_id;
        char* const argv[] = {const_cast<char*>("sh"), const_cast<char*>("-c"), const_cast<char*>(text.c_str()),
                              nullptr};
        const auto starter = std::string(supervisor_variable) + supervisor;
        std::vector<char*> environment{const_cast<char*>("PATH=/usr/bin:/bin")};
        if (marked)
          environment.push_back(const_cast<char*>(mark.c_str()));
        if (!supervisor.empty())
          environment.push_back(const_cast<char*>(starter.c_str()));
        environment.push_back(nullptr);
        execve("/bin/sh", argv, environment.data());
      }
      _exit(0);
    }
    REQUIRE(waitpid(middle, nullptr, 0) == middle);
    return pid_in(name);
  }
  pid_t pid_in(const std::string& name) {
    REQUIRE(eventually([&] { return folder.read(name).ends_with("\n"); }));
    started.push_back(static_cast<pid_t>(std::stol(folder.read(name))));
    return started.back();
  }
  std::set<pid_t> found(const std::vector<recorded_process>& recorded = {}) const {
    std::set<pid_t> pids;
    for (const auto& one : find_leftovers(state_id, recorded))
      pids.insert(one.pid);
    return pids;
  }
  /// Ends what is left over; gives whom it has ended.
  std::vector<leftover> end(const std::vector<recorded_process>& recorded, duration grace) const {
    leftover_tally tally;
    REQUIRE(end_leftovers(state_id, recorded, grace, tally).has_value());
    return tally.ended;
  }
  std::set<pid_t> unproved(const std::vector<recorded_process>& recorded) const {
    std::vector<unproved_process> all;
    static_cast<void>(find_leftovers(state_id, recorded, nullptr, &all));
    std::set<pid_t> pids;
    for (const auto& one : all)
      pids.insert(one.pid);
    return pids;
  }
  static recorded_process record(pid_t pid) {
    return {pid, process_start_ticks(pid).value(), boot_id(), here().pid_namespace, gone()};
  }
};

} // namespace

TEST_CASE_FIXTURE(fixture, "with nothing left there is nothing to end") {
  CHECK(find_leftovers(state_id, {}).empty());
  CHECK(end({}, std::chrono::hours(1)).empty());
}

TEST_CASE_FIXTURE(fixture, "processes with the state's id in their environment are left over, others are not") {
  const auto ours = start("ours", "while :; do sleep 1; done", true);
  const auto stranger = start("stranger", "while :; do sleep 1; done", false);
  const auto all = find_leftovers(state_id, {});
  const auto it = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.pid == ours; });
  REQUIRE(it != all.end());
  CHECK(it->name == "sh");
  CHECK(it->start_ticks == process_start_ticks(ours));
  CHECK_FALSE(found().contains(stranger));
  CHECK(find_leftovers("another-state", {}).empty());
  CHECK(find_leftovers("", {}).empty());
  CHECK(find_leftovers(state_id.substr(0, state_id.size() - 1), {}).empty());
}

TEST_CASE_FIXTURE(fixture, "what a supervisor that lives has started is not left over: one of the states is a copy") {
  const auto other = start("other", "exec sleep 1000", false);
  const auto ticks = process_start_ticks(other).value();
  supervisor = supervisor_mark(other, ticks, here());
  const auto at_work = start("at_work", "sh -c 'echo $$ > " + (folder / "child") + "; exec sleep 1000'; :", true);
  const auto child = pid_in("child");
  supervisor = supervisor_mark(other, ticks + 1, here()); // whoever has the number now is another
  const auto left = start("left", "exec sleep 1000", true);
  supervisor = own_supervisor_mark(); // which holds the state itself
  const auto own = start("own", "exec sleep 1000", true);

  CHECK(found() == std::set<pid_t>{left, own});

  kill(other, SIGKILL);
  REQUIRE(eventually([&] { return !read_process_facts(other); })); // its number names nobody
  CHECK(found() == std::set<pid_t>{left, own, at_work, child});
}

TEST_CASE_FIXTURE(fixture, "what names no supervisor that has certainly ended is not left over") {
  const auto other = gone();
  const auto forever = "exec sleep 1000";
  supervisor = supervisor_mark(other, 1, elsewhere()); // a container's, seen from outside of it
  start("contained", forever, true);
  supervisor = supervisor_mark(1, 1, elsewhere());
  start("contained_by_process_one", forever, true);
  auto another_boot = here();
  another_boot.boot_id = "another";
  supervisor = supervisor_mark(other, 1, another_boot);
  start("another_boot", forever, true);
  supervisor = std::to_string(other) + ":1"; // as older versions said it
  start("older", forever, true);
  supervisor = "what is no number";
  start("odd", forever, true);
  supervisor = "";
  start("silent", forever, true);
  CHECK(found().empty());

  auto other_clock = here(); // start ticks count from another moment there, numbers are the same
  ++other_clock.time_namespace;
  supervisor = supervisor_mark(other, 1, other_clock);
  const auto left = start("other_clock", forever, true);
  supervisor = supervisor_mark(getppid(), 1, other_clock);
  start("other_clock_and_a_number_in_use", forever, true);
  CHECK(found() == std::set<pid_t>{left});
}

TEST_CASE_FIXTURE(fixture, "a recorded group is not left over where its numbers mean others or its supervisor lives") {
  const auto other = start("other", "exec sleep 1000", false);
  // Its leader has cleared its environment; a member has not.
  const auto leader =
      start("leader", "sh -c 'echo $$ > " + (folder / "member") + "; exec sleep 1000' & exec env -i sleep 1000", true);
  const auto member = pid_in("member");
  REQUIRE(eventually([&] { return read_process_environment(leader) == ""; }));
  REQUIRE(found({record(leader)}) == std::set<pid_t>{leader, member});
  auto contained = record(leader);
  contained.pid_namespace = elsewhere().pid_namespace;
  auto copied = record(leader); // the journal is a copy of one that is in use
  copied.supervisor = other;
  auto nobodys = record(leader);
  nobodys.supervisor = 0;
  for (const auto& one : {contained, copied, nobodys})
    CHECK_FALSE(unproved({one}).contains(leader));
  auto older = record(leader);
  older.pid_namespace = 0;
  CHECK(found({older}) == std::set<pid_t>{leader, member});
}

TEST_CASE_FIXTURE(fixture, "the number of a supervisor may be that of a process which started later") {
  const auto other = start("other", "exec sleep 1000", false);
  const auto later = start("later", "exec sleep 1000", false);
  auto reused = record(other);
  reused.supervisor = later;
  const bool is_later = process_start_ticks(later).value() > reused.start_ticks; // a tick takes its time
  CHECK(unproved({reused}).contains(other) == is_later);
}

TEST_CASE_FIXTURE(fixture, "what a dead supervisor left and this process has adopted is left over") {
  const auto child = fork();
  if (child == 0) {
    setpgid(0, 0);
    const auto mark = "TROUPE_STATE_ID=" + state_id;
    const auto starter = std::string(supervisor_variable) + supervisor;
    char* const argv[] = {const_cast<char*>("sleep"), const_cast<char*>("1000"), nullptr};
    char* const environment[] = {const_cast<char*>(mark.c_str()), const_cast<char*>(starter.c_str()), nullptr};
    execve("/bin/sleep", argv, environment);
    _exit(127);
  }
  CHECK(eventually([&] { return found() == std::set<pid_t>{child}; }));
  CHECK(end({}, std::chrono::hours(1)).size() == 1);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WTERMSIG(status) == SIGTERM);
}

TEST_CASE_FIXTURE(fixture, "descendants that cleared their environment are left over too") {
  const auto ours =
      start("ours", "setsid -w env -i sh -c 'echo $$ > " + (folder / "child") + "; exec sleep 1000'; :", true);
  const auto child = pid_in("child");
  CHECK(found() == std::set<pid_t>{ours, child});
}

TEST_CASE_FIXTURE(fixture, "a record alone proves nothing: what it names is told and not ended") {
  supervisor = ""; // nothing in their environment names a state
  const auto leader = start("leader", "sh -c 'echo $$ > " + (folder / "member") + "; exec sleep 1000'; :", false);
  const auto member = pid_in("member");
  const auto good = record(leader);
  CHECK(found({good}).empty());
  CHECK(unproved({good}) == std::set<pid_t>{leader, member});
  leftover_tally tally;
  const std::vector recorded{good};
  REQUIRE(end_leftovers(state_id, recorded, std::chrono::milliseconds(100), tally).has_value());
  CHECK(tally.ended.empty());
  REQUIRE(tally.unproved.size() == 2);
  for (const auto& one : tally.unproved) {
    CHECK(one.process_group == leader);
    CHECK_FALSE(one.other_user);
    CHECK_FALSE(one.name.empty());
  }
  CHECK(alive(leader));
  CHECK(alive(member));

  auto tick = good;
  ++tick.start_ticks;
  CHECK(unproved({tick}).size() == 2);
  auto other_time = good;
  other_time.start_ticks += 2;
  CHECK(unproved({other_time}).empty());
  auto other_boot = good;
  other_boot.boot_id = "another";
  CHECK(unproved({other_boot}).empty());
  for (const pid_t group : {0, 1, -1, member}) {
    auto nobody = good;
    nobody.process_group = group;
    CHECK(unproved({nobody}).empty());
  }
}

TEST_CASE_FIXTURE(fixture, "another state's mark proves nothing, nor does a mark whose supervisor lives") {
  const auto other = start("other", "exec sleep 1000", false);
  const auto own_id = std::exchange(state_id, "another state");
  const auto theirs = start("theirs", "exec sleep 1000", true);
  state_id = own_id;
  supervisor = supervisor_mark(other, process_start_ticks(other).value(), here());
  const auto at_work = start("at_work", "exec sleep 1000", true);
  CHECK(found({record(theirs), record(at_work)}).empty());
  CHECK(unproved({record(theirs), record(at_work)}) == std::set<pid_t>{theirs, at_work});
}

TEST_CASE_FIXTURE(fixture, "a recorded group is left over if its leader is, and says by what each is known") {
  const auto leader = start("leader",
                            "env -i sh -c 'echo $$ > " + (folder / "member") +
                                "; exec sleep 1000' & setsid -w env -i sh -c 'echo $$ > " + (folder / "child") +
                                "; exec sleep 1000'; :",
                            true);
  const auto member = pid_in("member");
  const auto child = pid_in("child");
  std::map<pid_t, leftover_proof> why;
  const std::vector recorded{record(leader)};
  for (const auto& one : find_leftovers(state_id, recorded))
    why[one.pid] = one.why;
  CHECK(why[leader] == leftover_proof::mark);
  CHECK(why[member] == leftover_proof::group);
  CHECK(why[child] == leftover_proof::descendant);
  CHECK(unproved(recorded).empty());
}

TEST_CASE_FIXTURE(fixture, "a recorded group without its leader is left over only if a member proves it") {
  const auto script = [this](const std::string& name) {
    return "PATH=/usr/bin:/bin; (sh -c 'echo $$ > " + (folder / name) + "; exec sleep 1000') & exit";
  };
  supervisor = "";
  const auto gone = start("gone", script("unmarked"), false);
  const auto unmarked = pid_in("unmarked");
  REQUIRE(eventually([&] { return !read_process_facts(gone); })); // as a zombie it would still prove it
  REQUIRE(read_process_facts(unmarked)->group == gone);
  auto of_gone = record(unmarked);
  of_gone.process_group = gone;
  CHECK(found({of_gone}).empty());

  supervisor = fixture().supervisor;
  const auto marked_leader =
      start("marked_leader",
            "env -i sh -c 'echo $$ > " + (folder / "cleared") + "; exec sleep 1000' & " + script("marked"), true);
  const auto marked = pid_in("marked");
  const auto cleared = pid_in("cleared");
  REQUIRE(eventually([&] { return !read_process_facts(marked_leader); }));
  CHECK(found() == std::set<pid_t>{marked});
  auto of_marked = record(marked);
  of_marked.process_group = marked_leader;
  CHECK(found({of_marked}) == std::set<pid_t>{marked, cleared});
}

TEST_CASE_FIXTURE(fixture, "this process, what is above it and what it has started are never left over") {
  const auto own_mark = own_supervisor_mark();
  const auto child = fork();
  if (child == 0) {
    setpgid(0, 0);
    const auto mark = "TROUPE_STATE_ID=" + state_id;
    const auto starter = std::string(supervisor_variable) + own_mark;
    char* const argv[] = {const_cast<char*>("sleep"), const_cast<char*>("1000"), nullptr};
    char* const environment[] = {const_cast<char*>(mark.c_str()), const_cast<char*>(starter.c_str()), nullptr};
    execve("/bin/sleep", argv, environment);
    _exit(127);
  }
  REQUIRE(eventually([&] {
    const auto environment = read_process_environment(child);
    return environment && environment_has(*environment, "TROUPE_STATE_ID=" + state_id);
  }));
  auto by_us = record(child);
  by_us.supervisor = getpid();
  const auto taken = found({by_us, record(getpid()), record(getppid()), record(1)});
  const auto told = unproved({by_us, record(getpid()), record(getppid()), record(1)});
  for (const auto kin : {child, getpid(), getppid(), pid_t(1)}) { // of a shell's pipeline others may be in our group
    CHECK_FALSE(taken.contains(kin));
    CHECK_FALSE(told.contains(kin));
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST_CASE_FIXTURE(fixture, "a process of another user is not ours to end") {
  if (geteuid() != 0)
    return; // only root can start one
  const auto other = start("other", "exec setpriv --reuid=65534 --clear-groups sleep 1000", true);
  REQUIRE(eventually([&] { return process_user(other) == 65534U; }));
  CHECK_FALSE(found().contains(other));
  std::vector<unproved_process> told;
  const std::vector recorded{record(other)};
  CHECK(find_leftovers(state_id, recorded, nullptr, &told).empty());
  REQUIRE(told.size() == 1);
  CHECK(told.front().pid == other);
  CHECK(told.front().other_user);
}

TEST_CASE_FIXTURE(fixture, "what is left over is asked first, and killed after its grace") {
  const auto polite =
      start("polite", "trap 'echo asked > " + (folder / "asked") + "; exit' TERM; while :; do sleep 0.01; done", true);
  const auto stubborn = start("stubborn", "trap '' TERM; while :; do sleep 0.01; done", true);
  const auto stranger = start("stranger", "while :; do sleep 1; done", false);
  const auto ended = end({}, std::chrono::milliseconds(300));
  std::set<pid_t> pids;
  for (const auto& one : ended)
    pids.insert(one.pid);
  CHECK(pids.contains(polite));
  CHECK(pids.contains(stubborn));
  CHECK_FALSE(pids.contains(stranger));
  CHECK_FALSE(alive(polite));
  CHECK_FALSE(alive(stubborn));
  CHECK(alive(stranger));
  CHECK(folder.read("asked") == "asked\n");
  CHECK(find_leftovers(state_id, {}).empty());
}

TEST_CASE_FIXTURE(fixture, "all of a proved group is ended, also those that outlive the proof") {
  const auto leader = start(
      "leader",
      "env -i sh -c 'trap \"\" TERM; echo $$ > " + (folder / "member") + "; while :; do sleep 0.01; done'; :", true);
  const auto member = pid_in("member");
  const std::vector<recorded_process> recorded{record(leader)};
  CHECK(end(recorded, std::chrono::milliseconds(200)).size() >= 2); // what they ran at that moment, too
  CHECK_FALSE(alive(leader));
  CHECK_FALSE(alive(member));
}

TEST_CASE_FIXTURE(fixture, "what leftovers start while they are ended is ended too") {
  start("parent", "trap 'sleep 1000 & echo $! > " + (folder / "late") + "; exit' TERM; while :; do sleep 0.01; done",
        true);
  CHECK(end({}, std::chrono::seconds(20)).size() >= 1);
  CHECK_FALSE(alive(pid_in("late")));
}

TEST_CASE_FIXTURE(fixture, "a stopped leftover is ended") {
  const auto stopped = start("stopped", "while :; do sleep 0.01; done", true);
  // From here, where its parent has gone: the kernel would end what is stopped while its parent goes (SIGHUP to a group
  // that becomes an orphan).
  kill(stopped, SIGSTOP);
  REQUIRE(eventually([&] { return read_process_facts(stopped).value_or(process_facts()).state == 'T'; }));
  CHECK_FALSE(end({}, std::chrono::hours(1)).empty());
  CHECK_FALSE(alive(stopped));
}

TEST_CASE("the table of processes tells of this one what the system calls tell") {
  const auto facts = read_process_facts(getpid()).value();
  CHECK(facts.parent == getppid());
  CHECK(facts.group == getpgrp());
  CHECK(facts.session == getsid(0));
  CHECK(facts.start_ticks == process_start_ticks(getpid()));
  CHECK(process_user(getpid()) == geteuid());
  const auto pids = all_processes();
  CHECK(std::find(pids.begin(), pids.end(), getpid()) != pids.end());
  CHECK(boot_id().size() == 36);
  const pid_t nobody = 1 << 30;
  CHECK_FALSE(read_process_facts(nobody).has_value());
  CHECK_FALSE(process_start_ticks(nobody).has_value());
  CHECK_FALSE(read_process_environment(nobody).has_value());
  CHECK_FALSE(process_user(nobody).has_value());
  CHECK(open_pidfd(nobody) < 0);
}

TEST_CASE("an environment has an entry only as a whole") {
  const std::string environment("A=1\0BA=2\0C=3\0", 13);
  CHECK(environment_has(environment, "A=1"));
  CHECK(environment_has(environment, "C=3"));
  CHECK_FALSE(environment_has(environment, "A=2"));
  CHECK_FALSE(environment_has(environment, "A="));
  CHECK_FALSE(environment_has(environment, "BA=22"));
  CHECK_FALSE(environment_has("", "A=1"));
  CHECK(environment_has("A=1", "A=1"));
}

TEST_CASE_FIXTURE(fixture, "what cannot be looked at for want of descriptors is not taken for gone") {
  const auto ours = start("ours", "exec sleep 1000", true);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{0, before.rlim_max};
  bool in_doubt = false;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto seen = find_leftovers(state_id, {}, &in_doubt);
  std::thread mends_it([&] { // while end_leftovers tries again
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    setrlimit(RLIMIT_NOFILE, &before);
  });
  leftover_tally tally;
  const auto done = end_leftovers(state_id, {}, std::chrono::seconds(5), tally);
  mends_it.join();
  CHECK(seen.empty());
  CHECK(in_doubt);
  REQUIRE(done.has_value());
  REQUIRE(tally.ended.size() == 1);
  CHECK(tally.ended.front().pid == ours);
  CHECK(eventually([&] { return !alive(ours); }));
  CHECK(find_leftovers(state_id, {}, &in_doubt).empty());
  CHECK_FALSE(in_doubt);
}
