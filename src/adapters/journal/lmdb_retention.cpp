// Folding the oldest events into the base, a bounded number at a time. Any number of steps leaves a valid state.
#include "adapters/journal/lmdb_snapshot.hpp"
#include "adapters/journal/lmdb_writer.hpp"
#include "core/model/retention.hpp"

#include <algorithm>
#include <optional>

namespace troupe_internal {
namespace {

/// How far the events may go.
struct bounds {
  std::uint64_t by_rule = 0;            ///< below this one, all
  std::uint64_t by_size = 0;            ///< below this one, as long as there are more bytes than the limits allow
  std::optional<run_number> oldest_run; ///< that is kept
  bool has_runs = false;
};

result<bounds> bounds_of(lmdb_access& access, const state_info& info, const retention_rule& rule) {
  retention_bound bound(rule, info.writer_seq);
  bool has_runs = false;
  auto done = visit_records<run_record>(
      access, lmdb_table::runs,
      [&](std::uint64_t, const run_record& run) {
        has_runs = true;
        bound.add(run);
        return true;
      },
      MDB_LAST, MDB_PREV);
  if (!done)
    return done.error();
  const auto wanted = rule.first_wanted ? rule.first_wanted(info.last_seq) : info.last_seq + 1;
  return bounds{std::min({bound.first_kept(), wanted, info.last_seq + 1}),
                rule.limits ? std::min(bound.first_open(), info.last_seq + 1) : 0, bound.oldest_kept(), has_runs};
}

/// Of the pages that hold events.
result<std::uint64_t> event_bytes(lmdb_access& access) {
  MDB_stat size;
  if (const int code = mdb_stat(access.txn(), access.tables()[lmdb_table::events], &size); code != 0)
    return lmdb_error(access.folder(), "read its journal", code);
  return std::uint64_t{size.ms_branch_pages + size.ms_leaf_pages + size.ms_overflow_pages} * size.ms_psize;
}

/// A record that is dropped in part: what is left becomes a record of its own.
result<void> put_back(lmdb_access& access, std::uint64_t seq, const std::optional<event>& first, event_decoder& rest) {
  event_encoder record;
  if (first)
    record.add(*first);
  while (!rest.done()) {
    const auto e = rest.next();
    if (!e)
      return access.damage(lmdb_table::events, seq, e.error().message);
    record.add(*e);
  }
  access.start_record() += record.bytes();
  return access.put(lmdb_table::events, seq);
}

/// Whether a trigger took it in for a run that is kept, or for the first one of all: who looks at the run finds its
/// cause. One that is queued for long keeps nothing.
bool is_cause_of_kept(const event& e, const bounds& of) {
  const auto* const taken = std::get_if<event_taken>(&e);
  if (taken == nullptr || taken->bound_run.value == 0)
    return false;
  return of.oldest_run ? taken->bound_run >= *of.oldest_run : !of.has_runs;
}

} // namespace

result<retention_step> retain_step(lmdb_access& access, state_info& info, const retention_rule& rule,
                                   std::uint64_t max_events, definition_guard& definitions) {
  retention_step step;
  auto bound = bounds_of(access, info, rule);
  if (!bound)
    return bound.error();
  std::optional<error> unread;
  const auto may_go = [&] {
    if (info.first_seq < bound->by_rule)
      return true;
    if (info.first_seq >= bound->by_size)
      return false;
    const auto bytes = event_bytes(access);
    if (!bytes)
      unread = bytes.error();
    return bytes && *bytes > rule.limits->max_bytes;
  };
  step.more = may_go();
  if (unread)
    return std::move(*unread);
  if (!step.more || max_events == 0)
    return step;
  state_info base_info;
  if (auto found = access.read(lmdb_table::meta, 1, base_info); !found)
    return found.error();
  lmdb_projection base(access, lmdb_projection::side::base, base_info, &definitions);
  projector fold(base);
  const auto last = info.first_seq + std::min(max_events, info.last_seq + 1 - info.first_seq);
  while (info.first_seq < last && may_go()) {
    const auto end = std::min(last, info.first_seq < bound->by_rule ? bound->by_rule : bound->by_size);
    std::string_view stored;
    const auto found = access.get(lmdb_table::events, info.first_seq, stored);
    if (!found)
      return found.error();
    if (!*found)
      return access.damage(lmdb_table::events, info.first_seq, "it is missing");
    const std::string content(stored); // the view does not outlive a change
    const auto key = info.first_seq;
    event_decoder decoder(content);
    std::optional<event> held;
    for (; !decoder.done() && info.first_seq < end; ++info.first_seq, ++step.events_dropped) {
      const auto e = decoder.next();
      if (!e)
        return access.damage(lmdb_table::events, info.first_seq, e.error().message);
      if (info.first_seq < bound->by_rule && is_cause_of_kept(*e, *bound)) {
        bound->by_rule = info.first_seq; // from here on, only for want of room
        if (!may_go()) {
          held = *e;
          break;
        }
      }
      if (auto done = fold.apply(info.first_seq, *e); !done)
        return done.error();
      if (const auto run = run_shown_from(*e)) {
        // From here on the run cannot be shown whole, so it is not shown.
        step.runs_dropped.push_back(*run);
        for (const auto table : {lmdb_table::runs, lmdb_table::checkpoints})
          if (auto done = access.erase(table, run->value); !done)
            return done.error();
      }
    }
    if (held && info.first_seq == key)
      break;
    if (auto done = access.erase(lmdb_table::events, key); !done)
      return done.error();
    if (held || !decoder.done())
      if (auto done = put_back(access, info.first_seq, held, decoder); !done)
        return done.error();
    if (info.first_seq == key)
      return access.damage(lmdb_table::events, key, "it is empty");
  }
  if (unread)
    return std::move(*unread);
  if (auto done = base.flush(); !done)
    return done.error();
  if (auto done = access.write(lmdb_table::meta, 0, info); !done)
    return done.error();
  step.more = may_go();
  if (unread)
    return std::move(*unread);
  return step;
}

} // namespace troupe_internal
