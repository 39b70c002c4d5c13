// By identity, since one file has many names.
#include "engine/discovered_inputs.hpp"

#include "base/check.hpp"
#include "engine/depfile.hpp"
#include "engine/state_layout.hpp"

#include <algorithm>

namespace troupe_internal {

discovered_inputs::discovered_inputs(const pipeline& p, const asset_graph& graph, catalog& names, file_makers& makers,
                                     asset_index asset, const std::vector<file_version>& inputs)
    : p_(p), graph_(graph), names_(names), makers_(makers), asset_(asset), inputs_(inputs),
      folder_(join_path(p.folder, p.settings_of(asset).cwd)) {}

bool discovered_inputs::is_declared(std::string_view identity) const {
  const auto file = graph_.same().find(p_, identity);
  const auto& inputs = p_.asset(asset_).inputs;
  return file && std::any_of(inputs.begin(), inputs.end(), [&](const input_ref& input) {
           return !input.glob && graph_.same().of(input.path) == *file;
         });
}

std::optional<discovered_input> discovered_inputs::input(std::string_view reported) {
  discovered_input found;
  found.path = relative_to(p_.folder, join_as_written(folder_, reported));
  const auto identity = makers_.identity_of(found.path);
  found.slot = names_.slot_of(found.path);
  found.id = names_.id_of(found.slot);
  if (!seen_.insert(found.id.value).second || graph_.maker_of(p_, identity) == asset_ || is_declared(identity))
    return std::nullopt;
  if (const auto depfile = p_.depfile_of(asset_); depfile && graph_.same().text_of(p_, *depfile) == identity)
    return std::nullopt;
  const auto examined = std::lower_bound(inputs_.begin(), inputs_.end(), found.id,
                                         [](const file_version& file, path_id id) { return file.path < id; });
  if (examined != inputs_.end() && examined->path == found.id)
    return std::nullopt;
  return found;
}

result<std::vector<std::string>> read_depfile(const pipeline& p, asset_index asset, const file_system& files) {
  const auto depfile = p.depfile_of(asset);
  TROUPE_CHECK(depfile.has_value(), "the depfile of an asset that has none");
  const auto path = p.path(*depfile);
  const std::string name = "the depfile " + std::string(path);
  const auto text = files.read_text(path, max_depfile);
  if (!text && text.error().code == error_code::not_found)
    return fail(error_code::invalid_input,
                name + " is not there: have the command write it (-MMD -MF FILE of compilers), or correct \"depfile\"");
  if (!text)
    return fail(error_code::invalid_input, name + " cannot be used: " + text.error().message);
  auto names = parse_depfile(*text);
  if (!names)
    return fail(error_code::invalid_input, name + ", " + names.error().message);
  return names;
}

} // namespace troupe_internal
