// `troupe completions`: scripts for shells, and the hidden `__complete` they ask for names.
#include "base/shown_text.hpp"
#include "cli/completions.hpp"
#include "cli/verbs.hpp"
#include "core/pipeline/nearest_name.hpp"

namespace troupe_internal::cli {

namespace {

int completions(invocation& with, const command_spec& root, const std::string& shell) {
  auto& out = with.io.out.stream;
  if (shell == "bash")
    out << bash_completions(root);
  else if (shell == "zsh")
    out << zsh_completions(root);
  else if (shell == "fish")
    out << fish_completions(root);
  else
    return with.report(
        fail(error_code::invalid_input, "completions are for bash, zsh and fish, not '" + shell + "'" +
                                            nearest_hint(shell, std::vector<std::string_view>{"bash", "zsh", "fish"})));
  return exit_ok;
}

/// One name a line; nothing at all where there is nothing to ask: the user is in the middle of typing.
int complete(invocation& with, const std::string& what) {
  auto& out = with.io.out.stream;
  if (what == "assets") {
    auto request = with.project_request();
    if (!request)
      return exit_ok;
    for (const auto& name : asset_names(*request))
      if (visible(name) == name) // others are no names once they are safe to show
        out << name << '\n';
  } else if (what == "runs") {
    auto request = with.project_request();
    if (!request)
      return exit_ok;
    const auto state = find_state_folder(*request, nullptr, true);
    if (!state)
      return exit_ok;
    const auto runs = list_runs(*state, 50);
    if (!runs)
      return exit_ok;
    for (const auto& run : *runs)
      out << run.run.value << '\n';
    out << "latest\n";
  }
  return exit_ok;
}

} // namespace

void declare_completions(command_spec& root, invocation& with) {
  auto shell = std::make_shared<std::string>();
  auto& verb = root.subcommand("completions", "Print the completion script for a shell");
  auto& argument = verb.positional("SHELL", *shell, true, "the shell");
  argument.completes = completion::words;
  argument.words = {"bash", "zsh", "fish"};
  verb.examples = {{"source <(troupe completions bash)", "for this bash"},
                   {"troupe completions zsh > ~/.zfunc/_troupe", "for zsh, in a folder of $fpath"},
                   {"troupe completions fish > ~/.config/fish/completions/troupe.fish", "for fish"}};
  verb.action = [&with, &root, shell] { return completions(with, root, *shell); };
}

void declare_complete(command_spec& root, invocation& with) {
  auto what = std::make_shared<std::string>();
  auto& verb = root.subcommand("__complete", "Print names for completion scripts");
  verb.hidden = true;
  verb.positional("WHAT", *what, true, "assets or runs");
  verb.action = [&with, what] { return complete(with, *what); };
}

} // namespace troupe_internal::cli
