// What is told of an asset in a run, and the words of all reasons.
#include "cli/explain_run.hpp"
#include "fake_engine.hpp"
#include "views/reason_text.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;
using namespace troupe_internal::cli;
using namespace std::chrono_literals;
using test::clean, test::raw, test::side;

namespace {

asset_run_report ran(std::string name, int start, int seconds, asset_status status = asset_status::succeeded) {
  asset_run_report asset;
  asset.name = std::move(name);
  asset.status = status;
  asset.attempts = 1;
  asset.started_at = test::at(start);
  asset.took = std::chrono::seconds(seconds);
  asset.changed = true;
  asset.reasons = {{reason_kind::input_changed, "raw.txt"}};
  return asset;
}

run_report run_of(std::vector<asset_run_report> assets, run_status status = run_status::succeeded) {
  run_report report;
  report.run = test::make_run(1, status);
  report.assets = std::move(assets);
  return report;
}

std::string told(const run_report& report, asset_index asset) {
  std::string all;
  for (const auto& sentence : explain_in_run(test::make_project(), report, asset))
    all += sentence + "\n";
  return all;
}

} // namespace

TEST_CASE("waiting is split into waiting for what is needed and waiting for a slot") {
  const auto on = test::make_project();
  const auto report = run_of({ran("clean", 1, 3), ran("report", 6, 1)});
  const auto story = waited(on, report, test::report);
  REQUIRE(story.has_value());
  CHECK(story->until_ready == 4s);
  CHECK(story->last_needed == "clean");
  CHECK(story->for_slot == 2s);
  CHECK(told(report, test::report) == "It ran and succeeded in 1.0s; its data version changed.\n"
                                      "The content of its input raw.txt had changed.\n"
                                      "What it needs was there 4.0s into the run; the last of it was clean.\n"
                                      "It then waited 2.0s for a free worker.\n");
  CHECK(told(run_of({ran("raw", 0, 0), ran("side", 2, 1)}), side).find("or room in pool db") != std::string::npos);
}

TEST_CASE("recorded waits are told as they are, those that are noticed") {
  auto held = ran("report", 6, 1);
  held.waits = {{wait_kind::asset, "clean", 4000},
                {wait_kind::hold, "#41", 2100},
                {wait_kind::worker, "", 3000},
                {wait_kind::pool, "db", 49}};
  const auto report = run_of({ran("clean", 1, 3), held});
  CHECK(told(report, test::report) == "It ran and succeeded in 1.0s; its data version changed.\n"
                                      "The content of its input raw.txt had changed.\n"
                                      "It waited 4.0s for its upstream clean, the last that it needed.\n"
                                      "It was held by run #41 for 2.1s.\n"
                                      "It waited 3.0s for its share of the workers.\n");
  CHECK(told(report, clean).find("wait") == std::string::npos); // it waited for nothing, and nothing is guessed
  asset_run_report fresh;
  fresh.name = "clean";
  fresh.status = asset_status::fresh;
  fresh.waits = {{wait_kind::pool, "db", 70}};
  CHECK(told(run_of({fresh}), clean).find("It waited 70ms for room in pool db.") != std::string::npos);
}

TEST_CASE("an asset that started more than once tells nothing of waiting") {
  auto twice = ran("report", 6, 1);
  twice.attempts = 2;
  const auto report = run_of({ran("clean", 1, 3), twice});
  CHECK_FALSE(waited(test::make_project(), report, test::report).has_value());
  CHECK(told(report, test::report).find("(2 attempts)") != std::string::npos);
}

TEST_CASE("what a command used is said, and that a peak is only a bound where it is one") {
  auto heavy = ran("clean", 0, 3);
  heavy.resources = {2s, 500ms, 1'500'000, false, 0, 0};
  CHECK(told(run_of({heavy}), clean)
            .find("Its command used 2.5s of processor time (2.0s user, 500ms system) and 1.5 GB of memory.") !=
        std::string::npos);
  heavy.attempts = 2;
  heavy.resources->peak_is_bound = true;
  CHECK(told(run_of({heavy}), clean).find("In the last attempt its command used 2.5s") != std::string::npos);
  CHECK(told(run_of({heavy}), clean).find("at most 1.5 GB of memory") != std::string::npos);
}

TEST_CASE("each status has its story") {
  CHECK(told(run_of({}), clean).find("not part of the run") != std::string::npos);
  auto same = ran("clean", 0, 1);
  same.changed = false;
  CHECK(told(run_of({same}), clean).find("made nothing downstream stale") != std::string::npos);
  auto failed = ran("clean", 0, 1, asset_status::failed);
  failed.error = "exit status 2";
  CHECK(told(run_of({failed}), clean).find("It ran and failed (one attempt): exit status 2.") == 0);
  failed.attempts = 0;
  CHECK(told(run_of({failed}), clean).find("It failed before it started: exit status 2.") == 0);
  CHECK(told(run_of({ran("clean", 0, 1, asset_status::running)}), clean).find("It is running: attempt 1, for 1.0s.") ==
        0);
  CHECK(told(run_of({ran("clean", 0, 0, asset_status::running)}, run_status::interrupted), clean)
            .find("Attempt 1 was running when the supervisor died.") == 0);
  CHECK(told(run_of({ran("clean", 0, 1, asset_status::retrying)}), clean).find("waits out the delay") !=
        std::string::npos);
  asset_run_report fresh;
  fresh.name = "clean";
  fresh.status = asset_status::fresh;
  CHECK(told(run_of({fresh}), clean).find("early cut-off") != std::string::npos);
  asset_run_report blocked;
  blocked.name = "report";
  blocked.status = asset_status::blocked;
  blocked.because = "clean";
  CHECK(told(run_of({blocked}), test::report) == "It was not run: it needs clean, which did not succeed.\n");
  asset_run_report stopped;
  stopped.name = "clean";
  stopped.status = asset_status::cancelled;
  CHECK(told(run_of({stopped}), clean).find("was not started") != std::string::npos);
  CHECK(told(run_of({ran("clean", 0, 1, asset_status::cancelled)}), clean).find("It was ended") == 0);
}

TEST_CASE("an asset that waits says for what") {
  asset_run_report waiting;
  waiting.name = "report";
  CHECK(told(run_of({ran("clean", 0, 1, asset_status::running), waiting}, run_status::running), test::report) ==
        "It waits for clean (running).\n");
  CHECK(
      told(run_of({ran("clean", 0, 1), waiting}, run_status::running), test::report).find("waits for a free worker") !=
      std::string::npos);
  CHECK(told(run_of({ran("clean", 0, 1), waiting}, run_status::interrupted), test::report).find("interrupted") !=
        std::string::npos);
}

TEST_CASE("every reason has words and a sentence with its detail") {
  for (std::uint8_t kind = 0; kind < reason_kind_count; ++kind) {
    const reason why{static_cast<reason_kind>(kind), "the-detail"};
    CHECK(reason_words(why).find("the-detail") != std::string::npos);
    CHECK(reason_words(why).find('_') == std::string::npos);
    const bool detailed = (kind >= 3 && kind <= 12) || kind >= 15 || why.kind == reason_kind::version_changed;
    for (const auto sentence_of : {reason_sentence, past_reason_sentence}) {
      const auto sentence = sentence_of(why);
      CHECK(sentence.back() == '.');
      CHECK_MESSAGE((sentence.find("the-detail") != std::string::npos) == detailed, sentence);
      CHECK(sentence_of({why.kind, ""}).back() == '.');
    }
  }
  CHECK(reason_words({{reason_kind::always, ""}, {reason_kind::input_added, "x"}}) == "always; input added: x");
}

TEST_CASE("what may run names the upstreams and early cut-off") {
  CHECK(maybe_sentence({{reason_kind::upstream_changed, "a"}}) ==
        "It needs a, which will or may run first. If that ends up with the data version it has, it is spared (early "
        "cut-off); otherwise it runs.");
  CHECK(maybe_sentence({{reason_kind::upstream_changed, "a"}, {reason_kind::upstream_changed, "b"}}).find("a and b") !=
        std::string::npos);
  CHECK(maybe_sentence({}).find("something it needs") != std::string::npos);
  CHECK(standing_words(asset_standing::fresh) == "fresh");
  CHECK(standing_words(asset_standing::maybe) == "may run");
  CHECK(standing_word(asset_standing::maybe) == "maybe");
  CHECK(standing_words(asset_standing::stale) == "stale");
  CHECK(standing_words(asset_standing::running) == "running");
  CHECK(standing_words(asset_standing::failed) == "failed");
}
