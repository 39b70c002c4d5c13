// The completion scripts, where their shells are installed, and the names they ask for.
#include "cli/cli_main.hpp"
#include "cli/completions.hpp"
#include "fake_engine.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>

using namespace troupe_internal;
using namespace troupe_internal::cli;

namespace {

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> buffer{};
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    text.append(buffer.data(), n);
  ::pclose(pipe);
  return text;
}

std::string script(const std::string& shell) {
  test::reset();
  const auto done = test::troupe_cli({"completions", shell});
  CHECK(done.status == 0);
  CHECK(done.err.empty());
  return done.out;
}

/// What bash offers after these words, in order; `troupe __complete` answers with two names.
std::string offered(const std::string& line) {
  const temporary_folder folder;
  std::ofstream(folder.path() + "/completion.bash") << script("bash");
  std::ofstream(folder.path() + "/ask.bash")
      << "source " + folder.path() + "/completion.bash\n"
      << "cd " + folder.path() + "\n"
      << "troupe() { [[ $1 == __complete ]] && printf '%s\\n' \"$2\" 'n[a]' \"${@:3}\"; }\n"
      << "COMP_WORDS=(" + line +
             ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_troupe\nprintf '%s ' \"${COMPREPLY[@]}\"\n";
  return output_of("bash " + folder.path() + "/ask.bash");
}

} // namespace

TEST_CASE("bash completes verbs, their verbs, options and words") {
  CHECK(offered("troupe ru") == "run runs ");
  CHECK(offered("troupe run --dr") == "--dry-run ");
  CHECK(offered("troupe run --js") == "--json ");
  CHECK(offered("troupe --color a") == "auto always ");
  CHECK(offered("troupe run --error-strategy ''") == "fail_fast continue abort ");
  CHECK(offered("troupe -f x.json completions z") == "zsh ");
  CHECK(offered("troupe --color never valid") == "validate ");
  CHECK(offered("troupe __comp") == " ");
}

TEST_CASE("bash completes names that troupe tells, quoted where they need it") {
  CHECK(offered("troupe run ass") == "assets ");
  CHECK(offered("troupe explain n") == "n\\[a\\] ");
  CHECK(offered("troupe show r") == "runs ");
  CHECK(offered("troupe run -x ass") == "assets ");
  CHECK(offered("troupe -f some.json run some") == "some.json "); // -f was handed on
}

TEST_CASE("bash completes files after -f") {
  CHECK(offered("troupe run -f comp") == "completion.bash ");
}

TEST_CASE("the scripts are syntactically right for their shells") {
  const temporary_folder folder;
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const auto file = folder.path() + "/" + shell;
    std::ofstream(file) << script(shell);
    if (output_of("command -v " + shell).empty())
      continue; // not installed here
    CHECK_MESSAGE(output_of(shell + " -n " + file).empty(), shell);
  }
}

TEST_CASE("fish takes every line of its script, and completes files after -f") {
  if (output_of("command -v fish").empty())
    return; // not installed here; what the lines must not hold is checked below for everybody
  const temporary_folder folder;
  std::ofstream(folder.path() + "/troupe.fish") << script("fish");
  std::ofstream(folder.path() + "/pipeline.json") << "{}";
  const auto said = output_of("cd " + folder.path() + " && HOME=" + folder.path() +
                              " fish -c 'source troupe.fish; complete -C \"troupe run -f pip\"'");
  CHECK(said == "pipeline.json\n");
}

TEST_CASE("no line for fish asks for -x and -F at once, which it refuses") {
  std::istringstream lines(script("fish"));
  for (std::string line; std::getline(lines, line);)
    CHECK_MESSAGE((line.find(" -x ") == std::string::npos || line.find(" -F ") == std::string::npos), line);
}

TEST_CASE("zsh's own functions run with zsh's own options") {
  CHECK(script("zsh").find("setopt") == std::string::npos); // sh_word_split breaks _files and _call_program
}

TEST_CASE("every verb and option is in every script") {
  const auto bash = script("bash"), zsh = script("zsh"), fish = script("fish");
  std::ostringstream nowhere;
  console io(nowhere, nowhere);
  invocation with(io);
  const auto root = make_commands(with);
  for (const auto& verb : root->commands) {
    if (verb->hidden)
      continue;
    for (const auto* text : {&bash, &zsh, &fish})
      CHECK_MESSAGE(text->find("'" + verb->name + "'") != std::string::npos, verb->name);
    for (const auto& option : verb->options) {
      CHECK(bash.find(option.long_name) != std::string::npos);
      CHECK(zsh.find(option.long_name) != std::string::npos);
      CHECK(fish.find(" -l " + option.long_name.substr(2)) != std::string::npos);
    }
  }
}

TEST_CASE("an option takes a value in all commands that have it, or in none: the scripts rely on it") {
  std::ostringstream nowhere;
  console io(nowhere, nowhere);
  invocation with(io);
  const auto root = make_commands(with);
  std::map<std::string, bool> takes_value;
  const std::function<void(const command_spec&)> check = [&](const command_spec& command) {
    for (const auto& option : command.options)
      for (const auto& name : {option.short_name, option.long_name})
        if (!name.empty()) {
          const auto [known, is_new] = takes_value.emplace(name, !option.meta.empty());
          CHECK_MESSAGE(known->second == !option.meta.empty(), name);
        }
    for (const auto& sub : command.commands)
      check(*sub);
  };
  check(*root);
}

TEST_CASE("an unknown shell is answered with those there are") {
  const auto done = test::troupe_cli({"completions", "bsh"});
  CHECK(done.status == 2);
  CHECK(done.err.find("did you mean \"bash\"?") != std::string::npos);
}

TEST_CASE("names for completions: assets, runs, and silence when something is wrong") {
  test::reset();
  CHECK(test::troupe_cli({"__complete", "assets"}).out == "raw\nclean\nreport\nside\nn[a]\nn[b]\n");
  test::engine().runs = {test::make_run(2, run_status::failed), test::make_run(1, run_status::succeeded)};
  CHECK(test::troupe_cli({"__complete", "runs"}).out == "2\n1\nlatest\n");
  test::engine().open = [](const project_options&, diagnostics&) -> result<project> {
    return fail(error_code::invalid_input, "broken");
  };
  test::engine().state_folder = [](const project_options&) -> result<std::string> {
    return fail(error_code::invalid_input, "broken");
  };
  for (const auto* what : {"assets", "runs", "nonsense"}) {
    const auto done = test::troupe_cli({"__complete", what});
    CHECK(done.status == 0);
    CHECK(done.out.empty());
    CHECK(done.err.empty());
  }
  CHECK(test::troupe_cli({"__complete", "assets", "--param", "x"}).out.empty());
}
