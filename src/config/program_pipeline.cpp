// The same steps that a file goes through once it is read.
#include "config/program_pipeline.hpp"

#include "config/asset_maker.hpp"
#include "config/expand.hpp"
#include "config/value_text.hpp"
#include "core/command/template_text.hpp"

#include <algorithm>

namespace troupe_internal::config {

namespace {

class declarer {
public:
  declarer(declared_pipeline& into, findings& out) : d_(into), p_(*into.p), out_(out), maker_(into, out) {
    p_.settings.emplace_back();
  }

  void file(const program_pipeline& what) {
    if (!is_name(what.name))
      out_.error({}, "bad_name", name_problem(what.name, "a pipeline"));
    p_.name = what.name;
    p_.engine = what.engine;
    for (const auto& [name, value] : what.params) {
      if (!is_name(name))
        out_.error({}, "bad_name", name_problem(name, "a param"));
      p_.params[name].text = value;
      d_.param_places.emplace(name, place{});
    }
    for (const auto& [name, slots] : what.engine.pools)
      if (!is_name(name) || slots == 0)
        out_.error({}, "bad_pool",
                   is_name(name) ? "the pool " + in_quotes(name) + " has no slots" : name_problem(name, "a pool"));
    if (what.assets.empty())
      out_.error({}, "no_assets", "the pipeline has no assets");
    d_.patches.assign(what.settings.begin(), what.settings.end());
    p_.settings.resize(1 + what.settings.size());
    for (const auto& a : what.assets) {
      if (out_.full())
        return;
      asset(what, a);
    }
  }

private:
  void asset(const program_pipeline& what, const program_asset& from) {
    if (d_.waiting_names.find(from.name))
      return out_.error(from.where, "duplicate_asset", "an asset " + in_quotes(from.name) + " was declared before");
    declared_asset a;
    a.name = d_.waiting_names.text(d_.waiting_names.intern(from.name));
    a.where = a.command_where = from.where;
    a.kind = from.kind;
    if (!is_name(from.name)) {
      out_.error(from.where, "bad_name", name_problem(from.name, "an asset"));
      a.broken = true;
    }
    if (!from.description.empty())
      a.description = p_.text.keep(from.description);
    a.inputs = paths(from, from.inputs, d_.inputs, false, a);
    a.outputs = paths(from, from.outputs, d_.outputs, true, a);
    if (from.kind == command_kind::none && from.outputs.empty())
      out_.error(from.where, "empty_asset", in_quotes(from.name) + " is a source without files");
    deps(what, from, a);
    if (from.function)
      function(what, from, a);
    else
      command(from, a);
    a.patch = from.settings;
    if (from.settings != declared_asset::none)
      for (const auto& [pool, slots] : what.settings[from.settings].pools)
        d_.pool_requests.push_back({pool, slots, from.where});
    d_.waiting.push_back(a);
  }

  void command(const program_asset& from, declared_asset& a) {
    if (from.kind == command_kind::none)
      return;
    if (from.command.empty() || from.command.front().find_first_not_of(" \t\n") == std::string::npos) {
      out_.error(from.where, "empty_command", "the command of " + in_quotes(from.name) + " is empty");
      a.broken = a.command_broken = true;
    }
    a.command = texts(from.command);
  }

  void function(const program_pipeline& what, const program_asset& from, declared_asset& a) {
    const auto& f = *from.function;
    auto& declared = p_.functions.emplace_back();
    declared.number = f.number;
    declared.value_type = p_.text.keep(f.value_type);
    declared.value_version = f.value_version;
    declared.oldest_readable = f.oldest_readable;
    std::vector<std::uint32_t> positions;
    for (const auto argument : f.arguments)
      positions.push_back(
          static_cast<std::uint32_t>(std::find(needed_.begin(), needed_.end(), argument) - needed_.begin()));
    declared.arguments = p_.text.keep(positions);
    declared.params = texts(f.params);
    // What of it counts. The arguments' types need not: each is part of the definition of the asset that hands it on.
    std::vector<std::string> words{"function " + from.name};
    for (const auto argument : f.arguments)
      words.push_back("takes " + what.assets[argument].name);
    for (const auto& param : f.params)
      words.push_back("param {{ params." + param + " }}");
    words.push_back("returns " + (f.value_type.empty() ? "nothing" : f.value_type));
    a.command = texts(words);
    a.function = &declared;
  }

  /// needed_ becomes what it needs by name, each once.
  void deps(const program_pipeline& what, const program_asset& from, declared_asset& a) {
    needed_.clear();
    const auto need = [&](std::uint32_t place) {
      if (std::find(needed_.begin(), needed_.end(), place) == needed_.end())
        needed_.push_back(place);
    };
    if (from.function)
      std::for_each(from.function->arguments.begin(), from.function->arguments.end(), need);
    std::for_each(from.after.begin(), from.after.end(), need);
    if (needed_.empty())
      return;
    a.deps.first = static_cast<std::uint32_t>(d_.deps.size());
    for (const auto place : needed_)
      d_.deps.push_back({d_.dependency_names.intern(what.assets[place].name), from.where});
    a.deps.count = static_cast<std::uint32_t>(needed_.size());
    d_.dependency_lists.push_back({static_cast<std::uint32_t>(d_.waiting.size()), a.deps});
  }

  item_range paths(const program_asset& from, const std::vector<std::string>& written, std::vector<path_item>& items,
                   bool output, declared_asset& a) {
    item_range range{static_cast<std::uint32_t>(items.size()), static_cast<std::uint32_t>(written.size())};
    for (const auto& text : written) {
      const bool excludes = !output && text.starts_with('!');
      const auto path = std::string_view(text).substr(excludes ? 1 : 0);
      std::optional<path_item> item;
      using kind = asset_maker::kind;
      if (has_template(path)) {
        item = path_item{static_cast<std::uint32_t>(d_.templates.size()), true, false, excludes, from.where};
        d_.templates.push_back(d_.text.keep(path));
      } else {
        item = maker_.read(path, path, output ? kind::output : excludes ? kind::exclusion : kind::input, from.where);
      }
      a.broken |= !item;
      items.push_back(item.value_or(path_item{p_.paths.intern(path), false, false, excludes, from.where}));
    }
    return range;
  }

  std::span<const std::string_view> texts(const std::vector<std::string>& from) {
    words_.clear();
    for (const auto& text : from)
      words_.push_back(p_.text.keep(text));
    return p_.text.keep(words_);
  }

  declared_pipeline& d_;
  pipeline& p_;
  findings& out_;
  asset_maker maker_;
  std::vector<std::uint32_t> needed_;
  std::vector<std::string_view> words_;
};

} // namespace

loaded_pipeline declare_pipeline(const program_pipeline& what,
                                 const std::vector<std::pair<std::string, std::string>>& overrides) {
  loaded_pipeline loaded;
  loaded.findings.file = program_file;
  findings out(loaded.findings);
  declared_pipeline declared;
  declared.p->folder = what.folder;
  declared.p->file = program_file;
  declarer(declared, out).file(what);
  override_params(declared, overrides, out);
  const bool expanded = out.clean() && expand(declared, out);
  loaded.triggers = std::make_shared<const trigger_set>();
  if (expanded && out.clean()) {
    loaded.p = std::move(declared.p);
    add_graph(loaded, {});
  }
  if (loaded.findings.has_errors()) {
    loaded.p = nullptr;
    loaded.graph = nullptr;
  }
  return loaded;
}

} // namespace troupe_internal::config
