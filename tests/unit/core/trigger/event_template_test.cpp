// Templates of triggers: what they name, and what they become.
#include "core/schedule/tzif.hpp"
#include "core/trigger/event_template.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

using namespace troupe_internal;

namespace {

std::string refused(const std::string& text) {
  const auto parsed = parse_event_template(text);
  REQUIRE_FALSE(parsed.has_value());
  return parsed.error().message;
}

struct an_event {
  time_zone zone;
  event_values values;
  an_event() : zone("x", {{0, false, "x"}}, {}, *read_tz_string("CET-1CEST,M3.5.0,M10.5.0/3")) {
    values.tick = from_unix_ns(1'774'744'200'000'000'000); // 2026-03-29T00:30Z
    values.zone = &zone;
    values.id = "E1";
    values.body = [](const std::vector<std::string>& path) -> std::optional<std::string> {
      return path == std::vector<std::string>{"a", "0", "b"} ? std::optional<std::string>("deep") : std::nullopt;
    };
    values.header = [](std::string_view name) -> std::optional<std::string> {
      return name == "x-id" ? std::optional<std::string>("7") : std::nullopt;
    };
  }
  an_event(const an_event&) = delete;
  an_event& operator=(const an_event&) = delete;
};

std::string rendered(const std::string& text) {
  const an_event event;
  const auto parsed = parse_event_template(text);
  INFO(text);
  REQUIRE(parsed.has_value());
  const auto out = render(*parsed, event.values);
  return out ? *out : "error: " + out.error().message;
}

} // namespace

TEST_CASE("ticks are shown as the zone's clocks show them, instants in UTC") {
  CHECK(rendered("{{ tick.date }}") == "2026-03-29");
  CHECK(rendered("at {{tick.time}}.") == "at 01:30:00.");
  CHECK(rendered("{{ tick.instant }}") == "2026-03-29T00:30:00Z");
  an_event event;
  event.values.tick = from_unix_ns(1'774'747'800'000'000'000); // after the change
  CHECK(*render(*parse_event_template("{{ tick.time }}"), event.values) == "03:30:00");
  event.values.tick = from_unix_ns(1'774'735'200'000'000'000 - 86'400'000'000'000); // 2026-03-27T22:00Z
  CHECK(*render(*parse_event_template("{{ tick.date }} {{ tick.time }}"), event.values) == "2026-03-27 23:00:00");
}

TEST_CASE("bodies, headers and ids are filled in") {
  CHECK(rendered("{{ body.a.0.b }}/{{ header.X-Id }}/{{ event.id }}") == "deep/7/E1");
  CHECK(rendered("plain") == "plain");
  CHECK(rendered("") == "");
  CHECK(rendered("{{{{ x }} {{ event.id }}") == "{{ x }} E1");
  CHECK(rendered("{{ body.a }}") == "error: the body has no text, number, true or false at a");
  CHECK(rendered("{{ header.y }}") == "error: the request has no header y");
  event_values nothing;
  CHECK_FALSE(render(*parse_event_template("{{ tick.date }}"), nothing).has_value());
  CHECK_FALSE(render(*parse_event_template("{{ body.a }}"), nothing).has_value());
}

TEST_CASE("what is no template is named") {
  CHECK(refused("{{ tick.day }}").find("did you mean \"tick.date\"?") != std::string::npos);
  CHECK(refused("{{ params.x }}").find("there are tick.date") != std::string::npos);
  CHECK(refused("{{ tick.date").find("no }}") != std::string::npos);
  CHECK(refused("{{ body. }}").find("empty key") != std::string::npos);
  CHECK(refused("{{ body.a..b }}").find("empty key") != std::string::npos);
  CHECK(refused("{{ header.a b }}").find("names no header") != std::string::npos);
  std::string deep = "{{ body";
  for (int i = 0; i < 40; ++i)
    deep += ".a";
  CHECK(refused(deep + " }}").find("32 keys") != std::string::npos);
  CHECK(parse_event_value("body.ref").has_value());
  CHECK(parse_event_value("header.X-GitHub-Event")->pieces.front().text == "x-github-event");
  CHECK_FALSE(parse_event_value("tick.date").has_value());
  CHECK_FALSE(parse_event_value("ref").has_value());
}
