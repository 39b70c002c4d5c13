// Looking names up.
#include "app/cli/asset_lookup.hpp"

#include "app/cli/text.hpp"
#include "core/nearest_name.hpp"

namespace troupe::cli {

result<asset_index> find_asset(const project& on, const std::string& name) {
  if (const auto found = on.p->find(name))
    return *found;
  std::vector<std::string> members;
  nearest_name nearest(name);
  for (const auto& asset : on.p->assets) {
    nearest.consider(asset.name);
    if (asset.name.size() > name.size() && asset.name.starts_with(name) && asset.name[name.size()] == '[')
      members.emplace_back(asset.name);
  }
  if (!members.empty())
    return fail(error_code::invalid_input, printable(name) + " is " + counted(members.size(), "asset") +
                                               "; name one of them: " + listed(members, 12));
  return fail(error_code::not_found, "there is no asset '" + printable(name) + "' in " + on.p->name + nearest.hint());
}

std::string nearest_of(std::string_view name, const std::vector<asset_run_report>& assets) {
  nearest_name nearest(name);
  for (const auto& asset : assets)
    nearest.consider(asset.name);
  return nearest.hint();
}

} // namespace troupe::cli
