// `troupe list` and `troupe which`: what is declared, and who makes and reads a file. Knows no record and no run.
#include "cli/asset_lookup.hpp"
#include "cli/file_users.hpp"
#include "cli/verbs.hpp"
#include "core/pipeline/selection.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <algorithm>

namespace troupe_internal::cli {

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::vector<std::string> outputs_of(const pipeline& p, asset_index asset) {
  std::vector<std::string> paths;
  for (const auto output : p.asset(asset).outputs)
    paths.emplace_back(p.path(output));
  return paths;
}

void write_strings(json_writer& json, std::string_view key, const std::vector<std::string>& texts) {
  json.key(key).begin_array();
  for (const auto& text : texts)
    json.value(text);
  json.end_array();
}

int list(invocation& with, const std::vector<std::string>& selection) {
  auto on = with.open();
  if (!on)
    return with.report(on.error());
  const auto selected = select_assets(*on->p, *on->graph, located(*on, selection));
  if (!selected)
    return with.report(selected.error());
  const auto& p = *on->p;
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    begin_document(json);
    json.member("pipeline", p.name).key("assets").begin_object();
    for (const auto asset : *selected) {
      json.key(p.asset(asset).name).begin_object();
      json.member("description", p.declaration(asset).description).member("source", p.is_source(asset));
      write_strings(json, "tags", p.settings_of(asset).tags);
      write_strings(json, "owners", p.settings_of(asset).owners);
      write_strings(json, "outputs", outputs_of(p, asset));
      json.end_object();
    }
    json.end_object().end_object().finish();
    return exit_ok;
  }
  table rows(
      {{"ASSET", false, true, true}, {"OUTPUTS", false, true}, {"TAGS", false, true}, {"DESCRIPTION", false, true}});
  for (const auto asset : *selected) {
    const auto outputs = outputs_of(p, asset);
    rows.row({std::string(p.asset(asset).name), outputs.empty() ? "" : listed(outputs, 3),
              joined(p.settings_of(asset).tags), std::string(p.declaration(asset).description)});
  }
  rows.print(with.io.out);
  return exit_ok;
}

int which(invocation& with, const std::string& file) {
  auto on = with.open();
  if (!on)
    return with.report(on.error());
  const auto users = users_of_file(*on, file);
  if (!users)
    return with.report(users.error());
  const auto& named = users->file;
  const auto& maker = users->maker;
  const auto& readers = users->readers;
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    begin_document(json);
    json.member("pipeline", on->p->name).member("file", named).key("maker");
    if (maker)
      json.value(on->p->asset(*maker).name);
    else
      json.null();
    json.key("readers").begin_array();
    for (const auto& one : readers)
      json.value(on->p->asset(one.asset).name);
    json.end_array().end_object().finish();
  } else if (!maker && readers.empty()) {
    with.io.out.stream << printable(named) << ": no asset makes or reads it\n";
  } else {
    with.io.out.stream << printable(named) << "\n";
    if (maker)
      with.io.out.stream << "  " << (on->p->is_source(*maker) ? "file of the source  " : "made by  ")
                         << printable(on->p->asset(*maker).name) << "\n";
    for (const auto& one : readers)
      with.io.out.stream << "  read by  " << printable(on->p->asset(one.asset).name)
                         << (one.input == named  ? ""
                             : one.input.empty() ? "  (its command reported it)"
                                                 : "  (" + printable(one.input) + ")")
                         << "\n";
  }
  return maker || !readers.empty() ? exit_ok : exit_failed;
}

} // namespace

void declare_list(command_spec& root, invocation& with) {
  const auto declare = [&](const char* name, bool hidden) {
    auto to = std::make_shared<std::vector<std::string>>();
    auto& verb = root.subcommand(name, "List assets with their outputs, tags and descriptions");
    verb.hidden = hidden;
    verb.positionals("SELECTION", *to, "which assets; default: all").completes = completion::assets;
    verb.examples = {{"troupe list", "all assets"}, {"troupe list tag:daily", "those with a tag"}};
    verb.action = [to, &with] { return list(with, *to); };
  };
  declare("list", false);
  declare("ls", true);
}

void declare_which(command_spec& root, invocation& with) {
  auto to = std::make_shared<std::string>();
  auto& verb = root.subcommand("which", "Tell which asset makes a file, and which read it");
  verb.positional("FILE", *to, true, "the file, as seen from this folder").completes = completion::files;
  verb.examples = {{"troupe which out/report.html", "who makes it, and who reads it"}};
  verb.action = [to, &with] { return which(with, *to); };
}

} // namespace troupe_internal::cli
