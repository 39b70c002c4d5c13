// `troupe journal`: looking the journal over.
#include "adapters/journal/lmdb_journal_check.hpp"
#include "adapters/journal/lmdb_journal_store.hpp"
#include "cli/verbs.hpp"
#include "core/journal/event_json.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <algorithm>

namespace troupe_internal::cli {

namespace {

/// No state yet is an empty journal: nothing is wrong with it.
bool is_absent(const error& e) {
  return e.code == error_code::not_found;
}

int verify(invocation& with) {
  auto state = with.state_folder();
  if (!state)
    return with.report(state.error());
  auto found = verify_journal(*state);
  if (!found && is_absent(found.error()))
    found = journal_verification();
  if (!found)
    return with.report(found.error());
  auto& to = with.io.out;
  if (with.options.json) {
    json_writer json(to.stream);
    begin_document(json);
    json.member("ok", found->ok()).member("events", found->events).member("complete", found->complete);
    json.key("problems").begin_array();
    for (const auto& problem : found->problems)
      json.value(problem);
    json.end_array().end_object().finish();
    return found->ok() ? exit_ok : exit_state;
  }
  for (const auto& problem : found->problems)
    to.stream << to.colours.paint(tint::bad, "problem: ") << printable(problem) << "\n";
  if (!found->complete)
    to.stream << "not all of the journal could be looked at, or not all that is wrong with it is listed\n";
  if (found->ok())
    to.stream << to.colours.paint(tint::good, "ok") << ": " << counted(found->events, "event")
              << ", every record and every projection checked\n";
  else
    to.stream << to.colours.paint(tint::bad, counted(found->problems.size(), "problem")) << " in "
              << counted(found->events, "event") << "\n";
  return found->ok() ? exit_ok : exit_state;
}

void write_stats(json_writer& json, const journal_statistics& stats) {
  begin_document(json);
  json.member("first_event", stats.first_seq).member("last_event", stats.last_seq);
  json.member("file_bytes", stats.file_bytes).member("map_bytes", stats.map_bytes);
  json.member("page_bytes", stats.page_bytes).member("pages", stats.pages).member("free_pages", stats.free_pages);
  json.member("runs", stats.runs).member("attempts", stats.attempts);
  json.key("event_bytes_per_attempt").raw(one_decimal(stats.event_bytes_per_attempt()));
  json.key("types").begin_object();
  for (const auto& type : stats.types)
    json.key(type.name).begin_object().member("events", type.events).member("bytes", type.bytes).end_object();
  json.end_object().key("tables").begin_object();
  for (const auto& table : stats.tables)
    json.key(table.name).begin_object().member("records", table.records).member("bytes", table.bytes).end_object();
  json.end_object().end_object().finish();
}

void print_stats(const output& to, const journal_statistics& stats) {
  to.stream << "events      "
            << (stats.last_seq == 0 ? "none"
                                    : std::to_string(stats.first_seq) + " to " + std::to_string(stats.last_seq))
            << "\n"
            << "runs        " << stats.runs << ", with " << counted(stats.attempts, "attempt") << "\n"
            << "file        " << bytes_text(stats.file_bytes) << ", of which "
            << bytes_text(stats.free_pages * stats.page_bytes) << " free\n"
            << "an attempt  " << one_decimal(stats.event_bytes_per_attempt()) << " B of events\n\n";
  table types({{"EVENT", false, true}, {"COUNT", true, false}, {"SIZE", true, false}});
  for (const auto& type : stats.types)
    if (type.events > 0)
      types.row({type.name, std::to_string(type.events), bytes_text(type.bytes)});
  types.print(to);
  if (!types.empty())
    to.stream << "\n";
  table tables({{"TABLE", false, true}, {"RECORDS", true, false}, {"SIZE", true, false}});
  for (const auto& one : stats.tables)
    tables.row({one.name, std::to_string(one.records), bytes_text(one.bytes)});
  tables.print(to);
}

int stats(invocation& with) {
  auto state = with.state_folder();
  if (!state)
    return with.report(state.error());
  auto found = journal_stats(*state);
  if (!found && is_absent(found.error()))
    found = journal_statistics();
  if (!found)
    return with.report(found.error());
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    write_stats(json, *found);
  } else {
    print_stats(with.io.out, *found);
  }
  return exit_ok;
}

int dump(invocation& with, std::optional<std::uint32_t> from) {
  auto state = with.state_folder();
  if (!state)
    return with.report(state.error());
  auto snapshot = open_snapshot(*state);
  if (!snapshot)
    return is_absent(snapshot.error()) ? static_cast<int>(exit_ok) : with.report(snapshot.error());
  std::vector<std::string_view> assets, paths; // by id; the views live as long as the snapshot
  auto named = (*snapshot)->visit_asset_names([&](asset_id, std::string_view name) {
    assets.push_back(name);
    return true;
  });
  if (named)
    named = (*snapshot)->visit_paths([&](path_id, std::string_view path) {
      paths.push_back(path);
      return true;
    });
  if (!named)
    return with.report(named.error());
  const event_names names{[&](asset_id id) { return id.value < assets.size() ? assets[id.value] : std::string_view(); },
                          [&](path_id id) { return id.value < paths.size() ? paths[id.value] : std::string_view(); }};
  auto& out = with.io.out.stream;
  const auto first = std::max<std::uint64_t>((*snapshot)->info().first_seq, from.value_or(0));
  auto visited = (*snapshot)->visit_events(first, [&](std::uint64_t seq, const event& e) {
    out << event_to_json(seq, e, names) << '\n';
    return out.good();
  });
  if (!visited) { // what was read before stands; an error document would not be an event
    with.options.json = false;
    return with.report(visited.error());
  }
  return exit_ok;
}

} // namespace

void declare_journal(command_spec& root, invocation& with) {
  auto& verb = root.subcommand(
      "journal", "Check the journal, make it anew, or take it over: verify, stats, dump, rebuild, compact, trust");
  verb.examples = {{"troupe journal verify", "is every record whole, and every projection what the events say?"},
                   {"troupe journal dump | jq 'select(.type == \"run_started\")'", "the starts of all runs"}};
  auto& verify_verb = verb.subcommand("verify", "Check every record, and every projection against a replay");
  verify_verb.examples = {{"troupe journal verify --json", "the findings, for programs"}};
  verify_verb.action = [&with] { return verify(with); };
  auto& stats_verb = verb.subcommand("stats", "Show what the journal holds, and how large it is");
  stats_verb.examples = {{"troupe journal stats", "events by type, tables by size"}};
  stats_verb.action = [&with] { return stats(with); };
  auto from = std::make_shared<std::optional<std::uint32_t>>();
  auto& dump_verb = verb.subcommand("dump", "Print every event as one line of JSON, oldest first");
  dump_verb.number("--from", "N", *from, 0, "begin with event number N");
  dump_verb.examples = {{"troupe journal dump", "all events"}, {"troupe journal dump --from 1000", "the later ones"}};
  dump_verb.action = [&with, from] { return dump(with, *from); };
  declare_journal_remake(verb, with);
  declare_journal_trust(verb, with);
}

} // namespace troupe_internal::cli
