// The one place that knows the parser of command lines (CLI11).
#include "cli/command_line.hpp"

#include "core/pipeline/nearest_name.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <deque>
#include <span>

namespace troupe_internal::cli {

namespace {

/// The values one option was given in one command.
struct given_option {
  const option_spec* spec = nullptr; ///< null: help or version
  CLI::Option* parsed = nullptr;
  std::vector<std::string> values;
};

/// A command of the tree and what CLI11 found for it.
struct bound_command {
  const command_spec* spec = nullptr;
  CLI::App* app = nullptr;
  std::string path;
  std::deque<given_option> options; // CLI11 keeps references to the values
  CLI::Option* help = nullptr;
  CLI::Option* positional = nullptr;
  std::vector<std::string> words;
  std::deque<bound_command> commands;
};

std::string cli11_names(const option_spec& option) {
  return (option.short_name.empty() ? "" : option.short_name + ",") + option.long_name +
         (option.also.empty() ? "" : "," + option.also);
}

/// A command may give a global option a meaning of its own.
bool is_redeclared(const option_spec& global, const command_spec& command) {
  return std::any_of(command.options.begin(), command.options.end(),
                     [&](const option_spec& own) { return &own != &global && own.long_name == global.long_name; });
}

void bind_options(bound_command& command, const std::vector<option_spec>& options) {
  for (const auto& option : options) {
    if (is_redeclared(option, *command.spec))
      continue;
    auto& given = command.options.emplace_back();
    given.spec = &option;
    if (option.meta.empty())
      given.parsed = command.app->add_flag(cli11_names(option));
    else
      given.parsed =
          command.app->add_option(cli11_names(option), given.values)->expected(1)->take_all()->allow_extra_args(false);
  }
}

/// Declares to CLI11 what the words may mean. Of commands that no word names it is only told that they exist: declaring
/// all options of all commands would take longer than the rest of a short program.
void bind(bound_command& command, const command_spec& root, std::span<const char* const> words) {
  command.app->set_help_flag();
  command.app->allow_extras();
  command.help = command.app->add_flag("-h,--help");
  bind_options(command, root.options);
  if (command.spec != &root)
    bind_options(command, command.spec->options);
  if (!command.spec->arguments.empty())
    command.positional = command.app->add_option("words", command.words)->expected(0, -1);
  if (!command.spec->commands.empty())
    command.app->require_subcommand(0, 1); // at most one: a later word that looks like a verb is an argument
  for (const auto& sub : command.spec->commands) {
    auto& bound = command.commands.emplace_back();
    bound.spec = sub.get();
    bound.path = command.path + " " + sub->name;
    bound.app = command.app->add_subcommand(sub->name);
    if (std::find(words.begin(), words.end(), sub->name) != words.end())
      bind(bound, root, words);
  }
}

/// Words that other tools have for what a command does.
std::string_view word_of_other_tools(std::string_view word) {
  struct meaning {
    std::string_view word, answer;
  };
  static constexpr meaning meanings[] = {
      {"build", "`troupe run` brings assets up to date"},
      {"make", "`troupe run` brings assets up to date"},
      {"exec", "`troupe run` brings assets up to date"},
      {"start", "`troupe run` brings assets up to date, `troupe serve` stays up"},
      {"retry", "`troupe run --failed` runs again what failed last"},
      {"continue", "`troupe resume` continues a run"},
      {"diff", "`troupe plan` says what has changed, `troupe explain` from what to what"},
      {"dry-run", "`troupe plan` says what would run"},
      {"watch", "`troupe run --watch` runs again when an input changes"},
      {"kill", "`troupe cancel` ends a live run"},
      {"log", "`troupe logs` prints what commands wrote"},
      {"ps", "`troupe runs` lists runs"},
      {"tree", "`troupe graph` shows what depends on what"},
      {"check", "`troupe validate` checks the pipeline file"},
      {"lint", "`troupe validate` checks the pipeline file"}};
  for (const auto& one : meanings)
    if (one.word == word)
      return one.answer;
  return {};
}

/// What CLI11 says of an option without its value names neither what is wanted nor the option as it was given.
std::string words_of_problem(const CLI::ParseError& problem, const bound_command& command, const command_spec& root) {
  const std::string text = problem.what();
  if (problem.get_name() != "ArgumentMismatch")
    return text;
  const auto name = text.substr(0, text.find(':'));
  for (const auto* options : {&command.spec->options, &root.options})
    for (const auto& option : *options)
      if (!option.meta.empty() && option.long_name == name)
        return (option.short_name.empty() ? "" : option.short_name + ", ") + name + " takes " +
               (option.meta == "N" ? "a number: " : "a value: ") + name + " " + option.meta;
  return text;
}

std::string unknown_word(const bound_command& command, const command_spec& root, const std::string& word) {
  if (word.size() > 1 && word.front() == '-') {
    std::vector<std::string_view> names{"--help"};
    for (const auto* options : {&root.options, &command.spec->options})
      for (const auto& option : *options)
        names.push_back(option.long_name);
    const auto name = word.substr(0, word.find('=')); // what follows may be a secret
    return "unknown option '" + name + "'" + nearest_hint(name, names);
  }
  if (command.spec->commands.empty())
    return "unexpected argument '" + word + "'";
  std::vector<std::string_view> names;
  for (const auto& sub : command.spec->commands)
    if (!sub->hidden)
      names.push_back(sub->name);
  if (command.spec == &root)
    if (const auto meant = word_of_other_tools(word); !meant.empty())
      return "unknown command '" + word + "'; " + std::string(meant);
  return "unknown command '" + word + "'" + nearest_hint(word, names);
}

/// Hands the positional words to the arguments declared; returns what is wrong.
std::string assign_words(const bound_command& command) {
  std::size_t next = 0;
  for (const auto& argument : command.spec->arguments) {
    if (next == command.words.size()) {
      if (argument.required)
        return argument.name + " is missing";
      break;
    }
    const auto end = argument.many ? command.words.size() : next + 1;
    const std::vector<std::string> values(command.words.begin() + static_cast<std::ptrdiff_t>(next),
                                          command.words.begin() + static_cast<std::ptrdiff_t>(end));
    if (auto wrong = argument.assign(values); !wrong.empty())
      return wrong;
    next = end;
  }
  return next < command.words.size() ? "unexpected argument '" + command.words[next] + "'" : "";
}

/// What a flag was given; CLI11 says "true" where that is nothing.
std::vector<std::string> values_of_flag(const given_option& given) {
  auto values = given.parsed->results();
  if (!values.empty() && values.back() == "true")
    values.back().clear();
  return values;
}

std::string assign_options(const bound_command& command) {
  for (const auto& given : command.options)
    if (given.parsed->count() > 0)
      if (auto wrong = given.spec->assign(given.spec->meta_of_flag.empty() ? given.values : values_of_flag(given));
          !wrong.empty())
        return wrong;
  return "";
}

} // namespace

parsed_line parse_line(const command_spec& root, int argc, const char* const* argv) {
  CLI::App app{root.help, root.name};
  bound_command top;
  top.spec = &root;
  top.app = &app;
  top.path = root.name;
  bind(top, root, {argv, argv + argc});
  auto* version = app.add_flag("-V,--version");

  // What follows "--" is kept from CLI11, which in a subcommand would take options there for options.
  const auto* const end = argv + argc;
  const auto* const mark = std::find_if(argv, end, [](const char* word) { return std::string_view(word) == "--"; });

  parsed_line line;
  std::vector<bound_command*> chain{&top};
  std::unique_ptr<CLI::ParseError> problem;
  try {
    app.parse(static_cast<int>(mark - argv), argv);
  } catch (const CLI::ParseError& e) {
    problem = std::make_unique<CLI::ParseError>(e);
  }
  for (bool deeper = true; deeper;) {
    deeper = false;
    for (auto& sub : chain.back()->commands)
      if (sub.app->parsed()) {
        chain.push_back(&sub);
        deeper = true;
        break;
      }
  }
  auto& last = *chain.back();
  line.command = last.spec;
  line.path = last.path;
  line.version = version->count() > 0;
  line.help = std::any_of(chain.begin(), chain.end(), [](const auto* c) { return c->help->count() > 0; });
  if (problem) {
    line.error = words_of_problem(*problem, last, root);
    return line;
  }
  for (const auto* command : chain)
    if (const auto unknown = command->app->remaining(); !unknown.empty()) {
      line.error = unknown_word(*command, root, unknown.front());
      line.command = command->spec;
      line.path = command->path;
      return line;
    }
  if (line.help || line.version)
    return line;
  for (const auto* command : chain)
    if (line.error = assign_options(*command); !line.error.empty())
      return line;
  if (mark != end)
    last.words.insert(last.words.end(), mark + 1, end);
  line.error = assign_words(last);
  if (line.error.empty() && !last.spec->action && chain.size() > 1)
    line.error = "'" + last.path + "' needs one of its commands";
  return line;
}

} // namespace troupe_internal::cli
