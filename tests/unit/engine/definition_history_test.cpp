// Definitions of past runs, and what changed, from records and events.
#include "engine/definition_history.hpp"

#include "core/journal/projection.hpp"
#include "support/memory_journal_store.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;

namespace {

constexpr timestamp that_time = from_unix_ns(1'790'000'000'000'000'000);
constexpr asset_id the_asset(0U);

asset_definition defined_as(const char* command) {
  asset_definition made;
  made.form = command_form::shell;
  made.command = {command};
  made.shell = "/bin/sh";
  made.cwd = ".";
  return made;
}

/// A state of one asset.
struct defined_world {
  test::memory_journal_store store;
  std::uint32_t runs = 0;

  defined_world() { append({writer_opened{that_time, "boot", 1}, names_interned{the_asset, {"demo/a"}}}); }
  void append(const std::vector<event>& events) { REQUIRE(store.append(events).has_value()); }
  /// The asset runs with this definition; `recorded`: the state had another.
  void run(const char* command, bool recorded, outcome_kind outcome = outcome_kind::succeeded,
           std::vector<reason> reasons = {{reason_kind::command_changed, ""}}) {
    const auto made = defined_as(command);
    std::vector<event> events;
    if (recorded)
      events.emplace_back(definition_recorded{{{the_asset, the_asset}}, digest_of(made), made});
    const run_number run(++runs);
    events.emplace_back(run_started{run, {}, that_time, "demo", {}, {}, {{the_asset, the_asset}}});
    events.emplace_back(attempt_started{run, the_asset, 1, that_time, std::move(reasons)});
    attempt_finished ended{run, the_asset, 1, that_time, outcome};
    if (outcome == outcome_kind::succeeded) {
      ended.made.emplace();
      ended.made->definition = digest_of(made);
    }
    events.emplace_back(std::move(ended));
    events.emplace_back(run_finished{run, that_time, run_status::succeeded, {}});
    append(events);
  }
  /// As the report of a run has it.
  run_report report(std::uint32_t run, std::vector<reason> reasons,
                    report_detail detail = report_detail::every_attempt) const {
    const auto snapshot = store.snapshot().value();
    run_report made;
    made.detail = detail;
    made.run = snapshot->read_run(run_number(run)).value().value();
    made.assets.emplace_back();
    made.assets[0].reasons = std::move(reasons);
    REQUIRE(tell_definitions(*snapshot, {the_asset}, made).has_value());
    return made;
  }
  std::string command(const run_report& made) const {
    return made.assets[0].definition ? made.definitions.at(*made.assets[0].definition).command.at(0) : "none";
  }
};

const std::vector<reason> command_did_change{{reason_kind::command_changed, ""}};

} // namespace

TEST_CASE("a past run has the definition that it was executed with, and its reason says from what to what") {
  defined_world w;
  w.run("one", true);
  w.run("two", true, outcome_kind::exited);
  w.run("three", true);
  w.run("three", false);
  CHECK(w.command(w.report(1, {})) == "one");
  CHECK(w.command(w.report(2, {})) == "two");
  CHECK(w.command(w.report(4, {})) == "three");
  const auto second = w.report(2, command_did_change);
  CHECK(second.assets[0].reasons[0].change->was == "one");
  CHECK(second.assets[0].reasons[0].change->now == "two");
  const auto third = w.report(3, command_did_change, report_detail::last_attempts);
  CHECK(third.assets[0].reasons[0].change->was == "one"); // what it was made with, not what failed
  CHECK(third.assets[0].reasons[0].change->now == "three");
  CHECK(third.definitions.empty());
  CHECK(w.report(1, command_did_change).assets[0].reasons[0].note == "the earlier command was not recorded");
}

TEST_CASE("what retention has folded away is still told of the runs that are kept") {
  defined_world w;
  w.run("one", true);
  w.run("two", true);
  w.run("three", true);
  while (w.store.retain(2, 5).value().more) {
  }
  CHECK(w.command(w.report(2, {})) == "two");
  CHECK(w.report(2, command_did_change).assets[0].reasons[0].change->was == "one");
  CHECK(w.report(3, command_did_change).assets[0].reasons[0].change->was == "two");
  while (w.store.retain(1, 5).value().more) {
  }
  CHECK(w.command(w.report(3, {})) == "three");
  CHECK(w.report(3, command_did_change).assets[0].reasons[0].change->was == "two");
  // Nothing names the first one any more.
  asset_definition text;
  CHECK_FALSE(w.store.snapshot().value()->read_definition(digest_of(defined_as("one")), text).value());
  CHECK(w.store.snapshot().value()->read_definition(digest_of(defined_as("two")), text).value());
}

TEST_CASE("a text that no record names any more is found in the events") {
  defined_world w;
  w.run("one", true);
  w.run("two", true);
  const auto snapshot = w.store.snapshot().value();
  definition_texts texts(snapshot.get());
  CHECK(*texts.find(digest_of(defined_as("one"))).value() == defined_as("one"));
  CHECK(texts.find(digest_of(defined_as("never"))).value() == nullptr);
  CHECK(texts.find(digest{}).value() == nullptr);
  CHECK(definition_texts(nullptr).find(digest_of(defined_as("one"))).value() == nullptr);
}

TEST_CASE("a run that goes on while another begins with a new definition says what it has used itself") {
  defined_world w;
  w.run("one", true);
  const auto two = defined_as("two");
  w.append({run_started{run_number(2U), {}, that_time, "demo", {}, {}, {{the_asset, the_asset}}}, // with "one"
            definition_recorded{{{the_asset, the_asset}}, digest_of(two), two},
            run_started{run_number(3U), {}, that_time, "demo", {}, {}, {{the_asset, the_asset}}},
            attempt_started{run_number(2U), the_asset, 1, that_time, {{reason_kind::forced, ""}}}});
  w.runs = 3;
  CHECK(w.command(w.report(2, {})) == "one");
  CHECK(w.command(w.report(3, {})) == "two");
}

TEST_CASE("an event that records a definition of assets that there are not, or under another digest, is damage") {
  definition_recorded good{{{the_asset, the_asset}}, digest_of(defined_as("one")), defined_as("one")};
  CHECK(impossible_definition(good, 1) == nullptr);
  CHECK(impossible_definition(good, 0) != nullptr);
  auto wide = good;
  wide.assets = {{the_asset, asset_id(0xFFFFFFFFU)}};
  CHECK(impossible_definition(wide, 1) != nullptr);
  auto other = good;
  other.definition = defined_as("two");
  CHECK(impossible_definition(other, 1) != nullptr);
}
