// A whole journal with bytes changed, pages mixed up, its end cut off: whatever `journal verify` calls good tells the
// same history as before, and nothing makes it crash.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "adapters/journal/lmdb_journal_check.hpp"
#include "adapters/journal/lmdb_journal_store.hpp"
#include "core/journal/event_codec.hpp"
#include "ports/clock.hpp"
#include "same_state.hpp"
#include "support/history.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace troupe_internal::fuzz {
namespace {

constexpr std::size_t page_bytes = 4096;

/// Everything that can be read, in bytes; with an error, that.
std::string history_of(const std::string& folder) {
  const auto opened = open_snapshot(folder);
  if (!opened)
    return "cannot be opened: " + opened.error().message;
  const auto& snapshot = **opened;
  std::string all;
  const auto info = snapshot.info();
  encode(info, all);
  const auto note = [&](const auto& done) {
    if (!done)
      all += "error: " + done.error().message;
  };
  event_encoder encoder;
  std::uint64_t events = 0;
  note(snapshot.visit_events(0, [&](std::uint64_t, const event& e) { return encoder.add(e), ++events, true; }));
  all += encoder.bytes();
  for (auto from = info.first_seq; from <= info.last_seq; from += 7) { // looked up, not only walked
    std::uint64_t first = 0;
    note(snapshot.visit_events(from, [&](std::uint64_t seq, const event&) { return first = seq, false; }));
    all += first == from ? "" : "event " + std::to_string(from) + " is not where it should be";
  }
  note(snapshot.visit_asset_names([&](asset_id id, std::string_view name) {
    all.append(std::to_string(id.value)).append(name);
    return true;
  }));
  note(snapshot.visit_paths([&](path_id id, std::string_view path) {
    all.append(std::to_string(id.value)).append(path);
    return true;
  }));
  for (std::uint32_t i = 0; i < info.asset_count; ++i) {
    asset_record record;
    note(snapshot.read_asset(asset_id(i), record));
    encode(record, all);
  }
  note(snapshot.visit_files([&](path_id, const file_record& record) { return encode(record, all), true; }));
  note(snapshot.visit_runs_newest_first([&](const run_record& record) {
    encode(record, all);
    const auto again = snapshot.read_run(record.run);
    all += again && *again && **again == record ? "" : "a run is not where it should be";
    return true;
  }));
  const auto open = snapshot.open_attempts();
  note(open);
  if (open)
    for (const auto& attempt : *open)
      encode(attempt, all);
  return all;
}

struct journal_fixture {
  std::string folder;
  std::string bytes;
  std::string history;

  journal_fixture() {
    auto name = (std::filesystem::temp_directory_path() / "troupe-fuzz-XXXXXX").string();
    FUZZ_CHECK(::mkdtemp(name.data()) != nullptr, name);
    folder = name + "/state";
    still_clock clock;
    {
      auto store = open_journal(folder, {durability::none, std::size_t{1} << 20U}, clock);
      FUZZ_CHECK(store.has_value(), store.has_error() ? store.error().message : "");
      test::history_maker made_up(7);
      for (int i = 0; i < 120; ++i)
        FUZZ_CHECK((*store)->append(made_up.next_batch()).has_value(), "a history can be appended");
      FUZZ_CHECK((*store)->retain(3, 40).has_value(), "old events can be dropped");
    }
    bytes = content_of(file());
    history = history_of(folder);
    const auto good = verify_journal(folder);
    FUZZ_CHECK(good.has_value() && good->ok(), "undamaged it is good");
  }
  journal_fixture(const journal_fixture&) = delete;
  journal_fixture& operator=(const journal_fixture&) = delete;
  ~journal_fixture() {
    std::error_code ignored; // a left-over in the folder of temporary files
    std::filesystem::remove_all(std::filesystem::path(folder).parent_path(), ignored);
  }
  [[nodiscard]] std::string file() const { return folder + "/journal.mdb"; }
};

/// Each step of the damage takes its kind and its places from the input.
std::string damaged(std::string_view journal, std::string_view bytes) {
  std::string out(journal);
  int steps = 0;
  for (input in(bytes); !in.done() && ++steps <= 32 && !out.empty();) {
    const auto kind = in.byte() % 8;
    const std::size_t at = (std::size_t{in.byte()} << 16U | std::size_t{in.byte()} << 8U | in.byte()) % out.size();
    const std::size_t page = at / page_bytes * page_bytes;
    const auto value = in.byte();
    switch (kind) {
    case 0:
    case 1:
      out[at] = static_cast<char>(value);
      break;
    case 2:
      out[at] = static_cast<char>(static_cast<unsigned char>(out[at]) ^ (1U << value % 8));
      break;
    case 3: // the page's header and the places of its entries
      out[page + value % std::min<std::size_t>(64, out.size() - page)] = static_cast<char>(in.byte());
      break;
    case 4: // another page's content
    case 5: {
      const std::size_t other = value * page_bytes % out.size() / page_bytes * page_bytes;
      const std::size_t count = std::min({page_bytes, out.size() - page, out.size() - other});
      const std::string copy = out.substr(other, count);
      if (kind == 4)
        out.replace(other, count, out.substr(page, count));
      out.replace(page, count, copy);
      break;
    }
    case 6:
      std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at), std::min<std::size_t>(value, out.size() - at), '\0');
      break;
    default:
      out.resize(value % 2 == 0 ? page : at);
      break;
    }
  }
  return out;
}

} // namespace

void fuzz_journal(std::string_view bytes) {
  static const journal_fixture good;
  const auto bad = damaged(good.bytes, bytes);
  {
    std::ofstream out(good.file(), std::ios::binary | std::ios::trunc);
    out.write(bad.data(), static_cast<std::streamsize>(bad.size()));
    FUZZ_CHECK(out.flush().good(), "the journal can be written");
  }
  const auto verified = verify_journal(good.folder);
  if (!verified) {
    FUZZ_CHECK(verified.error().code == error_code::state_unusable, verified.error().message);
    return;
  }
  for (const auto& problem : verified->problems)
    FUZZ_CHECK(!problem.empty() && problem.size() < 4000, problem);
  FUZZ_CHECK(!bytes.empty() || verified->ok(), "undamaged it is good");
  if (!verified->ok())
    return;
  const auto history = history_of(good.folder);
  FUZZ_CHECK(history == good.history, "what is called good tells the history that was written");
}

} // namespace troupe_internal::fuzz
