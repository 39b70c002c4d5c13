// Books over the state: the journal, and who may do what.
#include "state_books.hpp"
#include "require.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe_internal::test {

namespace {

template <class Visit>
void with_run(const event& e, Visit visit) {
  std::visit(
      [&](const auto& it) {
        if constexpr (requires { it.run; })
          visit(it.run);
      },
      e);
}

} // namespace

state_books::state_books(const state_case& on, state_paths& paths, const file_world& files)
    : on_(on), paths_(paths), files_(files) {
  reset({});
}

void state_books::begins(run_number run, duration ahead, const std::vector<blocked_outside>& blocked) {
  if (!knows(run))
    return; // its beginning has broken a rule, as was found
  auto& book = live_[run];
  book.ahead = ahead;
  const auto& graph = *pipeline_of(run).graph;
  book.blocked.assign(graph.size(), false);
  for (const auto& one : blocked) {
    book.blocked[one.asset.value] = true;
    is_of_no_use(run, one.asset, one.because);
  }
  for (const auto asset : graph.topological_order())
    for (const auto needed : graph.upstream(asset))
      if (of(run).is_member(needed) && book.blocked[needed.value])
        book.blocked[asset.value] = true;
}

void state_books::made(run_number run, asset_id asset, std::uint32_t attempt, const fingerprint& from,
                       const production& what) {
  made_.insert_or_assign({run, asset, attempt}, std::pair(from, what));
}

void state_books::reset(const std::vector<event>& events) {
  tables_ = {};
  replay_ = std::make_unique<run_order>([](run_number) { return ~std::uint64_t{0}; },
                                        [](run_number) { return std::optional<run_order::kept_state>(); });
  ids_.clear();
  runs_.clear();
  live_.clear();
  order_.clear();
  open_.clear();
  made_.clear();
  lost_.clear();
  journal_failed_ = false;
  appending_ = false;
  for (const auto& e : events)
    observe(e);
  appending_ = true;
  order_.clear(); // whoever lived is gone
  for (const auto& [id, record] : tables_.assets)
    if (record.last && record.attempt == attempt_state::succeeded) {
      const auto [pipeline, asset] = asset_of(id);
      if (record.last->made.outputs.front().content != files_.content(output_of(on_.pipelines[pipeline], asset)))
        lost_.insert(id);
    }
}

asset_id state_books::id_of(std::uint32_t pipeline, asset_index asset) const {
  const auto& p = *on_.pipelines[pipeline].p;
  const auto found = ids_.find(p.name + "/" + std::string(p.asset(asset).name));
  return found == ids_.end() ? asset_id(~0U) : found->second;
}

std::string_view state_books::name(asset_id asset) const {
  const auto found = tables_.asset_names.find(asset);
  return found == tables_.asset_names.end() ? std::string_view("(unknown)") : std::string_view(found->second);
}

std::string state_books::name(run_number run, asset_index asset) const {
  return std::string(pipeline_of(run).p->asset(asset).name) + " of run #" + std::to_string(run.value);
}

std::pair<std::uint32_t, asset_index> state_books::asset_of(asset_id asset) const {
  const auto full = name(asset);
  const auto slash = full.find('/');
  for (std::uint32_t i = 0; i < on_.pipelines.size() && slash != std::string_view::npos; ++i)
    if (on_.pipelines[i].p->name == full.substr(0, slash))
      if (const auto found = on_.pipelines[i].p->find(full.substr(slash + 1)))
        return {i, *found};
  throw std::runtime_error("an event names an unknown asset");
}

const asset_record* state_books::record_of(asset_id asset) const {
  const auto found = tables_.assets.find(asset);
  return found == tables_.assets.end() ? nullptr : &found->second;
}

void state_books::observe(const event& e) {
  const auto seq = tables_.state.last_seq + 1;
  const auto before = tables_.state.asset_count;
  const auto folded = projector(tables_).apply(seq, e);
  require(folded.has_value(), folded ? "" : "(4) an event cannot be folded: " + folded.error().message);
  for (auto id = before; id < tables_.state.asset_count; ++id)
    require(ids_.emplace(tables_.asset_names.at(asset_id(id)), asset_id(id)).second,
            "(4) a name gets a second id: " + std::string(name(asset_id(id))));
  const auto impossible = replay_->take(seq, e, tables_.state.asset_count);
  require(impossible.empty(), "(4) an event that cannot follow: " + impossible);
  if (const auto* started = std::get_if<run_started>(&e))
    begin_run(*started);
  else if (const auto* resumed = std::get_if<run_resumed>(&e))
    begin_segment(resumed->run);
  else if (const auto* settled = std::get_if<assets_settled>(&e))
    note(*settled);
  with_run(e, [&](run_number run) {
    require(runs_.contains(run), "an event of a run that nobody began");
    try {
      runs_.at(run)->observe(e);
    } catch (const std::runtime_error& broken) {
      throw std::runtime_error("run #" + std::to_string(run.value) + ": " + broken.what());
    }
  });
  if (std::holds_alternative<run_started>(e) || std::holds_alternative<run_resumed>(e)) {
    with_run(e, [&](run_number run) {
      order_.push_back(run);
      auto& book = live_[run];
      book.was_final.clear();
      for (std::uint32_t i = 0; i < pipeline_of(run).p->assets.size(); ++i)
        book.was_final.push_back(is_final(of(run).status_of(asset_index(i))));
    });
  } else if (const auto* attempt = std::get_if<attempt_started>(&e)) {
    note(*attempt);
  } else if (const auto* ended = std::get_if<attempt_finished>(&e)) {
    note(*ended);
  } else if (const auto* stopping = std::get_if<run_stopping>(&e)) {
    note(*stopping);
  } else if (const auto* finished = std::get_if<run_finished>(&e)) {
    std::erase(order_, finished->run);
    paths_.reached_if(state_path::failure_beside_live, finished->status == run_status::failed && !order_.empty());
  }
}

void state_books::begin_run(const run_started& e) {
  require(wishes_.contains(e.run) && !runs_.contains(e.run), "(4) a run's number was given out twice");
  const auto& on = pipeline_of(e.run);
  std::vector<asset_id> ids;
  for (std::uint32_t i = 0; i < on.p->assets.size(); ++i)
    ids.push_back(id_of(wishes_.at(e.run).pipeline, asset_index(i)));
  auto books = std::make_unique<run_checker>(*on.p, *on.graph, std::move(ids), wishes_.at(e.run).workers);
  books->expect(wishes_.at(e.run).error_strategy);
  books->expect_steady_clock();
  runs_.emplace(e.run, std::move(books));
  begin_segment(e.run);
}

void state_books::begin_segment(run_number run) {
  require(runs_.contains(run), "a run is resumed that nobody began");
  runs_.at(run)->lacks({});
  live_[run] = {};
}

void state_books::note(const attempt_started& e) {
  const auto [place, is_new] = open_.emplace(e.asset, e.run);
  const auto [pipeline, asset] = asset_of(e.asset);
  require(is_new || journal_failed_, "(2) two attempts of one asset are open: " + name(e.run, asset) +
                                         ", and that of run #" + std::to_string(place->second.value));
  ++live_[e.run].started[asset];
  lost_.erase(e.asset);
  if (!appending_ || journal_failed_)
    return;
  const auto rule = held(e.run, asset, true);
  require(rule == 0, "(11) " + name(e.run, asset) + " starts though an earlier run keeps it from that, by rule " +
                         std::string(1, rule));
}

void state_books::note(const attempt_finished& e) {
  const auto asset = asset_of(e.asset).second;
  require(open_.erase(e.asset) == 1 || journal_failed_, "(2) an attempt ends that is not open");
  auto& book = live_[e.run];
  ++book.finished[asset];
  if (e.retry_at)
    book.retry_due[asset] = e.retry_at->time_since_epoch() - book.ahead;
  require(e.outcome != outcome_kind::cancelled || of(e.run).stopping(),
          "(6) an attempt of " + name(e.run, asset) + " is ended, and nobody stopped its run");
  paths_.reached_if(state_path::allowed_failure,
                    e.allowed && order_.size() > 1 && !pipeline_of(e.run).graph->downstream(asset).empty());
  if (!e.made || !appending_)
    return;
  const auto found = made_.find({e.run, e.asset, e.attempt});
  require(found != made_.end(), "a success of " + name(e.run, asset) + " is recorded that was none");
  const auto& record = *record_of(e.asset);
  require(record.last->made_from == found->second.first,
          "(4) what " + name(e.run, asset) + " was made from is recorded as something else");
  require(record.last->made.outputs == found->second.second.outputs &&
              record.last->made.data_version == found->second.second.data_version,
          "(4) what " + name(e.run, asset) + " made is recorded as something else");
  made_.erase(found);
}

/// Something outside the run may block what needs it, if it is of no use as it is.
void state_books::note(const assets_settled& e) {
  const auto& first = e.assets.front();
  require(runs_.contains(e.run), "an event of a run that nobody began");
  if (e.status != asset_status::blocked || of(e.run).is_member(asset_of(first.because).second))
    return;
  paths_.reached(state_path::blocked_from_outside);
  auto& lacks = live_[e.run].lacks;
  lacks.emplace_back(asset_of(first.asset).second, asset_of(first.because).second);
  runs_.at(e.run)->lacks(lacks);
  if (appending_ && !live_[e.run].blocked[lacks.back().first.value]) // else it was decided when the segment began
    is_of_no_use(e.run, lacks.back().first, lacks.back().second);
}

void state_books::is_of_no_use(run_number run, asset_index asset, asset_index because) const {
  const auto* record = record_of(id_of(wishes_.at(run).pipeline, because));
  require(record == nullptr || !record->last || record->attempt == attempt_state::failed ||
              record->attempt == attempt_state::cancelled || record->attempt == attempt_state::interrupted,
          "(10) " + name(run, asset) + " is blocked by " + std::string(pipeline_of(run).p->asset(because).name) +
              ", which was made");
}

void state_books::note(const run_stopping& e) {
  require(!appending_ || e.cause == stop_cause::failure || live_[e.run].stop_ordered,
          "(6) run #" + std::to_string(e.run.value) + " is stopped, and nobody asked for that");
}

void state_books::live_state_is(const std::string& bytes) const {
  const auto live = run_state::decode(bytes);
  require(live.has_value(), "(4) a checkpoint cannot be read");
  of(live->run()).compare(*live);
}

char state_books::held_across(run_number run, asset_index asset, run_number earlier, bool before_execution) const {
  const auto& own = pipeline_of(run).reads_of_first;
  const auto& others = pipeline_of(earlier).reads_of_first;
  const auto& books = of(earlier);
  const auto unsettled = [&](asset_index other) {
    return books.is_member(other) && !is_final(books.status_of(other)) && !live_.at(earlier).blocked[other.value];
  };
  if (wishes_.at(earlier).pipeline == 0)
    return std::any_of(own[asset.value].begin(), own[asset.value].end(), unsettled) ? 'B' : '\0';
  for (std::uint32_t i = 0; i < others.size() && before_execution; ++i)
    if (unsettled(asset_index(i)) && std::find(others[i].begin(), others[i].end(), asset) != others[i].end())
      return 'C';
  return 0;
}

char state_books::held(run_number run, asset_index asset, bool before_execution) const {
  const auto& on = pipeline_of(run);
  for (const auto earlier : order_) {
    if (earlier == run)
      return 0;
    if (wishes_.at(earlier).pipeline != wishes_.at(run).pipeline) {
      if (const auto rule = held_across(run, asset, earlier, before_execution); rule != 0)
        return rule;
      continue;
    }
    const auto& books = of(earlier);
    const auto& blocked = live_.at(earlier).blocked;
    const auto unsettled = [&](asset_index other) {
      return books.is_member(other) && !is_final(books.status_of(other)) && !blocked[other.value];
    };
    if (unsettled(asset))
      return 'a';
    const auto up = on.graph->upstream(asset);
    if (std::any_of(up.begin(), up.end(), unsettled))
      return 'b';
    const auto down = on.graph->downstream(asset);
    if (before_execution && std::any_of(down.begin(), down.end(), unsettled))
      return 'c';
  }
  return 0;
}

} // namespace troupe_internal::test
