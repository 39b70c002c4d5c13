// Counting, and drawing the lines and the block.
#include "cli/progress_model.hpp"

#include "views/text.hpp"

#include <algorithm>

namespace troupe_internal::cli {

namespace {

constexpr std::uint32_t most_not_run_lines = 20; // a failure at the root of a big graph blocks thousands
constexpr std::size_t most_named = 5;            // of those that were not started

std::string_view verb_of(outcome_kind outcome) {
  switch (outcome) {
  case outcome_kind::cancelled:
    return "cancelled";
  case outcome_kind::timed_out:
    return "timed out";
  case outcome_kind::outdated:
    return "outdated";
  case outcome_kind::skipped:
    return "skipped";
  default:
    return "failed";
  }
}

} // namespace

progress_model::progress_model(const pipeline& p, progress_style style)
    : p_(p), style_(style), counted_(p.assets.size(), false) {}

std::string progress_model::name(asset_index asset) const {
  return asset.value < p_.assets.size() ? printable(p_.asset(asset).name) : "?";
}

void progress_model::run_began(const run_outline& outline, duration now) {
  outline_ = outline;
  began_ = now;
  to_do_ = outline.assets - std::min(outline.fresh, outline.assets);
  if (!style_.every_asset)
    return;
  std::string text = "run #" + std::to_string(outline.run.value) + " of " + printable(p_.name) + ": " +
                     counted(outline.assets, "asset") + ", " + std::to_string(outline.fresh) + " fresh, " +
                     counted(outline.workers, "worker");
  if (outline.estimated > duration::zero())
    text += ", about " + to_human(outline.estimated);
  line(text);
}

void progress_model::line(std::string_view text) {
  lines_ += text;
  lines_ += '\n';
}

void progress_model::attempt_began(asset_index asset, std::uint32_t attempt, duration expected, duration now) {
  ++totals_.started;
  std::erase_if(retrying_, [&](const auto& r) { return r.asset == asset; });
  running_.push_back({asset, attempt, now, expected});
}

void progress_model::end_line(asset_index asset, tint colour, const std::string& what) {
  if (asset.value < counted_.size() && !counted_[asset.value]) {
    counted_[asset.value] = true;
    ++finished_;
  }
  settled_line(asset, colour, what);
}

void progress_model::settled_line(asset_index asset, tint colour, const std::string& what) {
  const auto total = std::to_string(to_do_);
  const auto number = std::to_string(finished_);
  lines_ += '[';
  lines_.append(total.size() - std::min(number.size(), total.size()), ' ');
  lines_ += number + "/" + total + "] " + name(asset) + "  " + style_.colours.paint(colour, what) + "\n";
}

void progress_model::attempt_ended(asset_index asset, const attempt_end& end, duration now) {
  std::erase_if(running_, [&](const auto& r) { return r.asset == asset; });
  if (end.outcome == outcome_kind::succeeded) {
    if (!end.log_file.empty())
      ++totals_.printed;
    if (!end.changed)
      ++totals_.unchanged;
    if (style_.every_asset)
      end_line(asset, tint::good, "succeeded in " + to_human(end.took) + (end.changed ? "" : ", unchanged"));
    return;
  }
  const std::string what = end.message.empty() ? "" : ": " + printable(end.message);
  if (end.retry_in) {
    retrying_.push_back({asset, end.attempt + 1, now + *end.retry_in});
    line(name(asset) + "  " +
         style_.colours.paint(
             tint::warn, "attempt " + std::to_string(end.attempt) + " " + std::string(verb_of(end.outcome)) + what +
                             "; attempt " + std::to_string(end.attempt + 1) +
                             (end.outcome == outcome_kind::outdated ? " follows" : " in " + to_human(*end.retry_in))));
    return;
  }
  const bool cancelled = end.outcome == outcome_kind::cancelled || end.outcome == outcome_kind::outdated ||
                         end.outcome == outcome_kind::skipped;
  end_line(asset, cancelled || end.allowed_to_fail ? tint::warn : tint::bad,
           std::string(verb_of(end.outcome)) + " after " + to_human(end.took) + what +
               (end.allowed_to_fail && !cancelled ? " (allowed to fail)" : ""));
}

void progress_model::asset_settled(asset_index asset, asset_status status, asset_index because,
                                   std::string_view message) {
  const auto retry = std::find_if(retrying_.begin(), retrying_.end(), [&](const auto& r) { return r.asset == asset; });
  const std::uint32_t failed_attempts = retry == retrying_.end() ? 0 : retry->next_attempt - 1;
  if (retry != retrying_.end())
    retrying_.erase(retry);
  const bool told = asset.value < counted_.size() && counted_[asset.value];
  if (!told && asset.value < counted_.size()) {
    counted_[asset.value] = true;
    ++finished_;
  }
  switch (status) {
  case asset_status::succeeded:
    ++succeeded_;
    return;
  case asset_status::fresh:
    ++totals_.spared;
    if (style_.every_asset && !told)
      settled_line(asset, tint::info, "fresh after all: what it is made from did not change");
    return;
  case asset_status::failed:
    ++failed_;
    if (!told)
      settled_line(asset, tint::bad, "failed before it started" + (message.empty() ? "" : ": " + printable(message)));
    return;
  case asset_status::blocked:
    ++blocked_;
    break;
  case asset_status::skipped:
    if (!told && style_.every_asset)
      settled_line(asset, tint::info, "skipped: " + name(because) + " was skipped, and was never made");
    return;
  case asset_status::cancelled:
    ++cancelled_;
    break;
  default:
    return;
  }
  if (failed_attempts > 0 && status == asset_status::cancelled) {
    ++totals_.given_up;
    settled_line(asset, tint::bad,
                 "attempt " + std::to_string(failed_attempts) + " failed; not tried again, because the run stops");
    return;
  }
  if (told || !style_.every_asset)
    return;
  if (status == asset_status::cancelled) {
    if (++not_started_in_all_ <= most_named)
      not_started_.push_back(name(asset));
    return;
  }
  if (not_run_lines_ > most_not_run_lines)
    return;
  if (++not_run_lines_ > most_not_run_lines)
    line("… more that do not run are not listed here");
  else
    settled_line(asset, tint::warn, "blocked by " + name(because) + (message.empty() ? "" : ": " + printable(message)));
}

void progress_model::close() {
  if (not_started_in_all_ == 0)
    return;
  std::string text = "not started: ";
  for (std::size_t i = 0; i < not_started_.size(); ++i)
    text += (i > 0 ? ", " : "") + not_started_[i];
  if (not_started_in_all_ > not_started_.size())
    text += " and " + std::to_string(not_started_in_all_ - not_started_.size()) + " more";
  line(style_.colours.paint(tint::warn, text));
  not_started_in_all_ = 0;
}

void progress_model::run_stopping(stop_cause cause) {
  stopping_ = cause;
  std::string text;
  switch (cause) {
  case stop_cause::failure:
    text = outline_.error_strategy == error_strategy::abort ? "stopping after a failure: what runs is ended"
                                                            : "stopping after a failure: nothing more is started";
    break;
  case stop_cause::user:
    text = "stopping: the run was cancelled";
    break;
  case stop_cause::shutdown:
    text = "stopping: the supervisor stops, and its next start resumes the run";
    break;
  case stop_cause::signal:
    text = "stopping: what runs is asked to end (a second time: it is killed)";
    break;
  case stop_cause::timed_out:
    text = "stopping: the run has taken longer than it may";
    break;
  }
  line(style_.colours.paint(tint::warn, text));
}

std::string progress_model::take_lines() {
  return std::exchange(lines_, std::string());
}

std::optional<duration> progress_model::remaining(duration now) const {
  if (outline_.estimated <= duration::zero() || to_do_ == 0)
    return std::nullopt;
  // Two estimates, each wrong in its own way: the plan's time minus what has passed knows nothing of what was spared;
  // the plan's time by the share still to do takes all assets for equal. Nothing ends before what runs now.
  const auto by_time = std::max(duration::zero(), outline_.estimated - (now - began_));
  const auto by_count = duration(outline_.estimated.count() / to_do_ * (to_do_ - std::min(finished_, to_do_)));
  auto left = std::min(by_time, by_count);
  for (const auto& r : running_)
    left = std::max(left, r.expected - (now - r.since));
  return left;
}

std::string progress_model::headline(duration now, std::size_t columns) const {
  struct part {
    std::string text;
    tint colour;
  };
  std::vector<part> parts{{"run #" + std::to_string(outline_.run.value), tint::strong}};
  const auto bar_width = std::min<std::size_t>(columns / 4, 24);
  if (columns >= 40) {
    const auto done = to_do_ == 0 ? bar_width : std::min(finished_, to_do_) * bar_width / to_do_;
    std::string bar;
    for (std::size_t i = 0; i < bar_width; ++i)
      bar += style_.unicode ? (i < done ? "█" : "░") : (i < done ? "#" : ".");
    parts.push_back({bar, tint::info});
  }
  parts.push_back({std::to_string(finished_) + "/" + std::to_string(to_do_), tint::strong});
  if (failed_ > 0)
    parts.push_back({std::to_string(failed_) + " failed", tint::bad});
  if (blocked_ + cancelled_ > 0)
    parts.push_back({std::to_string(blocked_ + cancelled_) + " not run", tint::warn});
  if (outline_.fresh + totals_.spared > 0)
    parts.push_back({std::to_string(outline_.fresh + totals_.spared) + " fresh", tint::none});
  parts.push_back({to_human(now - style_.since.value_or(began_)), tint::none});
  if (stopping_)
    parts.push_back({"stopping", tint::warn});
  else if (const auto left = remaining(now))
    parts.push_back(
        {*left < std::chrono::seconds(1) ? "nearly done" : "about " + to_human(*left) + " left", tint::dim});
  std::string text;
  std::size_t used = 0;
  for (const auto& one : parts) {
    const auto width = display_width(one.text) + (used == 0 ? 0 : 2);
    if (used + width > columns)
      break;
    text += (used == 0 ? "" : "  ") + style_.colours.paint(one.colour, one.text);
    used += width;
  }
  return text;
}

std::vector<std::string> progress_model::block(duration now, terminal_size size) const {
  const auto columns = static_cast<std::size_t>(std::max(size.columns - 1, 1));
  const auto room = static_cast<std::size_t>(std::clamp(size.rows - 2, 1, 16));
  std::vector<std::string> lines{headline(now, columns)};
  const std::size_t wanted = running_.size() + retrying_.size();
  const std::size_t shown = wanted + 1 <= room ? wanted : room - std::min<std::size_t>(room, 2);
  for (const auto& r : running_) {
    if (lines.size() > shown)
      break;
    std::string note = to_human(now - r.since);
    if (r.expected > duration::zero())
      note += " of about " + to_human(r.expected);
    if (r.attempt > 1)
      note += ", attempt " + std::to_string(r.attempt);
    const auto for_name = columns > note.size() + 4 ? columns - note.size() - 4 : 0;
    lines.push_back(truncated("  " + truncated(name(r.asset), for_name) + "  " + note, columns));
  }
  for (const auto& r : retrying_) {
    if (lines.size() > shown)
      break;
    lines.push_back(style_.colours.paint(tint::warn, truncated("  " + name(r.asset) + "  attempt " +
                                                                   std::to_string(r.next_attempt) + " in " +
                                                                   to_human(std::max(duration::zero(), r.due - now)),
                                                               columns)));
  }
  if (shown < wanted && room > 1)
    lines.push_back(
        style_.colours.paint(tint::dim, truncated("  … and " + std::to_string(wanted - shown) + " more", columns)));
  return lines;
}

} // namespace troupe_internal::cli
