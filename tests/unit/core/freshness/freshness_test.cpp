// Every reason for being stale, alone and with its detail, and what is no reason.
#include "core/freshness/freshness.hpp"
#include "names.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

const test::numbered_names names;
const timestamp noon = from_unix_ns(1'800'000'000'000'000'000);

digest content(const char* text) {
  return quick_digest(text);
}

/// An asset that was made an hour ago and of which nothing has changed since.
struct situation {
  asset_record record;
  fingerprint now;
  std::vector<file_version> outputs;
  freshness_policy policy;

  situation() {
    now.command = content("command");
    now.version = "1";
    now.env = {{"A", content("a")}, {"C", content("c")}};
    now.params = {{"top", content("20")}};
    now.inputs = {{path_id(1U), content("one")}, {path_id(3U), content("three")}};
    now.discovered = {{path_id(5U), content("five")}};
    now.upstreams = {{asset_id(7U), content("seven")}};
    outputs = {{path_id(10U), content("ten")}, {path_id(11U), content("eleven")}};
    auto& last = record.last.emplace();
    last.finished_at = noon - 1h;
    last.made_from = now;
    last.made.outputs = outputs;
    record.attempt = attempt_state::succeeded;
    policy.now = noon;
  }

  /// "kind detail" each.
  [[nodiscard]] std::vector<std::string> reasons() const {
    std::vector<reason> found;
    judge_freshness(record, now, outputs, policy, names, found);
    std::vector<std::string> texts;
    for (const auto& r : found)
      texts.push_back(std::string(to_string(r.kind)) + (r.detail.empty() ? "" : " " + r.detail));
    return texts;
  }
};

using texts = std::vector<std::string>;

texts after(const std::function<void(situation&)>& change) {
  situation s;
  change(s);
  return s.reasons();
}

} // namespace

TEST_CASE("an asset of which nothing has changed is fresh") {
  CHECK(situation().reasons().empty());
}

TEST_CASE("an asset never materialized says only that, whatever else is new") {
  CHECK(after([](auto& s) {
          s.record.last.reset();
          s.record.attempt = attempt_state::none;
        }) == texts{"never_materialized"});
}

TEST_CASE("the definition's changes are named") {
  CHECK(after([](auto& s) { s.now.command = content("other"); }) == texts{"command_changed"});
  CHECK(after([](auto& s) { s.now.version = "2"; }) == texts{"version_changed 1 -> 2"});
  CHECK(after([](auto& s) { s.now.env[0].value = content("x"); }) == texts{"env_changed A"});
  CHECK(after([](auto& s) { s.now.env.erase(s.now.env.begin()); }) == texts{"env_changed A"});
  CHECK(after([](auto& s) { s.now.env.insert(s.now.env.begin() + 1, {"B", content("b")}); }) == texts{"env_changed B"});
}

TEST_CASE("a param counts through what is executed, and then it is the reason") {
  const auto top = [](auto& s) { s.now.params[0].value = content("5"); };
  CHECK(after(top).empty());
  CHECK(after([](auto& s) { s.now.params.clear(); }).empty());
  CHECK(after([&](auto& s) {
          top(s);
          s.now.command = content("other");
        }) == texts{"param_changed top"});
  CHECK(after([&](auto& s) {
          top(s);
          s.now.env[0].value = content("x");
        }) == texts{"param_changed top"});
  SUBCASE("a param used since then explains nothing") {
    CHECK(after([](auto& s) {
            s.now.params.push_back({"zoom", content("1")});
            s.now.command = content("other");
          }) == texts{"command_changed"});
  }
}

TEST_CASE("where the pipeline is known, each change is put down to what it came from") {
  test::pipeline_builder b;
  b.param("top", "5");
  b.asset("a").command("x {{ inputs }}").with([](auto& s) {
    s.env = {{"A", env_source::literal, "{{ params.top }}", false}, {"C", env_source::literal, "c", false}};
  });
  const auto p = b.build();
  const auto known = [&](const std::function<void(situation&)>& change) {
    return after([&](situation& s) {
      s.policy.of = p.get();
      s.policy.asset = asset_index(0U);
      change(s);
    });
  };
  const auto top = [](auto& s) {
    s.now.params[0].value = content("5");
    s.now.env[0].value = content("5");
  };
  CHECK(known(top) == texts{"param_changed top"});
  CHECK(known([&](auto& s) {
          top(s);
          s.now.env[1].value = content("x");
        }) == texts{"env_changed C", "param_changed top"});
  CHECK(known([&](auto& s) {
          top(s);
          s.now.command = content("other");
        }) == texts{"command_changed", "param_changed top"});
  SUBCASE("a file more among the inputs that are inserted is the reason, not the command it changes") {
    CHECK(known([&](auto& s) {
            s.now.command = content("other");
            s.now.inputs.pop_back();
          }) == texts{"input_removed path-3"});
  }
  SUBCASE("but with the same files the command is") {
    CHECK(known([&](auto& s) {
            s.now.command = content("other");
            s.now.inputs[0].content = content("x");
          }) == texts{"command_changed", "input_changed path-1"});
  }
}

TEST_CASE("a record of rule 0 is judged by the definition as declared") {
  situation s;
  s.now.rule = 1;
  const fingerprint declared = s.record.last->made_from;
  s.now.command = content("as executed");
  s.now.env.clear();
  const auto judged = [&](const fingerprint& by) {
    std::vector<reason> found;
    judge_freshness(s.record, s.now, s.outputs, s.policy, names, found, &by);
    texts kinds;
    for (const auto& r : found)
      kinds.push_back(std::string(to_string(r.kind)) + (r.detail.empty() ? "" : " " + r.detail));
    return kinds;
  };
  CHECK(judged(declared).empty());
  auto other = declared;
  other.command = content("x");
  other.env[0].value = content("x");
  other.params[0].value = content("x");
  CHECK(judged(other) == texts{"command_changed", "env_changed A", "param_changed top"});
  SUBCASE("and one of rule 1 never is") {
    s.record.last->made_from.rule = 1;
    CHECK(judged(declared) == texts{"command_changed", "env_changed A", "env_changed C"});
  }
}

TEST_CASE("inputs that change, come and go are told apart, and named") {
  CHECK(after([](auto& s) { s.now.inputs[1].content = content("x"); }) == texts{"input_changed path-3"});
  CHECK(after([](auto& s) {
          s.now.inputs.insert(s.now.inputs.begin() + 1, {path_id(2U), content("two")});
        }) == texts{"input_added path-2"});
  CHECK(after([](auto& s) { s.now.inputs.erase(s.now.inputs.begin()); }) == texts{"input_removed path-1"});
  SUBCASE("a file that is not there any more is removed, though it is still declared") {
    CHECK(after([](auto& s) { s.now.inputs[0].content = absent_file; }) == texts{"input_removed path-1"});
  }
  SUBCASE("and one that was not there is added") {
    CHECK(after([](auto& s) { s.record.last->made_from.inputs[0].content = absent_file; }) ==
          texts{"input_added path-1"});
  }
  SUBCASE("those the command reported itself count alike") {
    CHECK(after([](auto& s) { s.now.discovered[0].content = content("x"); }) == texts{"input_changed path-5"});
    CHECK(after([](auto& s) { s.now.discovered[0].content = absent_file; }) == texts{"input_removed path-5"});
  }
  SUBCASE("all of them are told, in order") {
    CHECK(after([](auto& s) {
            s.now.inputs = {{path_id(0U), content("zero")}, {path_id(3U), content("x")}};
          }) == texts{"input_added path-0", "input_removed path-1", "input_changed path-3"});
  }
}

TEST_CASE("a dependency by name counts through its data version") {
  CHECK(after([](auto& s) { s.now.upstreams[0].version = content("x"); }) == texts{"upstream_changed asset-7"});
  CHECK(after([](auto& s) { s.now.upstreams.clear(); }) == texts{"upstream_changed asset-7 (no longer a dependency)"});
  CHECK(after([](auto& s) {
          s.now.upstreams.push_back({asset_id(9U), content("nine")});
        }) == texts{"upstream_changed asset-9 (new dependency)"});
}

TEST_CASE("outputs that are gone or were written by somebody else are named") {
  CHECK(after([](auto& s) { s.outputs[0].content = absent_file; }) == texts{"output_missing path-10"});
  CHECK(after([](auto& s) { s.outputs[1].content = content("x"); }) == texts{"output_modified path-11"});
  SUBCASE("an output declared since is looked at as it is") {
    CHECK(after([](auto& s) { s.outputs.push_back({path_id(12U), absent_file}); }) == texts{"output_missing path-12"});
  }
  SUBCASE("one that is there and was not made the last time is no other's work") {
    CHECK(after([](auto& s) { s.outputs.push_back({path_id(12U), content("x")}); }) == texts{"output_renamed path-12"});
  }
  SUBCASE("an attempt that did not succeed may have written it") {
    situation s;
    s.record.attempt = attempt_state::failed;
    s.outputs[0].content = absent_file;
    s.outputs[1].content = content("x");
    std::vector<reason> reasons;
    judge_freshness(s.record, s.now, s.outputs, s.policy, names, reasons);
    REQUIRE(reasons.size() == 3);
    CHECK(reasons[0].note.empty());
    CHECK(reasons[1].kind == reason_kind::output_modified);
    CHECK(reasons[1].detail == "path-11");
    CHECK(reasons[1].note == "an attempt that did not succeed may have written it");
  }
  SUBCASE("one that is no longer declared is not this asset's any more") {
    CHECK(after([](auto& s) { s.outputs.pop_back(); }).empty());
  }
}

TEST_CASE("an executable bit counts where it is known before and now") {
  const auto with_bits = [](executable_bit before, executable_bit now) {
    return after([&](auto& s) {
      s.record.last->made_from.inputs[0].executable = before;
      s.now.inputs[0].executable = now;
      s.record.last->made.outputs[1].executable = before;
      s.outputs[1].executable = now;
    });
  };
  CHECK(with_bits(executable_bit::no, executable_bit::yes) ==
        texts{"executable_changed path-1", "executable_changed path-11"});
  CHECK(with_bits(executable_bit::yes, executable_bit::no) ==
        texts{"executable_changed path-1", "executable_changed path-11"});
  for (const auto bit : {executable_bit::unknown, executable_bit::no, executable_bit::yes}) {
    CHECK(with_bits(bit, bit).empty());
    CHECK(with_bits(executable_bit::unknown, bit).empty());
    CHECK(with_bits(bit, executable_bit::unknown).empty());
  }
}

TEST_CASE("what an output that is a link leads to may change without anybody writing the output") {
  const auto with_links = [](bool before, bool now) {
    return after([&](auto& s) {
      s.record.last->made.outputs[0].link = before;
      s.outputs[0].link = now;
      s.outputs[0].content = content("another");
    });
  };
  CHECK(with_links(true, true) == texts{"output_target_changed path-10"});
  CHECK(with_links(true, false) == texts{"output_modified path-10"});
  CHECK(with_links(false, true) == texts{"output_modified path-10"});
}

TEST_CASE("a record of format 1 is judged by what links in folders counted by then") {
  const auto by_rule = [](std::uint8_t rule, const char* as_text) {
    return after([&](auto& s) {
      s.record.last->made_from.rule = rule;
      s.now.inputs[0].content = content("what the links lead to");
      s.now.inputs[0].as_text = content(as_text);
      s.outputs[0].content = content("what the links lead to");
      s.outputs[0].as_text = rule == 0 ? content("ten") : content("another");
    });
  };
  CHECK(by_rule(0, "one").empty());
  CHECK(by_rule(0, "another") == texts{"input_changed path-1"});
  CHECK(by_rule(1, "one") == texts{"input_changed path-1", "output_modified path-10"});
}

TEST_CASE("a source's outputs are what it is made from") {
  const auto source = [](const std::function<void(situation&)>& change) {
    return after([&](auto& s) {
      s.policy.source = true;
      change(s);
    });
  };
  CHECK(source([](auto&) {}).empty());
  CHECK(source([](auto& s) { s.outputs[0].content = content("x"); }) == texts{"input_changed path-10"});
  CHECK(source([](auto& s) { s.outputs.push_back({path_id(12U), content("x")}); }) == texts{"input_added path-12"});
  CHECK(source([](auto& s) { s.outputs.pop_back(); }) == texts{"input_removed path-11"});
  CHECK(source([](auto& s) { s.outputs[0].content = absent_file; }) == texts{"output_missing path-10"});
}

TEST_CASE("an attempt without a success since makes stale, and says how it ended") {
  CHECK(after([](auto& s) { s.record.attempt = attempt_state::failed; }) == texts{"last_attempt_failed failed"});
  CHECK(after([](auto& s) { s.record.attempt = attempt_state::cancelled; }) == texts{"last_attempt_failed cancelled"});
  CHECK(after([](auto& s) { s.record.attempt = attempt_state::interrupted; }) ==
        texts{"last_attempt_failed interrupted"});
  SUBCASE("one that runs is told as that: who reads the record knows whether its supervisor lives") {
    CHECK(after([](auto& s) { s.record.attempt = attempt_state::running; }) == texts{"last_attempt_failed running"});
  }
  SUBCASE("also before the first success") {
    CHECK(after([](auto& s) {
            s.record.last.reset();
            s.record.attempt = attempt_state::failed;
          }) == texts{"never_materialized", "last_attempt_failed failed"});
  }
}

TEST_CASE("age counts from the start of the run that made it") {
  const auto old = [](duration since_before_noon, duration max_age) {
    return after([&](auto& s) {
      s.record.last->since = noon - since_before_noon;
      s.policy.max_age = max_age;
    });
  };
  CHECK(old(3h, 3h) == texts{"expired 3h00m old"}); // though it ended an hour ago
  CHECK(old(2h, 3h).empty());
  SUBCASE("max_age is reached one hundredth early, but no more than ten minutes") {
    CHECK(old(99min, 100min) == texts{"expired 1h39m old"});
    CHECK(old(99min - 1ns, 100min).empty());
    CHECK(old(24h - 10min, 24h) == texts{"expired 23h50m old"});
    CHECK(old(24h - 10min - 1ns, 24h).empty());
    CHECK(old(8760h - 10min - 1ns, 8760h).empty());
    CHECK(old(99ns, 99ns) == texts{"expired 0ms old"});
    CHECK(old(98ns, 99ns).empty());
  }
  SUBCASE("a record that does not say when the run started: from the start of the attempt") {
    CHECK(after([](auto& s) {
            s.record.last->took = 2h;
            s.policy.max_age = 3h;
          }) == texts{"expired 3h00m old"});
    CHECK(after([](auto& s) {
            s.record.last->took = 2h;
            s.policy.max_age = 4h;
          }).empty());
  }
  SUBCASE("a clock that went back a little makes nothing expire") {
    CHECK(after([](auto& s) {
            s.policy.max_age = 49h;
            s.policy.now = noon - 48h;
          }).empty());
  }
  SUBCASE("what a wrong clock made in a distant future is not fresh until then") {
    CHECK(after([](auto& s) {
            s.policy.max_age = 1h;
            s.policy.now = noon - 49h;
          }) == texts{"expired made 2d00h in the future"});
  }
  SUBCASE("what was never made cannot expire") {
    CHECK(after([](auto& s) {
            s.record.last.reset();
            s.policy.max_age = 1h;
          }) == texts{"never_materialized"});
  }
}

TEST_CASE("always and forced stand beside the other reasons") {
  CHECK(after([](auto& s) { s.policy.always = true; }) == texts{"always"});
  CHECK(after([](auto& s) {
          s.policy.forced = true;
          s.now.command = content("x");
        }) == texts{"command_changed", "forced"});
}

TEST_CASE("what reads a file whose maker needs it is never fresh, and says which file") {
  CHECK(after([](auto& s) { s.policy.cycle = "gen/h"; }) == texts{"cycle gen/h"});
}

TEST_CASE("reasons are appended to those that are there") {
  std::vector<reason> found{{reason_kind::forced, "before"}};
  situation s;
  s.policy.always = true;
  judge_freshness(s.record, s.now, s.outputs, s.policy, names, found);
  REQUIRE(found.size() == 2);
  CHECK(found[0].detail == "before");
}

TEST_CASE("the data version of outputs depends on their names, contents and executable bits alone") {
  const std::vector<file_version> a{{path_id(1U), content("x")}, {path_id(2U), content("y")}};
  auto b = a;
  CHECK(version_of_outputs(a, names) == version_of_outputs(b, names));
  b[1].content = content("z");
  CHECK(version_of_outputs(a, names) != version_of_outputs(b, names));
  b = a;
  b[1].executable = executable_bit::no; // as in format 1, which did not know
  CHECK(version_of_outputs(a, names) == version_of_outputs(b, names));
  b[1].executable = executable_bit::yes;
  CHECK(version_of_outputs(a, names) != version_of_outputs(b, names));
  b = a;
  b[1].path = path_id(3U);
  CHECK(version_of_outputs(a, names) != version_of_outputs(b, names));
  CHECK(version_of_report("1") == version_of_report("1"));
  CHECK(version_of_report("1") != version_of_report("2"));
  CHECK(version_of_report("failed") != version_of_allowed_failure());
}
