// The JSON Schema and the parser say the same about a file, as far as a schema can say it.
#include "config/load_pipeline.hpp"
#include "config/schema.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::config;
namespace json = boost::json;

namespace {

json::value parse(const std::string& text, boost::system::error_code& wrong) {
  json::parse_options options;
  options.allow_comments = options.allow_trailing_commas = true;
  return json::parse(text, wrong, {}, options);
}

class schema_checker {
public:
  schema_checker() {
    boost::system::error_code wrong;
    document_ = parse(std::string(pipeline_schema()), wrong);
    REQUIRE_FALSE(wrong);
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::BoostJsonAdapter(document_), schema_);
  }
  [[nodiscard]] bool accepts(const json::value& v) const { return problems(v).empty(); }
  [[nodiscard]] std::string problems(const json::value& v) const {
    valijson::Validator validator;
    valijson::ValidationResults results;
    validator.validate(schema_, valijson::adapters::BoostJsonAdapter(v), &results);
    std::string text;
    for (const auto& problem : results) {
      for (const auto& step : problem.context)
        text += step;
      text += ": " + problem.description + "\n";
    }
    return text;
  }

private:
  json::value document_;
  valijson::Schema schema_;
};

// What a schema cannot know: it looks no names up and reads no notation to its end.
const std::set<std::string> beyond_schemas = {
    "unknown_dependency", "self_dependency",  "unknown_pool",      "pool_too_small",   "unknown_template",
    "bad_template",       "list_in_word",     "unsafe_template",   "duplicate_output", "output_in_state",
    "output_is_pipeline", "secret_in_path",   "bad_path",          "empty_command",    "duplicate_key",
    "duplicate_value",    "bad_cron",         "bad_schedule",      "bad_pattern",      "unknown_zone",
    "unknown_values",     "unknown_variable", "unknown_id",        "bad_row",          "bad_id",
    "bad_value_file",     "cannot_read",      "matrix_of_outputs", "unknown_param",    "unknown_asset",
    "bad_selection",      "bad_param",        "contradiction",     "no_outputs",       "unknown_output",
    "secret_in_file"};

struct judgement {
  bool refused = false; ///< by the parser
  std::string visible;  ///< findings that a schema has to make too
};

judgement judged(const std::string& text) {
  parse_options options;
  options.folder = "/nowhere";
  options.triggers.find_zone = [](const std::string& name) -> result<std::shared_ptr<const time_zone>> {
    if (name != "Europe/Berlin")
      return fail(error_code::not_found, "there is no such zone");
    return time_zone::utc();
  };
  judgement j;
  for (const auto& item : parse_pipeline(text, options).findings.items) {
    j.refused |= item.level == severity::error;
    if (item.level == severity::error && !beyond_schemas.contains(item.code))
      j.visible += item.code + ": " + item.message + "\n";
  }
  return j;
}

// Everything a pipeline file can hold.
const std::string full = R"({
  "$schema": "troupe.schema.json", "name": "full", "description": "d", "params": { "s": "x", "n": 20, "b": true, "t": { "default": "x", "secret": true }, "d": { "default": 1 }, "l": ["-O2", "-g"], "dl": { "default": [] } },
  "engine": { "workers": 4, "error_strategy": "continue", "state_dir": ".state", "durability": "strict", "pools": { "db": 2 },
              "grace_period": "0s", "keep_runs": 10, "keep_logs": "30d" },
  "defaults": { "description": "d", "timeout": "1h", "retry": { "attempts": 2 } },
  "assets": {
    "raw": { "description": "d", "outputs": ["raw.txt"], "tags": ["t"], "group": "g", "owners": ["o"] },
    "one": {
      "command": ["x", "{{ inputs }}"], "inputs": ["raw.txt", "*.in"], "outputs": ["one/{{ matrix.v }}"], "deps": ["raw"],
      "matrix": { "v": ["a", 1, true] }, "description": "d",
      "env": { "A": "b", "C": { "from_env": "D", "secret": false }, "E": { "from_file": "f" } },
      "inherit_env": ["PATH"], "cwd": ".", "shell": "/bin/bash", "timeout": "30s",
      "retry": { "attempts": 3, "delay": "0s", "backoff": "linear", "max_delay": "60s", "jitter": "full", "on_exit_codes": [75], "on_timeout": false },
      "allow_failure": true, "pools": { "db": 1 }, "priority": -5, "version": "2", "always": false, "max_age": "1d",
      "depfile": "{{ outputs[0] }}.d", "data_version": "stdout",
      "durability": "none", "max_log": "100MB", "links": "text", "tags": ["t"], "group": "g", "owners": ["o"], "ignore_warnings": ["useless_key"]
    },
    "two": { "command": "x > y", "inherit_env": true, "timeout": null, "max_age": null, "env": {} }
  }
})";

// And every kind of trigger, with every key.
const std::string full_triggers = R"({
  "name": "triggered", "params": { "s": "x", "n": 20, "b": true },
  "triggers": {
    "nightly": { "schedule": { "cron": ["30 2 * * *"], "timezone": "Europe/Berlin", "jitter": "5m" }, "description": "d", "enabled": false,
                 "select": ["two"], "exclude": ["raw"], "params": { "s": "{{ tick.date }}", "n": 3, "b": false },
                 "overlap": "cancel", "overlap_scope": "pipeline", "queue": { "bound": 2, "keep": "all" }, "coalesce": "last",
                 "debounce": { "quiet": "2s", "max": "20s" }, "throttle": { "runs": 2, "per": "1h" }, "priority": 3,
                 "start_within": "1h", "timeout": "2h", "catch_up": "all", "catch_up_window": "2d", "catch_up_max": 10, "late_after": "2m",
                 "on_failure_pause_after": 3 },
    "often": { "schedule": { "every": "10s", "offset": "0s" } },
    "inbox": { "watch": { "paths": ["in/*.csv"], "settle": "1s", "max_settle": "1m", "existing": "fire", "poll": "5s", "ignore": ["*~"] } },
    "push": { "webhook": { "scheme": "generic", "secret": [{ "from_file": "f" }, { "from_env": "E" }, { "from_credential": "c" }], "key": "body.id",
                           "keep_keys": "forever", "header": "X-Sig", "prefix": "v=", "encoding": "base64", "signed": "timestamp.body",
                           "timestamp_header": "X-Time", "tolerance": "1m" },
              "when": { "body.ref": ["main", 1, true], "header.x": "y" }, "allow": { "s": "[a-z]+" }, "debounce": { "quiet": "1s", "key": "body.a" } },
    "hub": { "webhook": { "scheme": "github", "secret": { "from_file": "f" } } },
    "open": { "webhook": { "scheme": "unsigned" } },
    "mail": { "sensor": { "command": ["./poll.sh"], "every": "30s", "timeout": "60s", "runs_per_call": 10, "keep_keys": "1d" } },
    "after": { "assets": { "all": ["one", "other/x"], "within": "1h", "self": true } },
    "each": { "assets": { "any": ["two"] } },
    "hand": { "manual": { "keep_keys": "1d" } }, "boot": { "start": {} }
  },
  "assets": { "one": { "command": "x" }, "two": { "command": "y" } }
})";

// Calls `with` on each value that can be reached, containers included.
template <class With>
void each_value(json::value& root, json::value& v, With&& with) {
  with(v);
  if (auto* object = v.if_object())
    for (auto& member : *object)
      each_value(root, member.value(), with);
  else if (auto* array = v.if_array())
    for (auto& element : *array)
      each_value(root, element, with);
}

} // namespace

TEST_CASE("schema and parser accept a file that uses everything, and all examples") {
  const schema_checker schema;
  boost::system::error_code wrong;
  for (const auto& text : {full, full_triggers}) {
    CHECK_FALSE(judged(text).refused);
    CHECK(schema.problems(parse(text, wrong)) == "");
  }
  for (const auto& entry : std::filesystem::directory_iterator(CONFIGS_FOLDER)) {
    if (entry.path().extension() != ".json")
      continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    INFO(entry.path().string());
    CHECK(schema.problems(parse(text.str(), wrong)) == "");
    CHECK_FALSE(wrong);
  }
}

namespace {
/// With each value in the place of each; with `each_third`, only every third of these.
void compare_changed_values(const std::string& whole, bool each_third, std::size_t least_agreed,
                            std::size_t least_accepted) {
  std::size_t turn = 0;
  const schema_checker schema;
  boost::system::error_code wrong;
  const std::vector<json::value> others = {nullptr,
                                           true,
                                           0,
                                           1,
                                           -7,
                                           2.5,
                                           20000,
                                           1e300,
                                           "",
                                           "x",
                                           "a b",
                                           "1s",
                                           "0s",
                                           "5",
                                           "10MB",
                                           "strict",
                                           "fixed",
                                           "equal",
                                           "abort",
                                           parse("[]", wrong),
                                           parse("{}", wrong),
                                           parse("[\"x\"]", wrong),
                                           parse("[\"\"]", wrong),
                                           parse("[1]", wrong),
                                           parse("[[]]", wrong),
                                           parse("{\"x\": 1}", wrong),
                                           parse("{\"a b\": 1}", wrong),
                                           parse("{\"x\": \"y\"}", wrong),
                                           parse("{\"X\": {\"from_env\": \"Y\"}}", wrong),
                                           parse("{\"command\": \"x\"}", wrong),
                                           parse("{\"outputs\": [\"q\"]}", wrong)};
  std::size_t agreed = 0;
  std::size_t accepted = 0;
  json::value document = parse(whole, wrong);
  each_value(document, document, [&](json::value& v) {
    const json::value original = v;
    for (const auto& other : others) {
      if (each_third && ++turn % 3 != 0)
        continue;
      v = other;
      const std::string text = json::serialize(document);
      const auto j = judged(text);
      INFO("changed to " << json::serialize(other) << " in " << text);
      INFO(j.visible);
      const bool accepts = schema.accepts(document);
      CHECK((accepts ? j.visible.empty() : j.refused));
      ++agreed;
      accepted += accepts ? 1 : 0;
    }
    v = original;
  });
  CHECK(agreed > least_agreed);
  CHECK(accepted > least_accepted);
}
} // namespace

TEST_CASE("schema and parser agree on every change of one value in these files") {
  compare_changed_values(full, false, 2000, 100);
  compare_changed_values(full_triggers, true, 1000, 150);
}

TEST_CASE("schema and parser agree on every key left out or misspelt") {
  const schema_checker schema;
  boost::system::error_code wrong;
  for (const auto& whole : {full, full_triggers}) {
    json::value document = parse(whole, wrong);
    each_value(document, document, [&](json::value& v) {
      if (!v.is_object())
        return;
      const json::object original = v.get_object();
      for (const auto& member : original) {
        for (const bool misspell : {false, true}) {
          json::object& object = v.get_object();
          object.erase(member.key());
          if (misspell)
            object[std::string(member.key()) + " x"] = member.value();
          const std::string text = json::serialize(document);
          const auto j = judged(text);
          INFO(text);
          INFO(j.visible);
          CHECK((schema.accepts(document) ? j.visible.empty() : j.refused));
          v = original;
        }
      }
    });
  }
}

TEST_CASE("the schema refuses the wrong files whose mistake it can see") {
  const schema_checker schema;
  const std::set<std::string> seen_by_schemas = {"unknown_key",  "wrong_type",  "bad_name",
                                                 "bad_duration", "missing_key", "no_assets"};
  std::size_t refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(BAD_INPUT_FOLDER)) {
    if (entry.path().extension() != ".json")
      continue;
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    boost::system::error_code wrong;
    const auto document = parse(text.str(), wrong);
    if (wrong)
      continue;
    parse_options options;
    options.folder = "/nowhere";
    const auto loaded = parse_pipeline(text.str(), options);
    const bool visible =
        std::any_of(loaded.findings.items.begin(), loaded.findings.items.end(), [&](const diagnostic& d) {
          return seen_by_schemas.contains(d.code) && d.message.find("36500d") == std::string::npos;
        });
    if (!visible)
      continue;
    INFO(entry.path().filename().string());
    CHECK_FALSE(schema.accepts(document));
    ++refused;
  }
  CHECK(refused > 40);
}

TEST_CASE("the schema knows every code of a warning, and only these") {
  const schema_checker schema;
  boost::system::error_code wrong;
  const auto ignoring = [&](std::string_view code) {
    return parse(R"({"name":"p","assets":{"a":{"command":"x","ignore_warnings":[")" + std::string(code) + R"("]}}})",
                 wrong);
  };
  for (const auto code : warning_codes) {
    INFO(code);
    CHECK(schema.accepts(ignoring(code)));
  }
  CHECK_FALSE(schema.accepts(ignoring("everything")));
}
