// Reads what is needed of the old file page by page, folds it into a new one.
#include "adapters/journal/lmdb_draft.hpp"
#include "adapters/journal/lmdb_journal_check.hpp"
#include "adapters/journal/lmdb_open.hpp"
#include "adapters/journal/lmdb_origin.hpp"
#include "adapters/journal/lmdb_pages.hpp"
#include "adapters/journal/lmdb_projection.hpp"
#include "adapters/journal/lmdb_remake.hpp"
#include "adapters/journal/state_lock.hpp"
#include "adapters/process/own_identity.hpp"
#include "core/run/run_order.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace troupe_internal {
namespace {

std::uint64_t key_number(std::string_view key) {
  std::uint64_t number = 0;
  std::memcpy(&number, key.data(), std::min(key.size(), sizeof number)); // narrow ones are of the same byte order
  return number;
}

/// What is in the old file, whatever state it is in.
class old_journal {
public:
  [[nodiscard]] static result<old_journal> open(const state_dir& dir) {
    const auto& folder = dir.path();
    auto file = lmdb_file::open(dir, journal_file);
    if (!file)
      return file.error();
    old_journal old(folder, std::move(*file));
    const auto metas = old.file_.metas();
    old.in_doubt_ = !lmdb_metas_problem(metas).empty();
    std::tuple<std::uint64_t, std::uint64_t, std::uint64_t> best;
    for (const auto& version : metas) {
      if (!version)
        continue;
      const auto tried = std::exchange(old.version_, version);
      // Where the first pages do not say which is the newest, what they lead to does.
      const auto rank = old.in_doubt_ ? std::tuple(old.last_event(), old.freed_last(), version->txn_id)
                                      : std::tuple(std::uint64_t{0}, std::uint64_t{0}, version->txn_id);
      if (tried && rank <= best)
        old.version_ = tried;
      else
        best = rank;
    }
    if (old.version_)
      old.layout_ = old.format() - 1;
    if (!old.version_)
      return fail(error_code::state_unusable,
                  "state " + folder + ": neither of the first two pages of its journal is whole");
    return old;
  }
  /// Whether it is of a format that does not note who may write.
  [[nodiscard]] bool has_no_note() const { return layout_ == 0; }
  /// Whether the file may have held a newer version, to which nothing leads any more.
  [[nodiscard]] bool has(lmdb_table table) const {
    return static_cast<std::size_t>(table) < lmdb_tables_of(layout_ + 1);
  }
  [[nodiscard]] bool in_doubt() const { return in_doubt_; }

  /// Visits the sound records of a table: (key, content). Returns what is wrong with it or with any record that
  /// `wanted` (of a key) asks for.
  template <class Visit>
  std::vector<std::string> read(lmdb_table table, const Visit& visit) {
    std::vector<std::string> problems;
    bool there = false;
    lmdb_walk how;
    how.only_table = table_name(table);
    how.visit = [&](std::string_view, std::string_view key, std::string_view stored) {
      there = true;
      if (auto problem = stored_record_problem(table_name(table), key, stored); !problem.empty())
        problems.push_back(std::move(problem));
      else if (stored.size() >= check_value_bytes)
        visit(key, stored.substr(check_value_bytes));
      return true;
    };
    auto walked = walk_lmdb_pages(file_, *version_, how);
    for (auto& finding : walked.findings)
      problems.push_back(std::move(finding.what));
    if (!there && !walked.found_table)
      problems.push_back(std::string("the table \"") + table_name(table) + "\" is missing");
    return problems;
  }
  template <class T, class Visit>
  std::vector<std::string> read_decoded(lmdb_table table, const Visit& visit) {
    T value;
    std::vector<std::string> undecoded;
    auto problems = read(table, [&](std::string_view key, std::string_view content) {
      if (const char* problem = decode(content, value, layout_))
        undecoded.push_back(record_name(table, key_number(key)) + ": " + problem);
      else
        visit(key_number(key), value);
    });
    problems.insert(problems.end(), undecoded.begin(), undecoded.end());
    return problems;
  }
  /// The state's facts and the base's; each absent if it is damaged.
  void read_info(std::optional<state_info>& state, std::optional<state_info>& base) {
    static_cast<void>(read(lmdb_table::meta, [&](std::string_view key, std::string_view content) {
      state_info info;
      if (decode(content, info, layout_) == nullptr)
        (key == "state" ? state : base) = info;
    }));
  }
  [[nodiscard]] std::uint64_t bytes() const { return file_.bytes(); }
  [[nodiscard]] const std::string& folder() const { return folder_; }

private:
  old_journal(std::string folder, lmdb_file file) : folder_(std::move(folder)), file_(std::move(file)) {}
  /// The newest one if the record of it is damaged.
  std::uint32_t format() {
    std::uint32_t found = journal_format;
    lmdb_walk how;
    how.only_table = table_name(lmdb_table::meta);
    how.visit = [&](std::string_view, std::string_view key, std::string_view stored) {
      std::uint32_t number = 0;
      if (key == "format" && stored.size() == sizeof number) {
        std::memcpy(&number, stored.data(), sizeof number);
        found = number >= oldest_journal_format && number <= journal_format ? number : journal_format;
      }
      return true;
    };
    static_cast<void>(walk_lmdb_pages(file_, *version_, how));
    return found;
  }
  std::uint64_t last_event() {
    std::uint64_t last = 0;
    static_cast<void>(read(lmdb_table::events, [&](std::string_view key, std::string_view content) {
      last = key_number(key);
      for (event_decoder decoder(content); !decoder.done() && decoder.next(); ++last) {
      }
    }));
    return last;
  }
  std::uint64_t freed_last() {
    lmdb_walk how;
    how.sparse_table = table_name(lmdb_table::events);
    return walk_lmdb_pages(file_, *version_, how).newest_freeing;
  }

  std::string folder_;
  lmdb_file file_;
  std::optional<lmdb_meta> version_;
  unsigned layout_ = newest_layout;
  bool in_doubt_ = false;
};

error cannot_rebuild(const std::string& folder, const std::string& finding) {
  return fail(
      error_code::state_unusable,
      "state " + folder +
          ": its projections cannot be made again, because what they are made from is damaged: " + finding +
          "; nothing was changed. `troupe journal rebuild --drop-history` keeps what the projections say (so that "
          "what is fresh stays fresh) and gives the history up. Or restore " +
          folder +
          "/journal.mdb from a copy, or remove it to start anew (the history is lost and everything runs once "
          "more)");
}

/// Puts records one after the other, ending transactions as they grow.
class record_copy {
public:
  explicit record_copy(lmdb_draft& to) : to_(to) {}
  template <class T>
  void write(lmdb_table table, std::uint64_t key, const T& value) {
    if (done_)
      done_ = to_.access().write(table, key, value);
    settle();
  }
  void text(lmdb_table table, std::uint64_t key, std::string_view text) {
    if (done_) {
      to_.access().start_record() += text;
      done_ = to_.access().put(table, key, MDB_APPEND);
    }
    settle();
  }
  [[nodiscard]] const result<void>& done() const { return done_; }

private:
  void settle() {
    if (!done_)
      return;
    if (auto breathed = to_.breathe(); !breathed)
      done_ = breathed.error();
  }
  lmdb_draft& to_;
  result<void> done_;
};

std::uint64_t checkpoint_seq(std::string_view content) {
  std::uint64_t seq = 0;
  for (unsigned i = 0; i < sizeof seq; ++i)
    seq |= std::uint64_t{static_cast<unsigned char>(content[i])} << 8U * i;
  return seq;
}

/// From base and events.
class refold {
public:
  refold(old_journal& from, lmdb_draft& to, const state_info& base) : from_(from), to_(to), base_(base), copy_(to) {}

  /// Runs whose checkpoints are what the events make; after run().
  [[nodiscard]] const std::set<run_number>& sound_checkpoints() const { return runs_.sound_checkpoints(); }

  /// The state's facts afterwards.
  [[nodiscard]] result<state_info> run() {
    std::vector<std::string> problems;
    const auto add = [&](std::vector<std::string> more) { problems.insert(problems.end(), more.begin(), more.end()); };
    add(from_.read_decoded<asset_record>(lmdb_table::base_assets, [&](std::uint64_t key, const asset_record& r) {
      copy_.write(lmdb_table::base_assets, key, r);
      copy_.write(lmdb_table::assets, key, r);
    }));
    add(from_.read_decoded<file_record>(lmdb_table::base_files, [&](std::uint64_t key, const file_record& r) {
      copy_.write(lmdb_table::base_files, key, r);
      copy_.write(lmdb_table::files, key, r);
    }));
    add(from_.read_decoded<open_attempt>(lmdb_table::base_open_attempts, [&](std::uint64_t key, const open_attempt& r) {
      copy_.write(lmdb_table::base_open_attempts, key, r);
      copy_.write(lmdb_table::open_attempts, key, r);
    }));
    if (from_.has(lmdb_table::base_made)) {
      add(from_.read_decoded<made_record>(lmdb_table::base_made, [&](std::uint64_t key, const made_record& r) {
        copy_.write(lmdb_table::base_made, key, r);
        copy_.write(lmdb_table::made, key, r);
      }));
      add(from_.read_decoded<run_queued>(lmdb_table::base_queue, [&](std::uint64_t key, const run_queued& r) {
        copy_.write(lmdb_table::base_queue, key, r);
        copy_.write(lmdb_table::queue, key, r);
      }));
      add(from_.read_decoded<definition_record>(lmdb_table::base_definitions,
                                                [&](std::uint64_t key, const definition_record& r) {
                                                  copy_.write(lmdb_table::base_definitions, key, r);
                                                  copy_.write(lmdb_table::definitions, key, r);
                                                }));
      copy_base<trigger_record>(lmdb_table::base_triggers, lmdb_table::triggers, problems);
      copy_base<event_taken>(lmdb_table::base_pending, lmdb_table::pending, problems);
      copy_base<seen_key>(lmdb_table::base_keys, lmdb_table::keys, problems);
      copy_base<watched_record>(lmdb_table::base_watched, lmdb_table::watched, problems);
      copy_base<notice_taken>(lmdb_table::base_notices, lmdb_table::notices, problems);
      add(from_.read(lmdb_table::identities, [&](std::string_view key, std::string_view text) {
        if (key_number(key) < base_.asset_count)
          copy_.text(lmdb_table::identities, key_number(key), text);
      }));
    }
    names(lmdb_table::asset_names, base_.asset_count, problems);
    names(lmdb_table::paths, base_.path_count, problems);
    if (!problems.empty())
      return cannot_rebuild(from_.folder(), problems.front());
    if (!copy_.done())
      return copy_.done().error();
    return fold();
  }

private:
  template <class T>
  void copy_base(lmdb_table base, lmdb_table live, std::vector<std::string>& problems) {
    const auto found = from_.read_decoded<T>(base, [&](std::uint64_t key, const T& r) {
      copy_.write(base, key, r);
      copy_.write(live, key, r);
    });
    problems.insert(problems.end(), found.begin(), found.end());
  }

  /// Those of the base have no events any more: the table is all there is of them. The others come with the events.
  void names(lmdb_table table, std::uint32_t count, std::vector<std::string>& problems) {
    std::uint32_t next = 0;
    const auto found = from_.read(table, [&](std::string_view key, std::string_view text) {
      if (key_number(key) != next || next >= count)
        return;
      copy_.text(table, next++, text);
    });
    if (next != count)
      problems.push_back(found.empty() ? record_name(table, next) + " is missing" : found.front());
  }

  result<state_info> fold() {
    auto info = base_;
    info.first_seq = base_.last_seq + 1;
    auto live = std::make_unique<lmdb_projection>(to_.access(), lmdb_projection::side::live, info);
    auto fold = std::make_unique<projector>(*live);
    result<void> done;
    auto next = info.first_seq;
    const auto apply = [&](const event& e) -> result<void> {
      if (auto applied = fold->apply(next, e); !applied)
        return applied;
      if (auto added = to_.add_event(next, e); !added)
        return added;
      ++next;
      if (next % events_between_flushes != 0)
        return {};
      if (auto flushed = live->flush(); !flushed)
        return flushed;
      info = live->info();
      if (auto breathed = to_.breathe(); !breathed)
        return breathed.error();
      live = std::make_unique<lmdb_projection>(to_.access(), lmdb_projection::side::live, info);
      fold = std::make_unique<projector>(*live);
      return {};
    };
    look_ahead();
    std::string finding;
    const auto problems = from_.read(lmdb_table::events, [&](std::string_view key, std::string_view content) {
      if (!done || !finding.empty())
        return;
      if (key_number(key) != next) {
        finding = record_name(lmdb_table::events, next) + ": it is missing";
        return;
      }
      for (event_decoder decoder(content); done && finding.empty() && !decoder.done();) {
        const auto e = decoder.next();
        if (!e)
          finding = record_name(lmdb_table::events, next) + ": " + e.error().message;
        else if (done = apply(*e); done)
          if (auto impossible = runs_.take(next - 1, *e, live->info().asset_count); !impossible.empty())
            finding = record_name(lmdb_table::events, next - 1) + ": " + impossible;
      }
    });
    if (!problems.empty() || !finding.empty())
      return cannot_rebuild(from_.folder(), problems.empty() ? finding : problems.front());
    if (!done)
      return done.error().code == error_code::internal ? cannot_rebuild(from_.folder(), done.error().message)
                                                       : done.error();
    runs_.finish();
    if (auto finished = to_.finish_events(); !finished)
      return finished.error();
    if (auto flushed = live->flush(); !flushed)
      return flushed.error();
    return live->info();
  }

  /// The last event of each run, and the checkpoints. What cannot be read is told by who reads it next.
  void look_ahead() {
    static_cast<void>(from_.read(lmdb_table::events, [&](std::string_view key, std::string_view content) {
      auto seq = key_number(key);
      for (event_decoder decoder(content); !decoder.done(); ++seq)
        if (const auto e = decoder.next())
          std::visit(
              [&](const auto& it) {
                if constexpr (requires { it.run; })
                  last_[it.run] = seq;
              },
              *e);
    }));
    static_cast<void>(from_.read(lmdb_table::checkpoints, [&](std::string_view key, std::string_view content) {
      if (content.size() >= sizeof(std::uint64_t))
        kept_[run_number(static_cast<std::uint32_t>(key_number(key)))] =
            std::pair(checkpoint_seq(content), std::string(content.substr(sizeof(std::uint64_t))));
    }));
  }

  static constexpr std::uint64_t events_between_flushes = 1'000;
  std::map<run_number, std::uint64_t> last_;
  std::map<run_number, run_order::kept_state> kept_;
  run_order runs_{[this](run_number run) { return last_[run]; },
                  [this](run_number run) -> std::optional<run_order::kept_state> {
                    const auto found = kept_.find(run);
                    return found == kept_.end() ? std::nullopt : std::optional(found->second);
                  }};
  old_journal& from_;
  lmdb_draft& to_;
  const state_info& base_;
  record_copy copy_;
};

/// They save time and nothing else: one that is damaged, or of no run that is open, is left out.
result<void> copy_checkpoints(old_journal& from, lmdb_draft& to, const std::set<run_number>& sound) {
  result<void> done;
  static_cast<void>(from.read(lmdb_table::checkpoints, [&](std::string_view key, std::string_view content) {
    const run_number number(static_cast<std::uint32_t>(key_number(key)));
    run_record run;
    const auto found = to.access().read(lmdb_table::runs, number.value, run);
    if (!done || !found || !*found || run.finished_at || !sound.contains(number))
      return;
    to.access().start_record() += content;
    done = to.access().put(lmdb_table::checkpoints, number.value);
  }));
  return done;
}

/// What triggers have fired is kept as it is. Where the pending events of one do not fit its counts any more, because
/// a record is lost, the counts are put right: an event without a record has no fate that anybody could tell.
void keep_triggers(old_journal& from, record_copy& to, std::vector<std::string>& lost) {
  const auto add = [&](std::vector<std::string> more) { lost.insert(lost.end(), more.begin(), more.end()); };
  std::map<std::string, trigger_record> known;
  add(from.read_decoded<trigger_record>(lmdb_table::triggers, [&](std::uint64_t, const trigger_record& r) {
    auto& kept = known[r.trigger] = r;
    kept.pending = 0;
  }));
  add(from.read_decoded<event_taken>(lmdb_table::pending, [&](std::uint64_t, const event_taken& e) {
    const auto of = known.find(e.trigger);
    if (of == known.end())
      return;
    ++of->second.pending;
    to.write(lmdb_table::base_pending, e.event, e);
    to.write(lmdb_table::pending, e.event, e);
  }));
  for (auto& [name, r] : known) {
    r.taken = r.pending;
    for (const auto count : r.settled)
      r.taken += count;
    to.write(lmdb_table::base_triggers, trigger_key(name), r);
    to.write(lmdb_table::triggers, trigger_key(name), r);
  }
  add(from.read_decoded<seen_key>(lmdb_table::keys, [&](std::uint64_t key, const seen_key& r) {
    to.write(lmdb_table::base_keys, key, r);
    to.write(lmdb_table::keys, key, r);
  }));
  add(from.read_decoded<watched_record>(lmdb_table::watched, [&](std::uint64_t key, const watched_record& r) {
    to.write(lmdb_table::base_watched, key, r);
    to.write(lmdb_table::watched, key, r);
  }));
  add(from.read_decoded<notice_taken>(lmdb_table::notices, [&](std::uint64_t key, const notice_taken& r) {
    to.write(lmdb_table::base_notices, key, r);
    to.write(lmdb_table::notices, key, r);
  }));
}

/// From the projections alone: they become the base.
std::vector<std::string> keep_projections(old_journal& from, record_copy& to, const state_info& info) {
  std::vector<std::string> lost;
  const auto add = [&](std::vector<std::string> more) { lost.insert(lost.end(), more.begin(), more.end()); };
  std::map<digest, std::uint32_t> named; // by the records that are kept
  add(from.read_decoded<asset_record>(lmdb_table::assets, [&](std::uint64_t key, const asset_record& r) {
    ++named[r.definition];
    if (r.last)
      ++named[r.last->definition];
    to.write(lmdb_table::base_assets, key, r);
    to.write(lmdb_table::assets, key, r);
  }));
  add(from.read_decoded<file_record>(lmdb_table::files, [&](std::uint64_t key, const file_record& r) {
    to.write(lmdb_table::base_files, key, r);
    to.write(lmdb_table::files, key, r);
  }));
  add(from.read_decoded<open_attempt>(lmdb_table::open_attempts, [&](std::uint64_t key, const open_attempt& r) {
    to.write(lmdb_table::base_open_attempts, key, r);
    to.write(lmdb_table::open_attempts, key, r);
  }));
  if (from.has(lmdb_table::made)) {
    add(from.read_decoded<made_record>(lmdb_table::made, [&](std::uint64_t key, const made_record& r) {
      to.write(lmdb_table::base_made, key, r);
      to.write(lmdb_table::made, key, r);
    }));
    add(from.read_decoded<run_queued>(lmdb_table::queue, [&](std::uint64_t key, const run_queued& r) {
      to.write(lmdb_table::base_queue, key, r);
      to.write(lmdb_table::queue, key, r);
    }));
    keep_triggers(from, to, lost);
    named.erase(digest{});
    const auto write = [&](const definition_record& r) {
      to.write(lmdb_table::base_definitions, definition_key(r.of), r);
      to.write(lmdb_table::definitions, definition_key(r.of), r);
    };
    add(from.read_decoded<definition_record>(lmdb_table::definitions, [&](std::uint64_t, definition_record r) {
      const auto found = named.find(r.of);
      if (found == named.end())
        return; // the records that named it are lost
      r.named_by = found->second;
      named.erase(found);
      write(r);
    }));
    for (const auto& [of, times] : named)
      write({of, times, false, {}});
    add(from.read(lmdb_table::identities, [&](std::string_view key, std::string_view text) {
      if (key_number(key) < info.asset_count)
        to.text(lmdb_table::identities, key_number(key), text);
    }));
  }
  for (const auto& [table, count] :
       {std::pair(lmdb_table::asset_names, info.asset_count), std::pair(lmdb_table::paths, info.path_count)}) {
    std::uint32_t next = 0;
    // An id whose name is lost is not given out again; it gets a name that no asset and no path can have.
    const auto fill = [&, which = table](std::uint64_t end) {
      for (; next < end; ++next)
        to.text(which, next, "(lost)/" + std::to_string(next));
    };
    add(from.read(table, [&, which = table, wanted = count](std::string_view key, std::string_view text) {
      const auto id = key_number(key);
      if (id < next || id >= wanted)
        return;
      fill(id);
      to.text(which, next++, text);
    }));
    fill(count);
  }
  return lost;
}

} // namespace

result<journal_rebuild> rebuild_journal(const std::string& folder, bool drop_history) {
  const auto dir = state_dir::open(folder);
  if (!dir)
    return dir.error();
  if (auto may = may_read_journal(**dir); !may) // before a lock is made where there is nothing
    return may.error();
  if (auto own = require_own_state(folder); !own) {
    const auto found = verify_journal(folder);
    if (!found || found->ok())
      return found ? own.error() : found.error();
    // A damaged one could not be taken over otherwise. What comes of it is as foreign as it was.
  }
  const auto lock = lock_state(folder);
  if (!lock)
    return lock.error();
  auto before = verify_journal(folder); // refuses what is no journal, and newer formats
  if (!before)
    return before.error();
  auto from = old_journal::open(*lock->dir());
  if (!from)
    return from.error();
  std::optional<state_info> state, base;
  from->read_info(state, base);
  const auto& known = drop_history ? state : base;
  if (!known)
    return drop_history
               ? fail(error_code::state_unusable,
                      "state " + folder + ": " + record_name(lmdb_table::meta, 0) +
                          " is damaged, without which nothing can be kept: restore its journal.mdb from a copy, "
                          "or remove it to start anew; nothing was changed")
               : cannot_rebuild(folder, record_name(lmdb_table::meta, 1) + " is damaged");
  auto to = lmdb_draft::begin(lock->dir(), known->id, from->bytes());
  if (!to)
    return to.error();

  journal_rebuild out;
  out.differences = std::move(before->problems);
  out.complete = before->complete;
  if (from->in_doubt())
    out.differences.emplace_back("the first pages did not say which version was the newest: if it was not the one that "
                                 "was found, what its last transaction recorded is lost");
  state_info info = *known;
  if (from->has_no_note()) {
    const bool here = origin_of(state.value_or(info), oldest_journal_format) == state_origin::here;
    info.writers = here ? std::vector{own_identity()} : std::vector<writer_identity>();
    if (base)
      base->writers = info.writers;
  }
  if (drop_history) {
    // Each id has a name, and each name a record of more bytes: what counts more ids would fill the disk.
    constexpr std::uint64_t least_record = 8;
    if (std::max(info.asset_count, info.path_count) > from->bytes() / least_record)
      return fail(error_code::state_unusable,
                  "state " + folder + ": " + record_name(lmdb_table::meta, 0) +
                      " counts more names than its journal can hold, so that nothing can be kept: restore its "
                      "journal.mdb from a copy, or remove it to start anew; nothing was changed");
    record_copy copy(**to);
    for (auto& lost : keep_projections(*from, copy, info))
      out.differences.push_back(std::move(lost));
    if (!copy.done())
      return copy.done().error();
    base = info;
    info.first_seq = info.last_seq + 1;
  } else {
    refold again(*from, **to, *base);
    auto folded = again.run();
    if (!folded)
      return folded.error();
    info = *folded;
    if (state && state->last_seq != info.last_seq)
      return cannot_rebuild(folder, "events end with number " + std::to_string(info.last_seq) + " and not with " +
                                        std::to_string(state->last_seq));
    if (auto copied = copy_checkpoints(*from, **to, again.sound_checkpoints()); !copied)
      return copied.error();
  }
  if (auto done = write_state_info((*to)->access(), info, *base); !done)
    return done.error();
  if (auto placed = (*to)->take_place(); !placed)
    return placed.error();
  out.events = info.last_seq + 1 - info.first_seq;
  return out;
}

} // namespace troupe_internal
