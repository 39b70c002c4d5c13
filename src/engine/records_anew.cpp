// Judged by records alone.
#include "engine/records_anew.hpp"

#include "core/freshness/freshness.hpp"

namespace troupe_internal {

std::optional<std::string> no_use_of(const pipeline& p, asset_index needed, attempt_state last, bool was_made,
                                     bool reader_is_fresh) {
  const bool failed = last == attempt_state::failed;
  if (p.is_source(needed) || (failed && p.settings_of(needed).allow_failure))
    return std::nullopt;
  const auto how = failed                               ? "failed"
                   : last == attempt_state::cancelled   ? "was cancelled"
                   : last == attempt_state::interrupted ? "was interrupted"
                                                        : "";
  if (!reader_is_fresh && *how != '\0') {
    const std::string name(p.asset(needed).name);
    return "the last attempt at " + name + " " + how + ", and its files may be incomplete. Run it (troupe run " + name +
           "), or accept its files as they are (troupe adopt " + name + ")";
  }
  return was_made ? std::nullopt : std::optional<std::string>("");
}

std::vector<blocked_outside> blocked_at_once(std::vector<blocked_outside> planned, const touched_assets& touched) {
  std::erase_if(planned, [&](const blocked_outside& one) { return touched.contains(one.because); });
  return planned;
}

result<records_anew> read_anew(const pipeline& p, const asset_graph& graph, const touched_assets& touched,
                               asset_index asset, const std::function<bool(asset_index)>& in_run,
                               const std::function<result<void>(asset_index, asset_record&)>& read) {
  records_anew found;
  for (const auto one : touched.to_read(graph, asset)) {
    asset_record record;
    if (const auto done = read(one, record); !done)
      return done.error();
    if (p.settings_of(one).allow_failure && record.attempt == attempt_state::failed)
      found.versions.emplace_back(one, version_of_allowed_failure());
    else if (record.last)
      found.versions.emplace_back(one, record.last->made.data_version);
    if (!found.blocked && !in_run(one)) {
      const bool was_made = record.last.has_value() || graph.recorded(asset, one) != nullptr;
      if (auto why = no_use_of(p, one, record.attempt, was_made, false))
        found.blocked = blocked_outside{asset, one, std::move(*why)};
    }
    if (one == asset)
      found.own = std::move(record);
  }
  return found;
}

} // namespace troupe_internal
