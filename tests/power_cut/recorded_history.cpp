// Lives of a writer, each in a process of its own so that it can die at any call.
#include "recorded_history.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "base/check.hpp"
#include "disk_recorder.hpp"
#include "support/history.hpp"
#include "support/memory_journal_store.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

namespace troupe_internal::test {
namespace {

struct planned_commit {
  commit_kind kind = commit_kind::events;
  std::vector<event> events;
  run_number run;
  run_checkpoint checkpoint;
  std::uint32_t keep_runs = 0;
  std::uint64_t max_events = 0;
};

struct planned_life {
  troupe_internal::durability durability = troupe_internal::durability::pipelined;
  std::size_t commits = 0;         ///< at most, before it ends
  bool dies = false;               ///< there, without closing
  std::uint64_t calls_to_live = 0; ///< more than 0: it dies after so many calls, wherever that is
  bool keeps_snapshot = false;     ///< a reader holds on to old pages meanwhile
};

/// The same in every life and every repetition.
class fixed_clock final : public clock {
public:
  [[nodiscard]] timestamp now() const override { return from_unix_ns(1'790'000'000'000'000'000); }
  [[nodiscard]] duration monotonic() const override { return {}; }
  [[nodiscard]] std::uint64_t random() override { return 4711; }
};

class planner {
public:
  explicit planner(std::uint64_t seed) : random_(seed), history_(seed) {}

  std::vector<planned_commit> commits() {
    std::vector<planned_commit> all(30 + random_() % 90);
    const bool large = random_() % 4 == 0; // groups as a busy run makes them
    for (auto& one : all)
      one = next(large);
    return all;
  }

  std::vector<planned_life> lives(std::size_t commits, const history_options& options) {
    std::vector<planned_life> all(options.all_unsynced ? 1 : 1 + random_() % 5);
    const auto unsynced_in_10 = random_() % 3 == 0 ? 4U : 0U;
    for (auto& life : all) {
      life.durability = options.all_unsynced || random_() % 10 < unsynced_in_10 ? durability::none
                        : random_() % 2 == 0                                    ? durability::strict
                                                                                : durability::pipelined;
      life.commits = options.all_unsynced ? commits : 1 + random_() % (2 * commits / all.size());
      life.dies = options.all_unsynced || random_() % 2 == 0;
      if (!options.all_unsynced && random_() % 3 == 0)
        life.calls_to_live = 1 + random_() % (random_() % 2 == 0 ? 30 : 200); // the first 30 make the state
      life.keeps_snapshot = random_() % 4 == 0;
    }
    return all;
  }

private:
  planned_commit next(bool large) {
    planned_commit one;
    switch (random_() % 12) {
    case 0:
      if (const auto run = history_.open_run()) {
        one.kind = commit_kind::checkpoint;
        one.run = *run;
        one.checkpoint = {seq_, history_.checkpoint_of(*run)};
        return one;
      }
      one.events = history_.big_run(static_cast<std::uint32_t>(1 + random_() % 300)); // of which there may be one later
      break;
    case 1:
      one.kind = commit_kind::retention;
      one.keep_runs = static_cast<std::uint32_t>(random_() % 4);
      one.max_events = random_() % 60;
      return one;
    case 2:
      one.events = history_.reopen(random_() % 2 == 0);
      break;
    default:
      for (auto groups = large ? 1 + random_() % 12 : 1U; groups > 0; --groups)
        for (auto& e : history_.next_batch())
          one.events.push_back(std::move(e));
    }
    if (random_() % 12 == 0) // a record that fills pages of its own
      one.events.push_back(long_name());
    seq_ += one.events.size();
    return one;
  }
  /// Asset 0 always is there: the first events give it a name.
  static event long_name() { return asset_renamed{asset_id(0U), std::string(20'000, 'w'), {}}; }

  std::mt19937_64 random_;
  history_maker history_;
  std::uint64_t seq_ = 0;
};

result<void> perform(journal_store& store, const planned_commit& one) {
  switch (one.kind) {
  case commit_kind::checkpoint:
    return store.write_checkpoint(one.run, one.checkpoint);
  case commit_kind::retention:
    if (const auto done = store.retain(one.keep_runs, one.max_events); !done)
      return done.error();
    return {};
  case commit_kind::events:
    break;
  }
  if (const auto done = store.append(one.events); !done)
    return done.error();
  return {};
}

void require(const result<void>& done) {
  if (done)
    return;
  std::fprintf(stderr, "the history cannot be recorded: %s\n", done.error().message.c_str());
  std::_Exit(1);
}

/// One process; ends it. Goes on where the state says that the last one stopped.
[[noreturn]] void live(disk_log& log, const std::string& folder, const planned_life& life, std::size_t number,
                       const std::vector<planned_commit>& commits,
                       const std::vector<std::unique_ptr<journal_snapshot>>& expected, std::size_t done) {
  const auto note = [&](noted what, std::uint64_t n) { log.note(static_cast<std::uint64_t>(what), n); };
  record_disk(log, folder);
  pretend_boot("boot-of-the-recording");
  if (life.calls_to_live > 0)
    die_after_calls(life.calls_to_live);
  note(noted::life, number);
  const bool synced = life.durability != durability::none;
  if (!synced)
    note(noted::may_refuse, 1);
  fixed_clock clock;
  auto store = open_journal(folder + "/" + recorded_history::state_folder, {life.durability, 0}, clock);
  require(store ? result<void>() : result<void>(store.error()));
  auto held = (*store)->snapshot();
  require(held ? result<void>() : result<void>(held.error()));
  // The commit that was under way when the last life ended is there, or it is not.
  if (done < commits.size() && !difference(**held, *expected[done]).empty()) {
    TROUPE_CHECK(difference(**held, *expected[done + 1]).empty(), "a killed process leaves one commit or the next");
    ++done;
  }
  if (!life.keeps_snapshot)
    held->reset();
  if (synced) { // all before is on disk, the end of its having been unsynced as well
    note(noted::promised, done);
    note(noted::may_refuse, 0);
  }
  for (std::size_t i = 0; i < life.commits && done < commits.size(); ++i) {
    note(noted::made, static_cast<std::uint64_t>(commits[done].kind));
    note(noted::begun, done + 1);
    require(perform(**store, commits[done]));
    ++done;
    note(noted::returned, done);
    if (synced)
      note(noted::promised, done);
  }
  if (life.dies)
    std::_Exit(0);
  held->reset();
  store->reset();
  note(noted::promised, done);
  note(noted::may_refuse, 0);
  std::_Exit(0);
}

} // namespace

recorded_history::recorded_history(std::uint64_t seed, const std::string& folder, history_options options) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  planner plan(seed);
  const auto commits = plan.commits();
  const auto lives = plan.lives(commits.size(), options);
  memory_journal_store model;
  expected_.push_back(model.snapshot().value());
  for (const auto& one : commits) {
    require(perform(model, one));
    expected_.push_back(model.snapshot().value());
  }
  disk_log log;
  std::size_t done = 0;
  for (std::size_t number = 0; number < lives.size() && done < commits.size(); ++number) {
    const auto child = ::fork();
    TROUPE_CHECK(child >= 0, "no process left");
    if (child == 0)
      live(log, folder, lives[number], number, commits, expected_, done);
    int status = 0;
    ::waitpid(child, &status, 0);
    TROUPE_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a life that is recorded ends as planned");
    for (const auto& op : log.read())
      if (op.what == disk_op::kind::note && op.file == static_cast<std::uint64_t>(noted::returned))
        done = op.number;
  }
  ops_ = log.read();
  std::filesystem::remove_all(folder);
}

std::string difference(const journal_snapshot& got, const journal_snapshot& wanted) {
  auto info = got.info();
  info.id = wanted.info().id;
  info.writers = wanted.info().writers;
  if (!(info == wanted.info()))
    return "events " + std::to_string(info.first_seq) + " to " + std::to_string(info.last_seq) + " instead of " +
           std::to_string(wanted.info().first_seq) + " to " + std::to_string(wanted.info().last_seq) +
           ", or other facts of the whole state";
  std::string trouble;
  const auto differs = [&](const auto& read) {
    auto one = read(got);
    return !(one == read(wanted)) || !trouble.empty();
  };
  const auto must = [&](const result<void>& done) {
    if (!done && trouble.empty())
      trouble = done.error().message;
  };
  const auto keyed = [&](auto& into) {
    return [&](auto key, const auto& value) {
      into.emplace_back(key.value, value);
      return true;
    };
  };
  const auto said = [&](const char* what) { return trouble.empty() ? std::string(what) + " differ" : trouble; };
  if (differs([&](const journal_snapshot& s) {
        std::vector<std::pair<std::uint64_t, event>> all;
        must(s.visit_events(0, [&](std::uint64_t seq, const event& e) {
          all.emplace_back(seq, e);
          return true;
        }));
        return all;
      }))
    return said("events");
  if (differs([&](const journal_snapshot& s) {
        std::vector<std::pair<std::uint32_t, std::string>> all;
        must(s.visit_asset_names(keyed(all)));
        must(s.visit_paths(keyed(all)));
        return all;
      }))
    return said("names");
  if (differs([&](const journal_snapshot& s) {
        std::vector<std::pair<std::uint32_t, asset_record>> all;
        must(s.visit_assets(keyed(all)));
        return all;
      }))
    return said("records of assets");
  if (differs([&](const journal_snapshot& s) {
        std::vector<std::pair<std::uint32_t, file_record>> all;
        must(s.visit_files(keyed(all)));
        return all;
      }))
    return said("records of files");
  if (differs([&](const journal_snapshot& s) {
        std::vector<run_record> all;
        must(s.visit_runs_newest_first([&](const run_record& run) {
          all.push_back(run);
          return true;
        }));
        return all;
      }))
    return said("runs");
  if (differs([&](const journal_snapshot& s) {
        const auto open = s.open_attempts();
        must(open ? result<void>() : result<void>(open.error()));
        return open ? *open : std::vector<open_attempt>();
      }))
    return said("open attempts");
  for (std::uint32_t run = 1; run <= wanted.info().last_run.value; ++run)
    if (differs([&](const journal_snapshot& s) {
          const auto read = s.read_checkpoint(run_number(run));
          must(read ? result<void>() : result<void>(read.error()));
          return read && *read ? std::pair((*read)->seq, (*read)->bytes) : std::pair(std::uint64_t{0}, std::string());
        }))
      return said("checkpoints");
  return {};
}

} // namespace troupe_internal::test
