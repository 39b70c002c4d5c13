// Layers of a journal.
#include "simulated_journal.hpp"

#include "core/journal/event_codec.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace troupe_internal::test {

void simulated_journal::append(std::vector<event> events, bool, std::function<void(result<std::uint64_t>)> durable) {
  appended_.push_back({std::move(events), std::move(durable), {}, {}});
  ++appends_;
  if (on_append)
    for (const auto& e : appended_.back().events)
      on_append(e);
}

void simulated_journal::checkpoint(run_number run, std::string state) {
  if (on_checkpoint)
    on_checkpoint(state);
  appended_.push_back({{}, {}, std::move(state), run});
  ++appends_;
}

void simulated_journal::write(const std::vector<event>& events) {
  if (events.empty())
    return;
  event_encoder encoder;
  for (const auto& e : events)
    encoder.add(e);
  event_decoder decoder(encoder.bytes());
  for (const auto& e : events) {
    auto again = decoder.next();
    if (!again || !(*again == e))
      throw std::runtime_error("(4) an event is not what its record says");
    events_.push_back(std::move(*again));
  }
  if (!decoder.done())
    throw std::runtime_error("(4) a record holds more than was written");
  records_.emplace_back(events_.size(), std::string(encoder.bytes()));
  if (syncs_)
    synced_ = events_.size();
}

void simulated_journal::commit(std::size_t count, commit_fault fault) {
  std::vector<event> together;
  std::vector<std::function<void(result<std::uint64_t>)>> waiting;
  std::map<run_number, kept_checkpoint> newest;
  for (; count > 0 && !appended_.empty(); --count) {
    auto one = std::move(appended_.front());
    appended_.pop_front();
    together.insert(together.end(), std::make_move_iterator(one.events.begin()),
                    std::make_move_iterator(one.events.end()));
    if (one.durable)
      waiting.push_back(std::move(one.durable));
    if (one.state)
      newest[one.run] = kept_checkpoint{events_.size() + together.size(), std::move(*one.state)};
  }
  if (!failure_) {
    const bool full = limit_ && events_.size() + together.size() > *limit_;
    if (full)
      failure_ = error{error_code::state_unusable, "the disk is full"};
    else if (fault != commit_fault::none)
      failure_ = error{error_code::state_unusable, "the disk gives errors"};
    if (!failure_ || (!full && fault == commit_fault::unknown)) {
      write(together);
      lied_ = lied_ || failure_;
    }
    if (!failure_)
      for (auto& [run, kept] : newest)
        checkpoints_.insert_or_assign(run, std::move(kept));
  }
  const auto outcome = failure_ ? result<std::uint64_t>(*failure_) : result<std::uint64_t>(events_.size());
  for (auto& durable : waiting)
    answers_.emplace_back([durable = std::move(durable), outcome] { durable(outcome); });
}

void simulated_journal::answer() {
  const auto next = std::move(answers_.front());
  answers_.pop_front();
  next();
}

void simulated_journal::lose_writer(bool power) {
  appended_.clear();
  appends_ = 0;
  answers_.clear();
  failure_.reset();
  lied_ = false;
  on_append = {};
  on_checkpoint = {};
  if (!power)
    return;
  while (!records_.empty() && records_.back().first > synced_)
    records_.pop_back();
  events_.resize(records_.empty() ? 0 : records_.back().first, names_interned{});
  std::erase_if(checkpoints_, [&](const auto& kept) { return kept.second.events > events_.size(); });
}

result<void> simulated_journal::append_now(std::vector<event> events) {
  if (limit_ && events_.size() + events.size() > *limit_)
    return fail(error_code::state_unusable, "the disk is full");
  write(events);
  return {};
}

std::string simulated_journal::bytes() const {
  std::string all;
  for (const auto& [end, bytes] : records_)
    all += std::to_string(end) + ":" + bytes;
  return all;
}

std::optional<run_state> simulated_journal::from_checkpoint(run_number run) const {
  const auto kept = checkpoints_.find(run);
  if (kept == checkpoints_.end())
    return std::nullopt;
  auto state = run_state::decode(kept->second.state);
  if (!state)
    throw std::runtime_error("(4) a checkpoint cannot be read");
  for (auto at = kept->second.events; at < events_.size(); ++at)
    state->apply(events_[at]);
  return state;
}

} // namespace troupe_internal::test
