// One function a key.
#include "config/rare_keys_reader.hpp"

#include "config/path_text.hpp"
#include "config/settings_reader.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace troupe_internal::config {
namespace {

enum rare_key : std::size_t { depfile_key = first_rare_key, data_version_key };
static_assert(asset_keys[depfile_key] == "depfile" && asset_keys[data_version_key] == "data_version" &&
              data_version_key + 1 == first_settings_key);

} // namespace

void rare_keys_reader::read(declared_asset& a, std::size_t key) {
  if (!std::exchange(any_, true))
    keys_ = {};
  if (key == depfile_key)
    depfile(a);
  else
    data_version(a);
}

void rare_keys_reader::end(declared_asset& a) {
  if (!any_)
    return;
  p_.rare.push_back(keys_);
  a.rare = &p_.rare.back();
}

void rare_keys_reader::depfile(declared_asset& a) {
  const auto text = values_.string("depfile", "the path of the file that the command writes");
  if (text && text->empty())
    values_.out.error(values_.where(), "bad_path", "\"depfile\" is empty");
  a.broken |= !text || text->empty();
  keys_.depfile_where = values_.where();
  if (text)
    keys_.depfile = p_.text.keep(*text);
}

void rare_keys_reader::data_version(declared_asset& a) {
  static constexpr std::array<std::string_view, 1> ways = {"stdout"};
  const auto way = values_.one_of("data_version", ways);
  a.broken |= !way;
  keys_.stdout_version = way.has_value();
}

void check_depfiles(const pipeline& p, findings& out) {
  if (p.depfiles.empty())
    return;
  std::unordered_map<std::uint32_t, asset_index> of_path;
  const asset_declaration* reported = nullptr; // once for all combinations
  const auto wrong = [&](asset_index asset, std::string_view code, const std::string& what) {
    const auto& declared = p.declaration(asset);
    if (std::exchange(reported, &declared) != &declared)
      out.error(declared.rare->depfile_where, code,
                "the depfile " + in_quotes(p.path(*p.depfile_of(asset))) + " of " + in_quotes(p.asset(asset).name) +
                    what);
  };
  const auto file = std::string_view(p.file).substr(p.file.rfind('/') + 1);
  for (const auto& [asset, depfile] : p.depfiles) {
    const auto text = p.path(depfile);
    const auto [other, is_new] = of_path.emplace(depfile.value, asset);
    if (!is_new)
      wrong(asset, "duplicate_output",
            " is that of " + in_quotes(p.asset(other->second).name) +
                " as well; each needs a file of its own, such as \"{{ outputs[0] }}.d\"");
    else if (is_at_or_beneath(text, p.engine.state_dir) || is_at_or_beneath(p.engine.state_dir, text))
      wrong(asset, "output_in_state",
            " and Troupe's own state in " + in_quotes(p.engine.state_dir) + " would be in each other's way");
    else if (text == file)
      wrong(asset, "output_is_pipeline", " is this pipeline file");
  }
  for (std::uint32_t i = 0; i < p.assets.size(); ++i) {
    for (const auto output : p.assets[i].outputs)
      if (const auto found = of_path.find(output.value); found != of_path.end() && found->second.value != i)
        wrong(found->second, "duplicate_output", " is an output of " + in_quotes(p.assets[i].name));
    for (const auto& input : p.assets[i].inputs)
      if (const auto found = of_path.find(input.path.value); found != of_path.end() && found->second.value == i)
        wrong(found->second, "self_dependency", " is an input of it, too: it is removed before each attempt");
  }
}

} // namespace troupe_internal::config
