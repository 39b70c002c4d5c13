// What is true in one state becomes true in another, whatever ids that one gives.
#include "engine/taking_over.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/system/system_clock.hpp"
#include "core/model/delta.hpp"
#include "engine/state_names.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace troupe_internal;

namespace {

digest content(std::string_view text) {
  return quick_digest(text);
}

file_version file(std::uint32_t path, std::string_view text) {
  return {path_id(path), content(text), executable_bit::no, false, {}};
}

asset_definition some_definition() {
  asset_definition one;
  one.form = command_form::shell;
  one.shell = "cat in.txt > b.txt > a.txt";
  return one;
}

/// p/up (0) -> p/down (1); q/other (2). Paths: p/z.txt (0), p/a.txt (1), q/x (2), p/in.txt (3), p/troupe.json (4).
std::vector<event> history() {
  std::vector<event> events;
  events.emplace_back(writer_opened{});
  events.emplace_back(names_interned{asset_id(0U), {"p/up", "p/down", "q/other"}, {}});
  events.emplace_back(paths_interned{path_id(0U), {"p/z.txt", "p/a.txt", "q/x", "p/in.txt", "p/troupe.json"}});
  file_stat seen{file_kind::file, 3, 4, 5, 6, executable_bit::unknown, false};
  events.emplace_back(files_observed{{{path_id(3U), {seen, content("in"), executable_bit::no, {}}},
                                      {path_id(2U), {seen, content("x"), executable_bit::no, {}}}}});
  const auto definition = some_definition();
  events.emplace_back(definition_recorded{{{asset_id(0U), asset_id(0U)}}, digest_of(definition), definition});
  fingerprint from;
  from.inputs = {file(3, "in")};
  production made;
  made.outputs = {file(0, "z"), file(1, "a")};
  made.templates = {"{{ z }}", "a.txt"};
  made.data_version = content("up");
  made.pipeline_file = path_id(4U);
  auto up = make_delta(nullptr, from, made, std::chrono::seconds(2));
  up.definition = digest_of(definition);
  events.emplace_back(asset_adopted{asset_id(0U), timestamp(std::chrono::seconds(10)), up});
  fingerprint from_up;
  from_up.upstreams = {{asset_id(0U), content("up")}};
  from_up.inputs = {file(0, "z"), file(1, "a")};
  production last;
  last.data_version = content("down");
  events.emplace_back(asset_adopted{asset_id(1U), timestamp(std::chrono::seconds(11)),
                                    make_delta(nullptr, from_up, last, std::chrono::seconds(1))});
  events.emplace_back(asset_adopted{asset_id(2U), timestamp(std::chrono::seconds(12)),
                                    make_delta(nullptr, {}, last, std::chrono::seconds(1))});
  events.emplace_back(writer_closed{});
  return events;
}

/// A state in which other names came first, and these in another order.
std::vector<event> another() {
  return {writer_opened{}, names_interned{asset_id(0U), {"r/x", "p/down"}, {}},
          paths_interned{path_id(0U), {"r/y", "p/a.txt", "p/z.txt"}}, writer_closed{}};
}

void write(const std::string& folder, const std::vector<event>& events) {
  system_clock time;
  const auto store = open_journal(folder, {}, time);
  REQUIRE_MESSAGE(store.has_value(), store.error().message);
  const auto appended = (*store)->append(events);
  REQUIRE_MESSAGE(appended.has_value(), appended.error().message);
}

/// Takes pipeline p over from one folder to the other; how many assets.
std::size_t take_over_p(const std::string& from, const std::string& to) {
  system_clock time;
  const auto source = open_snapshot(from);
  REQUIRE(source.has_value());
  const auto store = open_journal(to, {}, time);
  REQUIRE(store.has_value());
  std::vector<event> events = {writer_opened{}};
  std::size_t assets = 0;
  {
    const auto there = (*store)->snapshot();
    REQUIRE(there.has_value());
    state_names names((*there)->info().asset_count, (*there)->info().path_count);
    const auto ids = ids_of_state(
        **there, {[&](std::string_view name, std::string identity) { return names.asset(name, std::move(identity)); },
                  [&](std::string_view name) { return names.path(name); }});
    REQUIRE(ids.has_value());
    const auto taken = take_over(**source, "p", *ids, timestamp(std::chrono::seconds(100)));
    REQUIRE(taken.has_value());
    assets = taken->assets;
    for (auto& one : names.take_new())
      events.push_back(std::move(one));
    events.insert(events.end(), taken->events.begin(), taken->events.end());
  }
  events.emplace_back(writer_closed{});
  const auto appended = (*store)->append(events);
  REQUIRE_MESSAGE(appended.has_value(), appended.error().message);
  return assets;
}

/// A record with the names in the place of ids.
struct told_record {
  std::vector<std::pair<std::string, digest>> inputs, outputs;
  std::vector<std::string> upstreams, templates;
  digest data_version;
  std::string pipeline_file, definition;
  bool adopted = false;
  duration took{};
  friend bool operator==(const told_record&, const told_record&) = default;
};

std::map<std::string, told_record> told(const std::string& folder) {
  const auto snapshot = open_snapshot(folder);
  REQUIRE(snapshot.has_value());
  std::map<std::uint32_t, std::string> assets;
  std::map<std::uint32_t, std::string> paths;
  REQUIRE((*snapshot)
              ->visit_asset_names([&](asset_id id, std::string_view name) {
                return assets.emplace(id.value, std::string(name)).second;
              })
              .has_value());
  REQUIRE((*snapshot)
              ->visit_paths(
                  [&](path_id id, std::string_view name) { return paths.emplace(id.value, std::string(name)).second; })
              .has_value());
  std::map<std::string, told_record> all;
  REQUIRE((*snapshot)
              ->visit_assets([&](asset_id id, const asset_record& record) {
                if (!record.last)
                  return true;
                auto& one = all[assets.at(id.value)];
                const auto& last = *record.last;
                for (std::size_t i = 0; i < last.made_from.inputs.size(); ++i) {
                  one.inputs.emplace_back(paths.at(last.made_from.inputs[i].path.value),
                                          last.made_from.inputs[i].content);
                  if (i > 0)
                    CHECK(last.made_from.inputs[i - 1].path < last.made_from.inputs[i].path);
                }
                for (std::size_t i = 0; i < last.made.outputs.size(); ++i) {
                  one.outputs.emplace_back(paths.at(last.made.outputs[i].path.value), last.made.outputs[i].content);
                  one.templates.push_back(i < last.made.templates.size() ? last.made.templates[i] : "");
                  if (i > 0)
                    CHECK(last.made.outputs[i - 1].path < last.made.outputs[i].path);
                }
                for (const auto& upstream : last.made_from.upstreams)
                  one.upstreams.push_back(assets.at(upstream.asset.value));
                one.data_version = last.made.data_version;
                if (last.made.pipeline_file)
                  one.pipeline_file = paths.at(last.made.pipeline_file->value);
                asset_definition definition;
                const auto has = (*snapshot)->read_definition(last.definition, definition);
                REQUIRE(has.has_value());
                one.definition = *has ? definition.shell : "";
                one.adopted = last.adopted;
                one.took = last.took;
                return true;
              })
              .has_value());
  return all;
}

/// Sorted by name: the ids, and so the order, are each state's own.
told_record by_name(told_record one) {
  std::vector<std::pair<std::pair<std::string, digest>, std::string>> both;
  for (std::size_t i = 0; i < one.outputs.size(); ++i)
    both.emplace_back(one.outputs[i], one.templates[i]);
  std::sort(both.begin(), both.end(), [](const auto& a, const auto& b) { return a.first.first < b.first.first; });
  for (std::size_t i = 0; i < both.size(); ++i) {
    one.outputs[i] = both[i].first;
    one.templates[i] = both[i].second;
  }
  std::sort(one.inputs.begin(), one.inputs.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return one;
}

} // namespace

TEST_CASE("records and files of one pipeline are taken over under the other state's ids") {
  const temporary_folder t;
  write(t / "from", history());
  write(t / "to", another());
  CHECK(take_over_p(t / "from", t / "to") == 2);
  auto before = told(t / "from");
  const auto after = told(t / "to");
  REQUIRE(after.size() == 2);
  for (const auto* name : {"p/up", "p/down"})
    CHECK(by_name(after.at(name)) == by_name(before.at(name)));
  CHECK(after.at("p/up").definition == some_definition().shell);
  const auto snapshot = open_snapshot(t / "to");
  REQUIRE(snapshot.has_value());
  std::map<std::uint32_t, std::string> paths;
  REQUIRE((*snapshot)
              ->visit_paths(
                  [&](path_id id, std::string_view name) { return paths.emplace(id.value, std::string(name)).second; })
              .has_value());
  std::map<std::string, file_record> files;
  REQUIRE((*snapshot)
              ->visit_files([&](path_id id, const file_record& record) {
                return files.emplace(paths.at(id.value), record).second;
              })
              .has_value());
  REQUIRE(files.size() == 1);
  CHECK(files.at("p/in.txt").content == content("in"));
  CHECK(files.at("p/in.txt").stat.inode == 6);
}

TEST_CASE("taking over a second time changes nothing") {
  const temporary_folder t;
  write(t / "from", history());
  write(t / "to", another());
  CHECK(take_over_p(t / "from", t / "to") == 2);
  const auto once = told(t / "to");
  CHECK(take_over_p(t / "from", t / "to") == 2);
  CHECK(told(t / "to") == once);
}

TEST_CASE("what an attempt left that did not succeed is not taken over") {
  const temporary_folder t;
  auto events = history();
  events.pop_back();
  run_started started;
  started.run = run_number(1U);
  started.pipeline = "p";
  started.waiting = {{asset_id(0U), asset_id(0U)}};
  started.definitions = {1};
  events.emplace_back(started);
  attempt_started begun;
  begun.run = run_number(1U);
  begun.asset = asset_id(0U);
  events.emplace_back(begun);
  attempt_finished failed;
  failed.run = run_number(1U);
  failed.asset = asset_id(0U);
  failed.outcome = outcome_kind::exited;
  failed.exit_code = 1;
  events.emplace_back(failed);
  run_finished over;
  over.run = run_number(1U);
  over.status = run_status::failed;
  over.counts[static_cast<std::size_t>(asset_status::failed)] = 1;
  events.emplace_back(over);
  events.emplace_back(writer_closed{});
  write(t / "from", events);
  write(t / "to", another());
  CHECK(take_over_p(t / "from", t / "to") == 1);
  CHECK(told(t / "to").count("p/up") == 0);
}
