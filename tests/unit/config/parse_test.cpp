// What a pipeline file comes to mean.
#include "config/expand.hpp"
#include "config/load_pipeline.hpp"
#include "config/path_text.hpp"
#include "config/value_text.hpp"
#include "core/pipeline/nearest_name.hpp"
#include "finding_lines.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::config;
using test::lines;
using namespace std::chrono_literals;

namespace {

using words = std::vector<std::string>;

std::shared_ptr<const pipeline> parsed(const std::string& text,
                                       std::vector<std::pair<std::string, std::string>> params = {}) {
  parse_options options;
  options.folder = "/folder";
  options.params = std::move(params);
  auto loaded = parse_pipeline(text, options);
  INFO(lines(loaded.findings));
  REQUIRE(loaded.p);
  return loaded.p;
}

std::string mistakes(const std::string& text, std::vector<std::pair<std::string, std::string>> params = {}) {
  parse_options options;
  options.folder = "/folder";
  options.params = std::move(params);
  const auto loaded = parse_pipeline(text, options);
  CHECK((loaded.p == nullptr) == loaded.findings.has_errors());
  return lines(loaded.findings);
}

words names(const pipeline& p) {
  words list;
  for (const auto& spec : p.assets)
    list.emplace_back(spec.name);
  return list;
}
words inputs(const pipeline& p, std::string_view asset) {
  words list;
  for (const auto input : p.asset(p.find(asset).value()).inputs)
    list.push_back((input.glob ? "glob " : "") + std::string(p.path(input.path)));
  return list;
}
words outputs(const pipeline& p, std::string_view asset) {
  words list;
  for (const auto output : p.asset(p.find(asset).value()).outputs)
    list.emplace_back(p.path(output));
  return list;
}
words deps(const pipeline& p, std::string_view asset) {
  words list;
  for (const auto dep : p.asset(p.find(asset).value()).deps)
    list.emplace_back(p.asset(dep).name);
  return list;
}
std::string with_assets(const std::string& assets) {
  return "{\"name\":\"p\",\"params\":{\"s\":\"x\",\"n\":2},\"assets\":{" + assets + "}}";
}

} // namespace

TEST_CASE("what is left out has its default") {
  const auto p = parsed(R"({"name":"p","assets":{"a":{"command":"x"}}})");
  CHECK(p->name == "p");
  CHECK(p->folder == "/folder");
  CHECK(p->file == "troupe.json");
  CHECK(p->engine.workers == 0);
  CHECK(p->engine.error_strategy == error_strategy::fail_fast);
  CHECK(p->engine.state_dir == ".troupe");
  CHECK(p->engine.durability == durability::pipelined);
  CHECK(p->engine.grace_period == 10s);
  CHECK(p->engine.keep_runs == 1000);
  CHECK(p->engine.keep_logs == 720h);
  const auto& s = p->settings_of(asset_index(0U));
  CHECK(s.inherit_env);
  CHECK(s.cwd == ".");
  CHECK(s.shell == "/bin/sh");
  CHECK_FALSE(s.timeout);
  CHECK(s.retry.attempts == 1);
  CHECK(s.retry.on_timeout);
  CHECK(s.max_log == 100'000'000);
  CHECK(s.links == link_rule::content);
  CHECK_FALSE(s.durability);
}

TEST_CASE("every key is read") {
  const auto p = parsed(R"({"name":"full","description":"the whole","params":{"s":"a b","n":1.50,"b":false},
    "engine":{"workers":4,"error_strategy":"continue","state_dir":"./var//state/","durability":"none","pools":{"db":2},
              "grace_period":"250ms","keep_runs":5,"keep_logs":"2d"},
    "assets":{"a":{"command":["x","y z"],"description":"one","env":{"A":"1","B":{"from_env":"C"},"D":{"from_file":"e","secret":false}},
      "inherit_env":["PATH","HOME"],"cwd":"sub","shell":"/bin/bash","timeout":"90m",
      "retry":{"attempts":3,"delay":"2s","backoff":"exponential","max_delay":"1h","jitter":"decorrelated","on_exit_codes":[75,1],"on_timeout":false},
      "allow_failure":true,"pools":{"db":1},"priority":-7,"version":"2","always":true,"max_age":"1d","durability":"strict",
      "max_log":"1MiB","links":"text","tags":["t","u","t"],"group":"g","owners":["me@here"],
      "ignore_warnings":["useless_key","empty_glob","useless_key"]}}})");
  CHECK(p->description == "the whole");
  CHECK(p->params.at("s").text == "a b");
  CHECK(p->params.at("n").text == "1.50");
  CHECK(p->params.at("n").kind == param_value::type::number);
  CHECK(p->params.at("b").kind == param_value::type::boolean);
  CHECK(p->engine.workers == 4);
  CHECK(p->engine.error_strategy == error_strategy::continue_);
  CHECK(p->engine.state_dir == "var/state");
  CHECK(p->engine.durability == durability::none);
  CHECK(p->engine.pools.at("db") == 2);
  CHECK(p->engine.grace_period == 250ms);
  CHECK(p->engine.keep_runs == 5);
  CHECK(p->engine.keep_logs == 48h);
  const auto& d = p->declaration(asset_index(0U));
  CHECK(d.kind == command_kind::argv);
  CHECK(words(d.command.begin(), d.command.end()) == words{"x", "y z"});
  CHECK(d.description == "one");
  CHECK(d.where.line == 4);
  CHECK(d.where.column == 15);
  CHECK(d.command_where.column == 30);
  const auto& s = *d.settings;
  REQUIRE(s.env.size() == 3);
  CHECK(s.env[0].text == "1");
  CHECK_FALSE(s.env[0].secret);
  CHECK(s.env[1].source == env_source::from_env);
  CHECK(s.env[1].secret);
  CHECK(s.env[2].source == env_source::from_file);
  CHECK_FALSE(s.env[2].secret);
  CHECK_FALSE(s.inherit_env);
  CHECK(s.inherit_names == words{"PATH", "HOME"});
  CHECK(s.cwd == "sub");
  CHECK(s.shell == "/bin/bash");
  CHECK(s.timeout == 90min);
  CHECK(s.retry.attempts == 3);
  CHECK(s.retry.delay == 2s);
  CHECK(s.retry.backoff == backoff::exponential);
  CHECK(s.retry.max_delay == 1h);
  CHECK(s.retry.jitter == jitter::decorrelated);
  CHECK(s.retry.on_exit_codes == std::vector<int>{75, 1});
  CHECK_FALSE(s.retry.on_timeout);
  CHECK(s.allow_failure);
  CHECK(s.pools.at("db") == 1);
  CHECK(s.priority == -7);
  CHECK(s.version == "2");
  CHECK(s.always);
  CHECK(s.max_age == 24h);
  CHECK(s.durability == durability::strict);
  CHECK(s.max_log == 1048576);
  CHECK(s.links == link_rule::text);
  CHECK(s.tags == words{"t", "u"});
  CHECK(s.group == "g");
  CHECK(s.owners == words{"me@here"});
  CHECK(s.ignore_warnings == words{"empty_glob", "useless_key"});
  CHECK(s.ignores("useless_key"));
  CHECK_FALSE(s.ignores("undeclared_file"));
}

TEST_CASE("defaults count wherever they stand, and assets win key by key in env, retry and pools") {
  const auto p = parsed(R"({"name":"p","engine":{"pools":{"a":5,"b":5}},
    "assets":{
      "plain":{"command":"x"},
      "own":{"command":"x","description":"mine","timeout":null,"retry":{"attempts":9,"on_timeout":false},"env":{"B":"own","C":"c"},"pools":{"b":2},"tags":[]}},
    "defaults":{"description":"all","timeout":"5s","retry":{"attempts":2,"delay":"7s"},"env":{"A":"a","B":"b"},"pools":{"a":1,"b":1},"tags":["t"]}})");
  const auto& plain = p->settings_of(p->find("plain").value());
  CHECK(plain.timeout == 5s);
  CHECK(plain.retry.attempts == 2);
  CHECK(plain.retry.on_timeout);
  CHECK(plain.tags == words{"t"});
  CHECK(p->declarations[0].description == "all");
  CHECK(p->declarations[1].description == "mine");
  const auto& own = p->settings_of(p->find("own").value());
  CHECK_FALSE(own.timeout);
  CHECK(own.retry.attempts == 9);
  CHECK(own.retry.delay == 7s);
  CHECK_FALSE(own.retry.on_timeout);
  REQUIRE(own.env.size() == 3);
  CHECK(own.env[0].text == "a");
  CHECK(own.env[1].text == "own");
  CHECK(own.pools.at("a") == 1);
  CHECK(own.pools.at("b") == 2);
  CHECK(own.tags.empty());
}

TEST_CASE("equal settings are stored once") {
  const auto p = parsed(with_assets(R"("a":{"command":"x","timeout":"5s","env":{"A":"1"}},"b":{"command":"x"},
    "c":{"command":"y","timeout":"5s","env":{"A":"1"}},"d":{"command":"y"},"e":{"command":"y","timeout":"5s","env":{"A":"2"}},
    "f":{"command":"y","env":{"A":"1","timeout":"5s"}},"g":{"command":"x","tags":["a","b"]},"h":{"command":"x","tags":["a"],"owners":["b"]})"));
  const auto settings = [&](std::string_view name) { return &p->settings_of(p->find(name).value()); };
  CHECK(settings("a") == settings("c"));
  CHECK(settings("b") == settings("d"));
  CHECK(std::set{settings("a"), settings("b"), settings("e"), settings("f"), settings("g"), settings("h")}.size() == 6);
}

TEST_CASE("names are interned in the order of assets") {
  const auto p = parsed(with_assets(
      R"("a":{"command":"x"},"m":{"command":"x","matrix":{"v":[1,2],"w":["p","q"]}},"z":{"command":"x","deps":["later"]},
    "later":{"command":"x"})"));
  CHECK(names(*p) == words{"a", "m[1,p]", "m[1,q]", "m[2,p]", "m[2,q]", "z", "later"});
  for (std::uint32_t i = 0; i < p->assets.size(); ++i) {
    CHECK(p->names.text(i) == p->assets[i].name);
    CHECK(p->find(p->assets[i].name) == asset_index(i));
  }
  CHECK_FALSE(p->find("m"));
  CHECK(p->declaration(asset_index(3U)).name == "m");
  CHECK(p->declarations.size() == 4);
  REQUIRE(p->assets[3].matrix.size() == 2);
  CHECK(p->assets[3].matrix[1].variable == "w");
  CHECK(p->assets[3].matrix[1].value == "p");
}

TEST_CASE("matrix values are texts as written") {
  CHECK(names(*parsed(with_assets(R"("m":{"command":"x","matrix":{"v":[1.50,true,"a b",-0]}})"))) ==
        words{"m[1.50]", "m[true]", "m[a b]", "m[-0]"});
}

TEST_CASE("templates in paths are filled in for each combination") {
  const auto p = parsed(with_assets(
      R"("m":{"command":"x","matrix":{"v":["a","b*"]},"inputs":["in/{{ matrix.v }}/*.txt","{{params.s}}{{ params.n }}","{{{{"],
    "outputs":["out/{{ matrix.v }}/"]})"));
  CHECK(inputs(*p, "m[a]") == words{"glob in/a/*.txt", "x2", "{{"});
  CHECK(inputs(*p, "m[b*]") == words{"glob in/b\\*/*.txt", "x2", "{{"});
  CHECK(outputs(*p, "m[b*]") == words{"out/b*"});
}

TEST_CASE("a declaration with a template in its inputs keeps all of them as written") {
  const auto p = parsed(with_assets(
      R"("m":{"command":"x","matrix":{"v":["a","b"]},"inputs":["in/{{ matrix.v }}","./all.txt","!in/x{{ matrix.v }}","!*.o"],
    "outputs":["out/{{ matrix.v }}"]},"s":{"command":"x","inputs":["./all.txt"]})"));
  const auto& written = p->declaration(*p->find("m[b]")).input_templates;
  CHECK(words(written.begin(), written.end()) == words{"in/{{ matrix.v }}", "all.txt", "!in/x{{ matrix.v }}", "!*.o"});
  CHECK(p->declaration(*p->find("s")).input_templates.empty());
}

TEST_CASE("paths have one form, and places beside them") {
  const auto p =
      parsed(with_assets("\"a\":{\"command\":\"x\",\n \"inputs\":[\"./a//b/\", \"../x/./y\",\"/abs/../etc\"],\n"
                         "\"outputs\":[\"a/x/../c\", \"a\\\\[1].txt\"]}"));
  CHECK(inputs(*p, "a") == words{"a/b", "../x/y", "/etc"});
  CHECK(outputs(*p, "a") == words{"a/c", "a[1].txt"});
  CHECK(p->assets[0].input_places[1].line == 2);
  CHECK(p->assets[0].input_places[1].column == 23);
  CHECK(p->assets[0].output_places[0].line == 3);
  REQUIRE(p->assets[0].output_places.size() == 2);
}

TEST_CASE("an input after ! is a pattern, kept apart from the inputs; a backslash makes it a name") {
  const auto p = parsed(R"({"name":"p","params":{"f":"!v","d":"a*b"},"assets":{
    "a":{"command":"x","inputs":["!src/./gen","src/**/*.c","\\!odd","!{{ params.d }}/x","{{ params.f }}","!a\\*"],
         "outputs":["!out"]}}})");
  CHECK(inputs(*p, "a") == words{"glob src/**/*.c", "!odd", "!v"});
  words patterns;
  for (const auto path : p->assets[0].exclusions)
    patterns.emplace_back(p->path(path));
  CHECK(patterns == words{"src/gen", "a\\*b/x", "a\\*"}); // as patterns: what is a plain * in a path is escaped
  CHECK(p->assets[0].input_places.size() == 3);
  CHECK(outputs(*p, "a") == words{"!out"}); // nothing is taken out of outputs
}

TEST_CASE("paths whose .. took a folder away are remembered as they were written") {
  const auto loaded = parse_pipeline(
      with_assets(R"("a":{"command":"x","inputs":["l/../b","../c","d/e","x*y"],"outputs":["a/x/../o"]})"),
      parse_options{.folder = "/folder"});
  REQUIRE(loaded.p);
  REQUIRE(loaded.raised.size() == 2);
  CHECK(loaded.raised[0].written == "l/../b");
  CHECK(loaded.raised[0].taken == "b");
  CHECK(loaded.raised[1].written == "a/x/../o");
}

TEST_CASE("dependencies by name: all combinations, one of them, each once, in declared order") {
  const auto p = parsed(with_assets(
      R"("r":{"command":"x","deps":["m","b","m[2]","b"]},"m":{"command":"x","matrix":{"v":[1,2]},"deps":["b"]},"b":{"command":"x"},
    "s":{"command":"x","deps":["m[2]"]})"));
  CHECK(deps(*p, "r") == words{"m[1]", "m[2]", "b"});
  CHECK(deps(*p, "m[2]") == words{"b"});
  CHECK(deps(*p, "s") == words{"m[2]"});
  CHECK(p->asset(p->find("m[1]").value()).deps.data() == p->asset(p->find("m[2]").value()).deps.data());
}

TEST_CASE("an input that stands twice counts once") {
  parse_options options;
  options.folder = "/folder";
  const auto loaded = parse_pipeline(with_assets(R"("a":{"command":"x","inputs":["f","g","./f"]})"), options);
  REQUIRE(loaded.p);
  CHECK(inputs(*loaded.p, "a") == words{"f", "g"});
  CHECK(loaded.findings.items.size() == 1);
  CHECK(loaded.findings.items[0].code == "duplicate_input");
}

TEST_CASE("a param may be an object, and a secret; messages hold no value of it, and its lines are marked") {
  const std::string text = R"({"name":"p","params":{"plain":{"default":"x"},"open":{"secret":false,"default":1},
    "t":{
      "default":"the-value","secret":true
    },"n":{"default":2,"secret":true}},"assets":{"a":{"command":"x {{ params.t }}"}}})";
  const auto p = parsed(text, {{"t", "other-value"}});
  CHECK_FALSE(p->params.at("plain").secret);
  CHECK_FALSE(p->params.at("open").secret);
  CHECK(p->params.at("open").kind == param_value::type::number);
  CHECK(p->params.at("t").secret);
  CHECK(p->params.at("t").text == "other-value");
  CHECK(p->declares_secrets);
  CHECK_FALSE(
      parsed(R"({"name":"p","params":{"a":{"default":"x"}},"assets":{"a":{"command":"x"}}})")->declares_secrets);
  CHECK(parsed(R"({"name":"p","assets":{"a":{"command":"x","env":{"A":{"from_env":"B"}}}}})")->declares_secrets);
  CHECK_FALSE(parsed(R"({"name":"p","assets":{"a":{"command":"x","env":{"A":{"from_env":"B","secret":false}}}}})")
                  ->declares_secrets);
  CHECK(mistakes(text, {{"n", "the-value"}}) ==
        "troupe.json:4:7: error: --param n=***: \"n\" is declared as a number [wrong_type]\n");
  CHECK(mistakes(text, {{"t", "***"}}) ==
        "troupe.json:2:5: error: --param t=***: the mark stands for a secret value where that is not shown; give the "
        "value itself [bad_value]\n");
  parse_options options;
  options.folder = "/nowhere";
  const auto lines = parse_pipeline(text, options).findings.secret_lines;
  CHECK(lines == std::vector<std::pair<std::uint32_t, std::uint32_t>>{{2, 4}, {4, 4}});
}

TEST_CASE("params are overridden by texts of their type, the last of two counting") {
  const std::string text =
      R"({"name":"p","params":{"s":"x","n":2,"b":true},"assets":{"a":{"command":"x","outputs":["{{ params.s }}"]}}})";
  const auto p = parsed(text, {{"s", "y"}, {"n", "1.5e3"}, {"b", "false"}, {"s", "z"}});
  CHECK(p->params.at("s").text == "z");
  CHECK(p->params.at("n").text == "1.5e3");
  CHECK(p->params.at("b").text == "false");
  CHECK(outputs(*p, "a") == words{"z"});
  CHECK(mistakes(text, {{"suite", "x"}}) ==
        "troupe.json: error: --param suite: the pipeline has no param \"suite\" [unknown_param]\n");
  CHECK(mistakes(text, {{"S", "x"}}).find("did you mean \"s\"?") != std::string::npos);
  CHECK(mistakes(text, {{"n", "many"}}) ==
        "troupe.json:1:31: error: --param n=many: \"n\" is declared as a number [wrong_type]\n");
  CHECK(mistakes(text, {{"n", "05"}}).find("[wrong_type]") != std::string::npos);
  CHECK(mistakes(text, {{"n", ""}}).find("[wrong_type]") != std::string::npos);
  CHECK(mistakes(text, {{"b", "1"}}).find("is declared as true or false") != std::string::npos);
  CHECK(mistakes(text, {{"s", std::string("a\0b", 3)}}).find("[nul_byte]") != std::string::npos);
  CHECK(mistakes(R"({"name":"p","assets":{"a":{"command":"x"}}})", {{"x", "1"}}).find("it declares none") !=
        std::string::npos);
}

TEST_CASE("sources need no command") {
  const auto p = parsed(
      with_assets(R"("s":{"outputs":["f"],"tags":["t"]},"m":{"matrix":{"v":[1,2]},"outputs":["f{{ matrix.v }}"]})"));
  CHECK(p->is_source(asset_index(0U)));
  CHECK(p->is_source(p->find("m[2]").value()));
  CHECK(p->declarations[0].command.empty());
}

TEST_CASE("secrets and literal env values are told apart in settings that would else be equal") {
  const auto p = parsed(with_assets(
      R"("a":{"command":"x","env":{"A":{"from_env":"B"}}},"b":{"command":"x","env":{"A":{"from_env":"B","secret":false}}},
    "c":{"command":"x","env":{"A":"B"}})"));
  CHECK(p->settings_of(asset_index(0U)).env[0].secret);
  CHECK_FALSE(p->settings_of(asset_index(1U)).env[0].secret);
  CHECK(p->settings_of(asset_index(2U)).env[0].source == env_source::literal);
}

TEST_CASE("mistakes before a mistake in syntax are told with it, names are not judged then") {
  CHECK(mistakes("{\"nmae\":\"p\",\"assets\":{\"a\":{\"command\":\"x\",\"deps\":[\"none\"]}") ==
        "troupe.json:1:2: error: unknown key \"nmae\" in the pipeline file; did you mean \"name\"? [unknown_key]\n"
        "troupe.json:1:58: error: the file ends where \",\" or \"}\" behind the value was expected; the object that "
        "begins at "
        "1:22 is not closed [unexpected_end]\n");
}

TEST_CASE("more assets than the limit are refused without being made") {
  std::string variables;
  for (int i = 0; i < 40; ++i)
    variables += (i == 0 ? "\"v" : ",\"v") + std::to_string(i) + "\":[1,2,3,4]";
  CHECK(mistakes(with_assets("\"m\":{\"command\":\"x\",\"matrix\":{" + variables + "}}")).find("[too_many_assets]") !=
        std::string::npos);
}

TEST_CASE("more dependencies by name than the limit are refused without being made") {
  std::string values = "0";
  for (int i = 1; i < 8000; ++i)
    values += "," + std::to_string(i);
  CHECK(mistakes(with_assets("\"m\":{\"command\":\"x\",\"matrix\":{\"v\":[" + values +
                             "]}},\"n\":{\"command\":\"x\",\"matrix\":{\"v\":[" + values + "]},\"deps\":[\"m\"]}"))
            .find("[too_many_dependencies]") != std::string::npos);
}

TEST_CASE("durations and sizes are a number and a unit") {
  CHECK(parse_duration("250ms") == 250ms);
  CHECK(parse_duration("0s") == 0s);
  CHECK(parse_duration("007d") == 168h);
  CHECK(parse_duration("36500d") == 876000h);
  for (const auto* wrong :
       {"", "s", "5", "5 s", "5S", "5sec", "-5s", "+5s", "1.5s", "1h30m", "36501d", "99999999999999999999s", "5s "})
    CHECK_FALSE(parse_duration(wrong));
  CHECK(parse_size("10KB") == 10'000);
  CHECK(parse_size("1KiB") == 1024);
  CHECK(parse_size("1000TB") == 1'000'000'000'000'000);
  for (const auto* wrong : {"", "10", "10kb", "10 KB", "-1B", "1001TB", "18446744073709551616B", "1.5GB"})
    CHECK_FALSE(parse_size(wrong));
}

TEST_CASE("whole numbers may be written with a point or an exponent") {
  CHECK(parse_whole_number("5") == 5);
  CHECK(parse_whole_number("-0") == 0);
  CHECK(parse_whole_number("5.0") == 5);
  CHECK(parse_whole_number("5e2") == 500);
  for (const auto* wrong : {"4.5", "1e400", "1e17", "99999999999999999999", "5x", ""})
    CHECK_FALSE(parse_whole_number(wrong));
}

TEST_CASE("the nearest name is the one with the fewest changes, if near at all") {
  const std::vector<std::string_view> known = {"command", "comment", "inputs", "outputs", "priority"};
  CHECK(nearest_hint("commnad", known) == "; did you mean \"command\"?");
  CHECK(nearest_hint("INPUTS", known) == "; did you mean \"inputs\"?");
  CHECK(nearest_hint("ouput", known) == "; did you mean \"outputs\"?");
  CHECK(nearest_hint("prioritty", known) == "; did you mean \"priority\"?");
  CHECK(nearest_hint("zzz", known).empty());
  CHECK(nearest_hint(std::string(100, 'c'), known).empty());
  CHECK(nearest_hint("a", std::vector<std::string_view>{"b"}).empty());
  CHECK(nearest_hint("ab", std::vector<std::string_view>{"ac", "ba", "abc"}).empty());
  CHECK(nearest_hint("A", std::vector<std::string_view>{"b", "a"}) == "; did you mean \"a\"?");
  CHECK(nearest_hint("", known).empty());
}

TEST_CASE("a path is at or beneath a folder, not beside it") {
  CHECK(is_at_or_beneath("a", "a"));
  CHECK(is_at_or_beneath("a/b", "a"));
  CHECK_FALSE(is_at_or_beneath("ab", "a"));
  CHECK_FALSE(is_at_or_beneath("a", "a/b"));
}

TEST_CASE("messages show texts whole, short and printable") {
  CHECK(in_quotes("a\"b") == "\"a\"b\"");
  CHECK(in_quotes("a\nb\tc\x01\x7f") == "\"a\\nb\\tc\\x01\\x7f\"");
  CHECK(in_quotes(std::string(79, 'x') + "éé") == "\"" + std::string(79, 'x') + "é…\"");
}

TEST_CASE("settings that are written alike but for where one text ends are told apart") {
  const auto p = parsed(with_assets(R"("a":{"command":"x","owners":["o"],"tags":["t"]},
    "b":{"command":"x","owners":["o","\u0001\u0015t"]})"));
  REQUIRE(p);
  CHECK(p->settings_of(asset_index(0U)).tags == words{"t"});
  CHECK(p->settings_of(asset_index(1U)).tags.empty());
  CHECK(p->settings_of(asset_index(1U)).owners.size() == 2);
}

TEST_CASE("--param is cut at the first =") {
  CHECK(parse_param("a=b=c") == std::pair<std::string, std::string>("a", "b=c"));
  CHECK(parse_param("a=") == std::pair<std::string, std::string>("a", ""));
  CHECK_FALSE(parse_param("=b"));
  CHECK_FALSE(parse_param("a"));
  CHECK_FALSE(parse_param(""));
}
