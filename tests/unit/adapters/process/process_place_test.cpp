// Where a process id counts, and whether its process lives.
#include "adapters/journal/state_lock.hpp"
#include "adapters/process/process_place.hpp"
#include "adapters/process/process_table.hpp"
#include "support/processes.hpp"

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

using namespace troupe_internal;

TEST_CASE("a place is written and read again; what is none is not read") {
  const auto here = own_place().value();
  CHECK(here.boot_id == boot_id());
  CHECK(here.pid_namespace != 0);
  for (const char separator : {' ', ':'})
    CHECK(parse_place(to_text(here, separator), separator) == here);
  for (const auto* text :
       {"", "unknown", "boot", "boot 1", "boot 1 ", "boot 1 x", "boot x 1", " 1 2", "boot 1 2 3", "boot 1 2 "})
    CHECK_FALSE(parse_place(text).has_value());
  CHECK(parse_place("boot 1 2") == process_place{"boot", 1, 2});
}

TEST_CASE("another namespace is one of the same boot that is known to be another") {
  const auto here = own_place().value();
  CHECK_FALSE(is_another_namespace(here));
  auto other = here;
  ++other.pid_namespace;
  CHECK(is_another_namespace(other));
  other.boot_id = "another boot";
  CHECK_FALSE(is_another_namespace(other));
  auto unknown = here;
  unknown.pid_namespace = 0;
  CHECK_FALSE(is_another_namespace(unknown));
}

TEST_CASE("a process lives or has ended only where its id counts") {
  const auto here = own_place().value();
  const auto own_start = process_start_ticks(getpid()).value();
  CHECK(life_of(getpid(), own_start, here) == life::lives);
  CHECK(life_of(getpid(), own_start + 1, here) == life::ended);
  CHECK(life_of(getpid(), 0, here) == life::unknown);
  CHECK(life_of(0, own_start, here) == life::unknown);
  auto there = here;
  ++there.pid_namespace;
  CHECK(life_of(getpid(), own_start + 1, there) == life::unknown);
  there = here;
  there.boot_id = "another boot";
  CHECK(life_of(getpid(), own_start + 1, there) == life::unknown);
  there = here;
  ++there.time_namespace; // ids are the same there, start ticks are not
  CHECK(life_of(getpid(), own_start + 1, there) == life::unknown);

  const auto child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  const auto start = process_start_ticks(child).value();
  CHECK(life_of(child, start, here) == life::lives);
  kill(child, SIGKILL);
  CHECK(eventually([&] { return life_of(child, start, here) == life::ended; })); // a zombie
  waitpid(child, nullptr, 0);
  CHECK(life_of(child, start, here) == life::ended);
  CHECK(life_of(child, start, there) == life::ended);
}

TEST_CASE("a holder is named with the namespace in which its process id counts") {
  lock_holder holder;
  CHECK(words_on(holder) == "another process");
  holder.pid = 12;
  holder.command = "troupe run";
  CHECK(words_on(holder) == "process 12 (troupe run)");
  auto where = own_place().value();
  holder.where = to_text(where);
  holder.host = "host-a";
  CHECK(words_on(holder) == "process 12 (troupe run)");
  ++where.pid_namespace;
  holder.where = to_text(where);
  CHECK(words_on(holder) == "process 12 of another PID namespace (a container), on host host-a (troupe run)");
  holder.host.clear();
  CHECK(words_on(holder) == "process 12 of another PID namespace (a container) (troupe run)");
}

TEST_CASE("the children of a process and its name are known while it lives") {
  const auto child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  const auto children = process_children(getpid());
  CHECK(std::find(children.begin(), children.end(), child) != children.end());
  CHECK(process_name(child) == process_name(getpid()));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  CHECK(process_children(child).empty());
  CHECK(process_name(child).empty());
}
