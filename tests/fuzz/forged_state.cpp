// One good history, and ways to spoil it.
#include "fuzz/forged_state.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/lmdb_open.hpp"
#include "adapters/journal/lmdb_tables.hpp"
#include "fuzz/mutated_fields.hpp"
#include "ports/clock.hpp"
#include "same_state.hpp"
#include "support/history.hpp"
#include "support/memory_folder.hpp"
#include "support/random_events.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace troupe_internal::fuzz {
namespace {

namespace fs = std::filesystem;

void write_file(const std::string& file, std::string_view content) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  FUZZ_CHECK(out.flush().good(), file);
}

/// Of the assets whose names the history gives out, some, with needs among them.
std::string pipeline_text() {
  std::string text = R"({ "name": "demo", "engine": { "state_dir": "state" }, "assets": {)";
  for (int i = 0; i < 8; ++i) {
    const auto n = std::to_string(i);
    text += (i == 0 ? "" : ",") + ("\"asset_" + n + "\": { \"command\": \"true\", \"outputs\": [\"out_" + n + "\"]");
    if (i > 0)
      text += ", \"inputs\": [\"out_" + std::to_string(i - 1) + "\", \"in/*.txt\"]";
    if (i == 3)
      text += R"(, "max_age": "1h", "retry": { "attempts": 3, "delay": "1s" }, "allow_failure": true)";
    if (i == 5)
      text += R"(, "clear_outputs": true, "deps": ["asset_1"])";
    text += " }";
  }
  return text + "} }";
}

/// Record by record, with right check values.
class forger {
public:
  forger(lmdb_access& access, input& choices) : access_(access), choices_(choices) {}

  void change_something() {
    const auto table = static_cast<lmdb_table>(choices_.byte() % lmdb_table_count);
    const auto key = some_key(table);
    switch (choices_.byte() % 8) {
    case 0:
    case 1:
      return change_bytes(table, key);
    case 2:
      return move(table, key, table, choices_.number() % 64);
    case 3:
      return move(table, key, table, std::uint64_t{choices_.number()} << 32U | choices_.number());
    case 4:
      return move(table, key, static_cast<lmdb_table>(choices_.byte() % lmdb_table_count), key);
    case 5:
      if (table != lmdb_table::meta)
        static_cast<void>(access_.erase(table, key));
      return;
    default:
      return change_record(table, key);
    }
  }

  /// All events anew, from the first that is kept on.
  void replace_events(const std::vector<event>& events) {
    state_info info;
    if (const auto read = access_.read(lmdb_table::meta, 0, info); !read || !*read)
      return;
    std::vector<std::uint64_t> old;
    each(lmdb_table::events, [&](std::uint64_t key, std::string_view) { old.push_back(key); });
    for (const auto key : old)
      static_cast<void>(access_.erase(lmdb_table::events, key));
    auto seq = info.first_seq;
    for (std::size_t i = 0; i < events.size();) {
      event_encoder record;
      const auto first = seq;
      for (const auto end = std::min(events.size(), i + 5); i < end; ++i, ++seq)
        record.add(events[i]);
      access_.start_record() += record.bytes();
      static_cast<void>(access_.put(lmdb_table::events, first));
    }
    info.last_seq = seq - 1;
    static_cast<void>(access_.write(lmdb_table::meta, 0, info));
  }

  std::vector<event> events() {
    std::vector<event> all;
    each(lmdb_table::events, [&](std::uint64_t, std::string_view content) {
      for (event_decoder decoder(content); !decoder.done();)
        if (auto e = decoder.next())
          all.push_back(std::move(*e));
    });
    return all;
  }

private:
  template <class Visit>
  void each(lmdb_table table, const Visit& visit) {
    lmdb_cursor cursor(access_, table);
    for (auto more = cursor.move(MDB_FIRST); more && *more; more = cursor.move(MDB_NEXT))
      visit(cursor.key(), cursor.content());
  }

  std::uint64_t some_key(lmdb_table table) {
    if (table == lmdb_table::meta)
      return choices_.byte() % 2;
    std::vector<std::uint64_t> keys;
    each(table, [&](std::uint64_t key, std::string_view) { keys.push_back(key); });
    const auto number = std::size_t{choices_.byte()} << 8U | choices_.byte();
    return keys.empty() ? 0 : keys[number % keys.size()];
  }

  std::string content(lmdb_table table, std::uint64_t key) {
    std::string_view found;
    const auto there = access_.get(table, key, found);
    return there && *there ? std::string(found) : std::string();
  }

  void put(lmdb_table table, std::uint64_t key, std::string_view bytes) {
    if (table == lmdb_table::meta)
      key %= 2;
    access_.start_record() += bytes;
    static_cast<void>(access_.put(table, key));
  }

  void move(lmdb_table from, std::uint64_t key, lmdb_table to, std::uint64_t as) { put(to, as, content(from, key)); }

  void change_bytes(lmdb_table table, std::uint64_t key) {
    auto bytes = content(table, key);
    const auto at = bytes.empty() ? 0 : (std::size_t{choices_.byte()} << 8U | choices_.byte()) % bytes.size();
    switch (choices_.byte() % 4) {
    case 0:
      if (!bytes.empty())
        bytes[at] = static_cast<char>(choices_.byte());
      break;
    case 1:
      bytes.insert(at, 1 + choices_.byte() % 8, static_cast<char>(choices_.byte()));
      break;
    case 2:
      bytes.resize(at);
      break;
    default:
      bytes.erase(at, 1 + choices_.byte() % 4);
      break;
    }
    put(table, key, bytes);
  }

  template <class T>
  void change(lmdb_table table, std::uint64_t key) {
    T value;
    if (const auto read = access_.read(table, key, value); !read)
      return;
    change_a_field(value, choices_);
    static_cast<void>(access_.write(table, key, value));
  }

  void change_record(lmdb_table table, std::uint64_t key) {
    switch (table) {
    case lmdb_table::meta:
      return change<state_info>(table, key);
    case lmdb_table::assets:
    case lmdb_table::base_assets:
      return change<asset_record>(table, key);
    case lmdb_table::files:
    case lmdb_table::base_files:
      return change<file_record>(table, key);
    case lmdb_table::runs:
      return change<run_record>(table, key);
    case lmdb_table::open_attempts:
    case lmdb_table::base_open_attempts:
      return change<open_attempt>(table, key);
    case lmdb_table::made:
    case lmdb_table::base_made:
      return change<made_record>(table, key);
    case lmdb_table::definitions:
    case lmdb_table::base_definitions:
      return change<definition_record>(table, key);
    case lmdb_table::queue:
    case lmdb_table::base_queue:
      return change<run_queued>(table, key);
    case lmdb_table::triggers:
    case lmdb_table::base_triggers:
      return change<trigger_record>(table, key);
    case lmdb_table::pending:
    case lmdb_table::base_pending:
      return change<event_taken>(table, key);
    case lmdb_table::keys:
    case lmdb_table::base_keys:
      return change<seen_key>(table, key);
    case lmdb_table::watched:
    case lmdb_table::base_watched:
      return change<watched_record>(table, key);
    case lmdb_table::notices:
    case lmdb_table::base_notices:
      return change<notice_taken>(table, key);
    default:
      return change_bytes(table, key);
    }
  }

  lmdb_access& access_;
  input& choices_;
};

/// Events as somebody would tell them who wants to be believed, or not.
void spoil(std::vector<event>& events, input& choices) {
  const auto some = [&] {
    return events.empty() ? 0 : (std::size_t{choices.byte()} << 8U | choices.byte()) % events.size();
  };
  const auto at = some();
  const auto place = [&](std::size_t i) { return events.begin() + static_cast<std::ptrdiff_t>(i); };
  if (events.empty())
    return;
  switch (choices.byte() % 8) {
  case 0:
    events.erase(place(at));
    break;
  case 1: {
    const auto again = events[at];
    events.insert(place(some()), again);
    break;
  }
  case 2:
    std::swap(events[at], events[some()]);
    break;
  case 3:
    if (at + 1 < events.size())
      std::swap(events[at], events[at + 1]);
    break;
  case 4:
    events.insert(place(at), test::random_filler(choices.number()).any_event());
    break;
  default:
    change_a_field(events[at], choices);
    break;
  }
}

} // namespace

forged_state::forged_state() {
  // A hundred thousand journals are written: not on a disk, where that can be helped.
  folder_ = test::memory_folder() + "/troupe-forge-XXXXXX";
  FUZZ_CHECK(::mkdtemp(folder_.data()) != nullptr, folder_);
  write_file(pipeline(), pipeline_text());
  fs::create_directory(folder_ + "/in");
  for (const auto* file : {"/in/a.txt", "/in/b.txt", "/out_0", "/out_1", "/out_4"})
    write_file(folder_ + file, file);
  test::history_maker made_up(7);
  still_clock clock;
  {
    auto store = open_journal(state(), {durability::none, 0}, clock);
    FUZZ_CHECK(store.has_value(), store.has_error() ? store.error().message : "");
    const auto append = [&](std::vector<event> batch) {
      FUZZ_CHECK((*store)->append(batch).has_value(), "a history can be appended");
      std::move(batch.begin(), batch.end(), std::back_inserter(events_));
    };
    for (int i = 0; i < 40; ++i)
      append(made_up.next_batch());
    append(made_up.big_run(12));
    const auto open = made_up.last_run();
    FUZZ_CHECK((*store)->write_checkpoint(open, {events_.size(), made_up.checkpoint_of(open)}).has_value(), "");
  }
  whole_ = content_of(state() + "/journal.mdb");
  {
    auto store = open_journal(state(), {durability::none, 0}, clock);
    FUZZ_CHECK(store.has_value() && (*store)->retain(2, 60).has_value(), "old events can be dropped");
  }
  aged_ = content_of(state() + "/journal.mdb");
}

forged_state::~forged_state() {
  std::error_code ignored; // a left-over in the folder of temporary files
  fs::remove_all(folder_, ignored);
}

void forged_state::begin_with(const std::string& journal) const {
  write_file(state() + "/journal.mdb", journal);
}

bool forged_state::appended(const std::vector<event>& events) const {
  std::error_code ignored;
  fs::remove(state() + "/journal.mdb", ignored);
  still_clock clock;
  const auto store = open_journal(state(), {durability::none, std::size_t{1} << 20U}, clock);
  return store && (*store)->append(events).has_value();
}

void forged_state::forge(input& choices) const {
  const auto kind = choices.byte() % 4;
  const int changes = choices.done() ? 0 : 1 + choices.byte() % 3;
  bool fits = false; // tables and events
  auto events = events_;
  if (kind == 0 && changes > 0) {
    for (int i = 0; i < changes; ++i)
      spoil(events, choices);
    fits = appended(events);
  }
  if (fits)
    return;
  begin_with(kind % 2 == 0 ? whole_ : aged_);
  if (changes == 0)
    return;
  lmdb_open_options options;
  const auto folder = state();
  options.dir = state_dir::open(folder).value();
  options.read_only = false;
  const auto env = lmdb_env::open(options, open_journal_tables);
  FUZZ_CHECK(env.has_value(), env.has_error() ? env.error().message : "");
  auto txn = (*env)->begin_write();
  FUZZ_CHECK(txn.has_value(), "a good journal can be written");
  lmdb_access access(*txn, (*env)->tables(), folder);
  forger forge_in(access, choices);
  if (kind == 0) {
    forge_in.replace_events(events);
  } else if (kind == 1) {
    events = forge_in.events();
    for (int i = 0; i < changes; ++i)
      spoil(events, choices);
    forge_in.replace_events(events);
  } else {
    for (int i = 0; i < changes; ++i)
      forge_in.change_something();
  }
  FUZZ_CHECK(txn->commit() == 0, "what is forged can be committed");
}

} // namespace troupe_internal::fuzz
