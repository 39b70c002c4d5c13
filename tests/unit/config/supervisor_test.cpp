// supervisor.json: what it comes to mean, its mistakes, and its schema.
#include "config/load_pipeline.hpp"
#include "config/schema.hpp"
#include "config/supervisor_reader.hpp"
#include "finding_lines.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::config;
using namespace std::chrono_literals;

namespace {

const std::string whole_supervisor = R"({
  "$schema": "s", "pipelines": ["etl/troupe.json", "sites/*/troupe.json"], "state_dir": "state", "listen": ["127.0.0.1:7070", "[::1]:80"],
  "workers": 8, "max_runs": 4, "pools": { "db": 2 }, "weights": { "user": 1, "program": 2, "trigger": 3, "backfill": 4 },
  "durability": "strict", "history": { "max_age": "1d", "max_bytes": "1GiB" }, "keep_events": "2d", "on_restart": "abandon",
  "auto_reload": false, "grace_period": "0s", "auth": { "hosts": ["troupe.example.org"] }, "hooks": { "max_body": "2MiB" },
  "log": { "format": "json", "level": "warn" },
  "notify": { "ops": { "on": ["failed", "overdue"], "pipelines": ["etl"], "command": ["./notify.sh"] },
              "chat": { "on": ["failed"], "url": "https://x", "secret": { "from_file": "secrets/chat" } } }
})";

std::string supervisor_mistakes(const std::string& text) {
  const auto loaded = parse_supervisor(text, "supervisor.json");
  CHECK(loaded.settings.has_value() != loaded.findings.has_errors());
  return test::lines(loaded.findings);
}
bool supervisor_says(const std::string& members, const std::string& part) {
  const auto all = supervisor_mistakes(R"({"pipelines":["a.json"],)" + members + "}");
  INFO(all);
  return all.find(part) != std::string::npos && std::count(all.begin(), all.end(), '\n') == 1;
}

} // namespace

TEST_CASE("a supervisor file is read with every key") {
  const auto loaded = parse_supervisor(whole_supervisor, "supervisor.json");
  INFO(test::lines(loaded.findings));
  REQUIRE(loaded.settings);
  const auto& s = *loaded.settings;
  CHECK(s.pipelines.size() == 2);
  CHECK(s.pipelines[1].text == "sites/*/troupe.json");
  CHECK(s.pipelines[1].where.line == 2);
  CHECK(s.state_dir == "state");
  CHECK(s.listen == std::vector<std::string>{"127.0.0.1:7070", "[::1]:80"});
  CHECK(s.workers == 8);
  CHECK(s.max_runs == 4);
  CHECK(s.pools.at("db") == 2);
  CHECK(s.weights.user == 1);
  CHECK(s.weights.program == 2);
  CHECK(s.weights.trigger == 3);
  CHECK(s.weights.backfill == 4);
  CHECK(s.durability == durability::strict);
  CHECK(s.history_max_age == 24h);
  CHECK(s.history_max_bytes == std::uint64_t(1) << 30U);
  CHECK(s.keep_events == 48h);
  CHECK(s.on_restart == restart_rule::abandon);
  CHECK_FALSE(s.auto_reload);
  CHECK(s.grace_period == 0s);
  CHECK(s.hosts == std::vector<std::string>{"troupe.example.org"});
  CHECK(s.hook_max_body == std::uint64_t(2) << 20U);
  CHECK(s.log_json);
  CHECK(s.log_level == "warn");
  REQUIRE(s.notify.size() == 2);
  CHECK(s.notify[0].on == std::vector<std::string>{"failed", "overdue"});
  CHECK(s.notify[0].command == std::vector<std::string>{"./notify.sh"});
  CHECK(s.notify[1].secret == secret_source{secret_source::kind::file, "secrets/chat"});
}

TEST_CASE("what a supervisor file does not say has its default") {
  const auto loaded = parse_supervisor(R"({"pipelines": ["troupe.json"],})", "supervisor.json");
  REQUIRE(loaded.settings);
  const auto& s = *loaded.settings;
  CHECK(s.state_dir == ".troupe");
  CHECK(s.listen.empty());
  CHECK(s.workers == 0);
  CHECK(s.max_runs == 16);
  CHECK(s.weights.user == 8);
  CHECK(s.weights.program == 8);
  CHECK(s.weights.trigger == 4);
  CHECK(s.weights.backfill == 1);
  CHECK(s.durability == durability::pipelined);
  CHECK(s.history_max_age == 24h * 30);
  CHECK(s.history_max_bytes == std::uint64_t(2) << 30U);
  CHECK(s.keep_events == 24h * 90);
  CHECK(s.on_restart == restart_rule::resume_or_rerun);
  CHECK(s.auto_reload);
  CHECK(s.grace_period == 10s);
  CHECK(s.hook_max_body == std::uint64_t(1) << 20U);
  CHECK_FALSE(s.log_json);
  CHECK(s.log_level == "info");
}

TEST_CASE("mistakes in a supervisor file have a place and a way out") {
  CHECK(supervisor_mistakes("{}") ==
        "supervisor.json:1:1: error: the supervisor file has no \"pipelines\": the pipeline files to serve "
        "[missing_key]\n");
  CHECK(supervisor_mistakes("[]").find("an object") != std::string::npos);
  CHECK(supervisor_mistakes(R"({"pipelines":[]})").find("empty list") != std::string::npos);
  CHECK(supervisor_mistakes(R"({"pipelines":"a.json"})").find("write [\"a.json\"]") != std::string::npos);
  CHECK(supervisor_says(R"("listn":[])", "did you mean \"listen\"?"));
  CHECK(supervisor_says(R"("listen":["7070"])", "write HOST:PORT"));
  CHECK(supervisor_says(R"("listen":["localhost:http"])", "from 1 to 65535"));
  CHECK(supervisor_says(R"("listen":["localhost:0"])", "from 1 to 65535"));
  CHECK(supervisor_says(R"("listen":[":80"])", "no host"));
  CHECK(supervisor_says(R"("listen":["::1:80"])", "[ ]"));
  CHECK(supervisor_says(R"("durability":"none")", "\"strict\" or \"pipelined\""));
  CHECK(supervisor_says(R"("max_runs":0)", "from 1 to"));
  CHECK(supervisor_says(R"("weights":{"users":1})", "did you mean \"user\"?"));
  CHECK(supervisor_says(R"("history":{"max_bytes":"2 gigabytes"})", "a size such as"));
  CHECK(supervisor_says(R"("keep_events":"0s")", "bad_duration"));
  CHECK(supervisor_says(R"("auth":{"hosts":["https://x"]})", "leave out https://"));
  CHECK(supervisor_says(R"("notify":{"a":{"on":["failed"]}})", "\"command\" or a \"url\""));
  CHECK(supervisor_says(R"("notify":{"a":{"command":"x"}})", "no \"on\""));
  CHECK(supervisor_says(R"("notify":{"a":{"on":["fialed"],"command":"x"}})", "did you mean \"failed\"?"));
  CHECK(supervisor_says(R"("notify":{"a":{"on":["failed"],"url":"x"}})", "https://"));
  CHECK(supervisor_says(R"("notify":{"a":{"on":["failed"],"command":"x","secret":{"from_env":"E"}}})", "goes with"));
  CHECK(supervisor_says(R"("notify":{"a":{"on":["failed"],"url":"https://x","secret":"hunter2"}})", "does not belong"));
  CHECK_FALSE(supervisor_says(R"("notify":{"a":{"on":["failed"],"url":"https://x","secret":"hunter2"}})", "hunter2"));
}

TEST_CASE("a supervisor file is told from a pipeline file by its keys") {
  CHECK(is_supervisor_text(R"({"state_dir": {"a": [1]}, "pipelines": 5})"));
  CHECK_FALSE(is_supervisor_text(R"({"name": "p", "assets": {"pipelines": {}}})"));
  CHECK_FALSE(is_supervisor_text(R"(["pipelines"])"));
  CHECK_FALSE(is_supervisor_text(""));
}

TEST_CASE("patterns become files, each once") {
  std::string folder = (std::filesystem::temp_directory_path() / "supervisorXXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  for (const char* site : {"b", "a"}) {
    std::filesystem::create_directories(folder + "/sites/" + site);
    std::ofstream(folder + "/sites/" + site + "/troupe.json") << "{}";
  }
  const auto loaded =
      parse_supervisor(R"({"pipelines": ["sites/b/troupe.json", "sites/*/troupe.json", "gone.json", "none/*.json"]})",
                       "supervisor.json");
  REQUIRE(loaded.settings);
  diagnostics out;
  CHECK(pipeline_files(*loaded.settings, folder, out) == std::vector<std::string>{folder + "/sites/b/troupe.json",
                                                                                  folder + "/sites/a/troupe.json",
                                                                                  folder + "/gone.json"});
  REQUIRE(out.items.size() == 1);
  CHECK(out.items[0].code == "empty_glob");
  std::filesystem::remove_all(folder);
}

TEST_CASE("the supervisor's schema and its reader agree on every change of one value") {
  namespace json = boost::json;
  const auto document = json::parse(std::string(supervisor_schema()));
  valijson::Schema schema;
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(valijson::adapters::BoostJsonAdapter(document), schema);
  const auto accepts = [&](const json::value& v) {
    valijson::Validator validator;
    return validator.validate(schema, valijson::adapters::BoostJsonAdapter(v), nullptr);
  };
  const auto refused = [](const json::value& v) {
    const auto loaded = parse_supervisor(json::serialize(v), "supervisor.json");
    for (const auto& item : loaded.findings.items)
      if (item.level == severity::error && item.code != "bad_path" && item.code != "bad_address" &&
          item.code != "empty_command")
        return true;
    return false;
  };
  json::value whole = json::parse(whole_supervisor);
  REQUIRE(accepts(whole));
  const std::vector<json::value> others = {nullptr,
                                           true,
                                           0,
                                           1,
                                           -7,
                                           2.5,
                                           20000,
                                           "",
                                           "x",
                                           "1s",
                                           "0s",
                                           "5",
                                           "10MB",
                                           "strict",
                                           "failed",
                                           "https://x",
                                           json::array(),
                                           json::object(),
                                           json::array{"x"},
                                           json::array{""},
                                           json::array{1},
                                           json::object{{"x", 1}},
                                           json::object{{"from_env", "E"}}};
  std::size_t compared = 0;
  std::size_t accepted = 0;
  const std::function<void(json::value&)> each = [&](json::value& v) {
    const json::value original = v;
    for (const auto& other : others) {
      v = other;
      INFO(json::serialize(whole));
      const bool good = accepts(whole);
      // Notations of paths and addresses are beyond a schema.
      if (good)
        CHECK_FALSE(refused(whole));
      else
        CHECK(parse_supervisor(json::serialize(whole), "s").findings.has_errors());
      ++compared;
      accepted += good ? 1 : 0;
    }
    v = original;
    if (auto* object = v.if_object())
      for (auto& member : *object)
        each(member.value());
    else if (auto* array = v.if_array())
      for (auto& element : *array)
        each(element);
  };
  each(whole);
  CHECK(compared > 900);
  CHECK(accepted > 50);
}
