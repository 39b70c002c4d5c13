// Words on a command line against a small tree of commands.
#include "cli/command_line.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace troupe_internal::cli;

namespace {

struct tree {
  tree() {
    root.text("-f,--file", "FILE", file, "the file");
    root.flag("--json", json, "a document");
    root.texts("--param", "K=V", params, "a param");
    auto& run = root.subcommand("run", "Run");
    run.positionals("SELECTION", selection, "which");
    run.flag("-n,--dry-run", dry, "nothing");
    run.number("-j,--workers", "N", workers, 1, "how many", 10'000);
    run.choice("--color", "WHEN", colour, {"auto", "always", "never"}, "colours");
    run.examples = {{"t run", "everything"}};
    run.action = [] { return 0; };
    auto& show = root.subcommand("show", "Show");
    show.positional("RUN", run_name, true, "the run");
    show.action = [] { return 0; };
    auto& journal = root.subcommand("journal", "Journal");
    journal.subcommand("verify", "Verify").action = [] { return 0; };
    auto& hidden = root.subcommand("__complete", "Hidden");
    hidden.hidden = true;
    hidden.action = [] { return 0; };
  }

  parsed_line parse(std::vector<const char*> words) {
    words.insert(words.begin(), "t");
    return parse_line(root, static_cast<int>(words.size()), words.data());
  }

  command_spec root{"t", "A test."};
  std::string file, colour, run_name;
  bool json = false, dry = false;
  std::vector<std::string> params, selection;
  std::optional<std::uint32_t> workers;
};

} // namespace

TEST_CASE("global options are accepted before and after the verb") {
  tree t;
  const auto line = t.parse({"--param", "a=1", "run", "--json", "-f", "x.json", "--param", "b=2", "one"});
  CHECK(line.error.empty());
  CHECK(line.path == "t run");
  CHECK(t.json);
  CHECK(t.file == "x.json");
  CHECK(t.params == std::vector<std::string>{"a=1", "b=2"});
  CHECK(t.selection == std::vector<std::string>{"one"});
}

TEST_CASE("options and arguments mix, and an argument may look like a verb") {
  tree t;
  const auto line = t.parse({"run", "show", "-j", "4", "run", "--dry-run", "+x[a,b]", "[ab]*"});
  CHECK(line.error.empty());
  CHECK(line.path == "t run");
  CHECK(t.selection == std::vector<std::string>{"show", "run", "+x[a,b]", "[ab]*"});
  CHECK(t.workers == 4);
  CHECK(t.dry);
}

TEST_CASE("after -- everything is an argument, and - is a value") {
  tree t;
  CHECK(t.parse({"run", "-f", "-", "--", "--json"}).error.empty());
  CHECK(t.file == "-");
  CHECK(t.selection == std::vector<std::string>{"--json"});
  CHECK_FALSE(t.json);
}

TEST_CASE("of a value given twice the last counts") {
  tree t;
  CHECK(t.parse({"run", "-j2", "--workers=3"}).error.empty());
  CHECK(t.workers == 3);
}

TEST_CASE("misspelt verbs and options are answered with the nearest name") {
  CHECK(tree().parse({"rnu"}).error == "unknown command 'rnu'; did you mean \"run\"?");
  CHECK(tree().parse({"run", "--dryrun"}).error == "unknown option '--dryrun'; did you mean \"--dry-run\"?");
  CHECK(tree().parse({"run", "--fiel=x"}).error == "unknown option '--fiel'; did you mean \"--file\"?");
  CHECK(tree().parse({"journal", "verfy"}).error == "unknown command 'verfy'; did you mean \"verify\"?");
  CHECK(tree().parse({"completely-different"}).error == "unknown command 'completely-different'");
  CHECK(tree().parse({"--jsn", "run"}).error == "unknown option '--jsn'; did you mean \"--json\"?");
}

TEST_CASE("hidden commands work and are never suggested") {
  tree t;
  CHECK(t.parse({"__complete"}).error.empty());
  CHECK(t.parse({"__complet"}).error == "unknown command '__complet'");
}

TEST_CASE("wrong values are named with what is expected") {
  CHECK(tree().parse({"run", "--workers", "0"}).error == "--workers takes a whole number from 1 to 10000, not '0'");
  CHECK(tree().parse({"run", "--workers", "10001"}).error ==
        "--workers takes a whole number from 1 to 10000, not '10001'");
  CHECK(tree().parse({"run", "-j", "many"}).error == "--workers takes a whole number from 1 to 10000, not 'many'");
  CHECK(tree().parse({"run", "--color", "alwys"}).error ==
        "--color takes auto, always or never, not 'alwys'; did you mean \"always\"?");
  CHECK_FALSE(tree().parse({"run", "--workers"}).error.empty());
}

TEST_CASE("missing and superfluous arguments are errors") {
  CHECK(tree().parse({"show"}).error == "RUN is missing");
  CHECK(tree().parse({"show", "1", "2"}).error == "unexpected argument '2'");
  CHECK(tree().parse({"journal"}).error == "'t journal' needs one of its commands");
  CHECK(tree().parse({"journal", "verify", "x"}).error == "unexpected argument 'x'");
}

TEST_CASE("nothing is assigned when the line is wrong") {
  tree t;
  CHECK_FALSE(t.parse({"--json", "run", "--nope"}).error.empty());
  CHECK_FALSE(t.json);
}

TEST_CASE("--help is told before missing arguments, at every level") {
  CHECK(tree().parse({"show", "--help"}).help);
  CHECK(tree().parse({"--help", "show"}).help);
  CHECK(tree().parse({"journal", "-h"}).path == "t journal");
  CHECK(tree().parse({"--version"}).version);
  CHECK(tree().parse({}).error.empty());
}

TEST_CASE("help lists usage, arguments, options, words and examples") {
  tree t;
  const auto line = t.parse({"run", "--help"});
  const auto text = help_text(t.root, *line.command, line.path);
  for (const char* part : {"Usage: t run [OPTIONS] [SELECTION…]", "-j, --workers N", "colours: auto, always, never",
                           "-f, --file FILE", "(may be given several times)", "t run\n      everything", "-h, --help"})
    CHECK_MESSAGE(text.find(part) != std::string::npos, part, " in\n", text);
  const auto root = help_text(t.root, t.root, "t");
  CHECK(root.find("journal") != std::string::npos);
  CHECK(root.find("__complete") == std::string::npos);
  CHECK(root.find("--version") != std::string::npos);
}
