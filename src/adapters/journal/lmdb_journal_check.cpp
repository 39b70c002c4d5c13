// Page walk, record walk, replay, comparison.
#include "adapters/journal/lmdb_journal_check.hpp"

#include "adapters/journal/lmdb_open.hpp"
#include "adapters/journal/lmdb_pages.hpp"
#include "adapters/journal/lmdb_projection.hpp"
#include "adapters/journal/lmdb_snapshot.hpp"
#include "adapters/journal/value_files.hpp"
#include "adapters/state/state_folder.hpp"
#include "core/journal/memory_tables.hpp"
#include "core/run/run_order.hpp"

#include <map>
#include <optional>
#include <utility>

namespace troupe_internal {
namespace {

class verifier {
public:
  verifier(const lmdb_snapshot& snapshot, journal_verification& out) : snapshot_(snapshot), out_(out) {}

  void run() {
    const bool base_read = read_base();
    check_base_ids();
    check_base_definitions();
    check_base_triggers();
    read_texts();
    const bool replayed = base_read && replay();
    if (replayed)
      check_fates(lmdb_table::triggers);
    compare(lmdb_table::assets, replayed, replay_.assets, [](std::uint64_t key) { return asset_id(narrow(key)); });
    compare(lmdb_table::files, replayed, replay_.files, [](std::uint64_t key) { return path_id(narrow(key)); });
    compare(lmdb_table::runs, replayed, replay_.runs, [](std::uint64_t key) { return run_number(narrow(key)); });
    compare(lmdb_table::open_attempts, replayed, replay_.open_attempts,
            [](std::uint64_t key) { return std::pair(run_number(narrow(key >> 32U)), asset_id(narrow(key))); });
    compare(lmdb_table::queue, replayed, replay_.queue, [](std::uint64_t key) { return run_number(narrow(key)); });
    compare(lmdb_table::definitions, replayed, replay_.definitions, [](std::uint64_t key) { return key; });
    compare(lmdb_table::triggers, replayed, replay_.triggers, [](std::uint64_t key) { return key; });
    compare(lmdb_table::pending, replayed, replay_.pending, [](std::uint64_t key) { return key; });
    compare(lmdb_table::keys, replayed, replay_.keys, [](std::uint64_t key) { return key; });
    compare(lmdb_table::watched, replayed, replay_.watched, [](std::uint64_t key) { return key; });
    compare(lmdb_table::notices, replayed, replay_.notices, [](std::uint64_t key) { return key; });
    compare(lmdb_table::made, replayed, replay_.made, [](std::uint64_t key) { return path_id(narrow(key)); });
    compare_texts(lmdb_table::asset_names, replayed, live_names_.asset_names, replay_.asset_names,
                  replay_.state.asset_count);
    compare_texts(lmdb_table::paths, replayed, live_names_.paths, replay_.paths, replay_.state.path_count);
    compare_texts(lmdb_table::identities, replayed, live_names_.identities, replay_.identities, std::nullopt);
    check_checkpoints();
    if (replayed)
      compare_info();
    else
      problem("the projections were not compared with a replay, which the findings above make impossible");
  }

private:
  static std::uint32_t narrow(std::uint64_t key) { return static_cast<std::uint32_t>(key); }

  void problem(std::string what) {
    if (out_.problems.size() < journal_verification::problems_limit)
      out_.problems.push_back(std::move(what));
    else
      out_.complete = false;
  }

  /// Visits all records that can be read and lists those that cannot; true if there were none of these.
  template <class Visit>
  bool each_record(lmdb_table table, const Visit& visit) {
    lmdb_cursor cursor(snapshot_.access(), table);
    bool good = true;
    for (auto more = cursor.move(MDB_FIRST); !more || *more; more = cursor.move(MDB_NEXT)) {
      if (more) {
        good = visit(cursor.key(), cursor.content()) && good;
        continue;
      }
      good = false;
      problem(more.error().message);
      if (!cursor.at_record() || !out_.complete)
        break;
    }
    return good;
  }

  template <class T, class Visit>
  bool each_decoded(lmdb_table table, const Visit& visit) {
    T value;
    return each_record(table, [&](std::uint64_t key, std::string_view content) {
      if (const char* what = decode(content, value, snapshot_.access().layout())) {
        problem(record_name(table, key) + ": " + what);
        return false;
      }
      visit(key, value);
      return true;
    });
  }

  bool read_base() {
    bool good = each_decoded<asset_record>(lmdb_table::base_assets, [&](std::uint64_t key, const asset_record& record) {
      replay_.assets.emplace(narrow(key), record);
    });
    good = each_decoded<file_record>(
               lmdb_table::base_files,
               [&](std::uint64_t key, const file_record& record) { replay_.files.emplace(narrow(key), record); }) &&
           good;
    good = each_decoded<open_attempt>(lmdb_table::base_open_attempts,
                                      [&](std::uint64_t, const open_attempt& attempt) {
                                        replay_.open_attempts.emplace(std::pair(attempt.run, attempt.asset), attempt);
                                      }) &&
           good;
    good = each_decoded<made_record>(
               lmdb_table::base_made,
               [&](std::uint64_t key, const made_record& record) { replay_.made.emplace(narrow(key), record); }) &&
           good;
    good = each_decoded<run_queued>(
               lmdb_table::base_queue,
               [&](std::uint64_t key, const run_queued& queued) { replay_.queue.emplace(narrow(key), queued); }) &&
           good;
    good = each_decoded<definition_record>(lmdb_table::base_definitions,
                                           [&](std::uint64_t key, const definition_record& definition) {
                                             replay_.definitions.emplace(key, definition);
                                           }) &&
           good;
    good = read_table<trigger_record>(lmdb_table::base_triggers, replay_.triggers) && good;
    good = read_table<event_taken>(lmdb_table::base_pending, replay_.pending) && good;
    good = read_table<seen_key>(lmdb_table::base_keys, replay_.keys) && good;
    good = read_table<watched_record>(lmdb_table::base_watched, replay_.watched) && good;
    good = read_table<notice_taken>(lmdb_table::base_notices, replay_.notices) && good;
    replay_.state = snapshot_.base_info();
    if (snapshot_.info().first_seq != replay_.state.last_seq + 1) {
      problem("the base ends with event " + std::to_string(replay_.state.last_seq) +
              ", and the events begin with event " + std::to_string(snapshot_.info().first_seq));
      good = false;
    }
    return good;
  }

  template <class T>
  bool read_table(lmdb_table table, std::map<std::uint64_t, T>& into) {
    return each_decoded<T>(table, [&](std::uint64_t key, const T& record) { into.emplace(key, record); });
  }

  /// Each event that was taken in has one fate, or is pending.
  void check_fates(lmdb_table triggers) {
    std::map<std::string, std::uint64_t> pending;
    for (const auto& [event, what] : replay_.pending)
      ++pending[what.trigger];
    for (const auto& [key, record] : replay_.triggers) {
      auto fates = record.pending;
      for (const auto count : record.settled)
        fates += count;
      const auto waiting = pending.find(record.trigger);
      if (fates != record.taken || record.pending != (waiting == pending.end() ? 0 : waiting->second))
        problem(record_name(triggers, key) + " (" + record.trigger + ") counts " + std::to_string(record.taken) +
                " events, and fates of " + std::to_string(fates) + ", of which " + std::to_string(record.pending) +
                " are pending");
      if (waiting != pending.end())
        pending.erase(waiting);
    }
    for (const auto& [trigger, count] : pending)
      problem("events of a trigger that is not known are pending: " + trigger);
  }

  /// That records of triggers in the base lie where they belong.
  void check_base_triggers() {
    for (const auto& [key, record] : replay_.triggers)
      if (key != trigger_key(record.trigger))
        problem(record_name(lmdb_table::base_triggers, key) + " is of another trigger");
    for (const auto& [key, what] : replay_.pending)
      if (key != what.event || what.event > replay_.state.last_event)
        problem(record_name(lmdb_table::base_pending, key) + " is of another event, or of none");
    for (const auto& [key, seen] : replay_.keys)
      if (key != seen_key_key(seen.trigger, seen.key))
        problem(record_name(lmdb_table::base_keys, key) + " is of another key");
    for (const auto& [key, one] : replay_.watched)
      if (key != watched_key(one.trigger, one.file.path))
        problem(record_name(lmdb_table::base_watched, key) + " is of another file");
    for (const auto& [key, notice] : replay_.notices)
      if (key != notice.notice || notice.notice > replay_.state.last_notice)
        problem(record_name(lmdb_table::base_notices, key) + " is of another notice, or of none");
    check_fates(lmdb_table::base_triggers);
  }

  /// What the base holds no event makes, and no replay compares.
  void check_base_ids() {
    const auto& base = replay_.state;
    const auto asset = [&](lmdb_table table, std::uint64_t key, asset_id id) {
      if (id.value >= base.asset_count)
        problem(record_name(table, key) + " is of an asset that was never given out");
    };
    const auto path = [&](lmdb_table table, std::uint64_t key, path_id id) {
      if (id.value >= base.path_count)
        problem(record_name(table, key) + " is of a path that was never given out");
    };
    for (const auto& [id, record] : replay_.assets) {
      asset(lmdb_table::base_assets, id.value, id);
      if (!record.last)
        continue;
      const auto& from = record.last->made_from;
      for (const auto* files : {&from.inputs, &from.discovered, &record.last->made.outputs})
        for (const auto& file : *files)
          path(lmdb_table::base_assets, id.value, file.path);
      for (const auto& upstream : from.upstreams)
        asset(lmdb_table::base_assets, id.value, upstream.asset);
    }
    for (const auto& [id, record] : replay_.files)
      path(lmdb_table::base_files, id.value, id);
    for (const auto& [id, record] : replay_.made) {
      path(lmdb_table::base_made, id.value, id);
      asset(lmdb_table::base_made, id.value, record.asset);
    }
    for (const auto& [run, queued] : replay_.queue)
      if (queued.run != run || run > base.last_run)
        problem(record_name(lmdb_table::base_queue, run.value) + " is of a run that was never given a number");
    for (const auto& [key, attempt] : replay_.open_attempts)
      asset(lmdb_table::base_open_attempts, open_attempt_key(key.first, key.second), attempt.asset);
  }

  /// That the base holds those definitions which its records of assets name, and no others.
  void check_base_definitions() {
    std::map<digest, std::uint32_t> named;
    for (const auto& [id, record] : replay_.assets) {
      ++named[record.definition];
      if (record.last)
        ++named[record.last->definition];
    }
    named.erase(digest{});
    for (const auto& [key, definition] : replay_.definitions) {
      const auto found = named.find(definition.of);
      if (key != definition_key(definition.of) || (definition.has_text && digest_of(definition.text) != definition.of))
        problem(record_name(lmdb_table::base_definitions, key) + " is of another definition");
      else if (found == named.end() || found->second != definition.named_by)
        problem(record_name(lmdb_table::base_definitions, key) + " counts " + std::to_string(definition.named_by) +
                " names, and records of assets name it " + std::to_string(found == named.end() ? 0U : found->second) +
                " times");
      if (found != named.end())
        named.erase(found);
    }
    for (const auto& [of, times] : named)
      problem(record_name(lmdb_table::base_definitions, definition_key(of)) +
              " is missing, and records of assets name it");
  }

  /// Names that were given out in the base have no event any more: the table itself is all there is.
  void read_texts() {
    const auto read = [&](lmdb_table table, std::uint32_t base_count, auto& live, auto& replayed) {
      each_record(table, [&](std::uint64_t key, std::string_view text) {
        live.emplace_hint(live.end(), narrow(key), std::string(text));
        if (key < base_count)
          replayed.emplace_hint(replayed.end(), narrow(key), std::string(text));
        return true;
      });
    };
    read(lmdb_table::asset_names, replay_.state.asset_count, live_names_.asset_names, replay_.asset_names);
    read(lmdb_table::paths, replay_.state.path_count, live_names_.paths, replay_.paths);
    read(lmdb_table::identities, replay_.state.asset_count, live_names_.identities, replay_.identities);
  }

  [[nodiscard]] run_order order_of_runs() const {
    return {[this](run_number run) {
              const auto record = snapshot_.read_run(run);
              return record && *record ? (*record)->last_seq : 0;
            },
            [this](run_number run) -> std::optional<run_order::kept_state> {
              auto kept = snapshot_.read_checkpoint(run);
              if (!kept || !*kept)
                return std::nullopt;
              return std::pair((*kept)->seq, std::move((*kept)->bytes));
            }};
  }

  bool replay() {
    projector fold(replay_);
    auto runs = order_of_runs();
    auto next = snapshot_.info().first_seq;
    bool folding = true;
    const bool good = each_record(lmdb_table::events, [&](std::uint64_t key, std::string_view content) {
      bool whole = key == next;
      if (!whole)
        problem("events " + std::to_string(next) + " to " + std::to_string(key - 1) + " are missing");
      next = key;
      for (event_decoder decoder(content); !decoder.done(); ++next) {
        const auto e = decoder.next();
        if (!e) {
          problem(record_name(lmdb_table::events, next) + ": " + e.error().message);
          return false;
        }
        ++out_.events;
        folding = folding && whole;
        if (!folding)
          continue;
        if (auto done = fold.apply(next, *e); !done) {
          problem(done.error().message);
          folding = false;
        } else if (auto impossible = runs.take(next, *e, replay_.state.asset_count); !impossible.empty()) {
          problem(record_name(lmdb_table::events, next) + ": " + impossible);
        }
      }
      return whole;
    });
    if (good && folding) {
      runs.finish();
      for (const auto run : runs.wrong_checkpoints())
        problem(record_name(lmdb_table::checkpoints, run.value) + " is not what the events up to it make");
    }
    if (good && next != snapshot_.info().last_seq + 1) {
      problem("the events end with event " + std::to_string(next - 1) + ", and the state says event " +
              std::to_string(snapshot_.info().last_seq) + " is the last");
      return false;
    }
    return good && folding;
  }

  template <class Map, class ToKey>
  void compare(lmdb_table table, bool replayed, const Map& wanted, const ToKey& to_key) {
    auto at = wanted.begin();
    each_decoded<typename Map::mapped_type>(table, [&](std::uint64_t key, const auto& record) {
      if (!replayed)
        return;
      for (; at != wanted.end() && at->first < to_key(key); ++at)
        missing(table, at->first);
      if (at == wanted.end() || at->first != to_key(key))
        problem(record_name(table, key) + " is there, and after a replay it is not");
      else if (!is_same((at++)->second, record))
        problem(record_name(table, key) + " differs from what a replay makes");
    });
    for (; replayed && at != wanted.end(); ++at)
      missing(table, at->first);
  }
  template <class Record>
  static bool is_same(const Record& wanted, const Record& found) {
    return wanted == found;
  }
  /// Format 1 does not keep when a data version changed, and a journal that was migrated from it does not either, until
  /// it changes again.
  static bool is_same(asset_record wanted, const asset_record& found) {
    if (found.changed_seq == 0) {
      wanted.changed_seq = 0;
      wanted.changed_run = {};
      wanted.changed_at = {};
    }
    return wanted == found;
  }
  template <class Tag>
  void missing(lmdb_table table, strong_id<Tag> id) {
    problem(record_name(table, id.value) + " is missing, or cannot be read");
  }
  void missing(lmdb_table table, std::uint64_t key) {
    problem(record_name(table, key) + " is missing, or cannot be read");
  }
  void missing(lmdb_table table, std::pair<run_number, asset_id> key) {
    problem(record_name(table, open_attempt_key(key.first, key.second)) + " is missing, or cannot be read");
  }

  /// `count`: how many there must be, where every id has one.
  template <class Map>
  void compare_texts(lmdb_table table, bool replayed, const Map& live, const Map& wanted,
                     std::optional<std::size_t> count) {
    if (replayed && (live != wanted || (count && live.size() != *count)))
      problem("the table " + std::string(table_name(table)) + " differs from what a replay makes");
  }

  void check_checkpoints() {
    each_record(lmdb_table::checkpoints, [&](std::uint64_t key, std::string_view) {
      const auto run = run_number(narrow(key));
      const auto checkpoint = snapshot_.read_checkpoint(run);
      if (!checkpoint)
        problem(checkpoint.error().message);
      else if (*checkpoint && (*checkpoint)->seq > snapshot_.info().last_seq)
        problem(record_name(lmdb_table::checkpoints, key) + " is of an event that there is not");
      return true;
    });
  }

  void compare_info() {
    auto wanted = replay_.state;
    wanted.first_seq = snapshot_.info().first_seq;
    if (!(snapshot_.info() == wanted))
      problem(record_name(lmdb_table::meta, 0) + " differs from what a replay makes");
  }

  const lmdb_snapshot& snapshot_;
  journal_verification& out_;
  memory_tables replay_;
  memory_tables live_names_;
};

/// Reads the values that records of assets name, and that are files.
void check_values(const lmdb_snapshot& snapshot, const std::shared_ptr<lmdb_env>& env, const state_dir::handle& dir,
                  journal_verification& out) {
  const value_files values(dir);
  std::vector<std::pair<asset_id, std::string>> found;
  const auto visited = snapshot.visit_assets([&](asset_id asset, const asset_record& record) {
    if (record.last && record.last->made.value.in_file())
      if (const auto whole = values.check(record.last->made.value); !whole)
        found.emplace_back(asset, whole.error().message);
    return true;
  });
  if (!visited) // the record was reported
    out.complete = false;
  if (found.empty())
    return;
  const auto now = lmdb_snapshot::take(env); // a writer may have made it again since then
  for (auto& [asset, why] : found) {
    asset_record was;
    asset_record is;
    const auto read_before = snapshot.read_asset(asset, was);
    const auto read_now = now ? (*now)->read_asset(asset, is) : result<bool>(now.error());
    if (read_before && read_now && is.last && was.last && is.last->made.value != was.last->made.value)
      continue;
    if (out.problems.size() < journal_verification::problems_limit)
      out.problems.push_back("the value of asset " + std::to_string(asset.value) + ": " + why +
                             ". The next run makes it again");
    else
      out.complete = false;
  }
}

} // namespace

result<journal_verification> verify_journal(const std::string& folder) {
  journal_verification out;
  const auto only = [&](std::string problem) {
    out.problems.push_back(std::move(problem));
    out.complete = false;
    return out;
  };
  const auto dir = state_dir::open(folder);
  if (!dir)
    return dir.error();
  if (auto may = may_read_journal(**dir); !may)
    return may.error().code == error_code::not_found && (*dir)->holds_other_things()
               ? fail(error_code::state_unusable, folder + " is no state: it holds other files, and no journal.mdb")
               : may.error();
  auto file = lmdb_file::open(**dir, journal_file);
  if (!file)
    return file.error();
  if (auto problem = lmdb_file_problem(*file, folder); !problem || !problem->empty())
    return problem ? only(*problem) : result<journal_verification>(problem.error());
  // What LMDB would trip over is looked for before LMDB is let loose on it.
  bool inspected = false;
  const auto inspect = [&](lmdb_file& opened, const lmdb_meta& version) {
    inspected = true;
    for (auto& finding : walk_lmdb_pages(opened, version).findings)
      out.problems.push_back(std::move(finding.what));
    return out.problems.empty() ? std::string() : out.problems.front();
  };
  auto env = open_journal_to_read(*dir, inspect);
  if (!out.problems.empty()) {
    out.complete = false;
    return out;
  }
  if (!env)
    return env.error();
  auto snapshot = lmdb_snapshot::take(*env);
  if (!snapshot)
    return only(snapshot.error().message);
  if (!inspected) // this process had it open already
    if (auto sound = (*snapshot)->inspect_events_from(0); !sound)
      return only(sound.error().message);
  verifier(**snapshot, out).run();
  check_values(**snapshot, *env, *dir, out);
  return out;
}

} // namespace troupe_internal
