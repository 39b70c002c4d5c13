// What people are to be told of, as a fold over the journal: runs that failed and recovered, paused triggers, rejected
// events; and assets that are overdue. Pure: events, records and moments are handed in. Knows no target and no clock.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "core/model/event.hpp"
#include "core/model/run_record.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/schedule/tick_schedule.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal {

/// When an asset is expected to be up to date: within a span of the last time, or at each of these ticks.
struct expected_freshness {
  std::optional<duration> within;
  std::shared_ptr<const cron_schedule> by;
  std::vector<std::string> owners;
};
/// From the words of a pipeline file. `zones`: the zone of a name. invalid_input says what is wrong.
[[nodiscard]] result<expected_freshness>
expected_of(const freshness_expectation& words,
            const std::function<result<std::shared_ptr<const time_zone>>(const std::string&)>& zones);

/// A notice before it has a number. What it `closes` is filled in.
struct found_notice {
  notice_taken what;
  std::vector<std::string> owners; ///< of the asset, or of those that failed
};

/// One thread at a time.
class notice_rules {
public:
  struct lookups {
    /// A run that began before what is read.
    std::function<std::optional<run_record>(run_number)> run;
    /// "PIPELINE/ASSET"; empty: unknown.
    std::function<std::string(asset_id)> asset;
    /// "PIPELINE/TRIGGER" of an event that came before what is read; empty: unknown.
    std::function<std::string(std::uint64_t)> trigger_of_event;
  };

  /// Of assets, "PIPELINE/ASSET". Those that are new are expected from `now` on.
  void set_expectations(std::map<std::string, expected_freshness> all, timestamp now);
  /// Owners of assets, for notices of runs.
  void set_owners(std::map<std::string, std::vector<std::string>> owners) { owners_ = std::move(owners); }
  /// A notice that lasts, as the journal has it, or as it was just taken.
  void note_lasting(const notice_taken& notice);

  /// The next event of the journal. `silently`: what it says is known, and nothing is to be told.
  void read(const event& e, const lookups& known, bool silently, std::vector<found_notice>& into);
  /// What is overdue by now, or is no more.
  void look(timestamp now, std::vector<found_notice>& into);
  /// When looking is worth it next, if nothing comes.
  [[nodiscard]] std::optional<timestamp> next_look(timestamp now) const;
  [[nodiscard]] std::size_t overdue() const;

private:
  struct watched_run {
    std::string pipeline, subject;
    std::string because; ///< the first failure
    std::size_t failures = 0;
    std::set<std::string> owners;
  };
  struct expected {
    expected_freshness what;
    timestamp since;                  ///< from when on it is expected
    std::optional<timestamp> last_ok; ///< it succeeded or was found fresh
  };
  [[nodiscard]] watched_run& run_of(run_number run, const lookups& known);
  void failed(run_number run, asset_id asset, const std::string& why, const lookups& known);
  void ok(std::string_view asset, timestamp at);
  void end(const run_finished& e, const lookups& known, bool silently, std::vector<found_notice>& into);
  [[nodiscard]] std::optional<timestamp> lapsed_at(const expected& of, timestamp now) const;
  [[nodiscard]] found_notice make(notice_kind kind, std::string subject, timestamp at, std::string because) const;

  std::map<std::string, expected, std::less<>> expected_;
  std::map<std::string, std::vector<std::string>> owners_;
  std::map<std::pair<notice_kind, std::string>, std::uint64_t> lasting_; ///< failed and overdue
  std::map<run_number, watched_run> runs_;
  std::map<std::uint64_t, std::string> events_; ///< of triggers, not settled yet
};

} // namespace troupe_internal
