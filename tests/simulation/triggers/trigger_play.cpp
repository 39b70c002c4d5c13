// What happens to the world, and what has to be true at its end.
#include "trigger_world.hpp"

#include "../require.hpp"
#include "core/model/run_record.hpp"

#include <algorithm>

namespace troupe_internal::test {

using namespace std::chrono_literals;

void trigger_world::pass(duration span) {
  wall_ += span;
  steady_ += span;
}

void trigger_world::tell_by_hand() {
  const auto& of = loaded_[dice_.below(loaded_.size())];
  const auto* record = record_of_disk(of);
  if (record == nullptr)
    return;
  const bool is_manual = std::holds_alternative<manual_source>(of.source);
  const bool fires = !is_manual || dice_.one_in(4);
  if (!fires && (!of.enabled || record->paused_at))
    return;
  auto one = intake_of(of, fires ? event_source::fire : event_source::manual);
  one.refuses = true;
  if (fires) {
    one.rules.quiet = duration::zero();
    one.rules.unthrottled = true;
    one.rules.apart = dice_.one_in(3);
  }
  static_cast<void>(take({std::move(one)}));
}

void trigger_world::pause_or_resume() {
  const auto& of = loaded_[dice_.below(loaded_.size())];
  const auto* record = record_of_disk(of);
  if (record == nullptr)
    return;
  if (record->paused_at)
    return append_durably({trigger_resumed{name_of(of), wall_, {}}});
  if (case_.calm)
    return;
  paused_ever_.insert(of.name);
  std::vector<event> events;
  if (of.enabled)
    if (const auto gap = ticks_left_behind(of, *record, wall_))
      events.emplace_back(ticks_missed{name_of(of), wall_, gap->first, gap->last, gap->count});
  events.emplace_back(trigger_paused{name_of(of), wall_, {}, {}});
  append_durably(events);
}

void trigger_world::backfill() {
  const auto& of = loaded_[dice_.below(loaded_.size())];
  const auto* record = record_of_disk(of);
  if (record == nullptr || of.schedule() == nullptr || case_.calm)
    return;
  const bool again = dice_.one_in(3);
  const auto until = wall_ - std::chrono::seconds(dice_.below(600));
  const auto plan = plan_backfill(of, *record, until - std::chrono::seconds(dice_.below(60)), until, again);
  std::vector<intake> all;
  for (const auto& tick : plan.ticks) {
    auto one = intake_of(of, event_source::backfill);
    one.what.nominal = tick.nominal;
    if (!again)
      one.what.after = tick.after;
    one.rules = {};
    one.rules.unthrottled = one.rules.apart = true;
    one.refuses = true;
    all.push_back(std::move(one));
  }
  if (!all.empty())
    static_cast<void>(take(std::move(all)));
}

void trigger_world::take_off_the_queue() {
  if (queue_.empty())
    return;
  const auto place = static_cast<std::ptrdiff_t>(dice_.below(queue_.size()));
  if (dice_.one_in(2)) {
    auto& run = queue_[static_cast<std::size_t>(place)].what;
    run.priority = static_cast<std::int32_t>(dice_.below(5));
    return append(run);
  }
  append(run_dequeued{queue_[static_cast<std::size_t>(place)].what.run, wall_, dequeue_reason::cancelled, {}});
  queue_.erase(queue_.begin() + place);
}

void trigger_world::run_of_a_user() {
  run_started start{run_number(++last_run_), {}, wall_, pipeline_name};
  append(start);
  change_assets(start.run);
  append(run_finished{start.run, wall_, run_status::succeeded, {}});
}

void trigger_world::step() {
  pass(dice_.span());
  if (!case_.calm && dice_.one_in(25)) {
    const auto jump = std::chrono::seconds(dice_.below(dice_.one_in(5) ? 90'000 : 300));
    wall_ = dice_.one_in(2) ? wall_ + jump : wall_ - jump;
  }
  if (!up_) {
    if (dice_.one_in(3)) { // `troupe run`, while no supervisor is there
      last_run_ = now_.state.last_run.value;
      run_of_a_user();
      commit();
    }
    return start();
  }
  if (case_.kills && dice_.one_in(30))
    throw killed();
  end_runs();
  switch (dice_.below(12)) {
  case 0:
  case 1:
  case 2:
    tell_by_hand();
    break;
  case 3:
    pause_or_resume();
    break;
  case 4:
    if (!case_.calm) {
      auto& of = files_[dice_.below(files_.size())];
      changed_ever_.insert(of.name);
      of = changed_trigger(dice_, of);
      load();
    }
    break;
  case 5:
    backfill();
    break;
  case 6:
    take_off_the_queue();
    break;
  case 7:
    run_of_a_user();
    break;
  case 8:
    load(); // and nothing has changed
    break;
  default:
    commit();
  }
  keep();
  look();
  keep();
}

trigger_figures trigger_world::play() {
  for (std::uint32_t i = 0; i < case_.steps; ++i)
    try {
      step();
    } catch (const killed&) {
      kill();
    }
  case_.kills = false;
  if (!up_)
    start();
  drain();
  check_the_end();
  return figures_;
}

void trigger_world::drain() {
  for (int i = 0; i < 20'000 && (!queue_.empty() || !live_.empty()); ++i) {
    pass(2s);
    end_runs();
    keep();
    commit();
  }
  commit();
  books_.all_settled();
  require(queue_.empty(), "(10) a run waits for ever");
}

void trigger_world::check_the_end() {
  memory_tables anew;
  projector again(anew);
  std::uint64_t seq = 0;
  for (const auto& e : all_)
    require(again.apply(++seq, e).has_value(), "(15) a replay refuses what was appended");
  require(anew.triggers == disk_.triggers && anew.queue == disk_.queue && anew.pending == disk_.pending,
          "(15) a replay finds other records");
  for (const auto& of : loaded_) {
    const auto* record = record_of_disk(of);
    if (record == nullptr || paused_ever_.contains(of.name) || changed_ever_.contains(of.name))
      continue;
    if (const auto* schedule = of.schedule()) {
      timestamp first;
      for (const auto& e : all_)
        if (const auto* change = std::get_if<trigger_changed>(&e);
            change != nullptr && change->trigger == name_of(of)) {
          first = change->at;
          break;
        }
      std::uint64_t fired = 0;
      for (const auto tick : books_.ticks(name_of(of)))
        fired += tick > first && tick <= record->mark ? 1U : 0U;
      if (case_.calm)
        require(schedule->count(first, record->mark) == fired + books_.missed(name_of(of)),
                "(16) a tick neither fired nor was missed, or did both");
    }
  }
}

void simulate_a_day_of_seconds(std::uint64_t seed) {
  constexpr int ticks = 86'400;
  constexpr int restarts = 1000;
  dice with(seed);
  trigger of;
  of.name = "often";
  schedule_source schedule;
  schedule.ticks = interval_schedule{1s, 0s};
  schedule.zone = time_zone::utc();
  of.source = schedule;
  of.catch_up = catch_up_rule::all;
  of.catch_up_max = ticks;
  const std::string name = "p/often";
  memory_tables disk;
  memory_tables now;
  projector fold(now);
  std::set<timestamp> fired;
  const auto append = [&](const troupe_internal::event& e) {
    const auto done = fold.apply(now.state.last_seq + 1, e);
    require(done.has_value(), "(0) " + (done ? std::string() : done.error().message));
  };
  const timestamp begin{std::chrono::seconds(1'790'000'000)};
  append(trigger_changed{name, begin, definition_of(of)});
  disk = now;
  std::set<std::uint64_t> kills; // by tick
  while (kills.size() < restarts)
    kills.insert(with.below(ticks));
  auto wall = begin;
  std::uint64_t done = 0;
  while (done < ticks) {
    wall = std::max(wall, begin + std::chrono::seconds(done + 1)) + std::chrono::milliseconds(with.below(3000));
    const auto found = look_at_schedule(of, disk.triggers.at(trigger_key(name)), wall);
    require(!found.missed && !found.forget, "(16) a tick is missed though all are to be made up for");
    for (const auto& tick : found.due) {
      event_taken taken;
      taken.event = disk.state.last_event + 1;
      taken.trigger = name;
      taken.at = wall;
      taken.nominal = tick.nominal;
      taken.after = tick.after;
      append(taken);
      append(event_settled{taken.event, wall, event_fate::skipped, {}, {}});
      if (kills.erase(done) > 0) {
        if (with.one_in(2)) { // before it was on disk
          now = disk;
          wall += std::chrono::seconds(with.below(90)); // nobody is there for so long
          break;
        }
        disk = now;
        require(fired.insert(tick.nominal).second, "(2) a tick fires twice");
        ++done;
        wall += std::chrono::seconds(with.below(90));
        break;
      }
      disk = now;
      require(fired.insert(tick.nominal).second, "(2) a tick fires twice");
      if (++done == ticks)
        break;
    }
  }
  require(kills.empty() && fired.size() == ticks && *fired.begin() == begin + 1s &&
              *fired.rbegin() == begin + std::chrono::seconds(ticks),
          "(16) not each of the ticks has fired");
}

} // namespace troupe_internal::test
