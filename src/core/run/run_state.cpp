// The fold of a run's events.
#include "core/run/run_state.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

namespace troupe_internal {

asset_set make_asset_set(std::vector<asset_id> ids) {
  std::sort(ids.begin(), ids.end());
  asset_set set;
  for (const auto id : ids) {
    if (!set.empty() && id.value <= set.back().second.value + 1)
      set.back().second = std::max(set.back().second, id);
    else
      set.emplace_back(id, id);
  }
  return set;
}

std::size_t count_of(const asset_set& set) {
  std::size_t count = 0;
  for (const auto& [first, last] : set)
    count += std::size_t{last.value} - first.value + 1;
  return count;
}

bool is_asset_set(const asset_set& set, std::uint32_t id_limit) {
  const auto* before = static_cast<const asset_set::value_type*>(nullptr);
  for (const auto& range : set) {
    if (range.second < range.first || range.second.value >= id_limit ||
        (before != nullptr && range.first <= before->second))
      return false;
    before = &range;
  }
  return true;
}

std::optional<std::uint32_t> run_state::position(asset_id asset) const {
  const auto after = std::upper_bound(members_.begin(), members_.end(), asset,
                                      [](asset_id id, const auto& range) { return id < range.first; });
  if (after == members_.begin())
    return std::nullopt;
  const auto range = after - 1;
  if (asset > range->second)
    return std::nullopt;
  return offsets_[static_cast<std::size_t>(range - members_.begin())] + (asset.value - range->first.value);
}

asset_id run_state::id_at(std::uint32_t position) const {
  const auto after = std::upper_bound(offsets_.begin(), offsets_.end(), position);
  const auto index = static_cast<std::size_t>(after - offsets_.begin()) - 1;
  return asset_id(members_[index].first.value + (position - offsets_[index]));
}

asset_in_run* run_state::find(asset_id asset) {
  const auto found = position(asset);
  return found ? &assets_[*found] : nullptr;
}

namespace {
constexpr const char* not_in_run = "it names an asset that is not in its run";
} // namespace

const char* run_state::set(asset_in_run& asset, asset_status to) {
  if (!may_follow(asset.status, to))
    return "an asset's status cannot become what it says";
  if (asset.status == asset_status::waiting)
    touched_.push_back(static_cast<std::uint32_t>(&asset - assets_.data()));
  --counts_[static_cast<std::size_t>(asset.status)];
  ++counts_[static_cast<std::size_t>(to)];
  asset.status = to;
  return nullptr;
}

void run_state::wait_again(asset_in_run& asset) {
  --counts_[static_cast<std::size_t>(asset.status)];
  ++counts_[static_cast<std::size_t>(asset_status::waiting)];
  asset.status = asset_status::waiting;
  asset.segment_attempts = 0;
  asset.retry_delay = {};
  asset.refused = false;
}

void run_state::apply(const event& e) {
  const char* problem = fold_any(e);
  TROUPE_CHECK(problem == nullptr, problem);
}

const char* run_state::try_apply(const event& e, std::uint32_t asset_count) {
  if (const auto* begin = std::get_if<run_started>(&e);
      begin != nullptr && (!is_asset_set(begin->fresh, asset_count) || !is_asset_set(begin->waiting, asset_count)))
    return "its ranges of assets are not in order, or no names are known for them";
  return fold_any(e);
}

const char* run_state::fold_any(const event& e) {
  return std::visit(
      [this](const auto& it) -> const char* {
        using type = std::decay_t<decltype(it)>;
        if constexpr (std::is_same_v<type, run_started>) {
          return started_ ? nullptr : fold(it);
        } else if constexpr (requires { it.run; }) {
          if (!started_ || it.run != run_)
            return nullptr;
          if (finished_ && !std::is_same_v<type, run_resumed>)
            return "its run has ended before it";
          return fold(it);
        } else {
          return nullptr;
        }
      },
      e);
}

const char* run_state::fold(const run_started& e) {
  started_ = true;
  run_ = e.run;
  id_ = e.id;
  asset_set ranges = e.fresh;
  ranges.insert(ranges.end(), e.waiting.begin(), e.waiting.end());
  std::sort(ranges.begin(), ranges.end());
  for (const auto& range : ranges) {
    if (!members_.empty() && range.first <= members_.back().second)
      return "an asset is in it twice";
    if (!members_.empty() && range.first.value == members_.back().second.value + 1)
      members_.back().second = range.second;
    else
      members_.push_back(range);
  }
  std::uint32_t offset = 0;
  for (const auto& [first, last] : members_) {
    offsets_.push_back(offset);
    offset += last.value - first.value + 1;
  }
  assets_.resize(offset);
  counts_[static_cast<std::size_t>(asset_status::waiting)] = offset;
  for (const auto& [first, last] : e.fresh) {
    const auto begin = *position(first);
    for (std::uint32_t i = 0; i <= last.value - first.value; ++i)
      if (const char* problem = set(assets_[begin + i], asset_status::fresh))
        return problem;
  }
  return nullptr;
}

const char* run_state::fold(const run_resumed& e) {
  if (open_attempts_ > 0)
    return "its run is resumed while an attempt is open";
  stopping_.reset();
  finished_.reset();
  for (const auto position : std::exchange(touched_, {}))
    if (auto& asset = assets_[position]; asset.status != asset_status::succeeded && asset.status != asset_status::fresh)
      wait_again(asset);
  for (const auto& [first, last] : e.reopened)
    for (auto id = first.value; id <= last.value; ++id) {
      auto* const asset = find(asset_id(id));
      if (asset == nullptr)
        return not_in_run;
      if (asset->status != asset_status::succeeded && asset->status != asset_status::fresh)
        return "an asset is to wait again that waits";
      wait_again(*asset);
    }
  return nullptr;
}

const char* run_state::fold(const asset_found_fresh& e) {
  auto* const asset = find(e.asset);
  return asset == nullptr ? not_in_run : set(*asset, asset_status::fresh);
}

const char* run_state::fold(const attempt_started& e) {
  auto* const asset = find(e.asset);
  if (asset == nullptr)
    return not_in_run;
  if (asset->open || e.attempt != asset->attempts + 1)
    return "attempts of an asset overlap or skip a number";
  if (const char* problem = set(*asset, asset_status::running))
    return problem;
  asset->open = true;
  ++asset->attempts;
  ++asset->segment_attempts;
  ++open_attempts_;
  return nullptr;
}

const char* run_state::fold(const attempt_finished& e) {
  auto* const asset = find(e.asset);
  if (asset == nullptr)
    return not_in_run;
  if (!asset->open || e.attempt != asset->attempts)
    return "an attempt ended that is not open";
  if (e.resources)
    if (const char* problem = impossible_use(*e.resources))
      return problem;
  asset->open = false;
  --open_attempts_;
  asset->outcome = e.outcome;
  if (e.outcome == outcome_kind::succeeded)
    return set(*asset, asset_status::succeeded);
  if (e.outcome == outcome_kind::cancelled || e.outcome == outcome_kind::interrupted)
    return set(*asset, asset_status::cancelled);
  if (e.outcome == outcome_kind::skipped)
    return set(*asset, asset_status::skipped);
  if (e.outcome == outcome_kind::outdated) {
    --asset->segment_attempts; // it does not count against the retry budget
    asset->retry_at = e.retry_at.value_or(e.at);
    return set(*asset, e.retry_at ? asset_status::retrying : asset_status::cancelled);
  }
  if (!e.retry_at)
    return set(*asset, asset_status::failed);
  asset->retry_at = *e.retry_at;
  asset->retry_delay = *e.retry_at - e.at;
  return set(*asset, asset_status::retrying);
}

const char* run_state::fold(const assets_settled& e) {
  for (const auto& settled : e.assets) {
    auto* const asset = find(settled.asset);
    if (asset == nullptr)
      return not_in_run;
    if (asset->open || !is_final(e.status))
      return "an asset is settled without the end of its attempt, or as what is not final";
    if (const char* problem = set(*asset, e.status))
      return problem;
    asset->because = settled.because;
    asset->refused = e.status == asset_status::failed;
  }
  return nullptr;
}

const char* run_state::fold(const run_stopping& e) {
  if (!stopping_)
    stopping_ = e.cause;
  return nullptr;
}

const char* run_state::fold(const run_finished& e) {
  if (open_attempts_ > 0)
    return "its run ends while an attempt is open";
  finished_ = e.status;
  return nullptr;
}

namespace {

/// Raw little-endian copies: a checkpoint is read only by the version of the format that wrote it.
class raw_writer {
public:
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  std::string bytes;
};

class raw_reader {
public:
  explicit raw_reader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  bool get(T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (rest_.size() < sizeof value)
      return false;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return true;
  }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

private:
  std::string_view rest_;
};

template <class T>
void put_optional(raw_writer& out, const std::optional<T>& value) {
  out.put(static_cast<std::uint8_t>(value ? 1 + static_cast<std::uint8_t>(*value) : 0));
}

template <class T>
bool get_optional(raw_reader& in, std::optional<T>& value, std::uint8_t limit) {
  std::uint8_t byte = 0;
  if (!in.get(byte) || byte > limit)
    return false;
  if (byte != 0)
    value = static_cast<T>(byte - 1);
  return true;
}

} // namespace

std::string run_state::encode() const {
  raw_writer out;
  out.put(run_.value);
  out.put(id_.bytes);
  put_optional(out, stopping_);
  put_optional(out, finished_);
  out.put(static_cast<std::uint32_t>(members_.size()));
  for (const auto& [first, last] : members_) {
    out.put(first.value);
    out.put(last.value);
  }
  for (const auto& asset : assets_) {
    out.put(static_cast<std::uint8_t>(asset.status));
    out.put(static_cast<std::uint8_t>((asset.open ? 1U : 0U) | (asset.refused ? 2U : 0U)));
    out.put(static_cast<std::uint8_t>(asset.outcome));
    out.put(asset.attempts);
    out.put(asset.segment_attempts);
    out.put(to_unix_ns(asset.retry_at));
    out.put(asset.retry_delay.count());
    out.put(asset.because.value);
  }
  return std::move(out.bytes);
}

std::optional<run_state> run_state::decode(std::string_view bytes) {
  raw_reader in(bytes);
  run_state state;
  state.started_ = true;
  std::uint32_t ranges = 0;
  if (!in.get(state.run_.value) || !in.get(state.id_.bytes) || !get_optional(in, state.stopping_, 5) ||
      !get_optional(in, state.finished_, 6) || !in.get(ranges) || ranges > in.left() / 8)
    return std::nullopt;
  std::uint64_t offset = 0;
  for (std::uint32_t i = 0; i < ranges; ++i) {
    asset_id first;
    asset_id last;
    if (!in.get(first.value) || !in.get(last.value) || last < first ||
        (!state.members_.empty() && first <= state.members_.back().second))
      return std::nullopt;
    state.members_.emplace_back(first, last);
    state.offsets_.push_back(static_cast<std::uint32_t>(offset));
    offset += std::uint64_t{last.value} - first.value + 1;
  }
  constexpr std::size_t entry = 3 + 4 + 4 + 8 + 8 + 4;
  if (in.left() != offset * entry)
    return std::nullopt;
  state.assets_.resize(offset);
  for (auto& asset : state.assets_) {
    std::uint8_t status = 0;
    std::uint8_t flags = 0;
    std::uint8_t outcome = 0;
    std::int64_t retry_at = 0;
    std::int64_t retry_delay = 0;
    if (!in.get(status) || !in.get(flags) || !in.get(outcome) || !in.get(asset.attempts) ||
        !in.get(asset.segment_attempts) || !in.get(retry_at) || !in.get(retry_delay) || !in.get(asset.because.value) ||
        status >= asset_status_count || flags > 3 || outcome > static_cast<std::uint8_t>(outcome_kind::skipped) ||
        ((flags & 1U) != 0) != (status == static_cast<std::uint8_t>(asset_status::running)) ||
        asset.segment_attempts > asset.attempts || ((flags & 1U) != 0 && asset.segment_attempts == 0))
      return std::nullopt;
    if (status != static_cast<std::uint8_t>(asset_status::waiting))
      state.touched_.push_back(static_cast<std::uint32_t>(&asset - state.assets_.data()));
    asset.status = static_cast<asset_status>(status);
    asset.open = (flags & 1U) != 0;
    asset.refused = (flags & 2U) != 0;
    asset.outcome = static_cast<outcome_kind>(outcome);
    asset.retry_at = from_unix_ns(retry_at);
    asset.retry_delay = duration(retry_delay);
    ++state.counts_[status];
    state.open_attempts_ += asset.open ? 1 : 0;
  }
  return state;
}

} // namespace troupe_internal
