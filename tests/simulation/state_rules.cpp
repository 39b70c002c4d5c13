// Books over the state: what runs do with files, and what is left when they have ended.
#include "require.hpp"
#include "state_books.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe_internal::test {

void state_books::looking(run_number run, asset_index asset) const {
  const auto& on = pipeline_of(run);
  if (is_final(of(run).status_of(asset)))
    return; // its run has been stopped since: nobody wants to know
  require(of(run).all_satisfied(asset), "(1) " + name(run, asset) + " is examined before what it needs is done");
  const auto rule = held(run, asset, false);
  require(rule == 0, "(11) " + name(run, asset) + " is examined though an earlier run keeps it from that, by rule " +
                         std::string(1, rule));
  for (const auto& path : read_by(on, asset))
    require(files_.writer_of(path) == 0, "(10) " + name(run, asset) + " is examined while " + path + " is written");
  require(files_.writer_of(output_of(on, asset)) == 0,
          "(10) " + name(run, asset) + " is examined while its output is written");
}

void state_books::executing(run_number run, asset_index asset, std::uint32_t attempt) {
  const auto& on = pipeline_of(run);
  const auto& books = of(run);
  require(books.is_open(asset) && books.attempts_of(asset) == attempt,
          "an attempt of " + name(run, asset) + " is executed that the journal does not know");
  require(books.all_satisfied(asset), "(1) " + name(run, asset) + " is executed before what it needs is done");
  doubtful_.erase(id_of(wishes_.at(run).pipeline, asset));
  for (const auto needed : on.graph->upstream(asset)) {
    if (lost(run, needed))
      doubtful_.insert(id_of(wishes_.at(run).pipeline, asset));
    const auto* record = record_of(id_of(wishes_.at(run).pipeline, needed));
    const std::string who = name(run, asset) + " reads what " + std::string(on.p->asset(needed).name) + " left, ";
    if (record != nullptr && record->attempt == attempt_state::failed && on.p->settings_of(needed).allow_failure)
      continue;
    if (books.is_member(needed) && books.status_of(needed) == asset_status::failed)
      continue; // it failed without an attempt, and may
    require(record != nullptr && record->last, "(10) " + who + "which was never made");
    require(record->attempt == attempt_state::succeeded, "(10) " + who + "whose last attempt did not succeed");
    require(!books.is_member(needed) || record->last->made_from.command == command_of(on, needed, wishes_.at(run).mode),
            "(10) " + who + "which another run has made with another command since");
    require(lost_.contains(id_of(wishes_.at(run).pipeline, needed)) ||
                record->last->made.outputs.front().content == files_.content(output_of(on, needed)),
            "(10) " + who + "which is not what was recorded of it last");
  }
}

/// It could start: nothing keeps it from that but room, and there is room.
bool state_books::starts_in_vain(run_number run, asset_index asset, const capacity& free,
                                 const std::optional<arbiter::kept_bundle>& kept) const {
  const auto& books = of(run);
  const auto& on = pipeline_of(run);
  const capacity bundle{1, on.p->settings_of(asset).pools};
  if (books.open_attempts() >= wishes_.at(run).workers || !books.pools_have_room(asset))
    return false;
  if (!fits(bundle, free)) {
    paths_.reached(free.workers == 0 ? state_path::workers_taken_by_other : state_path::pool_full_by_other);
    return false;
  }
  if (kept && !fits_beside(kept->bundle, bundle, free)) {
    paths_.reached(state_path::bundle_kept);
    return kept->run == run && kept->bundle == bundle; // it is kept for this one
  }
  return true;
}

void state_books::quiet(duration now, const std::vector<run_number>& ending,
                        const std::optional<arbiter::kept_bundle>& kept) const {
  // A run that ends has given back what it had, and what it may use counts no more.
  const auto ends = [&](run_number run) { return std::find(ending.begin(), ending.end(), run) != ending.end(); };
  capacity free;
  for (const auto run : order_)
    if (!ends(run))
      free = larger_of(std::move(free), {wishes_.at(run).workers, pipeline_of(run).p->engine.pools});
  for (const auto& [id, run] : open_)
    if (!ends(run))
      take_away(free, {1, pipeline_of(run).p->settings_of(asset_of(id).second).pools});
  for (const auto run : order_) {
    const auto& books = of(run);
    const auto& book = live_.at(run);
    if (books.stopping() || ends(run))
      continue;
    require(!book.stop_ordered, "(3) a stop of run #" + std::to_string(run.value) + " was ordered, and it goes on");
    bool one_is_due_now = false; // whether it is in the line yet cannot be seen from here
    const auto waits = [&](asset_index asset) {
      const auto due = book.retry_due.find(asset);
      const bool retries = books.status_of(asset) == asset_status::retrying && due->second <= now;
      one_is_due_now = one_is_due_now || (retries && due->second == now);
      return books.is_member(asset) && (books.status_of(asset) == asset_status::waiting || retries) &&
             books.all_satisfied(asset) && held(run, asset, true) == 0;
    };
    std::vector<asset_index> ready;
    for (std::uint32_t i = 0; i < pipeline_of(run).p->assets.size(); ++i)
      if (waits(asset_index(i)))
        ready.emplace_back(i);
    if (one_is_due_now)
      continue;
    for (const auto asset : ready) {
      // The run keeps free slots for its most urgent: any of these may be that.
      const bool kept_by_own = std::any_of(ready.begin(), ready.end(), [&](asset_index other) {
        return other != asset && !books.pools_have_room(other) && !books.pools_have_room(asset, other);
      });
      require(kept_by_own || !starts_in_vain(run, asset, free, kept),
              "(3) " + name(run, asset) + " is ready, there is room, but nobody starts it");
    }
  }
}

void state_books::ended(run_number run, const run_state& live, const counting_observer& told) const {
  const auto& books = of(run);
  const auto& book = live_.at(run);
  require(books.finished(), "(3) a run ends without an end");
  books.compare(live);
  require(files_.running_of(run) == 0, "(6) run #" + std::to_string(run.value) + " is over, and something runs on");
  require(!told.twice, "(3) people are told twice of one asset's end");
  const auto count = [](const std::map<asset_index, std::uint32_t>& of_assets, asset_index asset) {
    const auto found = of_assets.find(asset);
    return found == of_assets.end() ? 0U : found->second;
  };
  for (std::uint32_t i = 0; i < told.settled.size(); ++i) {
    const asset_index asset(i);
    if (!books.is_member(asset))
      continue;
    require(told.began[i] == count(book.started, asset) && told.ended[i] == count(book.finished, asset),
            "people are told of other attempts of " + name(run, asset) + " than are recorded");
    require(told.settled[i].has_value() != book.was_final[i], "people are not told of the end of " + name(run, asset));
    require(book.was_final[i] || *told.settled[i] == books.status_of(asset),
            "people are told another end of " + name(run, asset) + " than is recorded");
  }
}

void state_books::records_are_true() const {
  require(order_.empty() && open_.empty(), "(3) all runs have ended, and attempts are open");
  require(files_.running() == 0, "(6) all runs have ended, and something runs on");
  for (const auto& [id, record] : tables_.assets) {
    const auto [pipeline, asset] = asset_of(id);
    if (record.attempt == attempt_state::succeeded && !lost_.contains(id))
      require(record.last->made.outputs.front().content == files_.content(output_of(on_.pipelines[pipeline], asset)),
              "(10) the output of " + std::string(name(id)) + " is not what its record says");
  }
}

void state_books::is_as_clean(std::uint32_t pipeline, std::uint32_t mode) const {
  const auto& on = on_.pipelines[pipeline];
  const auto clean = files_.clean(on, mode);
  std::vector<bool> doubtful(clean.size(), false);
  for (const auto asset : on.graph->topological_order()) {
    const auto up = on.graph->upstream(asset);
    doubtful[asset.value] = doubtful_.contains(id_of(pipeline, asset)) ||
                            std::any_of(up.begin(), up.end(), [&](asset_index u) { return doubtful[u.value]; });
    if (doubtful[asset.value])
      continue;
    const std::string who(on.p->asset(asset).name);
    require(files_.content(output_of(on, asset)) == clean[asset.value],
            "(10) the output of " + who + " is not what a clean run makes");
    const auto* record = record_of(id_of(pipeline, asset));
    require(record != nullptr && record->last && record->attempt == attempt_state::succeeded &&
                record->last->made.outputs.front().content == clean[asset.value],
            "(10) the record of " + who + " is not that of a clean run");
    require(record->last->made_from.command == command_of(on, asset, mode),
            "(10) the record of " + who + " tells another command than was executed");
  }
}

} // namespace troupe_internal::test
