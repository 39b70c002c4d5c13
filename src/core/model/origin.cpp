// The note, entry by entry.
#include "core/model/origin.hpp"

#include <algorithm>

namespace troupe_internal {
namespace {

bool is_known(const digest& machine) {
  return machine != digest{};
}

} // namespace

state_origin origin_of(const state_info& info, bool has_note, const writer_here& here) {
  const bool this_boot = !here.boot_id.empty() && info.writer_boot_id == here.boot_id;
  if (!has_note)
    return this_boot ? state_origin::here : state_origin::unknown;
  if (info.writers.empty())
    return state_origin::unknown;
  auto found = state_origin::other_user;
  for (const auto& noted : info.writers) {
    if (noted.user != here.who.user)
      continue;
    if (!is_known(here.who.machine) || noted.machine == here.who.machine || (!is_known(noted.machine) && this_boot))
      return state_origin::here;
    found = state_origin::other_machine;
  }
  return found;
}

bool note_writer(state_info& info, const writer_identity& who) {
  if (std::find(info.writers.begin(), info.writers.end(), who) != info.writers.end())
    return false;
  info.writers.push_back(who);
  return true;
}

} // namespace troupe_internal
