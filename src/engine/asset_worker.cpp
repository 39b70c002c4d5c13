// From a granted attempt to the end of its work.
#include "engine/asset_worker.hpp"

#include "base/check.hpp"
#include "engine/discovered_inputs.hpp"
#include "engine/state_layout.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <utility>

namespace troupe_internal {

namespace {

/// An examination no older counts as made when the attempt starts.
constexpr duration still_examined = std::chrono::milliseconds(5);

} // namespace

asset_worker::asset_worker(worker_setup setup, std::vector<std::unique_ptr<asset_record>> records)
    : setup_(std::move(setup)), run_text_(to_string(setup_.run_id)), records_(std::move(records)),
      found_(setup_.p.assets.size()), examined_at_(setup_.p.assets.size()), made_elsewhere_(setup_.p.assets.size()),
      not_prepared_(setup_.p.assets.size()) {
  if (setup_.p.declares_secrets)
    secrets_ = std::make_unique<known_secrets>(setup_.p, setup_.environment, setup_.files);
  commands_ = std::make_unique<command_maker>(
      command_surroundings{setup_.p, setup_.files, setup_.processes, setup_.state_folder, setup_.logs, setup_.results,
                           setup_.state_id, setup_.run_id, setup_.run, setup_.grace, std::move(setup_.environment),
                           secrets_.get(), setup_.warn, setup_.events_file});
}

asset_worker::~asset_worker() {
  end_and_wait();
}

void asset_worker::end_and_wait() {
  // After a run that broke off (its journal failed) commands may still run, and report to the pool when they end.
  end_all(urgency::at_once);
  std::unique_lock lock(handed_out_mutex_);
  all_back_.wait(lock, [this] { return handed_out_ == 0; });
}

void asset_worker::hand_out() {
  const std::lock_guard lock(handed_out_mutex_);
  ++handed_out_;
}

void asset_worker::submit(std::function<void()> work) {
  hand_out();
  setup_.pool.submit([this, work = std::move(work)] {
    work();
    take_back();
  });
}

void asset_worker::use_record(asset_index asset, asset_record record) {
  records_[asset.value] = std::make_unique<asset_record>(std::move(record));
}

void asset_worker::take_back() {
  const std::lock_guard lock(handed_out_mutex_);
  --handed_out_;
  all_back_.notify_all(); // under the lock: who waits for it destroys it
}

result<void> asset_worker::clear_outputs(asset_index asset) const {
  const auto& record = *records_[asset.value];
  const auto holds = [](const std::vector<path_id>& sorted, path_id path) {
    return std::binary_search(sorted.begin(), sorted.end(), path);
  };
  std::vector<path_id> absent;
  {
    const std::lock_guard lock(absent_mutex_);
    if (const auto known = absent_.find(asset.value); known != absent_.end())
      absent = known->second;
  }
  const auto& outputs = setup_.p.asset(asset).outputs;
  for (const auto output : outputs) {
    const auto path = setup_.names.id_of(path_slot(output.value));
    const auto text = setup_.p.path(output);
    const bool made_here =
        record.last && std::any_of(record.last->made.outputs.begin(), record.last->made.outputs.end(),
                                   [&](const file_version& f) { return f.path == path; });
    if (made_here || holds(setup_.own_work, path) || holds(absent, path))
      continue;
    struct stat info;
    if (lstat(join_path(setup_.p.folder, text).c_str(), &info) == 0)
      return fail(error_code::invalid_input,
                  "\"clear_outputs\" would remove the output " + std::string(text) +
                      ", which no attempt of this asset made: move it away, or take \"clear_outputs\" out");
  }
  for (const auto output : outputs)
    if (auto removed = setup_.files.remove(setup_.p.path(output)); !removed)
      return removed;
  for (const auto output : outputs)
    if (auto made = setup_.files.make_parent(setup_.p.path(output)); !made)
      return made;
  return {};
}

result<void> asset_worker::remove_depfile(asset_index asset) const {
  const auto depfile = setup_.p.depfile_of(asset);
  if (!depfile)
    return {};
  const auto text = std::string(setup_.p.path(*depfile));
  const auto path = join_path(setup_.p.folder, text);
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) // nothing is there, or the command is going to say what is wrong
    return setup_.files.make_parent(text);
  if (S_ISDIR(info.st_mode))
    return fail(error_code::invalid_input,
                "its depfile " + text + " is a folder: move it away, or correct \"depfile\"");
  if (info.st_size > 0) // whatever else is there is not this asset's to remove
    if (const auto there = read_depfile(setup_.p, asset, setup_.files); !there)
      return fail(error_code::invalid_input, "what is at its depfile " + text + " is no depfile (" +
                                                 there.error().message +
                                                 "), and is not removed: move it away, or correct \"depfile\"");
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    return fail(error_code::io, "its depfile " + text + " cannot be removed before the attempt: " + strerror(errno));
  return {};
}

std::optional<recent_glances> asset_worker::finishes_quickly(asset_index asset, std::uint32_t attempt,
                                                             const work_end& end) const {
  if (end.report || maker_of(asset).may_have_report(asset, attempt))
    return std::nullopt; // it may name any number of files, of any size
  if (says_skipped(asset, end.so_far))
    return std::nullopt; // its outputs are looked at
  if (end.so_far.outcome != outcome_kind::succeeded)
    return recent_glances(); // nothing is looked at
  const auto& outputs = setup_.p.asset(asset).outputs;
  std::vector<path_slot> slots;
  slots.reserve(outputs.size());
  for (const auto output : outputs)
    slots.emplace_back(output.value);
  return reads_little(slots);
}

attempt_maker& asset_worker::maker_of(asset_index asset) const {
  return setup_.p.declaration(asset).function != nullptr ? *setup_.functions : *commands_;
}

result<void> asset_worker::prepare(asset_index asset, const findings& found) const {
  for (const auto output : setup_.p.asset(asset).outputs)
    if (auto made = setup_.files.make_parent(setup_.p.path(output)); !made)
      return made;
  return maker_of(asset).prepare(asset, found);
}

void asset_worker::execute(asset_index asset, std::uint32_t attempt, std::function<void(process_spawned)> spawned,
                           std::function<void(execution)> done) {
  if (ending_.load()) {
    execution out;
    out.outcome = outcome_kind::cancelled;
    out.message = "the run was stopped before the command started";
    done(std::move(out));
    return;
  }
  const auto started_at = setup_.time.now();
  const auto began = setup_.time.monotonic();
  if (setup_.p.is_source(asset)) {
    submit([this, asset, attempt, started_at, done = std::move(done)] {
      execution out;
      check_products(asset, attempt, started_at, nullptr, nullptr, out);
      hide_secrets(out);
      done(std::move(out));
    });
    return;
  }
  auto& problem = not_prepared_[asset.value];
  // It may have been examined long ahead of its turn.
  if (!problem && began - examined_at_[asset.value] > still_examined)
    if (auto lost = setup_.looks.lost_since(asset, *found_[asset.value]))
      problem = std::make_unique<std::string>(std::move(*lost));
  if (problem) {
    execution out;
    out.outcome = outcome_kind::not_started;
    out.message = std::move(*problem);
    problem.reset();
    hide_secrets(out);
    done(std::move(out));
    return;
  }
  const bool clears = setup_.p.settings_of(asset).clear_outputs;
  if (!clears && !setup_.p.depfile_of(asset))
    return make(asset, attempt, {started_at, began}, std::move(spawned), std::move(done));
  submit([this, asset, attempt, started_at, began, clears, spawned = std::move(spawned),
          done = std::move(done)]() mutable {
    auto ready = clears ? clear_outputs(asset) : result<void>();
    if (ready)
      ready = remove_depfile(asset);
    if (!ready) {
      execution out;
      out.outcome = outcome_kind::not_started;
      out.message = ready.error().message;
      hide_secrets(out);
      return done(std::move(out));
    }
    make(asset, attempt, {started_at, began}, std::move(spawned), std::move(done));
  });
}

void asset_worker::make(asset_index asset, std::uint32_t attempt, attempt_start start,
                        std::function<void(process_spawned)> spawned, std::function<void(execution)> done) {
  hand_out();
  maker_of(asset).make(asset, attempt, std::move(spawned),
                       [this, asset, attempt, start, done = std::move(done)](work_end end) {
                         if (const auto quick = finishes_quickly(asset, attempt, end)) {
                           done(finish(asset, attempt, start, std::move(end), &*quick));
                         } else {
                           submit([this, asset, attempt, start, end = std::move(end), done]() mutable {
                             done(finish(asset, attempt, start, std::move(end), nullptr));
                           });
                         }
                         take_back();
                       });
}

void asset_worker::hide_secrets(execution& out) const {
  if (!secrets_)
    return;
  secrets_->hide(out.message);
  secrets_->hide(out.warnings);
}

void asset_worker::check_discovered(asset_index asset, std::uint32_t, std::function<void(bool)> done) {
  submit([this, asset, done = std::move(done)] {
    const auto& files = made_elsewhere_[asset.value]->files;
    done(std::all_of(files.begin(), files.end(), [&](const made_elsewhere::file& one) {
      if (one.moved)
        return false;
      const auto now = setup_.table.observe(one.slot);
      return now && now->content == one.content;
    }));
  });
}

void asset_worker::settle(std::function<void()> done) {
  submit([this, done = std::move(done)] {
    setup_.table.settle();
    done();
  });
}

void asset_worker::end_all(urgency how) {
  ending_.store(true);
  commands_->end_all(how);
  if (setup_.functions != nullptr)
    setup_.functions->end_all(how);
}

} // namespace troupe_internal
