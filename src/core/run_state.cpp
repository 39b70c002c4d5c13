// The fold of a run's events.
#include "core/run_state.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace troupe {

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
    count += last.value - first.value + 1;
  return count;
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

asset_in_run& run_state::known(asset_id asset) {
  const auto found = position(asset);
  TROUPE_CHECK(found.has_value(), "an event names an asset that is not in its run");
  return assets_[*found];
}

void run_state::set(std::uint32_t position, asset_status to) {
  auto& asset = assets_[position];
  TROUPE_CHECK(may_follow(asset.status, to), "a transition of an asset's status that cannot be");
  --counts_[static_cast<std::size_t>(asset.status)];
  ++counts_[static_cast<std::size_t>(to)];
  asset.status = to;
}

void run_state::apply(const event& e) {
  const auto position_of = [this](const asset_in_run& a) { return static_cast<std::uint32_t>(&a - assets_.data()); };
  std::visit(
      [&](const auto& it) {
        using type = std::decay_t<decltype(it)>;
        if constexpr (std::is_same_v<type, run_started>) {
          if (started_)
            return;
          started_ = true;
          run_ = it.run;
          id_ = it.id;
          std::vector<asset_id> ids;
          for (const auto* set : {&it.fresh, &it.waiting})
            for (const auto& [first, last] : *set)
              for (auto id = first.value; id <= last.value; ++id)
                ids.emplace_back(id);
          members_ = make_asset_set(std::move(ids));
          std::uint32_t offset = 0;
          for (const auto& [first, last] : members_) {
            offsets_.push_back(offset);
            offset += last.value - first.value + 1;
          }
          assets_.resize(offset);
          counts_[static_cast<std::size_t>(asset_status::waiting)] = offset;
          for (const auto& [first, last] : it.fresh)
            for (auto id = first.value; id <= last.value; ++id)
              set(*position(asset_id(id)), asset_status::fresh);
        } else if constexpr (requires { it.run; }) {
          if (!started_ || it.run != run_)
            return;
          if constexpr (std::is_same_v<type, run_resumed>) {
            stopping_.reset();
            finished_.reset();
            const auto wait_again = [&](asset_in_run& asset) {
              TROUPE_CHECK(!asset.open, "a run is resumed while an attempt is open");
              --counts_[static_cast<std::size_t>(asset.status)];
              ++counts_[static_cast<std::size_t>(asset_status::waiting)];
              asset.status = asset_status::waiting;
              asset.segment_attempts = 0;
              asset.retry_delay = {};
              asset.refused = false;
            };
            for (auto& asset : assets_) {
              if (asset.status == asset_status::succeeded || asset.status == asset_status::fresh)
                continue;
              wait_again(asset);
            }
            for (const auto& [first, last] : it.reopened)
              for (auto id = first.value; id <= last.value; ++id)
                wait_again(known(asset_id(id)));
          } else if constexpr (std::is_same_v<type, asset_found_fresh>) {
            set(position_of(known(it.asset)), asset_status::fresh);
          } else if constexpr (std::is_same_v<type, attempt_started>) {
            auto& asset = known(it.asset);
            TROUPE_CHECK(!asset.open && it.attempt == asset.attempts + 1,
                         "attempts of an asset overlap or skip a number");
            set(position_of(asset), asset_status::running);
            asset.open = true;
            ++asset.attempts;
            ++asset.segment_attempts;
            ++open_attempts_;
          } else if constexpr (std::is_same_v<type, attempt_finished>) {
            auto& asset = known(it.asset);
            TROUPE_CHECK(asset.open && it.attempt == asset.attempts, "an attempt ended that is not open");
            asset.open = false;
            --open_attempts_;
            asset.outcome = it.outcome;
            if (it.outcome == outcome_kind::succeeded) {
              set(position_of(asset), asset_status::succeeded);
            } else if (it.outcome == outcome_kind::cancelled || it.outcome == outcome_kind::interrupted) {
              set(position_of(asset), asset_status::cancelled);
            } else if (it.outcome == outcome_kind::outdated) {
              --asset.segment_attempts; // it does not count against the retry budget
              set(position_of(asset), it.retry_at ? asset_status::retrying : asset_status::cancelled);
              asset.retry_at = it.retry_at.value_or(it.at);
            } else if (it.retry_at) {
              set(position_of(asset), asset_status::retrying);
              asset.retry_at = *it.retry_at;
              asset.retry_delay = *it.retry_at - it.at;
            } else {
              set(position_of(asset), asset_status::failed);
            }
          } else if constexpr (std::is_same_v<type, assets_settled>) {
            for (const auto& settled : it.assets) {
              auto& asset = known(settled.asset);
              set(position_of(asset), it.status);
              asset.because = settled.because;
              asset.refused = it.status == asset_status::failed;
            }
          } else if constexpr (std::is_same_v<type, run_stopping>) {
            if (!stopping_)
              stopping_ = it.cause;
          } else if constexpr (std::is_same_v<type, run_finished>) {
            finished_ = it.status;
          }
        }
      },
      e);
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
  if (!in.get(state.run_.value) || !in.get(state.id_.bytes) || !get_optional(in, state.stopping_, 3) ||
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
        status >= asset_status_count || flags > 3 || outcome > static_cast<std::uint8_t>(outcome_kind::outdated))
      return std::nullopt;
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

} // namespace troupe
