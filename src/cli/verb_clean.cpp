// `troupe clean` and `troupe adopt`: what changes files or records without running anything, after a question.
#include "cli/asset_lookup.hpp"
#include "cli/consent.hpp"
#include "cli/run_arguments.hpp"
#include "cli/run_text.hpp"
#include "cli/verbs.hpp"
#include "cli/waiting.hpp"
#include "engine/adoption.hpp"
#include "engine/orphans.hpp"
#include "engine/output_cleaning.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::cli {

namespace {

struct clean_arguments {
  std::vector<std::string> selection;
  bool orphans = false;
  bool force = false;
  bool dry_run = false;
  bool yes = false;
};

void write_paths(json_writer& json, std::string_view key, const std::vector<std::string>& paths) {
  json.key(key).begin_array();
  for (const auto& path : paths)
    json.value(path);
  json.end_array();
}

std::vector<std::string> paths_of(const std::vector<cleanable_output>& outputs) {
  std::vector<std::string> paths;
  for (const auto& one : outputs)
    paths.push_back(one.path);
  return paths;
}

void list_outputs(const output& to, const output_cleaning& found) {
  for (const auto& one : found.outputs)
    to.stream << printable(one.path) << "  (" << printable(one.asset)
              << (one.changed ? ", changed since it was made" : "") << ")\n";
}

/// What is left in place, and why.
void list_kept(const output& to, const output_cleaning& found) {
  for (const auto& one : found.kept)
    to.stream << "kept: " << printable(one.path) << " (" << printable(one.asset)
              << "): changed since it was made; --force removes it, too\n";
  for (const auto& why : found.refused)
    to.stream << "kept: " << printable(why) << "\n";
}

int clean_made(invocation& with, const clean_arguments& arguments) {
  const auto on = with.open();
  if (!on)
    return with.report(on.error());
  const auto& text_to = with.options.json ? with.io.err : with.io.out;
  consent how{arguments.yes};
  const auto done =
      clean_outputs(*on, located(*on, arguments.selection), arguments.force, [&](const output_cleaning& found) {
        if (arguments.dry_run)
          return false;
        if (!with.options.json)
          list_outputs(text_to, found);
        return how.get(with, "remove " + counted(found.outputs.size(), "output") + "?");
      });
  if (!done)
    return with.report(done.error());
  list_kept(text_to, *done);
  if (!arguments.dry_run && !done->removed && !done->outputs.empty())
    return not_done(with, how, "remove these outputs");
  if (!done->failed.empty()) {
    std::string all;
    for (const auto& one : done->failed)
      all += "\n  " + printable(one);
    return with.report(
        fail_in_lines(error_code::io, counted(done->outputs.size(), "output") + " removed; these could not be:" + all));
  }
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    begin_document(json);
    write_paths(json, arguments.dry_run ? "would_remove" : "removed", paths_of(done->outputs));
    write_paths(json, "kept", paths_of(done->kept));
    json.end_object().finish();
  } else if (arguments.dry_run) {
    list_outputs(text_to, *done);
    text_to.stream << "nothing was removed (--dry-run)\n";
  } else {
    text_to.stream << (done->outputs.empty() ? "there is nothing to remove\n"
                                             : "removed " + counted(done->outputs.size(), "output") + "\n");
  }
  return exit_ok;
}

int clean(invocation& with, const clean_arguments& arguments) {
  if (!arguments.orphans)
    return clean_made(with, arguments);
  if (!arguments.selection.empty() || arguments.force)
    return with.report(
        fail(error_code::invalid_input,
             "--orphans are files of assets that no longer exist: it takes no SELECTION and no --force"));
  const auto on = with.open();
  if (!on)
    return with.report(on.error());
  consent how{arguments.yes};
  const auto done = clean_orphans(*on, [&](const std::vector<orphaned_output>& orphans) {
    if (!with.options.json)
      for (const auto& one : orphans)
        with.io.out.stream << printable(one.path) << "  (" << printable(one.asset) << ")\n";
    return !arguments.dry_run && how.get(with, "remove " + counted(orphans.size(), "output") + "?");
  });
  if (!done)
    return with.report(done.error());
  if (!arguments.dry_run && !done->removed && !done->orphans.empty())
    return not_done(with, how, "remove these files");
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    begin_document(json);
    std::vector<std::string> paths;
    for (const auto& one : done->orphans)
      paths.push_back(one.path);
    write_paths(json, arguments.dry_run ? "would_remove" : "removed", paths);
    json.end_object().finish();
  } else {
    with.io.out.stream << (done->removed           ? "removed\n"
                           : done->orphans.empty() ? "there are no orphans\n"
                                                   : "nothing was removed (--dry-run)\n");
  }
  return exit_ok;
}

struct adopt_arguments {
  std::vector<std::string> selection;
  bool all = false;
  bool yes = false;
};

int adopt(invocation& with, const adopt_arguments& arguments) {
  if (arguments.selection.empty() && !arguments.all)
    return with.report(fail(error_code::invalid_input, "say which assets to adopt: a selection, or --all"));
  const auto on = with.open();
  if (!on)
    return with.report(on.error());
  consent how{arguments.yes};
  const auto confirm = [&](const std::vector<std::string>& names) {
    if (!with.options.json)
      for (const auto& name : names)
        with.io.out.stream << printable(name) << "\n";
    return how.get(with, "record the present outputs of " + counted(names.size(), "asset") + " as made?");
  };
  const auto done = adopt_assets(*on, arguments.selection, confirm, [&](const std::vector<ended_process>& ended) {
    with.ended = ended;
    for (const auto& one : ended)
      (with.options.json ? with.io.err : with.io.out).stream << leftover_text(one) << "\n";
  });
  if (!done)
    return with.report(done.error());
  if (!done->problems.empty()) {
    std::string all;
    for (const auto& problem : done->problems)
      all += "\n  " + printable(problem);
    return with.report(fail_in_lines(error_code::invalid_input, "nothing was adopted:" + all));
  }
  if (!done->adopted && !done->assets.empty())
    return not_done(with, how, "adopt these assets");
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    begin_document(json);
    json.key("adopted").begin_array();
    for (const auto& name : done->assets)
      json.value(name);
    json.end_array();
    write_leftovers(json, with.ended);
    json.end_object().finish();
  } else {
    with.io.out.stream << (done->adopted ? "adopted\n" : "all fresh: nothing to adopt\n");
  }
  return exit_ok;
}

} // namespace

void declare_clean(command_spec& root, invocation& with) {
  auto to = std::make_shared<clean_arguments>();
  auto& verb = root.subcommand("clean", "Remove outputs that are as their assets made them");
  verb.positionals("SELECTION", to->selection, "whose outputs, as for run; default: those of all assets").completes =
      completion::assets;
  verb.flag("--orphans", to->orphans, "instead, files that an asset made which is gone, or no longer declares them");
  verb.flag("--force", to->force, "outputs that were changed since, too");
  verb.flag("-n,--dry-run", to->dry_run, "list them and remove nothing");
  verb.flag("--yes", to->yes, "remove without asking");
  verb.examples = {{"troupe clean", "list the outputs of all assets, ask, and remove them"},
                   {"troupe clean report+ -n", "what would be removed of report and all that needs it"},
                   {"troupe clean --orphans", "what assets left that no longer exist"}};
  set_waiting_action(
      verb, with, [to, &with] { return clean(with, *to); },
      [to, &with] { return to->dry_run ? result<std::string>(std::string()) : with.state_folder(); });
}

void declare_adopt(command_spec& root, invocation& with) {
  auto to = std::make_shared<adopt_arguments>();
  auto& verb = root.subcommand("adopt", "Take outputs that exist for what their assets would make");
  verb.positionals("SELECTION", to->selection, "the assets, as for run").completes = completion::assets;
  verb.flag("--all", to->all, "all stale assets");
  verb.flag("--yes", to->yes, "adopt without asking");
  verb.examples = {{"troupe adopt --all", "after a move from make: nothing needs to run again"}};
  set_waiting_action(
      verb, with, [to, &with] { return adopt(with, *to); }, [&with] { return with.state_folder(); });
}

} // namespace troupe_internal::cli
