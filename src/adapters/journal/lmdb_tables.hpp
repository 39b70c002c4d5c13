// The journal's tables in LMDB and the records in them: keys, check values, reading and writing one record. Knows which
// table holds which projection, not when it changes.
//
// Every record is 4 bytes of check value (see record_check), then its content. Keys are integers of 4 or 8 bytes.
#pragma once

#include "adapters/journal/lmdb_env.hpp"
#include "core/journal/event_codec.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe_internal {

inline constexpr std::uint32_t journal_format = 2;
/// Formats from this one on are read; the first writer makes a journal of the newest one of it (lmdb_migrate).
inline constexpr std::uint32_t oldest_journal_format = 1;
/// Until format 2 is released its details may change: each change gets the next number, and any other is refused.
inline constexpr std::uint32_t journal_draft = 10;
/// A record of events is closed once it has this many bytes. Large enough that its own cost (22 bytes) is small, small
/// enough that pages of 4,096 bytes are filled well.
inline constexpr std::size_t event_record_bytes = 480;

/// The tables, by the names they have on disk. The number takes part in the check value: do not change it.
enum class lmdb_table : std::uint8_t {
  meta = 0,                ///< "format", "draft": the number alone, without check; "state", "base": state_info
  events = 1,              ///< key: sequence number of the first event in the record; one or more events
  asset_names = 2,         ///< key: asset_id; text
  paths = 3,               ///< key: path_id; text
  assets = 4,              ///< key: asset_id; asset_record
  files = 5,               ///< key: path_id; file_record
  runs = 6,                ///< key: run_number; run_record
  open_attempts = 7,       ///< key: run_number << 32 | asset_id; open_attempt
  checkpoints = 8,         ///< key: run_number; sequence number (8 bytes, little-endian), then the checkpoint's bytes
  base_assets = 9,         ///< as assets, of the base
  base_files = 10,         ///< as files, of the base
  base_open_attempts = 11, ///< as open_attempts, of the base
  made = 12,               ///< key: path_id; made_record
  base_made = 13,          ///< as made, of the base
  identities = 14,         ///< key: asset_id; text
  queue = 15,              ///< key: run_number; run_queued
  base_queue = 16,         ///< as queue, of the base
  definitions = 17,        ///< key: definition_key(); definition_record
  base_definitions = 18,   ///< as definitions, of the base
  triggers = 19,           ///< key: trigger_key(); trigger_record
  base_triggers = 20,      ///< as triggers, of the base
  pending = 21,            ///< key: number of a trigger's event; event_taken
  base_pending = 22,       ///< as pending, of the base
  keys = 23,               ///< key: seen_key_key(); seen_key
  base_keys = 24,          ///< as keys, of the base
  watched = 25,            ///< key: watched_key(); watched_record
  base_watched = 26,       ///< as watched, of the base
  notices = 27,            ///< key: number of a notice; notice_taken
  base_notices = 28,       ///< as notices, of the base
};
inline constexpr std::size_t lmdb_table_count = 29;
/// How many of them a journal of this format has.
[[nodiscard]] constexpr std::size_t lmdb_tables_of(std::uint32_t format) {
  return format == 1 ? 12 : lmdb_table_count;
}
[[nodiscard]] const char* table_name(lmdb_table table);
/// What a table's records are called in messages: "event", "asset record" …
[[nodiscard]] std::string record_name(lmdb_table table, std::uint64_t key);

/// The low 32 bits of XXH3-64 over the content, seeded with table << 56 ^ key: a record that lies under another's key
/// is found out, too. The meta table's keys count as numbers: "state" 0, "base" 1.
[[nodiscard]] std::uint32_t record_check(lmdb_table table, std::uint64_t key, std::string_view content);

/// Of the check value, at the beginning of each record but that of the format.
inline constexpr std::size_t check_value_bytes = 4;

/// What is wrong with a record as it is stored, of the table with this name; empty if nothing is, or if the record is
/// one that has no check value, or the table is none of the journal's.
[[nodiscard]] std::string stored_record_problem(std::string_view table, std::string_view key, std::string_view stored);

/// The open tables of an environment; handles live as long as it does.
class lmdb_tables {
public:
  /// Opens all; with `create`, makes them and writes the format and an empty state with this id. Handles stay valid if
  /// the transaction is committed.
  [[nodiscard]] static result<lmdb_tables> open(const lmdb_txn& txn, const std::string& folder, bool create,
                                                const uuid& id);
  [[nodiscard]] MDB_dbi operator[](lmdb_table table) const { return handles_[static_cast<std::size_t>(table)]; }
  [[nodiscard]] std::uint32_t format() const { return format_; }
  /// A table that the journal's format does not have counts as empty.
  [[nodiscard]] bool has(lmdb_table table) const { return static_cast<std::size_t>(table) < lmdb_tables_of(format_); }

private:
  MDB_dbi handles_[lmdb_table_count] = {};
  std::uint32_t format_ = journal_format;
};

/// One transaction's access to the records. Views into the map live until the transaction ends or, in a write
/// transaction, until the next change. One thread at a time.
class lmdb_access {
public:
  lmdb_access(const lmdb_txn& txn, const lmdb_tables& tables, const std::string& folder)
      : txn_(txn.get()), tables_(tables), folder_(folder) {}

  /// The record's content, checked; false if there is none (then the records beside its place are checked: one of them
  /// may be it, under a damaged key). `key` of the meta table: 0 state, 1 base.
  [[nodiscard]] result<bool> get(lmdb_table table, std::uint64_t key, std::string_view& content);
  /// A record's stored bytes to its content; damage if the check value does not fit.
  [[nodiscard]] result<std::string_view> checked(lmdb_table table, std::uint64_t key, const MDB_val& stored) const;
  /// Starts a record: append its content to what is returned, then put() it.
  [[nodiscard]] std::string& start_record();
  [[nodiscard]] result<void> put(lmdb_table table, std::uint64_t key, unsigned flags = 0);
  /// No record is no error.
  [[nodiscard]] result<void> erase(lmdb_table table, std::uint64_t key);

  /// get and decode; false, and `out` as new, if there is none.
  template <class T>
  [[nodiscard]] result<bool> read(lmdb_table table, std::uint64_t key, T& out) {
    std::string_view content;
    const auto found = get(table, key, content);
    if (!found)
      return found.error();
    if (!*found)
      out = T{};
    else if (const char* problem = decode(content, out, layout()))
      return damage(table, key, problem);
    return *found;
  }
  template <class T>
  [[nodiscard]] result<void> write(lmdb_table table, std::uint64_t key, const T& value) {
    encode(value, start_record());
    return put(table, key);
  }

  [[nodiscard]] error damage(lmdb_table table, std::uint64_t key, const std::string& finding) const;
  /// Of the records, for decode().
  [[nodiscard]] unsigned layout() const { return tables_.format() - 1; }
  [[nodiscard]] MDB_txn* txn() const { return txn_; }
  [[nodiscard]] const lmdb_tables& tables() const { return tables_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// The first code with which LMDB refused a change: MDB_MAP_FULL asks for another try after growing.
  [[nodiscard]] int refusal() const { return refusal_; }
  /// Of records, in this transaction.
  [[nodiscard]] std::uint64_t bytes_put() const { return bytes_put_; }

private:
  [[nodiscard]] result<bool> no_record(lmdb_table table, std::uint64_t key);
  MDB_txn* txn_;
  const lmdb_tables& tables_;
  const std::string& folder_;
  std::string record_;
  int refusal_ = 0;
  std::uint64_t bytes_put_ = 0;
};

/// Visits a table's records in order of key. One thread at a time, within its transaction.
class lmdb_cursor {
public:
  lmdb_cursor(lmdb_access& access, lmdb_table table);
  ~lmdb_cursor();
  lmdb_cursor(const lmdb_cursor&) = delete;
  lmdb_cursor& operator=(const lmdb_cursor&) = delete;

  /// Moves (MDB_FIRST, MDB_NEXT, MDB_LAST, MDB_PREV); false at the end. Then key() and content() are the record's.
  [[nodiscard]] result<bool> move(MDB_cursor_op to);
  /// The same, but of the record only key() is known: its content is neither read nor checked before take_content().
  [[nodiscard]] result<bool> move_key(MDB_cursor_op to);
  [[nodiscard]] result<void> take_content();
  /// To the first record whose key is at least `key`; false if there is none.
  [[nodiscard]] result<bool> move_to_first_at_least(std::uint64_t key);
  /// To the record with this key; false if there is none. Quick where it lies close behind the last.
  [[nodiscard]] result<bool> move_to(std::uint64_t key);
  /// To the last record whose key is at most `key`; false if there is none.
  [[nodiscard]] result<bool> move_to_last_at_most(std::uint64_t key);
  [[nodiscard]] std::uint64_t key() const { return key_; }
  [[nodiscard]] std::string_view content() const { return content_; }
  /// After a failed move: whether it stands on a record all the same (a damaged one), so that moving on makes sense.
  [[nodiscard]] bool at_record() const { return at_record_; }
  [[nodiscard]] result<void> erase();

private:
  [[nodiscard]] result<bool> take(int code, const MDB_val& key, const MDB_val& stored);
  [[nodiscard]] result<bool> take_key(int code, const MDB_val& key, const MDB_val& stored);
  lmdb_access& access_;
  lmdb_table table_;
  MDB_cursor* cursor_ = nullptr;
  MDB_val stored_{};
  int open_code_ = 0;
  std::uint64_t key_ = 0;
  std::string_view content_;
  bool at_record_ = false;
};

} // namespace troupe_internal
