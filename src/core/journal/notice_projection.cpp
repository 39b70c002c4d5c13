// What notices change: each is kept until it was delivered to all of its targets, and no longer lasts.
#include "core/journal/projection.hpp"

#include <algorithm>

namespace troupe_internal {

result<void> projector::fold(std::uint64_t seq, const notice_taken& e) {
  auto& info = tables_.info();
  if (e.notice != info.last_notice + 1)
    return broken_rule(seq, "notices are numbered one after the other, and " + std::to_string(e.notice) +
                                " does not follow " + std::to_string(info.last_notice));
  if (e.closes != 0) {
    const auto found = tables_.get_notice(e.closes, notice_);
    if (!found)
      return found.error();
    if (!*found || !notice_.opens)
      return broken_rule(seq, "notice " + std::to_string(e.closes) + " does not last, and is closed");
    notice_.opens = false;
    if (auto done = notice_.targets.empty() ? tables_.erase_notice(e.closes) : tables_.put_notice(notice_); !done)
      return done;
  }
  info.last_notice = e.notice;
  return e.targets.empty() && !e.opens ? result<void>() : tables_.put_notice(e);
}

result<void> projector::fold(std::uint64_t seq, const notice_settled& e) {
  const auto found = tables_.get_notice(e.notice, notice_);
  if (!found)
    return found.error();
  const auto target = std::find(notice_.targets.begin(), notice_.targets.end(), e.target);
  if (!*found || target == notice_.targets.end())
    return broken_rule(seq, "notice " + std::to_string(e.notice) + " is not to be delivered there");
  notice_.targets.erase(target);
  return notice_.targets.empty() && !notice_.opens ? tables_.erase_notice(e.notice) : tables_.put_notice(notice_);
}

result<void> projector::fold(std::uint64_t seq, const notices_read& e) {
  auto& info = tables_.info();
  if (e.up_to < info.notices_up_to || e.up_to >= seq)
    return broken_rule(seq, "events are read for notices in their order, and none before it is there");
  info.notices_up_to = e.up_to;
  return {};
}

} // namespace troupe_internal
