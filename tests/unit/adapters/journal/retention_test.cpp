// The history of states whose writer stays up: over virtual months its size levels off, and what has not ended stays.
#include "journal_fixtures.hpp"

#include "adapters/journal/lmdb_journal_check.hpp"

using namespace troupe_internal;
using namespace troupe_internal::test;

namespace {

constexpr timestamp first_day = from_unix_ns(1'790'000'000'000'000'000);

/// A pipeline that runs each hour and one that runs each night, as their runs are recorded.
class year {
public:
  explicit year(std::optional<duration> max_age, std::uint64_t max_bytes) : max_age_(max_age), max_bytes_(max_bytes) {
    std::vector<event> events{writer_opened{now_, "boot", 1}, paths_interned{path_id(0U), {"often/out"}}};
    names_interned names{asset_id(0U), {"often/tick"}};
    for (int i = 0; i < night_assets; ++i)
      names.names.push_back("nightly/a" + std::to_string(i));
    events.emplace_back(std::move(names));
    append(std::move(events));
  }

  void days(int count) {
    for (int day = 0; day < count; ++day)
      for (int hour = 0; hour < 24; ++hour) {
        run("often", 0, 1, 1);
        if (hour == 3)
          run("nightly", 1, night_assets, 2);
        now_ += std::chrono::hours(1);
      }
  }
  void append(std::vector<event> events) {
    REQUIRE(f.store().append(events).has_value());
    if (last_ % 16 == 0)
      tidy();
  }
  void tidy() {
    retention_rule rule("often", 1000);
    rule.of_pipeline["nightly"] = 1000;
    if (max_age_)
      rule.limits = history_limits{now_ - *max_age_, max_bytes_};
    for (bool more = true; more;) {
      const auto step = f.store().retain(rule, 500);
      REQUIRE(step.has_value());
      more = step->more;
    }
  }
  [[nodiscard]] std::uint64_t events() {
    const auto info = f.store().snapshot().value()->info();
    return info.last_seq + 1 - info.first_seq;
  }
  [[nodiscard]] std::uint64_t file_bytes() const { return std::filesystem::file_size(f.folder() + "/journal.mdb"); }
  void check() {
    f.close();
    const auto found = verify_journal(f.folder());
    REQUIRE(found.has_value());
    CHECK_MESSAGE(found->ok(), (found->ok() ? "" : found->problems.front()));
  }
  [[nodiscard]] timestamp now() const { return now_; }
  run_number next() { return run_number(++last_); }

  lmdb_fixture f;

private:
  static constexpr int night_assets = 20;

  void run(const char* pipeline, std::uint32_t first, int assets, int definition) {
    const auto number = next();
    const asset_id last(first + static_cast<std::uint32_t>(assets) - 1);
    std::vector<event> events;
    if (number.value % 500 == static_cast<std::uint32_t>(definition)) { // people edit it now and then
      asset_definition text;
      text.form = command_form::shell;
      text.command = {"make number " + std::to_string(number.value)};
      events.emplace_back(definition_recorded{{{asset_id(first), last}}, digest_of(text), text});
    }
    run_started start{number, {}, now_, pipeline, {}, {}, {{asset_id(first), last}}};
    start.definitions.assign(static_cast<std::size_t>(assets), 4711);
    events.emplace_back(start);
    for (auto id = first; id <= last.value; ++id) {
      events.emplace_back(attempt_started{number, asset_id(id), 1, now_, {{reason_kind::expired, "1h old"}}});
      attempt_finished done{number, asset_id(id), 1, now_};
      done.made.emplace();
      done.made->data_version = quick_digest(std::to_string(number.value));
      events.emplace_back(std::move(done));
    }
    run_finished finished{number, now_, run_status::succeeded, {}};
    finished.counts[static_cast<std::size_t>(asset_status::succeeded)] = static_cast<std::uint32_t>(assets);
    events.emplace_back(finished);
    append(std::move(events));
  }

  timestamp now_ = first_day;
  std::optional<duration> max_age_;
  std::uint64_t max_bytes_;
  std::uint32_t last_ = 0;
};

constexpr std::uint64_t no_bound = std::numeric_limits<std::uint64_t>::max();
constexpr auto month = std::chrono::hours(24 * 30);

} // namespace

TEST_CASE("where a writer stays up, the history levels off by its age") {
  year bounded(month, no_bound);
  bounded.days(60);
  const auto events = bounded.events();
  const auto bytes = bounded.file_bytes();
  bounded.days(90);
  CHECK(bounded.events() <= events + events / 50);
  CHECK(bounded.file_bytes() <= bytes + bytes / 10);
  bounded.check();

  year unbounded(std::nullopt, no_bound); // the nightly pipeline asks for nothing: all of its runs stay
  unbounded.days(60);
  CHECK(unbounded.events() > events + events / 2);
}

TEST_CASE("where a writer stays up, the history levels off by its size") {
  constexpr std::uint64_t most = 80'000;
  year bounded(std::chrono::hours(24 * 3650), most);
  bounded.days(40);
  const auto events = bounded.events();
  const auto bytes = bounded.file_bytes();
  CHECK(events > 1'000); // no more goes than has to
  bounded.days(60);
  CHECK(bounded.events() <= events + events / 10);
  CHECK(bounded.file_bytes() <= bytes + bytes / 10);
  bounded.check();
}

TEST_CASE("neither age nor size lets go of a run that has not ended, or of one that is queued") {
  year bounded(month, 50'000);
  bounded.days(5);
  run_queued queued{bounded.next(), {}, bounded.now(), "nightly"};
  run_started open{bounded.next(), {}, bounded.now(), "often", {}, {}, {{asset_id(0U), asset_id(0U)}}};
  bounded.append({queued, open});
  bounded.append({writer_closed{bounded.now()}, writer_opened{bounded.now(), "boot", 2}}); // it is interrupted now
  bounded.days(40);
  const auto snapshot = bounded.f.store().snapshot().value();
  const auto kept = snapshot->read_run(open.run).value();
  REQUIRE(kept.has_value());
  CHECK(snapshot->info().first_seq == kept->first_seq);
  int waiting = 0;
  REQUIRE(snapshot
              ->visit_queue([&](const run_queued& one) {
                waiting += one.run == queued.run ? 1 : 0;
                return true;
              })
              .has_value());
  CHECK(waiting == 1);
  run_finished ended{open.run, bounded.now(), run_status::cancelled, {}};
  ended.counts[static_cast<std::size_t>(asset_status::waiting)] = 1;
  bounded.append({ended});
  bounded.tidy();
  CHECK_FALSE(
      bounded.f.store().snapshot().value()->read_run(open.run).value().has_value()); // too many bytes are kept by it
}
