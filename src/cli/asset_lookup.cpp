// Looking names up.
#include "cli/asset_lookup.hpp"

#include "core/pipeline/nearest_name.hpp"
#include "views/text.hpp"

#include <filesystem>
#include <system_error>

namespace troupe_internal::cli {

namespace {

bool is_member(std::string_view asset, std::string_view matrix) {
  return asset.size() > matrix.size() && asset.starts_with(matrix) && asset[matrix.size()] == '[';
}

} // namespace

error is_a_matrix(std::string_view name, const std::vector<std::string>& members) {
  return fail(error_code::invalid_input, printable(name) + " is " + counted(members.size(), "asset") +
                                             "; name one of them: " + printable(listed(members, 12)));
}

std::vector<std::string> members_in(const run_report& report, std::string_view name) {
  std::vector<std::string> members;
  for (const auto& asset : report.assets)
    if (is_member(asset.name, name))
      members.push_back(asset.name);
  return members;
}

result<asset_index> find_asset(const project& on, const std::string& name) {
  if (const auto found = on.p->find(name))
    return *found;
  std::vector<std::string> members;
  nearest_name nearest(name);
  for (const auto& asset : on.p->assets) {
    nearest.consider(asset.name);
    if (is_member(asset.name, name))
      members.emplace_back(asset.name);
  }
  if (!members.empty())
    return is_a_matrix(name, members);
  if (const auto maker = on.graph->maker_of(*on.p, named_in(*on.p, name)))
    return *maker;
  return fail(error_code::not_found, "there is no asset '" + printable(name) + "' in " + on.p->name + nearest.hint());
}

std::string named_in(const pipeline& p, const std::string& file) {
  std::error_code unknown; // then as it was given
  const auto whole = std::filesystem::absolute(file, unknown).lexically_normal();
  auto text = whole.string();
  while (text.size() > 1 && text.ends_with('/'))
    text.pop_back();
  const std::string inside = p.folder == "/" ? "/" : p.folder + "/";
  return text.starts_with(inside) ? text.substr(inside.size()) : text;
}

std::vector<std::string> located(const project& on, std::vector<std::string> selection) {
  for (auto& word : selection)
    if (!on.p->find(word))
      if (const auto named = named_in(*on.p, word); named != word)
        if (const auto maker = on.graph->maker_of(*on.p, named))
          word = on.p->asset(*maker).name;
  return selection;
}

std::string asset_called(const invocation& with, const std::string& name) {
  const auto request = with.project_request();
  if (!request || name.find_first_of("/.") == std::string::npos)
    return name;
  diagnostics unheard;
  const auto on = open_project(*request, unheard);
  if (!on || on->p->find(name))
    return name;
  const auto maker = on->graph->maker_of(*on->p, named_in(*on->p, name));
  return maker ? std::string(on->p->asset(*maker).name) : name;
}

std::string nearest_of(std::string_view name, const std::vector<asset_run_report>& assets) {
  nearest_name nearest(name);
  for (const auto& asset : assets)
    nearest.consider(asset.name);
  return nearest.hint();
}

} // namespace troupe_internal::cli
