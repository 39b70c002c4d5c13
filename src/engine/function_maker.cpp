// From a granted attempt to what a function has answered.
#include "engine/function_maker.hpp"

#include "base/check.hpp"
#include "core/freshness/freshness.hpp"
#include "engine/function_call.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace troupe_internal {

namespace {

/// Holds a stop; and while it lives, the call is among those that are asked to stop with the run.
class running_call {
public:
  running_call(std::mutex& mutex, std::set<troupe_stop*>& all, const std::atomic<bool>& ending)
      : mutex_(mutex), all_(all), stop_(*new troupe_stop) {
    {
      const std::lock_guard lock(mutex_);
      all_.insert(&stop_);
    }
    if (ending.load())
      stop_.request();
  }
  ~running_call() {
    {
      const std::lock_guard lock(mutex_);
      all_.erase(&stop_);
    }
    stop_.release();
  }
  running_call(const running_call&) = delete;
  running_call& operator=(const running_call&) = delete;

  [[nodiscard]] troupe_stop& stop() const { return stop_; }

private:
  std::mutex& mutex_;
  std::set<troupe_stop*>& all_;
  troupe_stop& stop_;
};

/// Answers once, whatever ends the thread.
class answer {
public:
  explicit answer(std::function<void(work_end)> ended) : ended_(std::move(ended)) {}
  ~answer() {
    if (!ended_)
      return;
    work_end lost;
    lost.so_far.outcome = outcome_kind::internal;
    lost.so_far.message = "the function ended its thread (pthread_exit, pthread_cancel) and did not return";
    give(std::move(lost));
  }
  answer(const answer&) = delete;
  answer& operator=(const answer&) = delete;

  void give(work_end end) { std::exchange(ended_, nullptr)(std::move(end)); }

private:
  std::function<void(work_end)> ended_;
};

} // namespace

function_maker::function_maker(function_surroundings around)
    : around_(std::move(around)), run_text_(to_string(around_.run_id)), versions_(around_.p.assets.size()) {}

result<void> function_maker::prepare(asset_index asset, const findings& found) {
  const auto& declared = *around_.p.declaration(asset).function;
  auto versions = std::make_unique<std::vector<digest>>();
  versions->reserve(declared.arguments.size());
  for (const auto argument : declared.arguments) {
    const auto id = around_.names.id_of(around_.p.asset(asset).deps[argument]);
    const auto& upstreams = found.now.upstreams;
    const auto seen = std::lower_bound(upstreams.begin(), upstreams.end(), id,
                                       [](const upstream_version& one, asset_id wanted) { return one.asset < wanted; });
    TROUPE_CHECK(seen != upstreams.end() && seen->asset == id, "an argument is a dependency");
    versions->push_back(seen->version);
  }
  versions_[asset.value] = std::move(versions);
  return {};
}

void function_maker::make(asset_index asset, std::uint32_t attempt, std::function<void(process_spawned)>,
                          std::function<void(work_end)> ended) {
  const auto answers = std::make_shared<answer>(std::move(ended));
  try {
    around_.room.threads().submit([this, asset, attempt, answers] {
      work_end end;
      {
        const running_call running(mutex_, running_, ending_);
        function_room::call called(around_.room, around_.run, around_.p.name, around_.p.asset(asset).name, attempt,
                                   running.stop());
        end = carry_out(asset, attempt, running.stop(), called);
      }
      answers->give(std::move(end));
    });
  } catch (const std::system_error& refused) {
    work_end end;
    end.so_far.outcome = outcome_kind::internal;
    end.so_far.message = std::string("there is no thread to call it on: ") + refused.what();
    answers->give(std::move(end));
  }
}

work_end function_maker::carry_out(asset_index asset, std::uint32_t attempt, troupe_stop& stop,
                                   function_room::call& called) {
  const auto timeout = around_.p.settings_of(asset).timeout;
  std::optional<std::chrono::steady_clock::time_point> deadline;
  std::optional<deadline_watch::deadline> watched;
  if (timeout) {
    deadline = std::chrono::steady_clock::now() + *timeout;
    watched.emplace(around_.room.deadlines(), *deadline, stop);
  }
  troupe_call call(*this, asset, attempt, deadline, stop, called);
  around_.functions[around_.p.declaration(asset).function->number]->call(call);
  auto end = call.end();
  auto& out = end.so_far;
  if (deadline && std::chrono::steady_clock::now() >= *deadline) {
    out.message = "its timeout of " + to_human(*timeout) + " was over when it returned" +
                  (out.message.empty() ? "" : ": " + out.message);
    out.outcome = outcome_kind::timed_out;
  } else if (out.outcome != outcome_kind::succeeded && ending_.load()) {
    out.outcome = outcome_kind::cancelled;
  }
  if (out.outcome == outcome_kind::succeeded && end.value) {
    const std::lock_guard lock(mutex_);
    handed_on_.insert_or_assign(asset, call.take_handed_on());
  }
  return end;
}

void function_maker::succeeded(asset_index asset, const production& made) {
  if (made.value.is_none())
    return;
  held_value value;
  {
    const std::lock_guard lock(mutex_);
    made_.insert_or_assign(asset, made_here{made.data_version, made.value});
    if (auto handed_on = handed_on_.extract(asset))
      value = std::move(handed_on.mapped());
  }
  if (value)
    around_.room.cache().put(around_.names.id_of(asset), made.data_version, value, made.value.size);
}

result<stored_value> function_maker::kept_value(asset_index asset, const digest& version) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto here = made_.find(asset); here != made_.end() && here->second.version == version)
      return here->second.kept;
  }
  if (version == version_of_allowed_failure())
    return fail(error_code::not_found, "it failed, and its failure is allowed: there is no value of it");
  const auto snapshot = around_.store.snapshot();
  if (!snapshot)
    return snapshot.error();
  asset_record record;
  if (const auto read = (*snapshot)->read_asset(around_.names.id_of(asset), record); !read)
    return read.error();
  if (!record.last || record.last->made.data_version != version)
    return fail(error_code::not_found, "it was made again meanwhile");
  if (record.last->made.value.is_none())
    return fail(error_code::not_found, "no value of it was kept");
  return record.last->made.value;
}

result<held_value> function_maker::argument(asset_index asset, std::size_t number, const troupe_type& as) {
  const auto needed = around_.p.asset(asset).deps[around_.p.declaration(asset).function->arguments[number]];
  const auto id = around_.names.id_of(needed);
  const auto& version = (*versions_[asset.value])[number];
  if (auto here = around_.room.cache().find(id, version, as))
    return here;
  const auto cannot = [&](const error& why) {
    return fail(why.code, "the value of " + std::string(around_.p.asset(needed).name) +
                              ", which it takes, cannot be had: " + why.message);
  };
  const auto kept = kept_value(needed, version);
  if (!kept)
    return cannot(kept.error());
  auto value = read_value(*kept, as, around_.room.values());
  if (!value && value.error().code == error_code::not_found && kept->in_file()) {
    around_.room.values().drop(*kept);
    return cannot(fail(error_code::not_found, value.error().message + ". The next run makes it again"));
  }
  if (!value)
    return cannot(value.error());
  around_.room.cache().put(id, version, *value, kept->size);
  return value;
}

void function_maker::end_all(urgency) {
  ending_.store(true);
  std::vector<troupe_stop*> stops;
  {
    const std::lock_guard lock(mutex_);
    for (auto* const stop : running_) {
      stop->retain();
      stops.push_back(stop);
    }
  }
  for (auto* const stop : stops) {
    stop->request();
    stop->release();
  }
}

} // namespace troupe_internal
