// What a run that is about to begin has in common with those that live: names, files, and records that they change.
#include "engine/engine.hpp"

#include "base/shown_text.hpp"

#include <set>
#include <utility>

namespace troupe_internal {

namespace {

error two_files_of_a_name(const planning& plan, const planning& other, const std::string& its_run) {
  return fail(error_code::invalid_input, "two files have a pipeline \"" + plan.on.p->name +
                                             "\": " + visible(recorded_file(plan.on)) + " and " +
                                             visible(recorded_file(other.on)) + " (" + its_run +
                                             "). Give one of them another \"name\", or a state of its own");
}

error two_makers(const planning& plan, const planning& other, const std::string& its_run,
                 const made_files::conflict& found) {
  const auto& p = *plan.on.p;
  const auto& theirs = *other.on.p;
  return fail(error_code::invalid_input, "the pipelines \"" + p.name + "\" and \"" + theirs.name + "\" (" + its_run +
                                             ") both make " + visible(found.file) +
                                             (found.nested ? ", which lies in a folder that one of them makes" : "") +
                                             ": asset " + visible(p.asset(found.own).name) + " and asset " +
                                             visible(theirs.asset(found.theirs).name) + ". Let one of them make it");
}

} // namespace

result<foreign_files> engine::fits_beside_living(const planning& plan) {
  const std::lock_guard lock(mutex_);
  const auto& p = *plan.on.p;
  std::optional<made_files> own;
  foreign_files shared;
  std::set<std::pair<asset_index, asset_id>> reads;
  for (const auto& [number, kept] : runs_) {
    if (!kept.run || kept.over)
      continue;
    const auto& other = kept.run->plan();
    const auto its_run = "run #" + std::to_string(number.value) + ", which lives";
    if (other.on.p->name == p.name) { // its records are those of this name
      if (recorded_file(other.on) != recorded_file(plan.on))
        return two_files_of_a_name(plan, other, its_run);
      continue;
    }
    if (!own)
      own.emplace(plan.on);
    const auto& theirs = kept.run->made();
    if (const auto conflict = own->conflict_with(theirs))
      return two_makers(plan, other, its_run, *conflict);
    theirs.visit_readers(
        plan.on, [&](asset_index reader, asset_index maker) { reads.emplace(reader, other.names->id_of(maker)); });
    own->visit_readers(other.on, [&, run = number](asset_index reader, asset_index maker) {
      shared.readers.push_back({run, plan.names->id_of(maker), other.names->id_of(reader)});
    });
  }
  shared.reads.insert(reads.begin(), reads.end());
  return shared;
}

std::vector<asset_index> engine::touched_since(std::uint64_t mark, const planning& plan, const foreign_files& foreign) {
  const auto index_of = [&](asset_id id) { return plan.names->index_of(id); };
  std::vector<asset_index> touched;
  if (is_up_)
    on_loop([&] { touched = touched_by_living(others_.all(), foreign, index_of); });
  const std::lock_guard lock(changes_mutex_); // what has been settled since then is among the changes
  const auto changed = touched_by_changes(changes_.since(mark), foreign, index_of);
  touched.insert(touched.end(), changed.begin(), changed.end());
  return touched;
}

} // namespace troupe_internal
