// A state with triggers, its supervisor and two clocks, played step by step from a seed: events come, runs start and
// end, the supervisor is killed between any two steps, clocks are set, definitions change. Judgement is the product's
// own (core/trigger, core/schedule, the fold of the journal); what a supervisor does with it is played in the order in
// which serve and engine do it.
#pragma once

#include "trigger_books.hpp"
#include "trigger_case.hpp"

#include "core/journal/memory_tables.hpp"
#include "core/schedule/run_queue.hpp"
#include "core/trigger/asset_rules.hpp"
#include "core/trigger/event_rules.hpp"
#include "core/trigger/start_rules.hpp"
#include "core/trigger/trigger_logic.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal::test {

using param_list = std::vector<std::pair<std::string, std::string>>;

/// What a history reached, for who wonders whether the rules had anything to do.
struct trigger_figures {
  std::uint64_t events = 0, runs = 0, kills = 0, ticks = 0, joined = 0, expired = 0, held = 0, changes = 0;
};

class trigger_world {
public:
  explicit trigger_world(std::uint64_t seed);
  /// Throws std::runtime_error at the first rule that is broken.
  trigger_figures play();

private:
  struct killed {};
  struct intake {
    const trigger* of = nullptr;
    event_taken what;
    event_rules rules;
    param_list params;
    std::vector<std::string> chain;
    std::vector<event> with;
    bool refuses = false;
  };
  struct waiting {
    run_queued what;
    start_moments moments;
    duration queued{0}, joined_last{0}, due{0};
    bool cancels_live = false;
    const trigger* of = nullptr;
  };
  struct live {
    started_run kind;
    duration ends{0};
    bool cancelled = false;
  };

  // the journal
  void append(const event& e);
  void commit();
  /// As who waits for the disk: the supervisor may be killed before, and after.
  void append_durably(const std::vector<event>& events);
  // the supervisor
  void kill();
  void start();
  void load();
  void look();
  void look_at_schedule_of(const trigger& of);
  void look_at_assets_of(const trigger& of);
  void keep();
  void start_run(std::size_t place);
  void end_runs();
  bool take(std::vector<intake> all);
  void join(waiting& run, const intake& one, const param_list& params);
  [[nodiscard]] intake intake_of(const trigger& of, event_source source);
  [[nodiscard]] std::vector<open_trigger_run> open_runs(const intake& of) const;
  // what happens
  void step();
  void tell_by_hand();
  void pause_or_resume();
  void backfill();
  void take_off_the_queue();
  void change_assets(run_number run);
  void run_of_a_user();
  void drain();
  void check_the_end();

  [[nodiscard]] static std::string name_of(const trigger& of) { return std::string(pipeline_name) + "/" + of.name; }
  [[nodiscard]] const trigger_record* record_of_disk(const trigger& of) const;
  [[nodiscard]] const trigger* loaded(const std::string& name) const;
  [[nodiscard]] std::vector<started_run> live_now() const;
  void pass(duration span);

  dice dice_;
  trigger_case case_;
  trigger_books books_;
  trigger_figures figures_;

  timestamp wall_{std::chrono::seconds(1'790'000'000)};
  duration steady_{std::chrono::hours(5)};

  memory_tables disk_, now_;
  projector fold_{now_};
  std::vector<event> coming_; ///< appended, and not on disk
  std::vector<event> all_;    ///< on disk
  std::vector<std::uint64_t> to_acknowledge_;
  std::map<std::string, std::uint32_t> failures_; ///< as the events on disk say

  std::vector<trigger> files_;  ///< the definitions as they are on disk
  std::vector<trigger> loaded_; ///< as the supervisor has them
  bool up_ = false;
  start_rule_map rules_;
  start_ledger starts_;
  std::vector<waiting> queue_;
  std::map<run_number, live> live_;
  std::set<std::string> paused_ever_, changed_ever_;
  std::uint64_t last_event_ = 0;
  std::uint32_t last_run_ = 0;
  std::uint64_t versions_ = 0;
};

[[nodiscard]] trigger_figures simulate_triggers(std::uint64_t seed);

/// `every: 1s`, `catch_up: all`, 86,400 ticks with 1,000 restarts, each anywhere in a step. Throws unless each nominal
/// instant was taken in exactly once.
void simulate_a_day_of_seconds(std::uint64_t seed);

} // namespace troupe_internal::test
