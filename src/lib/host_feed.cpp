// The buffer is one piece of the journal: whoever reads slowly costs nothing but reading.
#include "lib/host_feed.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

namespace troupe_internal::lib {

namespace {

constexpr std::size_t piece_bytes = std::size_t{256} << 10U;
constexpr std::size_t longest_line = std::size_t{4} << 20U;

/// In the milliseconds of poll(), rounded up.
int poll_time(std::chrono::nanoseconds rest) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(rest).count();
  return static_cast<int>(std::clamp<std::int64_t>(ms, 0, std::numeric_limits<int>::max()));
}

} // namespace

host_feed::host_feed(feed_wish what, reader read)
    : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), wish_(what), read_(std::move(read)), at_{what.first, what.run},
      position_(what.first) {
  if (!wake_)
    throw std::system_error(errno, std::generic_category(), "eventfd");
  ring(); // there may be events already
}

void host_feed::ring() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_.get(), &one, sizeof one) > 0); // full: it is readable
}

std::uint64_t host_feed::position() const {
  const std::lock_guard lock(mutex_);
  return position_;
}

std::uint64_t host_feed::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void host_feed::told_progress(const function_report& said) {
  if (!wish_.progress || (wish_.run && *wish_.run != said.run))
    return;
  {
    const std::lock_guard lock(mutex_);
    if (progress_.size() >= most_progress && !progress_.contains({said.run.value, said.asset})) {
      ++lost_;
      return;
    }
    progress_.insert_or_assign({said.run.value, said.asset}, said);
  }
  ring();
}

void host_feed::pause() {
  const std::lock_guard lock(mutex_);
  read_ = nullptr;
}

void host_feed::end(std::uint64_t last, reader read) {
  {
    const std::lock_guard lock(mutex_);
    read_ = std::move(read);
    last_ = last;
  }
  ring();
}

bool host_feed::take(host_event& event) {
  if (!lines_.empty()) {
    event = {std::move(lines_.front()), 0, {}};
    lines_.pop_front();
    position_ = lines_.empty() ? at_.next : event.what.seq + 1;
    return true;
  }
  if (progress_.empty())
    return false;
  auto said = std::move(progress_.extract(progress_.begin()).mapped());
  event = {{0, {}, "progress", said.run, std::nullopt, std::move(said.asset)}, *said.done, std::move(said.words)};
  return true;
}

std::optional<feed_end> host_feed::read_on(std::string& why) {
  if (!read_ || (last_ && at_.next > *last_))
    return std::nullopt;
  const auto snapshot = read_();
  if (!snapshot) {
    why = snapshot.error().message;
    return feed_end::failed;
  }
  const auto first = (*snapshot)->info().first_seq;
  if (at_.next < first) {
    why = "events " + std::to_string(at_.next) + " to " + std::to_string(first - 1) +
          " are no longer kept: the next event is " + std::to_string(first) +
          ". Keep more of the history, or read it more often";
    position_ = at_.next = first;
    return feed_end::dropped;
  }
  auto piece = feed_.read(**snapshot, at_, piece_bytes, longest_line);
  if (!piece) {
    why = piece.error().message;
    return feed_end::failed;
  }
  if (last_) // what a later engine writes is its own
    std::erase_if(piece->lines, [&](const feed_line& line) { return line.seq > *last_; });
  for (const auto& line : piece->lines)
    if (line.kind == "attempt_finished" && line.run) // how far it was is of no interest any more
      progress_.erase({line.run->value, line.asset});
  std::move(piece->lines.begin(), piece->lines.end(), std::back_inserter(lines_));
  if (lines_.empty())
    position_ = at_.next;
  if (!lines_.empty() || piece->more)
    ring();
  return std::nullopt;
}

feed_end host_feed::next(std::chrono::nanoseconds at_most, host_event& event, std::string& why) {
  const bool for_ever = at_most.count() < 0;
  const auto began = std::chrono::steady_clock::now();
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (take(event))
        return feed_end::event;
      std::uint64_t rung = 0; // before the journal is read: what comes later rings again
      static_cast<void>(::read(wake_.get(), &rung, sizeof rung) > 0);
      if (const auto cannot = read_on(why))
        return ring(), *cannot;
      if (take(event))
        return feed_end::event;
      if (last_ && at_.next > *last_) {
        ring(); // it stays readable: this is said each time
        why = "the engine has gone, and these were all of its events";
        return feed_end::shut_down;
      }
    }
    const auto rest = at_most - (std::chrono::steady_clock::now() - began);
    if (!for_ever && rest.count() <= 0)
      return feed_end::time_is_up;
    pollfd readable{wake_.get(), POLLIN, 0};
    static_cast<void>(::poll(&readable, 1, for_ever ? -1 : poll_time(rest))); // interrupted: it looks again
  }
}

} // namespace troupe_internal::lib
