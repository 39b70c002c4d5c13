// The painting thread and its escape sequences (ECMA-48: cursor up, erase a line, erase below).
#include "cli/progress.hpp"

#include "cli/run_text.hpp"
#include "cli/signals.hpp"
#include "views/reason_text.hpp"
#include "views/text.hpp"

#include <system_error>
#include <utility>

namespace troupe_internal::cli {

namespace {

constexpr auto repaint_every = std::chrono::milliseconds(100);

/// The width of a line without the marks of its colours.
std::size_t painted_width(std::string_view line) {
  return display_width(unpainted(line));
}

} // namespace

progress::progress(const output& to, const pipeline& p, const clock& time, progress_manner how)
    : to_(to), p_(p), time_(time), how_(std::move(how)), repaint_(console::may_repaint(to) && !how_.quiet),
      model_(p, {.colours = to.colours,
                 .unicode = locale_is_utf8(),
                 .every_asset = !repaint_ && !how_.quiet,
                 .since = how_.command_started}) {}

progress::~progress() {
  finish();
}

void progress::run_began(const run_outline& outline) {
  const std::lock_guard lock(mutex_);
  if (outline.assets == outline.fresh)
    return; // nothing will happen: the summary says it all
  model_.run_began(outline, time_.monotonic());
  if (how_.outputs != nullptr)
    how_.outputs->run_began(outline.run);
  began_ = true;
  try {
    painter_ = std::thread([this] { paint_until_finished(); });
  } catch (const std::system_error&) { // then all is told at the end
  }
}

void progress::attempt_began(asset_index asset, std::uint32_t attempt, const std::vector<reason>&, duration expected) {
  const std::lock_guard lock(mutex_);
  model_.attempt_began(asset, attempt, expected, time_.monotonic());
  if (has_turns())
    turns_.push_back({model_.take_lines(), asset, attempt, true});
}

void progress::attempt_ended(asset_index asset, const attempt_end& end) {
  const std::lock_guard lock(mutex_);
  if (how_.outputs != nullptr) // what it wrote comes before how it ended
    turns_.push_back({model_.take_lines(), asset, end.attempt, false});
  model_.attempt_ended(asset, end, time_.monotonic());
}

void progress::asset_settled(asset_index asset, asset_status status, asset_index because, std::string_view message) {
  const std::lock_guard lock(mutex_);
  model_.asset_settled(asset, status, because, message);
}

void progress::run_stopping(stop_cause cause) {
  const std::lock_guard lock(mutex_);
  model_.run_stopping(cause);
}

void progress::warned(asset_index asset, const attempt_warning& warning) {
  const auto message = warning_line(p_.asset(asset).name, warning);
  const std::lock_guard lock(mutex_);
  if (warned_.emplace(message).second) // what was found when planning is found again when the asset is ready
    model_.line(to_.colours.paint(tint::warn, "warning: ") + message);
}

void progress::leftovers_ended(const std::vector<ended_process>& processes) {
  constexpr std::size_t most = 20;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < processes.size() && i < most; ++i)
    model_.line(leftover_text(processes[i]));
  if (processes.size() > most)
    model_.line("and " + std::to_string(processes.size() - most) + " more: troupe journal dump lists them all");
  ended_.insert(ended_.end(), processes.begin(), processes.end());
}

void progress::print_line(std::string_view text) {
  const std::lock_guard lock(mutex_);
  model_.line(text);
}

void progress::finish() {
  {
    const std::lock_guard lock(mutex_);
    if (finished_)
      return;
    finished_ = true;
  }
  wake_.notify_all();
  if (painter_.joinable())
    painter_.join();
  std::unique_lock lock(mutex_);
  model_.close();
  paint(lock, true);
}

void progress::paint_until_finished() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, repaint_every, [this] { return finished_; }))
    paint(lock, false);
}

std::string progress::text_of(std::vector<turn> turns) {
  std::vector<asset_index> beginning;
  if (how_.commands_of)
    for (const auto& one : turns)
      if (one.began)
        beginning.push_back(one.asset);
  const auto commands = beginning.empty() ? std::map<asset_index, std::string>() : how_.commands_of(beginning);
  std::string text;
  for (auto& one : turns) {
    text += one.lines;
    if (const auto found = commands.find(one.asset); one.began && found != commands.end())
      text += printable(p_.asset(one.asset).name) + " $ " + printable(found->second) + "\n";
    if (how_.outputs == nullptr)
      continue;
    if (one.began)
      how_.outputs->attempt_began(one.asset, one.attempt);
    else
      text += how_.outputs->attempt_ended(one.asset, one.attempt);
  }
  return how_.outputs == nullptr ? text : text + how_.outputs->news();
}

void progress::paint(std::unique_lock<std::mutex>& held, bool last) {
  std::string text;
  if (has_turns()) {
    auto turns = std::exchange(turns_, {});
    auto rest = model_.take_lines(); // of after them
    held.unlock();
    text = text_of(std::move(turns)) + rest;
    held.lock();
  } else {
    text = model_.take_lines();
  }
  if (!repaint_) {
    held.unlock();
    if (!text.empty())
      (to_.stream << text).flush();
    held.lock();
    return;
  }
  // In the background only what stays is written. Where the cursor is after that, or after this process was stopped,
  // nobody knows: then the block is painted below.
  const bool background = to_.in_background();
  if (background || continued_ != times_continued())
    on_screen_.clear();
  continued_ = times_continued();
  const auto size = to_.size().value_or(terminal_size{});
  const auto block = last || !began_ || background ? std::vector<std::string>() : model_.block(time_.monotonic(), size);
  held.unlock(); // a slow terminal must not hold up the run

  // The terminal may have become narrower since: a line then takes several rows.
  const auto columns = static_cast<std::size_t>(std::max(size.columns, 1));
  std::size_t up = 0;
  for (const auto width : on_screen_)
    up += width == 0 ? 1 : (width + columns - 1) / columns;
  // A block alone is painted over line by line: it does not flicker, and a terminal whose first row it begins in does
  // not take it for a screen that was cleared, which some keep in what can be scrolled back to.
  const bool over = text.empty() && !block.empty();
  std::string frame;
  if (up > 0)
    frame += "\x1b[" + std::to_string(up) + (over ? "A\r" : "A\r\x1b[J");
  frame += guarded(text, to_.colours.on);
  on_screen_.clear();
  for (const auto& line : block) {
    frame += (over ? "\x1b[K" : "") + guarded(line, to_.colours.on) + "\n";
    on_screen_.push_back(painted_width(line));
  }
  if (over && up > 0)
    frame += "\x1b[J";
  if (!frame.empty()) {
    to_.pass(frame);
    to_.stream.flush();
  }
  held.lock();
}

} // namespace troupe_internal::cli
