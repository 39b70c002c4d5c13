// The fingerprint of one asset, now.
#include "engine/examiner.hpp"

#include "core/command/command.hpp"
#include "core/model/missing_input.hpp"
#include "core/model/warning.hpp"
#include "core/pipeline/exclusion.hpp"
#include "core/pipeline/glob.hpp"
#include "core/pipeline/ignored_warnings.hpp"
#include "core/pipeline/parent_paths.hpp"
#include "engine/working_folder.hpp"

#include <algorithm>

namespace troupe_internal {

namespace {

/// Stands for content that could not be read: differs from everything, so the asset is stale, and its attempt says what
/// is wrong.
digest unreadable() {
  return content_digest("unreadable");
}

void sort_unique(std::vector<file_version>& files) {
  if (files.size() < 2)
    return;
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  files.erase(std::unique(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path == b.path; }),
              files.end());
}

} // namespace

examiner::examiner(const pipeline& p, const asset_graph& graph, catalog& names, file_table& table,
                   const file_system& files, std::string state_folder, env_lookup lookup)
    : p_(p), graph_(graph), names_(names), table_(table), files_(files), lookup_(std::move(lookup)) {
  const std::string inside = p.folder == "/" ? "/" : p.folder + "/";
  if (state_folder.starts_with(inside))
    skip_.push_back(state_folder.substr(inside.size()));
  real_state_ = files.real_folder(state_folder);
  skip_.push_back(std::move(state_folder));
}

file_version examiner::version_of(asset_index asset, path_slot slot, const file_look& found) const {
  file_version version;
  version.path = names_.id_of(slot);
  version.content = found.content;
  version.executable = found.executable;
  if (found.as_text != digest{}) {
    if (p_.settings_of(asset).links == link_rule::text)
      version.content = found.as_text;
    else
      version.as_text = found.as_text;
  }
  return version;
}

void examiner::add_input(asset_index asset, path_slot slot, look how, const recent_glances& seen,
                         std::vector<file_version>& to, findings& out) const {
  const auto found = how == look::anew ? table_.observe(slot, seen.find(slot)) : table_.remembered(slot);
  if (!found && !out.impossible)
    out.impossible = found.error().message;
  to.push_back(version_of(asset, slot, found ? *found : file_look{unreadable()}));
}

std::optional<std::string> examiner::why_missing(path_index input, std::span<const asset_index> makers,
                                                 std::span<const asset_index> failed) const {
  if (makers.empty())
    return missing_input_text(p_.path(input));
  const auto is_failed = [&](asset_index maker) {
    return std::find(failed.begin(), failed.end(), maker) != failed.end();
  };
  if (std::any_of(makers.begin(), makers.end(), is_failed))
    return std::nullopt;
  const auto identity = graph_.same().text_of(p_, input);
  const auto text = "input \"" + std::string(p_.path(input)) + "\" does not exist";
  const std::string maker(p_.asset(makers.front()).name);
  if (p_.is_source(makers.front()))
    return text + ": it belongs to the source " + maker + ". Create it, or correct \"inputs\"";
  for (const auto output : p_.asset(makers.front()).outputs)
    if (graph_.same().is_beneath(identity, graph_.same().text_of(p_, output)))
      return text + ": asset " + maker + " makes the folder \"" + std::string(p_.path(output)) +
             "\", and this file is not in it. Run troupe run --force " + maker + ", or correct \"inputs\"";
  return text + ", though asset " + maker + " makes it: it was removed since then. Make it again: troupe run " + maker;
}

namespace {

/// What a glob of an asset does not take of what is on disk: the asset's own outputs, the state, folders that were left
/// out when the graph was built, and what "!PATTERN" takes out.
class leftover_filter {
public:
  leftover_filter(const pipeline& p, const asset_graph& graph, asset_index asset, const file_system& files,
                  std::string_view state)
      : p_(p), graph_(graph), same_(graph.same()), asset_(asset), files_(files), folders_{state} {
    for (const auto output : p.asset(asset).outputs)
      folders_.push_back(same_.text_of(p, output));
    if (const auto depfile = p.depfile_of(asset))
      folders_.push_back(same_.text_of(p, *depfile));
    for (const auto folder : graph.left_out(asset))
      folders_.push_back(same_.text(p, folder));
  }

  [[nodiscard]] bool takes(std::string_view path) {
    const auto& patterns = p_.asset(asset_).exclusions;
    const auto out_by_text = [&](path_index pattern) { return takes_out(p_.path(pattern), path); };
    if (std::any_of(patterns.begin(), patterns.end(), out_by_text))
      return false;
    const auto identity = identity_of(path);
    if (real_ != folder_)
      note_maker(path, identity);
    return !is_excluded(p_, same_, asset_, identity) &&
           std::none_of(folders_.begin(), folders_.end(), [&](std::string_view folder) {
             return identity == folder || same_.is_beneath(identity, folder);
           });
  }

  /// Matches come sorted: one folder after the other. Good until the next call.
  std::string_view identity_of(std::string_view path) {
    const auto folder = parent_path(path);
    if (!asked_ || folder != folder_) {
      asked_ = true;
      folder_ = folder;
      real_ = files_.real_folder(folder);
    }
    if (real_ == folder)
      return path;
    identity_.clear();
    if (real_ != ".")
      identity_.append(real_).append(real_ == "/" ? "" : "/");
    return identity_.append(path.substr(path.rfind('/') + 1));
  }

  std::vector<recorded_edge> by_links;

private:
  void note_maker(std::string_view path, std::string_view identity) {
    const auto maker = graph_.maker_of(p_, identity);
    const auto known = graph_.upstream(asset_);
    if (maker && *maker != asset_ && !std::binary_search(known.begin(), known.end(), *maker) &&
        !is_excluded(p_, same_, asset_, identity))
      by_links.push_back({asset_, *maker, std::string(path)});
  }

  const pipeline& p_;
  const asset_graph& graph_;
  const path_identities& same_;
  asset_index asset_;
  const file_system& files_;
  std::vector<std::string_view> folders_;
  bool asked_ = false;
  std::string folder_, real_, identity_;
};

} // namespace

bool examiner::leaves_out(asset_index asset, const orphaned_output& one, std::string_view input, findings& out) const {
  const auto where = describe(one) + ", which the pipeline no longer has or which no longer declares it, ";
  const std::string ways_out = "remove it with `troupe clean --orphans`, or declare it as a source to keep it";
  switch (p_.engine.orphans) {
  case orphan_rule::warn:
    out.warnings.push_back(
        make_warning("orphan_input", where + "counts as its input (" + std::string(input) + "): " + ways_out));
    return false;
  case orphan_rule::remove:
    out.warnings.push_back(make_warning("orphan_input", where + "is left out of its inputs (" + std::string(input) +
                                                            "); a run removes it"));
    return true;
  case orphan_rule::refuse:
    break;
  }
  if (inserts_inputs(p_, asset)) {
    out.warnings.push_back(
        make_warning("orphan_input", where + "is left out of its inputs (" + std::string(input) + "): " + ways_out));
    return true;
  }
  if (!out.impossible)
    out.impossible = "it reads \"" + std::string(input) + "\" by itself, where Troupe cannot leave out " +
                     describe(one) + ", which the pipeline no longer has or which no longer declares it: " + ways_out +
                     ", or set \"orphans\" of the engine";
  return true; // a file less: what is fresh with it is stale
}

void examiner::check_literal(asset_index asset, path_index input, findings& out) const {
  if (orphans_.empty())
    return;
  const auto path = p_.path(input);
  const auto identity = graph_.same().text_of(p_, input);
  if (const auto* one = orphans_.at_or_above(identity)) {
    out.warnings.push_back(
        make_warning("orphan_input", "its input " + std::string(path) + " is " + describe(*one) +
                                         ", and counts all the same: declare it as a source to keep it"));
  } else if (const auto* inside = orphans_.at_or_below(identity)) {
    if (p_.engine.orphans == orphan_rule::warn)
      static_cast<void>(leaves_out(asset, *inside, path, out));
    else if (p_.engine.orphans == orphan_rule::refuse)
      refuse_folder(*inside, path, out);
  }
}

void examiner::refuse_folder(const orphaned_output& inside, std::string_view path, findings& out) const {
  file_version marked; // what is fresh with it must not stay so
  marked.path = names_.id_of(names_.slot_of(inside.path));
  marked.content = unreadable();
  out.now.inputs.push_back(marked);
  if (!out.impossible)
    out.impossible = "its input folder \"" + std::string(path) + "\" holds " + describe(inside) +
                     ", which the pipeline no longer has or which no longer declares it: remove it with `troupe clean "
                     "--orphans`, or declare it as a source to keep it";
}

/// What a glob matches and does not count: nobody sees from the outside that a change in there means nothing to it.
static std::string folders_skipped_text(std::string_view glob, const std::vector<std::string>& folders) {
  const bool any = glob == "*" || glob.ends_with("/*");
  const std::string below = any ? std::string(glob) + "*" : std::string(glob) + "/**";
  std::string text = "the glob \"" + std::string(glob) + "\" in inputs takes files only and leaves out the folder \"" +
                     folders.front() + "\"";
  if (folders.size() > 1)
    text += " and " + std::to_string(folders.size() - 1) + " more";
  return text + ": a change in there makes nothing stale. Write \"" + std::string(glob) +
         "/\" for such folders as wholes, \"" + below + "\" for all files in them, or \"" + folders.front() +
         "\" for this one; \"!" + folders.front() + "\" says that it is left out on purpose";
}

void examiner::add_glob(asset_index asset, path_index input, findings& out) const {
  const auto glob = p_.path(input);
  const bool excludes = !p_.asset(asset).exclusions.empty();
  const auto made = graph_.outputs_taken(p_, asset, input);
  auto matches = made;
  glob_remarks remarks;
  auto on_disk = files_.glob(glob, skip_, &remarks);
  if (!on_disk) {
    out.impossible = on_disk.error().message;
    return;
  }
  leftover_filter filter(p_, graph_, asset, files_, real_state_);
  for (auto& path : *on_disk) {
    if (!filter.takes(path))
      continue;
    const auto* left_over = orphans_.empty() ? nullptr : orphans_.at_or_above(filter.identity_of(path));
    if (left_over == nullptr || !leaves_out(asset, *left_over, glob, out))
      matches.push_back(std::move(path));
  }
  for (auto& link : remarks.links)
    if (filter.takes(link))
      out.links.emplace_back(input, std::move(link));
  out.by_links.insert(out.by_links.end(), filter.by_links.begin(), filter.by_links.end());
  std::sort(matches.begin(), matches.end());
  matches.erase(std::unique(matches.begin(), matches.end()), matches.end());
  if (matches.empty())
    out.warnings.push_back(
        make_warning("empty_glob", "the glob \"" + std::string(glob) + "\" in inputs matches nothing"));
  auto& folders = remarks.left_out;
  std::erase_if(folders, [&](const std::string& path) {
    return std::binary_search(made.begin(), made.end(), path) || !filter.takes(path);
  });
  if (!folders.empty())
    out.warnings.push_back(make_warning("folders_skipped", folders_skipped_text(glob, folders)));
  for (auto& path : matches) {
    // A folder may be an output, or asked for, and a part of it may be taken out; all else that was found is a file.
    const bool part = excludes && (asks_for_folders(glob) || std::binary_search(made.begin(), made.end(), path));
    const auto slot = names_.slot_of(path);
    add_input(asset, part ? names_.filtered_slot_of(graph_.same(), asset, path, path) : slot, look::anew, {},
              out.now.inputs, out);
    out.inputs.push_back(names_.text(slot));
  }
}

std::uint32_t examiner::steps_up(asset_index asset, findings::memory* remembered) const {
  const auto& settings = p_.settings_of(asset);
  if (remembered == nullptr)
    return steps_up_from(p_.folder, settings.cwd);
  if (remembered->of != &settings) {
    remembered->of = &settings;
    remembered->steps_up = steps_up_from(p_.folder, settings.cwd);
  }
  return remembered->steps_up;
}

void examiner::define(asset_index asset, const asset_record& before, definer& defines, findings& out) const {
  defines.define({p_, asset, {}, out.inputs, out.input_starts, out.steps_up}, lookup_, out.now);
  if (!before.last || before.last->made_from.rule != 0) {
    out.declared.reset();
    return;
  }
  if (!out.declared)
    out.declared = std::make_unique<fingerprint>();
  define_as_declared(p_, asset, lookup_, *out.declared);
  // The texts may be the same and what they execute may not.
  if (defines.passed_otherwise())
    out.declared->command = quick_digest("its paths were passed otherwise");
}

std::optional<reason> examiner::look_for_value(asset_index asset, const asset_record& before) const {
  const auto* const function = p_.declaration(asset).function;
  if (function == nullptr || !before.last)
    return std::nullopt;
  const auto& kept = before.last->made.value;
  if (auto why = judge_value(kept, *function))
    return why;
  if (values_ != nullptr && kept.in_file() && !values_->has(kept))
    return reason{reason_kind::value_missing, to_hex(kept.file)};
  return std::nullopt;
}

void examiner::examine(asset_index asset, const asset_record& before,
                       const std::function<digest(asset_index)>& version_of, look how, findings& out,
                       const recent_glances& seen, std::span<const asset_index> failed) const {
  const auto& spec = p_.asset(asset);
  out.impossible.reset();
  out.warnings.clear();
  out.missing.clear();
  out.by_links.clear();
  out.links.clear();
  out.inputs.clear();
  out.input_starts.clear();
  out.outputs.clear();
  out.now.inputs.clear();
  out.now.discovered.clear();
  out.now.upstreams.clear();
  if (how == look::as_remembered && !out.remembers)
    out.remembers = std::make_unique<findings::memory>();
  auto* const remembered = how == look::as_remembered ? out.remembers.get() : nullptr;
  thread_local definer once; // for its memory
  auto& defines = remembered != nullptr ? remembered->defines : once;
  if (remembered == nullptr)
    once.forget();
  out.steps_up = defines.takes_steps_up(p_, asset) ? steps_up(asset, remembered) : 0;
  const bool takes_inputs = how == look::anew || defines.takes_inputs(p_, asset);

  for (std::size_t k = 0; k < spec.inputs.size(); ++k) {
    const auto& input = spec.inputs[k];
    const auto text = p_.path(input.path);
    if (!spec.named.empty())
      out.input_starts.push_back(static_cast<std::uint32_t>(out.inputs.size()));
    if (input.glob) {
      add_glob(asset, input.path, out);
      continue;
    }
    add_input(asset, names_.input_slot(asset, k), how, seen, out.now.inputs, out);
    check_literal(asset, input.path, out);
    const bool absent = out.now.inputs.back().content == absent_file;
    if (absent && !input.optional) {
      const auto makers = graph_.makers_of(p_, asset, input.path);
      if (makers.empty())
        out.missing.push_back(missing_input_text(text));
      if (!out.impossible && (makers.empty() || how == look::anew))
        out.impossible = why_missing(input.path, makers, failed);
    }
    if (takes_inputs && !(absent && input.optional))
      out.inputs.push_back(text);
  }
  if (!spec.named.empty())
    out.input_starts.push_back(static_cast<std::uint32_t>(out.inputs.size()));
  define(asset, before, defines, out);
  drop_ignored(p_.settings_of(asset), out.warnings);
  sort_unique(out.now.inputs);
  if (before.last) {
    for (const auto& found : before.last->made_from.discovered)
      if (const auto slot = names_.slot_of(found.path))
        add_input(asset, *slot, look::anew, seen, out.now.discovered, out);
  }
  for (const auto dep : spec.deps)
    out.now.upstreams.push_back({names_.id_of(dep), version_of(dep)});
  std::sort(out.now.upstreams.begin(), out.now.upstreams.end(),
            [](const auto& a, const auto& b) { return a.asset < b.asset; });

  out.value = look_for_value(asset, before);
  const auto outputs = observe_outputs(asset, how, out.outputs, seen);
  if (files_.many_are_elsewhere())
    warn_of_members_elsewhere(asset, out);
  if (!outputs) {
    // An output that cannot be read is made anew; a source's is what the source is.
    if (p_.is_source(asset) && !out.impossible)
      out.impossible = outputs.error().message;
  }
  if (p_.is_source(asset))
    for (const auto& file : out.outputs)
      if (file.content == absent_file)
        out.missing.push_back(missing_source_text(names_.path_text(file.path)));
}

void examiner::warn_of_members_elsewhere(asset_index asset, findings& out) const {
  const auto look_into = [&](path_index path, bool input) {
    const auto members = files_.members_elsewhere(p_.path(path));
    if (members == 0)
      return;
    const std::string name(p_.path(path));
    out.warnings.push_back(make_warning(
        "links_elsewhere",
        "the links in the folder \"" + name + "\" lead to " + std::to_string(members) +
            " files and folders outside of the pipeline's folder, and every run looks at all of them: set \"links\": "
            "\"text\" if they need not count" +
            (input ? ", or leave out some with \"!" + name + "/…\" in \"inputs\"" : "")));
  };
  const auto& spec = p_.asset(asset);
  for (const auto& input : spec.inputs)
    if (!input.glob)
      look_into(input.path, true);
  for (const auto output : spec.outputs)
    look_into(output, false);
}

result<void> examiner::observe_outputs(asset_index asset, look how, std::vector<file_version>& out,
                                       const recent_glances& seen) const {
  out.clear();
  std::optional<error> failure;
  for (const auto output : p_.asset(asset).outputs) {
    const path_slot slot(output.value);
    const auto found = how == look::anew ? table_.observe(slot, seen.find(slot)) : table_.remembered(slot);
    if (!found && !failure)
      failure = found.error();
    out.push_back(version_of(asset, slot, found ? *found : file_look{unreadable()}));
    out.back().link = found && found->link;
  }
  sort_unique(out);
  if (failure)
    return *failure;
  return {};
}

std::optional<std::string> examiner::lost_since(asset_index asset, const findings& before) const {
  const auto& known = before.now.inputs;
  const auto& inputs = p_.asset(asset).inputs;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (inputs[k].glob)
      continue;
    const auto seen = files_.glance(p_.path(inputs[k].path));
    if (!seen || seen->kind != file_kind::absent)
      continue;
    const auto id = names_.id_of(names_.input_slot(asset, k));
    const auto examined = std::lower_bound(known.begin(), known.end(), id,
                                           [](const file_version& file, path_id wanted) { return file.path < wanted; });
    if (examined != known.end() && examined->path == id && examined->content != absent_file)
      return why_missing(inputs[k].path, graph_.makers_of(p_, asset, inputs[k].path), {});
  }
  return std::nullopt;
}

std::vector<path_slot> examiner::slots_of(const std::vector<asset_index>& assets) const {
  std::vector<bool> seen(names_.slots(), false);
  std::vector<path_slot> slots;
  const auto add = [&](path_slot slot) {
    if (!seen[slot.value]) {
      seen[slot.value] = true;
      slots.push_back(slot);
    }
  };
  for (const auto asset : assets) {
    const auto& inputs = p_.asset(asset).inputs;
    for (std::size_t k = 0; k < inputs.size(); ++k)
      if (!inputs[k].glob)
        add(names_.input_slot(asset, k));
    for (const auto output : p_.asset(asset).outputs)
      add(path_slot(output.value));
  }
  return slots;
}

} // namespace troupe_internal
