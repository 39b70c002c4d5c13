// What a program is told while its engine lives: events by subscription, how far functions are, why assets are stale,
// and what ran them before.
#include "adapters/journal/lmdb_journal_check.hpp"
#include "core/pipeline/nearest_name.hpp"
#include "engine/run_history.hpp"
#include "lib/host_engine.hpp"
#include "lib/reason_list.hpp"

#include <algorithm>

namespace troupe_internal::lib {

namespace {

std::vector<troupe_text> names_of(const project& on, std::span<const asset_index> assets) {
  std::vector<troupe_text> names;
  for (const auto asset : assets)
    names.push_back(text_of(on.p->asset(asset).name));
  return names;
}

std::string known_version(const std::string& reported, const std::optional<digest>& version) {
  return !reported.empty() ? reported : version ? to_hex(*version) : std::string();
}

} // namespace

std::vector<std::shared_ptr<host_feed>> host_engine::feeds() {
  std::vector<std::shared_ptr<host_feed>> all;
  const std::lock_guard lock(feeds_mutex_);
  for (const auto& one : feeds_)
    if (auto feed = one.lock())
      all.push_back(std::move(feed));
  return all;
}

void host_engine::ring_feeds() {
  for (const auto& feed : feeds())
    feed->ring();
}

std::uint64_t host_engine::first_wanted(std::uint64_t newest) {
  constexpr std::uint64_t most_held = 100'000;
  std::uint64_t first = newest + 1;
  for (const auto& feed : feeds())
    if (const auto position = feed->position(); position + most_held > newest)
      first = std::min(first, position);
  return first;
}

void host_engine::tell_progress(const function_report& said) {
  for (const auto& feed : feeds())
    feed->told_progress(said);
}

troupe_error* host_engine::events(std::uint64_t from, std::optional<run_number> run, bool progress,
                                  std::shared_ptr<host_feed>& feed) {
  feed_wish wish{std::max<std::uint64_t>(from, 1), run, progress};
  if (from == TROUPE_EVENTS_NEW) { // not under the lock: the thread that commits takes it
    const auto snapshot = engine_->snapshot_of_now();
    if (!snapshot)
      return make_error(snapshot.error());
    wish.first = (*snapshot)->info().last_seq + 1;
  }
  auto made = std::make_shared<host_feed>(wish, [this] { return engine_->snapshot(); });
  const std::lock_guard lock(feeds_mutex_);
  std::erase_if(feeds_, [](const auto& one) { return one.expired(); });
  feeds_.push_back(made);
  feed = std::move(made);
  return nullptr;
}

troupe_error* host_engine::name_of(const troupe_asset& asset, std::string& pipeline, std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto known = by_id_.find(asset.pipeline);
  if (known == by_id_.end() || known->second->asset_name(asset.index).empty())
    return make_error(TROUPE_ERROR_NOT_FOUND, "the asset is of no pipeline that was added to this engine");
  pipeline = known->second->name();
  name = known->second->asset_name(asset.index);
  return nullptr;
}

troupe_error* host_engine::verify(std::vector<std::string>& problems) {
  if (const auto flushed = engine_->flush(); !flushed)
    return make_error(flushed.error());
  auto found = verify_journal(state_);
  if (!found)
    return make_error(found.error());
  problems = std::move(found->problems);
  if (!found->complete)
    problems.emplace_back("not all of the state could be checked, or not all that is wrong with it is listed");
  return nullptr;
}

troupe_error* host_engine::explain(std::string_view pipeline, std::string_view asset, troupe_each_explanation each,
                                   void* state) {
  auto built = project_of(pipeline, {});
  if (built.wrong)
    return built.wrong.release();
  if (const auto flushed = engine_->flush(); !flushed)
    return make_error(flushed.error());
  auto on = with_recorded_edges(built.on);
  if (!on)
    return make_error(on.error());
  const auto index = on->p->find(asset);
  if (!index) {
    nearest_name nearest(asset);
    for (const auto& one : on->p->assets)
      nearest.consider(one.name);
    return make_error(TROUPE_ERROR_NOT_FOUND, "there is no asset \"" + std::string(asset) + "\" in the pipeline \"" +
                                                  std::string(pipeline) + "\"" + nearest.hint());
  }
  const auto all = asset_statuses(*on, {std::string(asset)});
  if (!all)
    return make_error(all.error());
  const auto found = std::find_if(all->begin(), all->end(), [&](const auto& one) { return one.asset == *index; });
  if (found == all->end())
    return make_error(TROUPE_ERROR_INTERNAL, "nothing is known of " + std::string(asset));
  const auto& record = found->record;
  const reason_list reasons(found->reasons, reason_list::when::now);
  const reason_list last_reasons(record.attempt_reasons, reason_list::when::then);
  const auto upstream = names_of(*on, on->graph->upstream(*index));
  const auto downstream = names_of(*on, on->graph->downstream(*index));
  troupe_explanation to{};
  to.size = sizeof to;
  to.action = found->action == plan_action::fresh ? TROUPE_ACTION_FRESH
              : found->action == plan_action::run ? TROUPE_ACTION_RUN
                                                  : TROUPE_ACTION_MAYBE;
  to.standing = text_of(cli::standing_word(standing_of(record.attempt, found->action)));
  to.reasons = reasons.data();
  to.reason_count = reasons.size();
  std::string version;
  if (record.last) {
    version = known_version(record.last->made.reported_version, record.last->made.data_version);
    to.made_in = record.last->run.value;
    to.made_at = to_unix_ns(record.last->finished_at);
    to.made_took = record.last->took.count();
    to.data_version = text_of(version);
    to.metadata = text_of(record.last->made.metadata);
  }
  to.last_attempt = static_cast<std::uint32_t>(record.attempt);
  if (record.attempt != attempt_state::none) {
    to.attempt = record.attempt_number;
    to.attempt_in = record.attempt_run.value;
    to.attempt_at = to_unix_ns(record.attempt_started_at);
    to.attempt_reasons = last_reasons.data();
    to.attempt_reason_count = last_reasons.size();
  }
  to.needs = upstream.data();
  to.need_count = upstream.size();
  to.needed_by = downstream.data();
  to.needed_by_count = downstream.size();
  each(state, &to);
  return nullptr;
}

troupe_error* host_engine::history(std::string_view pipeline, std::string_view asset, std::uint64_t before,
                                   std::uint32_t limit, troupe_each_execution each, void* state) {
  if (const auto flushed = engine_->flush(); !flushed)
    return make_error(flushed.error());
  const auto runs = list_runs(state_, 0);
  if (!runs)
    return make_error(runs.error());
  std::uint32_t told = 0;
  for (const auto& run : *runs) {
    if (told == limit)
      break;
    if (run.pipeline != pipeline || (before != 0 && run.run.value >= before) || (run.attempts == 0 && run.finished_at))
      continue;
    const auto report = read_run_report(state_, run.run);
    if (!report && report.error().code == error_code::not_found)
      continue; // it was dropped since then
    if (!report)
      return make_error(report.error());
    const auto mine = std::find_if(report->assets.begin(), report->assets.end(),
                                   [&](const auto& one) { return one.name == asset && one.attempts != 0; });
    if (mine == report->assets.end())
      continue;
    const reason_list reasons(mine->reasons, reason_list::when::then);
    const auto version = known_version(mine->reported_version, mine->data_version);
    troupe_execution one{};
    one.size = sizeof one;
    one.attempts = mine->attempts;
    one.run = run.run.value;
    one.started_at = to_unix_ns(mine->started_at.value_or(report->run.started_at));
    one.took = mine->took.count();
    one.status = text_of(to_string(mine->status));
    one.error = text_of(mine->error);
    one.data_version = text_of(version);
    one.metadata = text_of(mine->metadata);
    one.changed = mine->changed ? 1 : 0;
    one.reasons = reasons.data();
    one.reason_count = reasons.size();
    ++told;
    if (each(state, &one) != 0)
      break;
  }
  return nullptr;
}

} // namespace troupe_internal::lib
