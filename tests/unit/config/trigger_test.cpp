// What "triggers" come to mean, and what each mistake in them is answered with.
#include "config/load_pipeline.hpp"
#include "config/trigger_circles.hpp"
#include "core/schedule/tzif.hpp"
#include "finding_lines.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>

using namespace troupe_internal;
using namespace troupe_internal::config;
using test::lines;
using namespace std::chrono_literals;

namespace {

parse_options trigger_options() {
  parse_options made;
  made.folder = "/folder";
  made.triggers.find_zone = [](const std::string& name) -> result<std::shared_ptr<const time_zone>> {
    if (name == "UTC")
      return time_zone::utc();
    if (name != "Europe/Berlin")
      return fail(error_code::not_found, "there is no time zone \"" + name + "\"; install the package tzdata");
    const auto rule = read_tz_string("CET-1CEST,M3.5.0,M10.5.0/3");
    return std::make_shared<const time_zone>(name, std::vector<zone_type>{rule->standard},
                                             std::vector<time_zone::change>{}, *rule);
  };
  made.triggers.read_text = [](const std::string& path) -> result<std::string> {
    if (path == "bad.txt")
      return std::string("2026-01-01\nroot:x:0\n");
    if (path != "days.txt")
      return fail(error_code::io, "cannot read " + path);
    return std::string("# holidays\n2026-03-29\n\n 2026-12-24 # Christmas Eve\n");
  };
  return made;
}

loaded_pipeline with_triggers(const std::string& triggers) {
  return parse_pipeline(
      R"({"name":"p","params":{"day":"x","n":1,"b":true,"s":{"default":"y","secret":true}},"triggers":{)" + triggers +
          R"(},"assets":{"a":{"command":"echo {{ params.day }}"},)"
          R"("m":{"command":["x","-n","{{ params.n }}","{{ params.s }}.txt"],)"
          R"("outputs":["out/{{ params.day }}/{{ matrix.v }}"],"matrix":{"v":[1,2]}}}})",
      trigger_options());
}

/// The one trigger, which has to be right.
trigger only_trigger(const std::string& text) {
  const auto loaded = with_triggers(R"("t":{)" + text + "}");
  INFO(lines(loaded.findings));
  REQUIRE(loaded.triggers);
  CHECK(loaded.findings.items.empty());
  REQUIRE(loaded.triggers->triggers.size() == 1);
  return loaded.triggers->triggers.front();
}

/// The findings about one trigger, without places.
std::string remarks(const std::string& text) {
  std::string all;
  for (const auto& item : with_triggers(R"("t":{)" + text + "}").findings.items)
    all += (item.level == severity::error ? "error " : "warning ") + item.code + ": " + item.message + "\n";
  return all;
}
bool remarks_on(const std::string& text, const std::string& part) {
  const auto all = remarks(text);
  INFO(text << "\n" << all);
  return all.find(part) != std::string::npos && std::count(all.begin(), all.end(), '\n') == 1;
}

const std::string nightly_text = R"("schedule":{"cron":"30 2 * * *"})";

} // namespace

TEST_CASE("what a trigger does not say has its default") {
  const auto t = only_trigger(nightly_text);
  CHECK(t.enabled);
  CHECK(t.select.empty());
  CHECK(t.overlap == overlap_rule::queue);
  CHECK(t.scope == overlap_scope::trigger);
  CHECK(t.queue == queue_rule{1, false});
  CHECK(t.coalesce == coalesce_rule::equal);
  CHECK(t.catch_up == catch_up_rule::latest);
  CHECK(t.catch_up_window == 24h * 7);
  CHECK(t.catch_up_max == 100);
  CHECK(t.late_after == 1min);
  CHECK(t.priority == 0);
  CHECK_FALSE((t.debounce || t.throttle || t.start_within || t.timeout || t.pause_after_failures));
  CHECK(t.schedule()->zone->name() == "UTC");
  CHECK(t.kind() == "schedule");
  CHECK(only_trigger(nightly_text + R"(,"params":{"n":5})").queue == queue_rule{1000, true});
  CHECK(only_trigger(nightly_text + R"(,"queue":{"bound":5})").queue == queue_rule{5, true});
  CHECK(only_trigger(nightly_text + R"(,"queue":{"keep":"newest"},"params":{"n":5})").queue == queue_rule{1, false});
  CHECK(only_trigger(nightly_text + R"(,"debounce":{"quiet":"2s"})").debounce->max == 20s);

  const auto watch = std::get<watch_source>(only_trigger(R"("watch":{"paths":["./in//*.csv"]})").source);
  CHECK(watch.paths == std::vector<std::string>{"in/*.csv"});
  CHECK(watch.settle == 1s);
  CHECK(watch.max_settle == 10min);
  CHECK_FALSE(watch.fire_for_existing);
  CHECK(watch.poll == 10s);
  CHECK(watch.ignore.size() == 5);
  const auto sensor = std::get<sensor_source>(only_trigger(R"("sensor":{"command":"./poll.sh"})").source);
  CHECK(sensor.every == 30s);
  CHECK(sensor.timeout == 60s);
  CHECK(sensor.runs_per_call == 1000);
  CHECK(sensor.keep_keys == 24h * 90);
  const auto hook =
      std::get<webhook_source>(only_trigger(R"("webhook":{"scheme":"github","secret":{"from_file":"f"}})").source);
  CHECK(hook.secrets == std::vector<secret_source>{{secret_source::kind::file, "f"}});
  CHECK(hook.keep_keys == 24h * 7);
  CHECK(std::get<manual_source>(only_trigger(R"("manual":{"keep_keys":"forever"})").source).keep_keys == std::nullopt);
  CHECK(only_trigger(R"("start":{})").kind() == "start");
}

TEST_CASE("schedules are read with their zone, days off and offset") {
  const auto t = only_trigger(
      R"("schedule":{"cron":["30 2 * * *","0 12 * * SAT"],"timezone":"Europe/Berlin","not_on":"days.txt","jitter":"5m"})");
  const auto at = [](std::int64_t seconds) { return from_unix_ns(seconds * 1'000'000'000); };
  CHECK(t.schedule()->next(at(1'774'656'000)) == at(1'774'661'400)); // 28 March, 01:30Z, a Saturday
  CHECK(t.schedule()->next(at(1'774'661'400)) == at(1'774'695'600)); // 11:00Z
  CHECK(t.schedule()->next(at(1'774'695'600)) == at(1'774'830'600)); // not on the 29th
  CHECK(t.schedule()->jitter == 5min);
  CHECK(std::get<interval_schedule>(only_trigger(R"("schedule":{"every":"90s","offset":"15s"})").schedule()->ticks)
            .offset == 15s);
}

TEST_CASE("mistakes in schedules are named") {
  CHECK(remarks_on(R"("schedule":{"cron":"0 0 31 2 *"})", "error bad_cron: \"0 0 31 2 *\": no date ever matches"));
  CHECK(remarks_on(R"("schedule":{"cron":"@reboot"})", "a trigger with \"start\": {}"));
  CHECK(remarks_on(R"("schedule":{"cron":["0 0 * * *","0 0 0 * * ?"]})", "Quartz"));
  CHECK(remarks_on(R"("schedule":{"cron":[]})", "empty list"));
  CHECK(remarks_on(R"("schedule":{"cron":5})", "wrong_type"));
  CHECK(remarks_on(R"("schedule":{"cron":"0 0 * * *","timezone":"Mars/Olympus"})",
                   "error unknown_zone: there is no time zone"));
  CHECK(remarks_on(R"("schedule":{})", "says no time"));
  CHECK(remarks_on(R"("schedule":{"every":"10m","cron":"0 0 * * *"})", "either \"cron\" or \"every\""));
  CHECK(remarks_on(R"("schedule":{"cron":"0 0 * * *","offset":"5s"})", "\"offset\" goes with \"every\""));
  CHECK(remarks_on(R"("schedule":{"every":"10m","not_on":"days.txt"})", "\"not_on\" goes with \"cron\""));
  CHECK(remarks_on(R"("schedule":{"every":"10m","offset":"10m"})", "shorter than \"every\""));
  CHECK(remarks_on(R"("schedule":{"every":"10m","jitter":"1h"})", "shorter than \"every\""));
  CHECK(remarks_on(R"("schedule":{"every":"500ms"})", "bad_duration"));
  CHECK(remarks_on(R"("schedule":{"every":"1500ms"})", "whole seconds"));
  CHECK(remarks_on(R"("schedule":{"cron":"0 0 * * *","not_on":"gone.txt"})", "cannot read gone.txt"));
  CHECK(remarks_on(R"("schedule":{"cron":"0 0 * * *","not_on":"bad.txt"})", "bad.txt, line 2 is no date"));
  CHECK(remarks(R"("schedule":{"cron":"0 0 * * *","not_on":"bad.txt"})").find("root") == std::string::npos);
  CHECK(remarks_on(R"("schedule":{"crno":"0 0 * * *"})", "did you mean \"cron\"?"));
}

TEST_CASE("what is right but rarely meant is a warning") {
  CHECK(remarks_on(R"("schedule":{"every":"1d","timezone":"Europe/Berlin"})", "warning interval_of_days"));
  CHECK(remarks(R"("schedule":{"every":"1d"})").empty());
  CHECK(remarks(R"("schedule":{"every":"23h","timezone":"Europe/Berlin"})").empty());
  CHECK(remarks_on(nightly_text + R"(,"catch_up":"all")", "warning catch_up_without_tick"));
  CHECK(remarks(nightly_text + R"(,"catch_up":"all","params":{"day":"{{ tick.date }}"})").empty());
  CHECK(remarks_on(R"("manual":{},"catch_up":"none")", "warning useless_key"));
  CHECK(remarks_on(nightly_text + R"(,"catch_up":"none","catch_up_max":5)", "warning useless_key"));
  CHECK(remarks_on(nightly_text + R"(,"overlap":"skip","queue":{"bound":5})", "warning useless_key"));
}

TEST_CASE("params are bound to what is declared, and to what the trigger has") {
  CHECK(remarks_on(nightly_text + R"(,"params":{"dya":"x"})",
                   "unknown_param: the pipeline has no param \"dya\"; did you mean"));
  CHECK(remarks_on(nightly_text + R"(,"allow":{"dya":"x"})", "unknown_param"));
  CHECK(remarks_on(nightly_text + R"(,"params":{"n":"x"})", "bad_param: \"n\" is declared as a number"));
  CHECK(remarks_on(nightly_text + R"(,"params":{"b":"{{{{"})", "declared as true or false"));
  CHECK(remarks_on(nightly_text + R"(,"params":{"day":"{{ tick.day }}"})", "bad_template"));
  CHECK(remarks_on(nightly_text + R"(,"params":{"day":"{{ body.a }}"})",
                   "only a webhook and a manual trigger have bodies"));
  CHECK(remarks_on(R"("manual":{},"params":{"day":"{{ tick.date }}"})", "only a schedule has ticks"));
  CHECK(remarks_on(R"("manual":{},"params":{"day":"{{ header.a }}"})", "only a webhook has headers"));
  CHECK(remarks_on(nightly_text + R"(,"when":{"body.a":"b"})", "only a webhook"));
  CHECK(remarks_on(nightly_text + R"(,"when":{"ref":"b"})", "bad_template"));
  CHECK(remarks_on(R"("manual":{},"debounce":{"quiet":"1s","key":"header.a"})", "only a webhook has headers"));
  CHECK(remarks_on(nightly_text + R"(,"allow":{"day":"("})", "bad_pattern: \"(\": a ( is not closed"));
  CHECK(remarks(R"("manual":{},"params":{"n":"{{ body.n }}","day":"{{ event.id }}"})").empty());
}

TEST_CASE("mistakes in other sources are named") {
  CHECK(remarks_on("", "listens to nothing"));
  CHECK(remarks_on(nightly_text + R"(,"manual":{})", "has both \"schedule\" and \"manual\""));
  CHECK(remarks_on(R"("shedule":{})", "did you mean \"schedule\"?"));
  CHECK(remarks_on(R"("watch":{"settle":"1s"})", "no \"paths\""));
  CHECK(remarks_on(R"("watch":{"paths":["x"],"settle":"1h"})", "shorter than \"settle\""));
  CHECK(remarks_on(R"("watch":{"paths":[""]})", "is empty"));
  CHECK(remarks_on(R"("webhook":{"secret":{"from_file":"f"}})", "no \"scheme\""));
  CHECK(remarks_on(R"("webhook":{"scheme":"github"})", "no \"secret\""));
  CHECK(remarks_on(R"("webhook":{"scheme":"unsigned","secret":{"from_file":"f"}})", "has no secret"));
  CHECK(remarks_on(R"("webhook":{"scheme":"github","secret":{"from_file":"f"},"header":"x"})", "goes with"));
  CHECK(remarks_on(R"("webhook":{"scheme":"generic","secret":{"from_file":"f"}})", "needs \"header\""));
  CHECK(
      remarks_on(R"("webhook":{"scheme":"generic","secret":{"from_file":"f"},"header":"x","signed":"timestamp.body"})",
                 "timestamp_header"));
  CHECK(remarks_on(R"("webhook":{"scheme":"github","secret":{"from_file":"f","from_env":"E"}})", "one of"));
  CHECK(remarks_on(R"("webhook":{"scheme":"github","secret":"hunter2"})", "does not belong into this file"));
  CHECK(remarks(R"("webhook":{"scheme":"github","secret":"hunter2"})").find("hunter2") == std::string::npos);
  CHECK(remarks(R"("webhook":{"scheme":"github","secret":["hunter2"]})").find("hunter2") == std::string::npos);
  CHECK(remarks_on(R"("sensor":{"every":"1m"})", "no \"command\""));
  CHECK(remarks_on(R"("sensor":{"command":[]})", "names no program"));
  CHECK(remarks_on(R"("assets":{})", "names none"));
  CHECK(remarks_on(R"("assets":{"any":["a"],"all":["a"]})", "either \"any\" or \"all\""));
  CHECK(remarks_on(R"("assets":{"any":["b"]})", "unknown_asset"));
  CHECK(remarks_on(R"("assets":{"any":["p/b"]})", "unknown_asset"));
  CHECK(remarks_on(R"("assets":{"any":["a"],"within":"1h"})", "goes with \"all\""));
  CHECK(remarks_on(R"("assets":{"any":["q/"]})", "names no asset"));
  CHECK(remarks_on(nightly_text + R"(,"throttle":{"runs":1})", "\"per\""));
  CHECK(remarks_on(nightly_text + R"(,"debounce":{"max":"1s"})", "no \"quiet\""));
  CHECK(remarks_on(nightly_text + R"(,"debounce":{"quiet":"2s","max":"1s"})", "shorter than \"quiet\""));
  CHECK(remarks_on(nightly_text + R"(,"priority":1.5)", "whole number"));
  CHECK(remarks_on(nightly_text + R"(,"overlap":"qeue")", "did you mean \"queue\"?"));
  const auto twice = with_triggers(R"("t":{"manual":{}},"t":{"manual":{}},"a b":{"manual":{}})");
  CHECK(lines(twice.findings).find("duplicate_key") != std::string::npos);
  CHECK(lines(twice.findings).find("is no name for a trigger") != std::string::npos);
}

TEST_CASE("assets of other pipelines and of matrices may be named") {
  const auto t = only_trigger(R"("assets":{"all":["a","m","m[1]","shop/x[a/b]","p/m[2]"],"within":"1h"})");
  const auto& of = std::get<assets_source>(t.source);
  CHECK(of.all);
  CHECK(of.assets ==
        std::vector<asset_reference>{{"", "a"}, {"", "m"}, {"", "m[1]"}, {"shop", "x[a/b]"}, {"p", "m[2]"}});
}

TEST_CASE("where params go is known: into paths, to the beginning of arguments") {
  const auto loaded = with_triggers(R"("t":{"manual":{},"params":{"day":"{{ body.day }}"}})");
  REQUIRE(loaded.triggers);
  const auto& uses = loaded.triggers->uses;
  CHECK(uses.at("day").paths == std::vector<std::string>{"out/{{ params.day }}/{{ matrix.v }}"});
  CHECK(uses.at("day").begins_argument);
  CHECK(uses.at("n").paths.empty());
  CHECK(uses.at("n").begins_argument);
  CHECK(uses.at("s").begins_argument);
  CHECK_FALSE(uses.at("b").begins_argument);
}

TEST_CASE("a trigger changes nothing of what is run") {
  const auto with = with_triggers(R"("t":{"manual":{},"params":{"day":"z"}})");
  const auto without = with_triggers("");
  REQUIRE(with.p);
  REQUIRE(without.p);
  CHECK(without.triggers->triggers.empty());
  REQUIRE(with.p->assets.size() == without.p->assets.size());
  CHECK(with.p->params.at("day").text == "x");
  for (std::uint32_t i = 0; i < with.p->assets.size(); ++i) {
    CHECK(with.p->assets[i].name == without.p->assets[i].name);
    CHECK(with.p->declaration(asset_index(i)).command[0] == without.p->declaration(asset_index(i)).command[0]);
  }
}

TEST_CASE("triggers that follow each other's assets in a circle are a warning, which names them") {
  const auto warned = [](const std::string& triggers) {
    auto loaded = with_triggers(triggers);
    REQUIRE_MESSAGE(loaded.triggers, lines(loaded.findings));
    const auto graph = asset_graph::build(*loaded.p, loaded.findings, {});
    REQUIRE(graph);
    warn_of_circles(*loaded.triggers, *loaded.p, *graph, loaded.findings);
    return lines(loaded.findings);
  };
  const std::string x = R"("x":{"assets":{"any":["a"]},"select":["m"]})";
  CHECK(warned(x).empty());
  const auto both = warned(x + R"(,"y":{"assets":{"all":["m"]},"select":["a"]})");
  CHECK(both.find("[trigger_circle]") != std::string::npos);
  CHECK(both.find("in a circle: x -> y -> x.") != std::string::npos);
  CHECK(both.find("warning", both.find("warning") + 1) == std::string::npos); // once
  CHECK(warned(x + R"(,"y":{"assets":{"all":["m"]},"select":["a"],"enabled":false})").empty());
  CHECK(warned(x + R"(,"y":{"assets":{"all":["other/m"]},"select":["a"]})").empty());
  CHECK(warned(x + R"(,"y":{"assets":{"all":["m"]},"exclude":["a"]})").empty());
  CHECK(warned(R"("t":{"assets":{"any":["a"]}})").empty()); // its own changes do not count
  CHECK(warned(R"("t":{"assets":{"any":["a"],"self":true}})").find("t -> t.") != std::string::npos);
}
