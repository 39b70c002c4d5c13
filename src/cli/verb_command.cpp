// `troupe command`: what an asset would be executed with, to paste into a shell.
#include "cli/asset_lookup.hpp"
#include "cli/verbs.hpp"
#include "core/command/secret_mask.hpp"
#include "engine/shown_commands.hpp"
#include "views/command_text.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <algorithm>

namespace troupe_internal::cli {

namespace {

bool hides_something(const shown_command& command) {
  const auto hidden = [](const std::string& text) { return text.find(secret_mark) != std::string::npos; };
  return std::any_of(command.argv.begin(), command.argv.end(), hidden) ||
         std::any_of(command.env.begin(), command.env.end(), [&](const auto& one) { return hidden(one.text); });
}

int command(invocation& with, const std::string& name) {
  auto on = with.open();
  if (!on)
    return with.report(on.error());
  const auto asset = find_asset(*on, name);
  if (!asset)
    return with.report(asset.error());
  auto shown = shown_commands(*on, {*asset});
  if (!shown)
    return with.report(shown.error());
  if (shown->empty())
    return with.report(fail(error_code::invalid_input, printable(name) + " is a source: it has no command"));
  const auto& found = shown->begin()->second;
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    begin_document(json);
    json.member("pipeline", on->p->name).member("asset", on->p->asset(*asset).name).key("command");
    write_command(json, found);
    json.end_object().finish();
    return exit_ok;
  }
  with.io.out.stream << pasted(found);
  if (hides_something(found))
    with.warn("values of secret params are not shown: replace *** before you use it");
  return exit_ok;
}

} // namespace

void declare_command(command_spec& root, invocation& with) {
  auto to = std::make_shared<std::string>();
  auto& verb = root.subcommand("command", "Print the command of an asset, to paste into a shell");
  verb.positional("ASSET", *to, true, "the asset").completes = completion::assets;
  verb.examples = {{"troupe command report", "its folder, variables and command, as a run would have them now"},
                   {"troupe command report | sh", "runs it by hand: nothing is recorded"}};
  verb.action = [to, &with] { return command(with, *to); };
}

} // namespace troupe_internal::cli
