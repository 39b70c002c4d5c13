// What people are told of, and when: each lapse once, and its end.
#include "core/trigger/notice_rules.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

timestamp moment_at(std::int64_t seconds) {
  return timestamp(std::chrono::seconds(1'790'000'000 + seconds));
}

struct teller {
  notice_rules rules;
  notice_rules::lookups known;
  std::uint64_t last = 0;
  std::vector<notice_taken> told;
  std::vector<std::vector<std::string>> owners;

  teller() {
    known.run = [](run_number) { return std::nullopt; };
    known.asset = [](asset_id id) { return "shop/asset" + std::to_string(id.value); };
    known.trigger_of_event = [](std::uint64_t) { return std::string(); };
  }
  void note(std::vector<found_notice> found) {
    for (auto& one : found) {
      one.what.notice = ++last;
      one.what.targets = {"ops"};
      rules.note_lasting(one.what);
      told.push_back(one.what);
      owners.push_back(one.owners);
    }
  }
  void say(const event& e, bool silently = false) {
    std::vector<found_notice> found;
    rules.read(e, known, silently, found);
    note(std::move(found));
  }
  void look(timestamp now) {
    std::vector<found_notice> found;
    rules.look(now, found);
    note(std::move(found));
  }
  void run(std::uint32_t number, run_status status, std::string trigger = {}, bool silently = false) {
    run_started start{run_number(number), {}, moment_at(number), "shop", {}, {}, {}};
    if (!trigger.empty())
      start.cause = {cause_kind::trigger, trigger, {}, {}};
    say(start, silently);
    if (status == run_status::failed) {
      attempt_finished attempt{run_number(number), asset_id(3U), 1, moment_at(number)};
      attempt.outcome = outcome_kind::exited;
      attempt.exit_code = 2;
      say(attempt, silently);
    }
    say(run_finished{run_number(number), moment_at(number), status, {}}, silently);
  }
  std::vector<std::string> kinds() const {
    static const std::vector<std::string> words = {"failed", "recovered", "paused", "overdue", "rejected"};
    std::vector<std::string> all;
    for (const auto& one : told)
      all.push_back(words[static_cast<std::size_t>(one.kind)] + " " + one.subject);
    return all;
  }
};

using texts = std::vector<std::string>;

result<std::shared_ptr<const time_zone>> in_utc(const std::string& /*zone*/) {
  return time_zone::utc();
}

} // namespace

TEST_CASE("each run that fails is told, and the first one that succeeds after it") {
  teller it;
  it.rules.set_owners({{"shop/asset3", {"ann"}}});
  it.run(1, run_status::succeeded);
  it.run(2, run_status::failed);
  it.run(3, run_status::failed);
  it.run(4, run_status::cancelled);
  it.run(5, run_status::succeeded);
  it.run(6, run_status::succeeded);
  CHECK(it.kinds() == texts{"failed shop", "failed shop", "recovered shop"});
  CHECK(it.told[0].because == "asset3 failed: exit status 2");
  CHECK(it.owners[0] == texts{"ann"});
  CHECK(it.told[1].closes == 1);
  CHECK(it.told[2].closes == 2);
  CHECK(it.told[2].bound_run == run_number(5U));
}

TEST_CASE("runs of one trigger say nothing of those of another") {
  teller it;
  it.run(1, run_status::failed, "nightly");
  it.run(2, run_status::succeeded, "hourly");
  it.run(3, run_status::succeeded);
  CHECK(it.kinds() == texts{"failed shop/nightly"});
  it.run(4, run_status::succeeded, "nightly");
  CHECK(it.kinds().back() == "recovered shop/nightly");
}

TEST_CASE("a failure that lasted before the supervisor started is closed by a success after it") {
  teller it;
  notice_taken before;
  before.notice = it.last = 7;
  before.subject = "shop";
  before.opens = true;
  it.rules.note_lasting(before);
  it.run(1, run_status::failed, {}, true); // that was told
  it.run(2, run_status::succeeded);
  REQUIRE(it.kinds() == texts{"recovered shop"});
  CHECK(it.told[0].closes == 7);
}

TEST_CASE("a run that began before what is read is known by its record") {
  teller it;
  it.known.run = [](run_number number) {
    run_record record;
    record.run = number;
    record.pipeline = "shop";
    record.cause = {cause_kind::trigger, "nightly", {}, {}};
    return std::optional(record);
  };
  it.say(run_finished{run_number(9U), moment_at(1), run_status::failed, {}});
  CHECK(it.kinds() == texts{"failed shop/nightly"});
}

TEST_CASE("a failure that is allowed, or tried again, is none") {
  teller it;
  it.say(run_started{run_number(1U), {}, moment_at(1), "shop", {}, {}, {}});
  attempt_finished attempt{run_number(1U), asset_id(3U), 1, moment_at(1)};
  attempt.outcome = outcome_kind::exited;
  attempt.retry_at = moment_at(2);
  it.say(attempt);
  attempt.retry_at.reset();
  attempt.allowed = true;
  it.say(attempt);
  it.say(assets_settled{run_number(1U),
                        moment_at(2),
                        asset_status::failed,
                        "an input is missing",
                        {{asset_id(4U), asset_id(4U)}},
                        false});
  it.say(run_finished{run_number(1U), moment_at(3), run_status::failed, {}});
  REQUIRE(it.told.size() == 1);
  CHECK(it.told[0].because == "asset4 failed: an input is missing");
}

TEST_CASE("pauses and rejected events are told") {
  teller it;
  it.say(trigger_paused{"shop/nightly", moment_at(1), "3 runs failed", "troupe"});
  event_taken taken;
  taken.event = 5;
  taken.trigger = "shop/hook";
  it.say(taken);
  it.say(event_settled{5, moment_at(2), event_fate::rejected, {}, "the param \"x\" is too long"});
  it.say(event_settled{6, moment_at(2), event_fate::skipped, {}, {}});
  CHECK(it.kinds() == texts{"paused shop/nightly", "rejected shop/hook"});
  CHECK(it.told[0].because == "3 runs failed (by troupe)");
}

TEST_CASE("an asset that is not up to date in time is told once a lapse, and when it is again") {
  teller it;
  expected_freshness what;
  what.within = 1h;
  it.rules.set_expectations({{"shop/asset0", what}}, moment_at(0));
  it.look(moment_at(3600));
  CHECK(it.told.empty());
  CHECK(it.rules.next_look(moment_at(0)) == moment_at(3600) + duration(1));
  it.look(moment_at(3601));
  it.look(moment_at(9000));
  CHECK(it.kinds() == texts{"overdue shop/asset0"});
  CHECK(it.rules.overdue() == 1);
  CHECK_FALSE(it.rules.next_look(moment_at(9000)));
  it.say(asset_found_fresh{run_number(1U), asset_id(0U), moment_at(9100)});
  it.look(moment_at(9101));
  it.look(moment_at(9102));
  CHECK(it.kinds() == texts{"overdue shop/asset0", "recovered shop/asset0"});
  CHECK(it.told[1].closes == 1);
  it.look(moment_at(9100 + 3601));
  CHECK(it.told.size() == 3);
}

TEST_CASE("fresh at the start of a run counts, and so does a success") {
  teller it;
  expected_freshness what;
  what.within = 10s;
  it.rules.set_expectations({{"shop/asset0", what}, {"shop/asset1", what}}, moment_at(0));
  run_started start{run_number(1U), {}, moment_at(100), "shop", {}, {{asset_id(0U), asset_id(0U)}}, {}};
  it.say(start);
  attempt_finished attempt{run_number(1U), asset_id(1U), 1, moment_at(101)};
  it.say(attempt);
  it.look(moment_at(105));
  CHECK(it.told.empty());
  it.look(moment_at(111));
  CHECK(it.kinds() == texts{"overdue shop/asset0"});
}

TEST_CASE("by a time of day: since the tick before it") {
  teller it;
  freshness_expectation words;
  words.cron = "0 7 * * *";
  const auto what = expected_of(words, in_utc);
  REQUIRE(what.has_value());
  const auto day = std::chrono::floor<std::chrono::days>(moment_at(0));
  it.rules.set_expectations({{"shop/asset0", *what}}, day + 1h);
  const auto made = [&](timestamp when) {
    attempt_finished attempt{run_number(1U), asset_id(0U), 1, when};
    it.say(attempt);
  };
  made(day + 5h);
  it.look(day + 7h + 1s);
  CHECK(it.told.empty());
  CHECK(it.rules.next_look(day + 8h) == timestamp(day + 31h));
  it.look(day + 31h + 1s); // the next morning, and nothing was made since
  CHECK(it.kinds() == texts{"overdue shop/asset0"});
  made(day + 33h);
  it.look(day + 33h + 1s);
  CHECK(it.kinds().back() == "recovered shop/asset0");
  it.look(day + 55h + 1s);
  CHECK(it.told.size() == 2); // what was made after the tick of yesterday counts for that of today
  words.cron = "not cron";
  CHECK_FALSE(expected_of(words, in_utc).has_value());
}
