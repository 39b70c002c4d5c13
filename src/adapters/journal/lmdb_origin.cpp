// The meta table's pages, and the words of refusals.
#include "adapters/journal/lmdb_origin.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/lmdb_open.hpp"
#include "adapters/journal/lmdb_pages.hpp"
#include "adapters/journal/lmdb_tables.hpp"
#include "adapters/process/own_identity.hpp"
#include "adapters/process/process_table.hpp"
#include "adapters/state/state_folder.hpp"
#include "core/command/shell_text.hpp"

#include <algorithm>
#include <cstring>

namespace troupe_internal {
namespace {

bool has_note(std::uint32_t format) {
  return format >= 2;
}

} // namespace

std::optional<journal_note> read_journal_note(const std::string& folder) {
  const auto dir = state_dir::open(folder);
  return dir ? read_journal_note(**dir) : std::nullopt;
}

std::optional<journal_note> read_journal_note(const state_dir& dir) {
  auto file = lmdb_file::open(dir, journal_file);
  if (!file)
    return std::nullopt;
  const auto metas = file->metas();
  if (!lmdb_metas_problem(metas).empty())
    return std::nullopt;
  const auto& newest = metas[0]->txn_id > metas[1]->txn_id ? *metas[0] : *metas[1];
  journal_note note;
  std::uint32_t draft = 0;
  std::string state, base; // as stored
  lmdb_walk how;
  how.only_table = table_name(lmdb_table::meta);
  how.visit = [&](std::string_view table, std::string_view key, std::string_view stored) {
    if (key == "format" && stored.size() == sizeof note.format)
      std::memcpy(&note.format, stored.data(), sizeof note.format);
    else if (key == "draft" && stored.size() == sizeof draft)
      std::memcpy(&draft, stored.data(), sizeof draft);
    else if ((key == "state" || key == "base") && stored_record_problem(table, key, stored).empty())
      (key == "state" ? state : base) = stored.substr(check_value_bytes);
    return true;
  };
  static_cast<void>(walk_lmdb_pages(*file, newest, how));
  if (note.format < oldest_journal_format || note.format > journal_format ||
      (note.format == journal_format && draft != journal_draft))
    return std::nullopt;
  for (const auto& record : {state, base}) // both have the note
    if (!record.empty() && decode(record, note.info, note.format - 1) == nullptr)
      return note;
  return std::nullopt;
}

state_origin origin_of(const state_info& info, std::uint32_t format) {
  const auto own = own_identity();
  if (origin_of(info, has_note(format), {own, {}}) == state_origin::here)
    return state_origin::here; // mostly: the boot id need not be read
  const auto boot = boot_id();
  return origin_of(info, has_note(format), {own, boot});
}

bool is_foreign(const state_dir& dir) {
  const auto note = read_journal_note(dir);
  return note && origin_of(note->info, note->format) != state_origin::here;
}

std::string words_on_origin(const state_info& info, state_origin origin) {
  const auto own = own_identity();
  switch (origin) {
  case state_origin::here:
    return "it was made here";
  case state_origin::other_user:
    return "it was made by " + words_on_user(info.writers.front().user) + ", and this is " + words_on_user(own.user);
  case state_origin::other_machine: {
    const bool told = std::any_of(info.writers.begin(), info.writers.end(), [&](const writer_identity& noted) {
      return noted.user == own.user && noted.machine != digest{};
    });
    return told ? "it was made on another machine"
                : "it was made in a container or on a machine that has no id, and not since this machine was started";
  }
  case state_origin::unknown:
    break;
  }
  return info.writers.empty() && !info.writer_boot_id.empty()
             ? "it does not say who made it, and it was not written since this machine was started"
             : "it does not say who made it";
}

error foreign_state(const std::string& folder, const state_info& info, state_origin origin) {
  auto text = "state " + folder + " was not made here: " + words_on_origin(info, origin) +
              ". It can be read, but Troupe does not write to it; nothing was changed. If you trust what it says, take "
              "it over: troupe journal trust --state ";
  append_quoted(text, folder, shell_quotes::none);
  return fail(error_code::state_unusable, std::move(text));
}

result<void> require_own_state(const std::string& folder) {
  const auto dir = state_dir::open(folder);
  if (!dir)
    return {}; // there is none, or who opens it says what is in the way
  if (auto ours = (*dir)->require_ours(); !ours)
    return ours;
  const auto note = read_journal_note(**dir);
  if (!note)
    return {};
  const auto origin = origin_of(note->info, note->format);
  if (origin == state_origin::here)
    return {};
  if (auto good = require_trustworthy(**dir); !good) // what says who made it may be what was lost
    return good;
  return foreign_state(folder, note->info, origin);
}

result<state_lock> lock_own_state(const std::string& folder, const lock_patience& patience) {
  if (auto own = require_own_state(folder); !own)
    return own.error();
  return lock_state(folder, patience);
}

result<void> trust_state(const std::string& folder, clock& time) {
  const auto dir = state_dir::open(folder);
  if (!dir)
    return dir.error();
  if (auto may = may_read_journal(**dir); !may) // before a lock is made where there is nothing
    return may;
  auto lock = lock_state(folder);
  if (!lock)
    return lock.error();
  const auto words = lock->words_before();
  journal_settings how;
  how.trust = true;
  const auto opened = open_journal(std::move(*lock), how, time); // which adds to the note
  put_back_words(**dir, words);                                  // the next writer asks who wrote before
  return opened ? result<void>() : result<void>(opened.error());
}

} // namespace troupe_internal
