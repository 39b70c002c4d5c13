// Set once, read by any number of handles.
#include "lib/host_run.hpp"

#include "base/uuid.hpp"

namespace troupe_internal::lib {

run_number host_run::number() const {
  const std::lock_guard lock(mutex_);
  return number_;
}

run_status host_run::status() const {
  const std::lock_guard lock(mutex_);
  return ended_ ? ended_->status : run_status::running;
}

bool host_run::wait(std::chrono::nanoseconds at_most) const {
  std::unique_lock lock(mutex_);
  const auto over = [this] { return ended_.has_value(); };
  if (at_most.count() < 0) {
    changed_.wait(lock, over);
    return true;
  }
  // A span beyond a century is one: moments must not overflow.
  constexpr std::chrono::nanoseconds longest = std::chrono::hours(24 * 36'500);
  return changed_.wait_for(lock, std::min(at_most, longest), over);
}

run_result host_run::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_.value_or(run_result{});
}

void host_run::numbered(run_number number, std::string id) {
  const std::lock_guard lock(mutex_);
  number_ = number;
  if (!id.empty())
    id_ = std::move(id);
}

void host_run::end(const run_result& how) {
  const std::lock_guard lock(mutex_);
  ended_ = how;
  changed_.notify_all();
}

void host_run::run_began(const run_outline& outline) {
  numbered(outline.run, to_string(outline.id));
}

void host_run::warned(asset_index, const attempt_warning& warning) {
  log_(1, warning.text);
}

void host_run::noted(std::string_view text) {
  log_(0, std::string(text));
}

} // namespace troupe_internal::lib
