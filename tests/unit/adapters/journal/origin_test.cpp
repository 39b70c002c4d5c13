// Whose a state is: the note against who asks, and what a foreign one refuses.
#include "adapters/journal/lmdb_journal_check.hpp"
#include "adapters/journal/lmdb_origin.hpp"
#include "adapters/journal/lmdb_remake.hpp"
#include "adapters/process/own_identity.hpp"
#include "adapters/process/process_table.hpp"
#include "journal_fixtures.hpp"
#include "support/forged_state.hpp"
#include "support/history.hpp"

#include <filesystem>
#include <fstream>
#include <map>

using namespace troupe_internal;
using namespace troupe_internal::test;
namespace fs = std::filesystem;

namespace {

digest machine(int n) {
  return quick_digest("machine " + std::to_string(n));
}

/// Every file of the folder with its bytes.
std::map<std::string, std::string> contents(const std::string& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    std::ifstream in(entry.path(), std::ios::binary);
    all[entry.path().string()] = {std::istreambuf_iterator<char>(in), {}};
  }
  return all;
}

/// A state with some history, which somebody else has made.
struct foreign_fixture {
  lmdb_fixture made;
  writer_identity stranger{own_identity().user + 1, machine(1)};
  foreign_fixture() {
    history_maker history(7);
    for (int i = 0; i < 40; ++i)
      REQUIRE(made.store().append(history.next_batch()).has_value());
    REQUIRE(made.store().append(std::vector<event>{writer_closed{}}).has_value());
    made.close();
    forge_writers({stranger});
  }
  [[nodiscard]] std::string folder() const { return made.folder(); }
  void forge_writers(const std::vector<writer_identity>& writers) const {
    REQUIRE(forge_info(folder(), [&](state_info& info) { info.writers = writers; }) == "");
  }
  [[nodiscard]] std::vector<writer_identity> writers() const { return open_snapshot(folder()).value()->info().writers; }
  [[nodiscard]] result<std::unique_ptr<journal_store>> open() { return open_journal(folder(), {}, made.clock()); }
};

} // namespace

TEST_CASE("a note names its writers: the user, and the machine where both are known") {
  const writer_identity me{1000, machine(1)};
  const writer_here here{me, "this boot"};
  const auto origin = [&](std::vector<writer_identity> writers, const writer_here& seen_from, std::string boot = "") {
    state_info info;
    info.writers = std::move(writers);
    info.writer_boot_id = std::move(boot);
    return origin_of(info, true, seen_from);
  };
  CHECK(origin({me}, here) == state_origin::here);
  CHECK(origin({{1000, machine(2)}}, here) == state_origin::other_machine);
  CHECK(origin({{1001, machine(1)}}, here) == state_origin::other_user);
  CHECK(origin({{0, machine(1)}}, here) == state_origin::other_user); // root is no exception, either way
  CHECK(origin({}, here) == state_origin::unknown);
  // Trusted since.
  CHECK(origin({{1001, machine(2)}, me}, here) == state_origin::here);
  CHECK(origin({{1001, machine(2)}, {1000, machine(3)}}, here) == state_origin::other_machine);
  // A machine that has no id, or a container: the user alone counts.
  const writer_here contained{{1000, {}}, "this boot"};
  CHECK(origin({me}, contained) == state_origin::here);
  CHECK(origin({{1000, {}}}, contained) == state_origin::here);
  CHECK(origin({{1001, {}}}, contained) == state_origin::other_user);
  // Made in a container and used on a machine with an id: nobody elsewhere can know the id of this boot.
  CHECK(origin({{1000, {}}}, here, "this boot") == state_origin::here);
  CHECK(origin({{1000, {}}}, here, "another boot") == state_origin::other_machine);
  CHECK(origin({{1000, {}}}, here) == state_origin::other_machine);
  CHECK(origin({{1000, {}}}, {me, ""}) == state_origin::other_machine); // where the boot is unknown, nothing matches
  CHECK(origin({{1001, {}}}, here, "this boot") == state_origin::other_user);
  CHECK(origin({{1000, machine(2)}}, here, "this boot") == state_origin::other_machine);
}

TEST_CASE("a state of format 1 is this machine's while its last writer is of this boot") {
  state_info info;
  info.writer_boot_id = "this boot";
  CHECK(origin_of(info, false, {{1000, machine(1)}, "this boot"}) == state_origin::here);
  CHECK(origin_of(info, false, {{1000, machine(1)}, "another boot"}) == state_origin::unknown);
  CHECK(origin_of(info, false, {{1000, machine(1)}, ""}) == state_origin::unknown);
  info.writer_boot_id.clear(); // nobody has written to it, or the boot was unknown
  CHECK(origin_of(info, false, {{1000, machine(1)}, ""}) == state_origin::unknown);
  CHECK(origin_of(info, false, {{1000, machine(1)}, "this boot"}) == state_origin::unknown);
}

TEST_CASE("a writer is noted once") {
  state_info info;
  CHECK(note_writer(info, {1, machine(1)}));
  CHECK(note_writer(info, {1, {}}));
  CHECK_FALSE(note_writer(info, {1, machine(1)}));
  CHECK(info.writers == std::vector<writer_identity>{{1, machine(1)}, {1, {}}});
}

TEST_CASE("a machine's id is 32 hexadecimal digits and stays secret") {
  const std::string id = "0123456789abcdef0123456789abcdef";
  REQUIRE(machine_of(id).has_value());
  CHECK(machine_of(id) == machine_of(id + "\n"));
  CHECK(machine_of(id) == machine_of("0123456789ABCDEF0123456789abcdef"));
  CHECK(to_hex(*machine_of(id)) != id);
  for (const std::string& none : {std::string(), std::string("\n"), std::string("uninitialized\n"), id.substr(1),
                                  id + "0", id + "\n\n", " " + id, std::string(32, '0') + "\n", std::string(32, 'g')})
    CHECK_MESSAGE(!machine_of(none).has_value(), none);
}

TEST_CASE("a state notes who made it") {
  lmdb_fixture f;
  CHECK(f.store().snapshot().value()->info().writers == std::vector{own_identity()});
  const auto note = read_journal_note(f.folder());
  REQUIRE(note.has_value());
  CHECK(note->format == journal_format);
  CHECK(note->info.writers == std::vector{own_identity()});
  CHECK_FALSE(is_foreign(*state_dir::open(f.folder()).value()));
}

TEST_CASE_FIXTURE(foreign_fixture, "a foreign state is read without a trace, and no writer changes a byte of it") {
  fs::remove(folder() + "/journal.mdb-lock");
  const auto before = contents(folder());
  CHECK(is_foreign(*state_dir::open(folder()).value()));
  CHECK(verify_journal(folder()).value().ok());
  CHECK(open_snapshot(folder()).value()->info().last_seq > 0);
  const auto refused = [&](const error& e) {
    CHECK(e.code == error_code::state_unusable);
    CHECK_MESSAGE(e.message.find("troupe journal trust") != std::string::npos, e.message);
    CHECK_MESSAGE(e.message.find("it was made by user " + std::to_string(stranger.user)) != std::string::npos,
                  e.message);
  };
  refused(open().error());
  refused(compact_journal(folder(), {}, made.clock()).error());
  refused(rebuild_journal(folder(), false).error());
  refused(rebuild_journal(folder(), true).error());
  refused(require_own_state(folder()).error());
  refused(lock_own_state(folder()).error());
  CHECK(contents(folder()) == before);
}

TEST_CASE_FIXTURE(foreign_fixture, "a note that nobody is in, or this user on a machine that has no id") {
  forge_writers({});
  CHECK(open().error().message.find("it does not say who made it") != std::string::npos);
  if (own_identity().machine == digest{})
    return; // in a container the user alone counts
  forge_writers({{own_identity().user, machine(1)}});
  CHECK(open().error().message.find("it was made on another machine") != std::string::npos);
  forge_writers({{own_identity().user, {}}});
  CHECK(open().error().message.find("in a container") != std::string::npos);
  REQUIRE(forge_info(folder(), [](state_info& info) { info.writer_boot_id = boot_id(); }) == "");
  CHECK(open().has_value());
}

TEST_CASE_FIXTURE(foreign_fixture, "a state that was trusted stays so, whatever makes it anew") {
  REQUIRE(trust_state(folder(), made.clock()).has_value());
  const std::vector trusted{stranger, own_identity()};
  CHECK(writers() == trusted);
  REQUIRE(trust_state(folder(), made.clock()).has_value());
  CHECK(writers() == trusted);
  CHECK(verify_journal(folder()).value().problems.empty());
  REQUIRE(open().value()->retain(1, 1'000).has_value());
  REQUIRE(rebuild_journal(folder(), false).has_value());
  CHECK(writers() == trusted);
  REQUIRE(compact_journal(folder(), {}, made.clock()).has_value());
  CHECK(writers() == trusted);
  REQUIRE(rebuild_journal(folder(), true).has_value());
  CHECK(writers() == trusted);
  CHECK(verify_journal(folder()).value().problems.empty());
  CHECK(open().has_value());
}

TEST_CASE_FIXTURE(foreign_fixture, "trust leaves the words of the lock to the next writer") {
  std::ofstream(folder() + "/lock") << "pid 4711\nhost elsewhere\n";
  REQUIRE(trust_state(folder(), made.clock()).has_value());
  CHECK(contents(folder())[folder() + "/lock"] == "pid 4711\nhost elsewhere\n");
}

TEST_CASE_FIXTURE(foreign_fixture, "a foreign journal that is damaged can be made anew, and is as foreign as before") {
  REQUIRE(forge(folder(), [](lmdb_access& access) -> result<void> { // a projection that no event accounts for
            run_record run;
            run.run = run_number(4'000U);
            return access.write(lmdb_table::runs, 4'000, run);
          }) == "");
  REQUIRE_FALSE(verify_journal(folder()).value().ok());
  REQUIRE(rebuild_journal(folder(), false).has_value());
  CHECK(verify_journal(folder()).value().ok());
  CHECK(writers() == std::vector{stranger});
  CHECK(open().error().code == error_code::state_unusable);
}

TEST_CASE("what cannot say who made it is no foreign state: what opens it says what is wrong") {
  temporary_folder empty;
  CHECK_FALSE(is_foreign(*state_dir::open(empty.path()).value()));
  CHECK(require_own_state(empty / "nowhere").has_value());
  empty.write("journal.mdb", std::string(100'000, 'x'));
  CHECK_FALSE(read_journal_note(empty.path()).has_value());
  CHECK_FALSE(is_foreign(*state_dir::open(empty.path()).value()));
  system_clock time;
  CHECK(trust_state(empty.path(), time).error().code == error_code::state_unusable);
  CHECK(trust_state(empty / "nowhere", time).error().code == error_code::not_found);
  CHECK_FALSE(fs::exists(empty / "nowhere"));
}
