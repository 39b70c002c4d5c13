// mdb_get, mdb_put, mdb_cursor_*, with check values.
#include "adapters/journal/lmdb_tables.hpp"

#include "adapters/journal/lmdb_pages.hpp"
#include "base/check.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace troupe_internal {
namespace {

constexpr char format_key[] = "format";
constexpr char draft_key[] = "draft";
/// There will not be more than these: a higher number is damage, not a newer version.
constexpr std::uint32_t formats_to_come = 1000;
constexpr std::array<const char*, 2> meta_keys = {"state", "base"};

struct table_facts {
  const char* name;
  const char* record;
  std::uint8_t key_bytes; ///< 0: text
};
constexpr std::array<table_facts, lmdb_table_count> all_facts = {{
    {"meta", "state record", 0},
    {"events", "event", 8},
    {"asset_names", "asset name", 4},
    {"paths", "path", 4},
    {"assets", "asset record", 4},
    {"files", "file record", 4},
    {"runs", "run record", 4},
    {"open_attempts", "open attempt", 8},
    {"checkpoints", "checkpoint", 4},
    {"base_assets", "base asset record", 4},
    {"base_files", "base file record", 4},
    {"base_open_attempts", "base open attempt", 8},
    {"made", "record of who made", 4},
    {"base_made", "base record of who made", 4},
    {"identities", "asset identity", 4},
    {"queue", "queued run", 4},
    {"base_queue", "base queued run", 4},
    {"definitions", "definition", 8},
    {"base_definitions", "base definition", 8},
    {"triggers", "trigger record", 8},
    {"base_triggers", "base trigger record", 8},
    {"pending", "pending event of a trigger", 8},
    {"base_pending", "base pending event of a trigger", 8},
    {"keys", "key of an event", 8},
    {"base_keys", "base key of an event", 8},
    {"watched", "watched file", 8},
    {"base_watched", "base watched file", 8},
    {"notices", "notice", 8},
    {"base_notices", "base notice", 8},
}};

constexpr const char* too_short = "it is shorter than its check value";
constexpr const char* unfit = "its check value does not fit its content";

std::uint32_t check_of(std::string_view stored) {
  std::uint32_t check = 0;
  for (unsigned i = 0; i < check_value_bytes; ++i)
    check |= std::uint32_t{static_cast<unsigned char>(stored[i])} << 8U * i;
  return check;
}

const table_facts& facts_of(lmdb_table table) {
  return all_facts[static_cast<std::size_t>(table)];
}

/// A key in the form LMDB's MDB_INTEGERKEY wants: the machine's own integers.
class stored_key {
public:
  stored_key(lmdb_table table, std::uint64_t key) {
    const auto bytes = facts_of(table).key_bytes;
    if (bytes == 0) {
      const char* name = meta_keys[key];
      value_ = {std::strlen(name), const_cast<char*>(name)};
    } else if (bytes == 4) {
      narrow_ = static_cast<std::uint32_t>(key);
      value_ = {sizeof narrow_, &narrow_};
    } else {
      wide_ = key;
      value_ = {sizeof wide_, &wide_};
    }
  }
  stored_key(const stored_key&) = delete;
  stored_key& operator=(const stored_key&) = delete;
  [[nodiscard]] MDB_val* get() { return &value_; }

private:
  std::uint32_t narrow_ = 0;
  std::uint64_t wide_ = 0;
  MDB_val value_{};
};

error newer_format(const std::string& folder, std::uint32_t format) {
  return fail(
      error_code::state_unusable,
      "state " + folder + " has journal format " + std::to_string(format) +
          ", and this version of Troupe reads up to " + std::to_string(journal_format) +
          ": use the newer version that wrote it, or another folder; if no newer version ever wrote it, the number is "
          "damaged: remove the folder to begin anew; nothing was changed");
}

error other_draft(const std::string& folder, std::uint32_t draft) {
  return fail(error_code::state_unusable,
              "state " + folder + " was written by a development version of Troupe (journal format 2, draft " +
                  std::to_string(draft) + "), and this version reads draft " + std::to_string(journal_draft) +
                  ": use that version, or put the journal back that the upgrade kept (journal.mdb.format1, renamed to "
                  "journal.mdb; what happened since is lost), or remove the folder to start anew; nothing was changed");
}

/// A number of the meta table that has no check value; false if there is none of that size.
result<bool> read_number(const lmdb_txn& txn, const std::string& folder, MDB_dbi meta, const char* name,
                         std::uint32_t& out) {
  MDB_val key{std::strlen(name), const_cast<char*>(name)};
  MDB_val value{};
  const int code = mdb_get(txn.get(), meta, &key, &value);
  if (code == MDB_NOTFOUND || (code == 0 && value.mv_size != sizeof out))
    return false;
  if (code != 0)
    return lmdb_error(folder, "open its journal", code);
  std::memcpy(&out, value.mv_data, sizeof out);
  return true;
}

result<void> write_number(const lmdb_txn& txn, const std::string& folder, MDB_dbi meta, const char* name,
                          std::uint32_t number) {
  MDB_val key{std::strlen(name), const_cast<char*>(name)};
  MDB_val value{sizeof number, &number};
  const int code = mdb_put(txn.get(), meta, &key, &value, 0);
  return code == 0 ? result<void>() : result<void>(lmdb_error(folder, "make its journal", code));
}

error no_state(const std::string& folder) {
  return fail(error_code::state_unusable, "state " + folder +
                                              ": journal.mdb is an LMDB file, but not a journal of Troupe; nothing was "
                                              "changed");
}

} // namespace

const char* table_name(lmdb_table table) {
  return facts_of(table).name;
}

std::string record_name(lmdb_table table, std::uint64_t key) {
  const std::string name = facts_of(table).record;
  switch (table) {
  case lmdb_table::meta:
    return name + " \"" + meta_keys[key] + "\"";
  case lmdb_table::open_attempts:
  case lmdb_table::base_open_attempts:
    return name + " of run " + std::to_string(key >> 32U) + ", asset " + std::to_string(key & 0xFFFFFFFFU);
  default:
    return name + " " + std::to_string(key);
  }
}

std::uint32_t record_check(lmdb_table table, std::uint64_t key, std::string_view content) {
  return static_cast<std::uint32_t>(XXH3_64bits_withSeed(content.data(), content.size(),
                                                         std::uint64_t{static_cast<std::uint8_t>(table)} << 56U ^ key));
}

std::string stored_record_problem(std::string_view table, std::string_view key, std::string_view stored) {
  const auto of =
      std::find_if(all_facts.begin(), all_facts.end(), [&](const table_facts& f) { return table == f.name; });
  if (of == all_facts.end())
    return {};
  const auto which = static_cast<lmdb_table>(of - all_facts.begin());
  std::uint64_t number = 0;
  if (of->key_bytes == 0) {
    const auto name = std::find(meta_keys.begin(), meta_keys.end(), key);
    if (name == meta_keys.end())
      return key == format_key || key == draft_key ? ""
                                                   : std::string(of->record) + ": there is one under an unknown name";
    number = static_cast<std::uint64_t>(name - meta_keys.begin());
  } else if (key.size() != of->key_bytes) {
    return std::string(of->record) + ": a key has an impossible size";
  } else if (key.size() == sizeof(std::uint32_t)) {
    std::uint32_t narrow = 0;
    std::memcpy(&narrow, key.data(), sizeof narrow);
    number = narrow;
  } else {
    std::memcpy(&number, key.data(), sizeof number);
  }
  if (stored.size() < check_value_bytes)
    return record_name(which, number) + ": " + too_short;
  return check_of(stored) == record_check(which, number, stored.substr(check_value_bytes))
             ? ""
             : record_name(which, number) + ": " + unfit;
}

result<lmdb_tables> lmdb_tables::open(const lmdb_txn& txn, const std::string& folder, bool create, const uuid& id) {
  lmdb_tables tables;
  // The format first: nothing else of an unknown one means anything.
  auto& meta = tables.handles_[0];
  if (const int code = mdb_dbi_open(txn.get(), table_name(lmdb_table::meta), create ? MDB_CREATE : 0U, &meta);
      code != 0)
    return code != MDB_NOTFOUND ? lmdb_error(folder, "open its journal", code)
           : mdb_dbi_open(txn.get(), table_name(lmdb_table::events), 0, &tables.handles_[1]) == 0
               ? damaged_journal(folder, "the table \"meta\" is missing")
               : no_state(folder);
  if (create) {
    for (const auto& [name, number] : {std::pair(format_key, journal_format), std::pair(draft_key, journal_draft)})
      if (auto written = write_number(txn, folder, meta, name, number); !written)
        return written.error();
  } else {
    std::uint32_t format = 0;
    const auto found = read_number(txn, folder, meta, format_key, format);
    if (!found)
      return found.error();
    if (!*found)
      return damaged_journal(folder, "the record of its format is missing");
    if (format == 0 || format > formats_to_come)
      return damaged_journal(folder, "its format's number is " + std::to_string(format));
    if (format > journal_format)
      return newer_format(folder, format);
    if (format == journal_format) {
      std::uint32_t draft = 0;
      if (const auto drafted = read_number(txn, folder, meta, draft_key, draft); !drafted)
        return drafted.error();
      if (draft != journal_draft)
        return other_draft(folder, draft);
    }
    tables.format_ = format;
  }
  const auto count = lmdb_tables_of(tables.format_);
  for (std::size_t i = 1; i < count; ++i)
    if (const int code = mdb_dbi_open(txn.get(), all_facts[i].name, MDB_INTEGERKEY | (create ? MDB_CREATE : 0U),
                                      &tables.handles_[i]);
        code != 0)
      return code == MDB_NOTFOUND
                 ? damaged_journal(folder, std::string("the table \"") + all_facts[i].name + "\" is missing")
                 : lmdb_error(folder, "open its journal", code);
  for (std::size_t i = 0; i < count; ++i) {
    unsigned flags = 0;
    if (const int code = mdb_dbi_flags(txn.get(), tables.handles_[i], &flags); code != 0)
      return lmdb_error(folder, "open its journal", code);
    if (flags != (all_facts[i].key_bytes == 0 ? 0U : unsigned{MDB_INTEGERKEY}))
      return damaged_journal(folder, std::string("the table \"") + all_facts[i].name + "\" is of another kind");
  }
  if (create) {
    state_info info;
    info.id = id;
    lmdb_access access(txn, tables, folder);
    for (std::uint64_t which = 0; which < meta_keys.size(); ++which)
      if (auto done = access.write(lmdb_table::meta, which, info); !done)
        return done.error();
  }
  return tables;
}

error lmdb_access::damage(lmdb_table table, std::uint64_t key, const std::string& finding) const {
  return damaged_journal(folder_, record_name(table, key) + ": " + finding);
}

result<std::string_view> lmdb_access::checked(lmdb_table table, std::uint64_t key, const MDB_val& stored) const {
  const std::string_view bytes(static_cast<const char*>(stored.mv_data), stored.mv_size);
  if (bytes.size() < check_value_bytes)
    return damage(table, key, too_short);
  const auto content = bytes.substr(check_value_bytes);
  if (check_of(bytes) != record_check(table, key, content))
    return damage(table, key, unfit);
  return content;
}

result<bool> lmdb_access::get(lmdb_table table, std::uint64_t key, std::string_view& content) {
  if (!tables_.has(table))
    return false;
  stored_key k(table, key);
  MDB_val stored{};
  const int code = mdb_get(txn_, tables_[table], k.get(), &stored);
  if (code == MDB_NOTFOUND)
    return no_record(table, key);
  if (code != 0)
    return lmdb_error(folder_, "read its journal", code);
  auto good = checked(table, key, stored);
  if (!good)
    return good.error();
  content = *good;
  return true;
}

result<bool> lmdb_access::no_record(lmdb_table table, std::uint64_t key) {
  if (facts_of(table).key_bytes == 0)
    return false;
  lmdb_cursor cursor(*this, table);
  auto beside = cursor.move_to_first_at_least(key);
  if (beside)
    beside = cursor.move(*beside ? MDB_PREV : MDB_LAST);
  if (!beside)
    return beside.error();
  return false;
}

std::string& lmdb_access::start_record() {
  record_.assign(check_value_bytes, '\0');
  return record_;
}

result<void> lmdb_access::put(lmdb_table table, std::uint64_t key, unsigned flags) {
  TROUPE_CHECK(record_.size() >= check_value_bytes, "a record is started before it is put");
  const auto check = record_check(table, key, std::string_view(record_).substr(check_value_bytes));
  for (unsigned i = 0; i < check_value_bytes; ++i)
    record_[i] = static_cast<char>(check >> 8U * i);
  stored_key k(table, key);
  MDB_val stored{record_.size(), record_.data()};
  const int code = mdb_put(txn_, tables_[table], k.get(), &stored, flags);
  bytes_put_ += record_.size();
  if (code == 0)
    return {};
  if (refusal_ == 0)
    refusal_ = code;
  return code == MDB_KEYEXIST ? damage(table, key, "there is a record at or behind its place already")
                              : lmdb_error(folder_, "write its journal", code);
}

result<void> lmdb_access::erase(lmdb_table table, std::uint64_t key) {
  stored_key k(table, key);
  const int code = mdb_del(txn_, tables_[table], k.get(), nullptr);
  if (code == 0 || code == MDB_NOTFOUND)
    return {};
  if (refusal_ == 0)
    refusal_ = code;
  return lmdb_error(folder_, "write its journal", code);
}

lmdb_cursor::lmdb_cursor(lmdb_access& access, lmdb_table table) : access_(access), table_(table) {
  open_code_ =
      access.tables().has(table) ? mdb_cursor_open(access.txn(), access.tables()[table], &cursor_) : MDB_NOTFOUND;
}

lmdb_cursor::~lmdb_cursor() {
  if (cursor_ != nullptr)
    mdb_cursor_close(cursor_);
}

result<bool> lmdb_cursor::take(int code, const MDB_val& key, const MDB_val& stored) {
  auto there = take_key(code, key, stored);
  if (there && *there)
    if (auto taken = take_content(); !taken)
      return taken.error();
  return there;
}

result<void> lmdb_cursor::take_content() {
  auto content = access_.checked(table_, key_, stored_);
  if (!content)
    return content.error();
  content_ = *content;
  return {};
}

result<bool> lmdb_cursor::take_key(int code, const MDB_val& key, const MDB_val& stored) {
  at_record_ = code == 0;
  if (code == MDB_NOTFOUND)
    return false;
  if (code != 0)
    return lmdb_error(access_.folder(), "read its journal", code);
  if (key.mv_size == sizeof(std::uint32_t)) {
    std::uint32_t narrow = 0;
    std::memcpy(&narrow, key.mv_data, sizeof narrow);
    key_ = narrow;
  } else if (key.mv_size == sizeof key_) {
    std::memcpy(&key_, key.mv_data, sizeof key_);
  } else {
    return access_.damage(table_, 0, "a key has an impossible size");
  }
  stored_ = stored;
  return true;
}

result<bool> lmdb_cursor::move_key(MDB_cursor_op to) {
  MDB_val key{};
  MDB_val stored{};
  return take_key(open_code_ != 0 ? open_code_ : mdb_cursor_get(cursor_, &key, &stored, to), key, stored);
}

result<bool> lmdb_cursor::move(MDB_cursor_op to) {
  MDB_val key{};
  MDB_val stored{};
  return take(open_code_ != 0 ? open_code_ : mdb_cursor_get(cursor_, &key, &stored, to), key, stored);
}

result<bool> lmdb_cursor::move_to(std::uint64_t key) {
  stored_key k(table_, key);
  MDB_val stored{};
  return take(open_code_ != 0 ? open_code_ : mdb_cursor_get(cursor_, k.get(), &stored, MDB_SET_KEY), *k.get(), stored);
}

result<bool> lmdb_cursor::move_to_first_at_least(std::uint64_t wanted) {
  stored_key k(table_, wanted);
  MDB_val stored{};
  const int code = open_code_ != 0 ? open_code_ : mdb_cursor_get(cursor_, k.get(), &stored, MDB_SET_RANGE);
  return take(code, *k.get(), stored);
}

result<bool> lmdb_cursor::move_to_last_at_most(std::uint64_t wanted) {
  const auto found = move_to_first_at_least(wanted);
  if (!found || (*found && key_ == wanted))
    return found;
  return move(*found ? MDB_PREV : MDB_LAST);
}

result<void> lmdb_cursor::erase() {
  if (const int code = mdb_cursor_del(cursor_, 0); code != 0)
    return lmdb_error(access_.folder(), "write its journal", code);
  return {};
}

} // namespace troupe_internal
