// One flag for each asset.
#include "core/trigger/asset_rules.hpp"

#include <algorithm>

namespace troupe_internal {

asset_look look_at_assets(const assets_source& of, std::uint64_t seen, std::span<const asset_flag> flags,
                          std::span<const followed_asset> assets, timestamp now) {
  asset_look look;
  for (const auto& flag : flags) {
    const bool is_followed =
        std::any_of(assets.begin(), assets.end(), [&](const auto& one) { return one.asset == flag.asset; });
    if (!is_followed)
      look.moved = true;
    else if (of.within && flag.at + *of.within < now)
      look.lapsed.push_back(flag);
    else
      look.flags.push_back(flag);
  }
  look.moved = look.moved || !look.lapsed.empty();
  for (const auto& one : assets) {
    if (one.changed_seq <= seen || (one.by_own_run && !of.self))
      continue;
    look.moved = true;
    if (of.within && one.changed_at + *of.within < now) {
      look.lapsed.push_back({one.asset, one.changed_seq, one.changed_at});
      continue;
    }
    const auto known = std::find_if(look.flags.begin(), look.flags.end(),
                                    [&](const asset_flag& flag) { return flag.asset == one.asset; });
    if (known == look.flags.end())
      look.flags.push_back({one.asset, one.changed_seq, one.changed_at});
    else
      *known = {one.asset, one.changed_seq, one.changed_at};
  }
  if (look.flags.empty() || (of.all && look.flags.size() < assets.size()))
    return look;
  for (const auto& flag : look.flags)
    look.fires.push_back(flag.asset);
  look.flags.clear();
  look.moved = true;
  return look;
}

std::vector<std::string> chain_after(const std::vector<std::string>& caused_by, const std::string& next) {
  auto chain = caused_by;
  chain.push_back(next);
  return chain;
}

std::optional<std::string> circle_in(const std::vector<std::string>& chain) {
  if (chain.empty())
    return std::nullopt;
  const auto turns = static_cast<std::size_t>(std::count(chain.begin(), chain.end(), chain.back()));
  if (turns <= most_turns && chain.size() <= most_in_chain)
    return std::nullopt;
  // The last turn is enough to see it.
  auto from = chain.end() - 1;
  while (from != chain.begin() && *(from - 1) != chain.back())
    --from;
  if (from != chain.begin())
    --from;
  std::string text;
  for (auto at = from; at != chain.end(); ++at)
    text += (text.empty() ? "" : " -> ") + *at;
  return (turns > most_turns ? "its runs cause it to fire again: " : "each run causes the next one: ") + text;
}

} // namespace troupe_internal
