// Made once for each engine.
#include "engine/function_room.hpp"

#include "adapters/files/remove_tree.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace troupe_internal {

namespace {

constexpr const char* scratch_folder = "scratch";

} // namespace

function_room::function_room(state_dir::handle dir, const function_options& how)
    : dir_(dir), how_(how), values_(std::move(dir), how.durable), cache_(how.memory_for_values),
      threads_(how.threads, this) {}

function_room::call::call(function_room& room, run_number run, std::string_view in, std::string_view asset,
                          std::uint32_t attempt, const troupe_stop& stop)
    : room_(room), run_(run), pipeline_(in), asset_(asset), attempt_(attempt), stop_(stop) {
  const std::lock_guard lock(room_.mutex_);
  room_.calls_.insert(this);
}

function_room::call::~call() {
  if (room_.how_.returned)
    room_.how_.returned();
  const std::lock_guard lock(room_.mutex_);
  room_.calls_.erase(this);
}

function_report function_room::call::report() const {
  return {run_,
          std::string(pipeline_) + "/" + std::string(asset_),
          attempt_,
          std::chrono::steady_clock::now() - began_,
          stop_.requested(),
          done_,
          words_};
}

void function_room::call::progress(double done, std::string_view words) {
  function_report said;
  {
    const std::lock_guard lock(room_.mutex_);
    done_ = std::isfinite(done) ? std::clamp(done, 0.0, 1.0) : 0.0;
    words_ = words;
    said = report();
  }
  if (room_.how_.progress)
    room_.how_.progress(said);
}

std::vector<function_report> function_room::calls() {
  std::vector<function_report> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto* const one : calls_)
      all.push_back(one->report());
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.running > b.running; });
  return all;
}

std::vector<std::string> function_room::being_called() {
  std::vector<std::string> all;
  const std::lock_guard lock(mutex_);
  for (const auto* const one : calls_)
    all.push_back(std::string(one->asset_) + " of run #" + std::to_string(one->run_.value));
  std::sort(all.begin(), all.end());
  return all;
}

result<std::string> function_room::make_scratch(const std::string& name) {
  std::shared_ptr<const kept_folder> in;
  {
    const std::lock_guard lock(mutex_);
    if (!scratch_) {
      auto made = dir_->part(scratch_folder);
      if (!made)
        return made.error();
      scratch_ = std::move(*made);
    }
    in = scratch_;
  }
  bool made = false;
  if (const auto folder = in->open_or_make_folder(name, made); !folder)
    return folder.error();
  return in->path_of(name);
}

void function_room::remove_scratch(const std::string& name) {
  std::shared_ptr<const kept_folder> in;
  {
    const std::lock_guard lock(mutex_);
    in = scratch_;
  }
  if (in)
    static_cast<void>(remove_tree(in->descriptor(), name)); // what is left is for tidy()
}

result<void> function_room::tidy(const journal_snapshot& snapshot) {
  if (const auto in = dir_->open_folder(scratch_folder, entry_use::write)) {
    const auto names = in->names();
    if (!names)
      return names.error();
    for (const auto& name : *names)
      if (name != part_mark)
        if (const auto removed = remove_tree(in->descriptor(), name); !removed)
          return removed;
  }
  if (!dir_->look(values_folder))
    return {};
  std::unordered_set<digest> needed;
  const auto visited = snapshot.visit_assets([&](asset_id, const asset_record& record) {
    if (record.last && record.last->made.value.in_file())
      needed.insert(record.last->made.value.file);
    return true;
  });
  if (!visited)
    return visited;
  return values_.sweep([&](const digest& value) { return needed.contains(value); });
}

} // namespace troupe_internal
