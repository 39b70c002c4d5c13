// `troupe clean` and `troupe adopt`: what changes files or records without running anything, after a question.
#include "cli/consent.hpp"
#include "cli/run_arguments.hpp"
#include "cli/run_text.hpp"
#include "cli/verbs.hpp"
#include "cli/waiting.hpp"
#include "engine/adoption.hpp"
#include "engine/orphans.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <memory>

namespace troupe_internal::cli {

namespace {

struct clean_arguments {
  bool orphans = false;
  bool yes = false;
};

int clean(invocation& with, const clean_arguments& arguments) {
  if (!arguments.orphans)
    return with.report(fail(error_code::invalid_input, "say what to clean: --orphans for files that assets made which "
                                                       "no longer exist"));
  const auto on = with.open();
  if (!on)
    return with.report(on.error());
  consent how{arguments.yes};
  const auto done = clean_orphans(*on, [&](const std::vector<orphaned_output>& orphans) {
    if (!with.options.json)
      for (const auto& one : orphans)
        with.io.out.stream << printable(one.path) << "  (" << printable(one.asset) << ")\n";
    return how.get(with, "remove " + counted(orphans.size(), "output") + "?");
  });
  if (!done)
    return with.report(done.error());
  if (!done->removed && !done->orphans.empty())
    return not_done(with, how, "remove these files");
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    begin_document(json);
    json.key("removed").begin_array();
    for (const auto& one : done->orphans)
      json.value(one.path);
    json.end_array().end_object().finish();
  } else {
    with.io.out.stream << (done->removed ? "removed\n" : "there are no orphans\n");
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
  auto& verb = root.subcommand("clean", "Remove outputs of assets that no longer exist");
  verb.flag("--orphans", to->orphans, "files that an asset made which is gone, or no longer declares them");
  verb.flag("--yes", to->yes, "remove without asking");
  verb.examples = {{"troupe clean --orphans", "list them, ask, and remove them"}};
  set_waiting_action(
      verb, with, [to, &with] { return clean(with, *to); },
      [to, &with] { return to->orphans ? with.state_folder() : result<std::string>(std::string()); });
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
