// Reading files only where their stat does not vouch for them.
#include "engine/file_table.hpp"

#include "core/freshness/freshness.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

namespace troupe_internal {

namespace {
/// A file this large is not read twice: a racy one is waited for before it is read.
constexpr std::uint64_t large_file = 1'000'000;

constexpr duration look_for_stop_every = std::chrono::milliseconds(50);

void wait_past(const clock& time, const file_stat& stat, duration granularity, const file_system& files) {
  const auto newest = from_unix_ns(std::max(stat.mtime_ns, stat.ctime_ns));
  auto left = newest + granularity - time.now() + std::chrono::milliseconds(1);
  if (left > 2 * granularity)
    return; // times in the future (a clock that was set back) are not waited for: the file stays racy
  for (; left > duration::zero() && !files.broken_off(); left -= look_for_stop_every)
    std::this_thread::sleep_for(std::min(left, look_for_stop_every));
}
} // namespace

file_table::file_table(const file_system& files, const clock& time, catalog& names)
    : files_(files), time_(time), names_(names), empty_(content_digest({})), entries_(names.slots()) {}

file_table::entry& file_table::entry_of(path_slot slot) {
  if (slot.value < entries_.size())
    return entries_[slot.value];
  const std::lock_guard lock(growth_);
  const auto index = slot.value - entries_.size();
  if (index >= found_entries_.size())
    found_entries_.resize(index + 1);
  return found_entries_[index];
}

result<void> file_table::load(const journal_snapshot& snapshot) {
  return snapshot.visit_files([&](path_id id, const file_record& record) {
    if (record.stat.kind == file_kind::folder)
      recorded_folders_.insert(record.content);
    if (const auto slot = names_.slot_of(id))
      entry_of(*slot) = {record, true};
    return true;
  });
}

file_look file_table::look_of(const entry& e) {
  return {e.record.content, e.record.stat.executable, e.record.stat.link, e.record.as_text};
}

bool file_table::is_folder(path_id path) const {
  const auto slot = names_.slot_of(path);
  if (!slot)
    return false;
  const std::lock_guard stripe(stripe_of(*slot));
  if (slot->value < entries_.size())
    return entries_[slot->value].record.stat.kind == file_kind::folder;
  const std::lock_guard lock(growth_);
  const auto index = slot->value - entries_.size();
  return index < found_entries_.size() && found_entries_[index].record.stat.kind == file_kind::folder;
}

result<file_look> file_table::observe(path_slot slot, const file_stat* seen) {
  {
    const std::lock_guard lock(stripe_of(slot));
    const auto now = seen != nullptr ? result<file_stat>(*seen) : files_.glance(names_.text(slot));
    if (!now)
      return now.error();
    if (now->kind == file_kind::absent)
      return file_look{absent_file};
    auto& e = entry_of(slot);
    if (now->kind == file_kind::file && e.trusted && e.record.stat == *now) {
      e.record.stat = *now; // equal, but for what is not recorded
      return look_of(e);
    }
    if (now->kind == file_kind::file && now->size <= small_file)
      return keep(slot, e, fetch(slot, *now));
  }
  return observe_at_length(slot);
}

result<file_look> file_table::observe_at_length(path_slot slot) {
  const std::lock_guard alone(long_looks_[slot.value % long_looks_.size()]);
  const auto seen = files_.stat(names_.text(slot), rule_of(slot));
  if (!seen)
    return seen.error();
  if (seen->kind == file_kind::absent)
    return file_look{absent_file};
  {
    const std::lock_guard lock(stripe_of(slot));
    auto& e = entry_of(slot);
    if (e.trusted && e.record.stat == *seen) {
      e.record.stat = *seen;
      return look_of(e);
    }
  }
  const auto found = fetch(slot, *seen);
  const std::lock_guard lock(stripe_of(slot));
  return keep(slot, entry_of(slot), found);
}

std::optional<std::uint64_t> file_table::bytes_to_read(path_slot slot, recent_glances& glances) {
  const auto seen = files_.glance(names_.text(slot));
  if (!seen || (seen->kind != file_kind::file && seen->kind != file_kind::absent))
    return std::nullopt;
  glances.add(slot, *seen);
  const std::lock_guard lock(stripe_of(slot));
  const auto& e = entry_of(slot);
  const bool known = seen->kind == file_kind::absent || (e.trusted && e.record.stat == *seen);
  return known ? 0 : seen->size;
}

result<file_look> file_table::look_at(path_slot slot) {
  auto& e = entry_of(slot);
  const auto seen = files_.stat(names_.text(slot), rule_of(slot));
  if (!seen)
    return seen.error();
  if (seen->kind == file_kind::absent)
    return file_look{absent_file};
  if (e.trusted && e.record.stat == *seen) {
    e.record.stat = *seen;
    return look_of(e);
  }
  return keep(slot, e, fetch(slot, *seen));
}

file_table::fetched file_table::fetch(path_slot slot, const file_stat& seen) {
  if (seen.size > large_file)
    wait_past(time_, seen, timestamp_granularity(seen), files_);
  const auto read_at = time_.now();
  if (seen.kind != file_kind::folder || !listings_to_)
    return {files_.read(names_.text(slot), rule_of(slot)), read_at};
  std::vector<folder_listing> listings;
  auto record = files_.read(names_.text(slot), rule_of(slot), &listings);
  if (record)
    listings_to_(std::move(listings));
  return {std::move(record), read_at};
}

result<file_look> file_table::keep(path_slot slot, entry& e, const fetched& found) {
  const auto& [record, read_at] = found;
  if (!record)
    return record.error();
  reads_.fetch_add(1, std::memory_order_relaxed);
  if (record->stat.kind == file_kind::absent)
    return file_look{absent_file};
  e.record = *record;
  // What has no content cannot get any without growing.
  const bool nothing_to_hide = record->stat.kind == file_kind::file && record->stat.size == 0 &&
                               record->content == empty_ && record->stat.ctime_ns != never_settled;
  e.trusted = nothing_to_hide || !is_racy(record->stat, read_at, timestamp_granularity(record->stat));
  const std::lock_guard lock(lists_);
  (e.trusted ? dirty_ : racy_).push_back(slot);
  return look_of(e);
}

void file_table::observe_all(std::span<const path_slot> asked, unsigned threads, std::span<const file_stat> seen) {
  constexpr std::size_t chunk = 256;
  remembered_.assign(entries_.size(), memory::none);
  std::vector<path_slot> slots;
  for (const auto slot : asked) {
    const auto known = slot.value < std::min(seen.size(), entries_.size()) && entries_[slot.value].trusted &&
                       seen[slot.value].kind != file_kind::absent &&
                       entries_[slot.value].record.stat == seen[slot.value];
    if (known) {
      remembered_[slot.value] = memory::recorded;
      entries_[slot.value].record.stat = seen[slot.value];
    } else {
      slots.push_back(slot);
    }
  }
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t at = next.fetch_add(chunk); at < slots.size(); at = next.fetch_add(chunk))
      for (std::size_t i = at; i < std::min(at + chunk, slots.size()) && !files_.broken_off(); ++i) {
        // Each is one thread's alone. Whoever needs a file that cannot be read reports what is wrong with it.
        const auto found = look_at(slots[i]);
        if (found && slots[i].value < remembered_.size())
          remembered_[slots[i].value] = found->content == absent_file ? memory::absent : memory::recorded;
      }
  };
  const auto useful = std::min<std::size_t>(threads, (slots.size() + chunk - 1) / chunk);
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < useful; ++i)
    helpers.emplace_back(work);
  work();
}

result<file_look> file_table::remembered(path_slot slot) {
  if (slot.value < remembered_.size()) {
    if (remembered_[slot.value] == memory::absent)
      return file_look{absent_file};
    if (remembered_[slot.value] == memory::recorded)
      return look_of(entries_[slot.value]);
  }
  return observe(slot);
}

file_stat file_table::last_stat(path_slot slot) {
  auto& e = entry_of(slot);
  const std::lock_guard lock(stripe_of(slot));
  return e.record.stat;
}

void file_table::settle() {
  std::vector<path_slot> racy;
  {
    const std::lock_guard lock(lists_);
    racy.swap(racy_);
  }
  std::sort(racy.begin(), racy.end());
  racy.erase(std::unique(racy.begin(), racy.end()), racy.end());
  for (const auto slot : racy) {
    if (files_.broken_off())
      return; // they stay unknown, and the next run reads them
    auto& e = entry_of(slot);
    file_stat stat;
    { // a run that was stopped may still be examining
      const std::lock_guard lock(stripe_of(slot));
      if (e.trusted)
        continue;
      stat = e.record.stat;
    }
    wait_past(time_, stat, timestamp_granularity(stat), files_);
    static_cast<void>(observe(slot)); // unreadable now: it stays unknown, and the next run reads it
  }
}

std::vector<observed_file> file_table::take_observed() {
  std::vector<path_slot> dirty;
  {
    const std::lock_guard lock(lists_);
    dirty.swap(dirty_);
  }
  std::sort(dirty.begin(), dirty.end());
  dirty.erase(std::unique(dirty.begin(), dirty.end()), dirty.end());
  std::vector<observed_file> observed;
  observed.reserve(dirty.size());
  for (const auto slot : dirty) {
    auto& e = entry_of(slot);
    const std::lock_guard lock(stripe_of(slot));
    if (e.trusted)
      observed.push_back({names_.id_of(slot), e.record});
  }
  return observed;
}

} // namespace troupe_internal
