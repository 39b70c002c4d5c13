// Damages a small journal in every place, one at a time, and sees what whoever opens it makes of it. Knows the
// journal's public side only: verifying, reading, writing.
//
// For each damage: either verify finds nothing, and then all there is to read is as it was and a writer continues; or
// it names what is wrong, and then a writer refuses and changes nothing, and a reader sees the truth or an error. If
// only definitions are damaged, a writer that uses none of them may continue: the damage stays, and is named when
// definitions are used. A crash or a hang happens in a child, and is reported with its place.
#include "adapters/journal/lmdb_journal_check.hpp"
#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/lmdb_remake.hpp"
#include "adapters/system/system_clock.hpp"
#include "core/journal/event_codec.hpp"
#include "core/journal/event_json.hpp"
#include "support/history.hpp"
#include "support/memory_folder.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::test;
namespace fs = std::filesystem;

namespace {

constexpr unsigned patience_s = 20;
constexpr std::size_t page_bytes = 4096;

struct damage {
  std::uint64_t offset = 0;
  std::uint8_t flip = 0; ///< 0: cut off at the offset
};

std::string text_of(const damage& d) {
  return d.flip == 0 ? "cut off at byte " + std::to_string(d.offset)
                     : "byte " + std::to_string(d.offset) + " (page " + std::to_string(d.offset / page_bytes) + ", " +
                           std::to_string(d.offset % page_bytes) + ") ^ " + std::to_string(d.flip);
}

/// Everything there is to read, as text; an error if anything cannot be read.
result<std::string> picture_of(const std::string& folder, bool with_checkpoints = true) {
  auto s = open_snapshot(folder);
  if (!s)
    return s.error();
  std::string out;
  encode((*s)->info(), out);
  result<void> done = (*s)->visit_events(0, [&](std::uint64_t seq, const event& e) {
    out += event_to_json(seq, e,
                         {[](asset_id) { return std::string_view(); }, [](path_id) { return std::string_view(); }});
    return true;
  });
  const auto text = [&](auto, std::string_view name) {
    out += name;
    out += '\n';
    return true;
  };
  if (done)
    done = (*s)->visit_asset_names(text);
  if (done)
    done = (*s)->visit_paths(text);
  if (done)
    done = (*s)->visit_files([&](path_id id, const file_record& record) {
      out += std::to_string(id.value);
      encode(record, out);
      return true;
    });
  // As plan and status read it: one asset at a time.
  asset_record asset;
  for (std::uint32_t id = 0; done && id < (*s)->info().asset_count; ++id) {
    const auto found = (*s)->read_asset(asset_id(id), asset);
    if (!found)
      done = found.error();
    else if (*found)
      encode(asset, out);
    else
      out += "never\n";
  }
  if (done)
    done = (*s)->visit_assets([&](asset_id id, const asset_record& record) {
      out += std::to_string(id.value);
      encode(record, out);
      return true;
    });
  for (std::uint32_t n = 1; done && n <= (*s)->info().last_run.value; ++n) {
    const auto run = (*s)->read_run(run_number(n));
    if (!run)
      done = run.error();
    else if (*run)
      encode(**run, out);
    if (!with_checkpoints)
      continue;
    if (const auto kept = (*s)->read_checkpoint(run_number(n)); !kept)
      done = kept.error();
    else if (*kept)
      out += (*kept)->bytes;
  }
  if (done)
    done = (*s)->visit_runs_newest_first([&](const run_record& run) {
      encode(run, out);
      return true;
    });
  if (!done)
    return done.error();
  const auto open = (*s)->open_attempts();
  if (!open)
    return open.error();
  for (const auto& attempt : *open)
    encode(attempt, out);
  return out;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// What children count, for the parent to see whatever becomes of them.
struct counts {
  std::uint64_t at = 0; ///< the damage being looked at
  std::uint64_t harmless = 0, reported = 0, beside = 0, rebuilt = 0, rebuilt_without_history = 0, lost = 0;
};

/// The journal under test, and what is true of it.
class sweep {
public:
  /// `without`: what was true before the last transaction, and what is true, both without checkpoints.
  sweep(std::string folder, std::string sound, std::string truth, std::pair<std::string, std::string> without,
        counts* seen)
      : folder_(std::move(folder)), journal_(folder_ + "/journal.mdb"), sound_(std::move(sound)),
        truth_(std::move(truth)), without_(std::move(without)), seen_(seen) {}

  /// Empty, or what is wrong with how this damage is met.
  std::string meet(const damage& d, bool rebuild) {
    auto bytes = sound_;
    if (d.flip == 0)
      bytes.resize(d.offset);
    else
      bytes[d.offset] = static_cast<char>(bytes[d.offset] ^ d.flip);
    write_file(journal_, bytes);
    const auto verified = verify_journal(folder_);
    const bool good = verified && verified->ok();
    if (!verified && (verified.error().code != error_code::state_unusable || verified.error().message.empty()))
      return "verify fails otherwise: " + verified.error().message;
    const auto picture = picture_of(folder_);
    if (picture && *picture != truth_)
      return "a reader sees something else" + std::string(good ? ", and verify finds nothing" : "");
    if (good && !picture)
      return "verify finds nothing, and a reader fails: " + picture.error().message;
    const bool others_sound =
        !good && verified &&
        std::all_of(verified->problems.begin(), verified->problems.end(),
                    [](const std::string& problem) { return problem.find("definition") != problem.npos; });
    if (auto wrong = others_sound ? write_beside_definitions() : write_to(good, bytes); !wrong.empty())
      return wrong;
    seen_->beside += others_sound ? 1 : 0;
    write_file(journal_, bytes);
    ++(good ? seen_->harmless : seen_->reported);
    return good || !rebuild ? std::string() : save(bytes, d.offset < 2 * page_bytes);
  }

private:
  /// Of a journal with damaged definitions: what uses none is written, or the damage is named; what uses some is
  /// refused. Nothing hides the damage.
  std::string write_beside_definitions() {
    system_clock clock;
    auto store = open_journal(folder_, {durability::none, 0}, clock);
    auto appended = store ? (*store)->append(std::vector<event>{writer_closed{}}) : store.error();
    if (!appended && appended.error().code != error_code::state_unusable)
      return "a writer fails otherwise: " + appended.error().message;
    if (appended) {
      asset_definition one;
      one.version = "that nobody has recorded";
      const auto of = digest_of(one);
      appended = (*store)->append(std::vector<event>{definition_recorded{{{asset_id(0U), asset_id(0U)}}, of, one}});
      if (appended)
        return "definitions are damaged, and a writer builds on them";
    }
    if (appended.error().code != error_code::state_unusable ||
        appended.error().message.find("troupe journal rebuild") == std::string::npos)
      return "a writer refuses without a way out: " + appended.error().message;
    store = fail(error_code::internal, "closed");
    const auto verified = verify_journal(folder_);
    return verified && verified->ok() ? "a writer has hidden damage of definitions" : "";
  }

  std::string write_to(bool good, const std::string& bytes) {
    system_clock clock;
    auto store = open_journal(folder_, {durability::none, 0}, clock);
    const auto appended = store ? (*store)->append(std::vector<event>{writer_closed{}}) : store.error();
    store = fail(error_code::internal, "closed");
    if (good)
      return appended ? std::string() : "verify finds nothing, and a writer fails: " + appended.error().message;
    if (appended)
      return "verify finds damage, and a writer does not";
    if (appended.error().code != error_code::state_unusable)
      return "a writer fails otherwise: " + appended.error().message;
    if (appended.error().message.find("troupe journal rebuild") == std::string::npos &&
        appended.error().message.find("emove ") == std::string::npos)
      return "a writer refuses without a way out: " + appended.error().message;
    if (read_file(journal_) != bytes)
      return "a writer refuses, but has changed the file";
    return {};
  }

  /// After a rebuild all is as it was, or it was refused and nothing changed; then without history, the same.
  /// Where the page that leads to the last transaction is damaged, that alone may be lost, and it is said.
  std::string save(const std::string& bytes, bool in_first_pages) {
    if (const auto rebuilt = rebuild_journal(folder_, false)) {
      const auto verified = verify_journal(folder_);
      if (!verified || !verified->ok())
        return "what was rebuilt does not verify";
      const auto picture = picture_of(folder_, false); // one that was damaged is left out: it only saves time
      const bool a_step_back = in_first_pages && picture && *picture == without_.first;
      if (!picture || (*picture != without_.second && !a_step_back))
        return "what was rebuilt is not what was";
      if (a_step_back && (rebuilt->differences.empty() ||
                          rebuilt->differences.back().find("last transaction recorded is lost") == std::string::npos))
        return "what was rebuilt lacks the last transaction, and does not say so";
      ++seen_->rebuilt;
      return {};
    }
    if (read_file(journal_) != bytes)
      return "a refused rebuild has changed the file";
    if (const auto rebuilt = rebuild_journal(folder_, true)) {
      const auto verified = verify_journal(folder_);
      if (!verified || !verified->ok())
        return "what was rebuilt without history does not verify: " +
               (verified ? verified->problems.front() : verified.error().message);
      ++seen_->rebuilt_without_history;
      return {};
    }
    ++seen_->lost;
    return read_file(journal_) == bytes ? "" : "a refused rebuild without history has changed the file";
  }

  std::string folder_, journal_, sound_, truth_;
  std::pair<std::string, std::string> without_;
  counts* seen_;
};

/// A small state: runs that overlap, fail, are resumed; a base; an open run with a checkpoint; records of several
/// pages.
void make_state(const std::string& folder) {
  system_clock clock;
  auto store = open_journal(folder, {durability::none, 0}, clock);
  history_maker history(7);
  for (int i = 0; i < 16; ++i)
    static_cast<void>((*store)->append(history.next_batch()).value());
  static_cast<void>((*store)->retain(2, 20).value());
  auto start = history.big_run(140);
  std::get<run_started>(start.back()).request.selection.assign(120, "a selection that takes pages of its own");
  const auto last = (*store)->append(start).value();
  static_cast<void>(
      (*store)->write_checkpoint(history.last_run(), {last, history.checkpoint_of(history.last_run())}).value());
}

/// Removed with all in it. A hundred thousand files are written: not on a disk, where that can be helped.
struct working_folder {
  std::string path = test::memory_folder() + "/troupe-damage-XXXXXX";
  working_folder() {
    if (::mkdtemp(path.data()) == nullptr)
      std::abort();
  }
  ~working_folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

} // namespace

int main(int argc, char** argv) {
  // usage: damage_sweep [--all] [--every N] [--at OFFSET FLIP]
  const bool all = argc > 1 && std::strcmp(argv[1], "--all") == 0;
  const bool one = argc > 3 && std::strcmp(argv[1], "--at") == 0;
  const auto every = argc > 2 && std::strcmp(argv[1], "--every") == 0 ? std::strtoull(argv[2], nullptr, 10) : 1;
  const working_folder place;
  make_state(place.path + "/made");
  if (!rebuild_journal(place.path + "/made",
                       false)) // pages in the order of a journal that was made anew, few of them free
    return std::puts("the state cannot be made"), 1;
  {
    system_clock clock;
    auto store = open_journal(place.path + "/made", {durability::none, 0}, clock);
    static_cast<void>((*store)->append(std::vector<event>{writer_opened{}, writer_closed{}}).value()); // and later ones
  }
  const auto before = picture_of(place.path + "/made", false).value();
  {
    system_clock clock;
    auto store = open_journal(place.path + "/made", {durability::none, 0}, clock);
    static_cast<void>((*store)->append(std::vector<event>{writer_opened{}, writer_closed{}}).value());
  }
  const auto sound = read_file(place.path + "/made/journal.mdb");
  const auto truth = picture_of(place.path + "/made");
  if (!truth || !verify_journal(place.path + "/made")->ok())
    return std::puts("the state made is not sound"), 1;

  std::vector<damage> todo;
  if (one) {
    todo.push_back({std::strtoull(argv[2], nullptr, 10), static_cast<std::uint8_t>(std::atoi(argv[3]))});
  } else {
    for (std::uint64_t at = 0; at < sound.size(); at += every) {
      const auto bit = static_cast<std::uint8_t>(1U << (at * 5 + at / 8) % 8);
      if (all || at / every % 2 == 0)
        todo.push_back({at, 0xFF});
      if (all || at / every % 2 == 1)
        todo.push_back({at, bit});
    }
    for (std::uint64_t at = 0; at < sound.size(); at += page_bytes)
      for (const auto cut : {at, at + 1, at + 17, at + page_bytes / 2, at + page_bytes - 1})
        if (cut < sound.size())
          todo.push_back({cut, 0});
  }

  auto* seen =
      static_cast<counts*>(::mmap(nullptr, sizeof(counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  *seen = {};
  fs::create_directory(place.path + "/damaged");
  int bad = 0;
  constexpr int bad_limit = 50;
  for (std::uint64_t next = 0; next < todo.size() && bad < bad_limit;) {
    seen->at = next;
    std::cout << std::flush;
    const auto child = ::fork();
    if (child == 0) {
      sweep work(place.path + "/damaged", sound, *truth, {before, picture_of(place.path + "/made", false).value()},
                 seen);
      int wrong = 0;
      for (; seen->at < todo.size() && wrong < bad_limit; ++seen->at) {
        ::alarm(patience_s);
        const auto& d = todo[seen->at];
        if (const auto what = work.meet(d, d.flip != 0 && (one || all || seen->at % 7 == 0)); !what.empty()) {
          ++wrong;
          std::cout << text_of(d) << ": " << what << std::endl;
        }
      }
      std::_Exit(wrong);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status)) {
      bad += WEXITSTATUS(status);
      break;
    }
    ++bad;
    std::cout << text_of(todo[seen->at]) << ": "
              << (WTERMSIG(status) == SIGALRM ? "hangs" : std::string("signal ") + std::to_string(WTERMSIG(status)))
              << std::endl;
    next = seen->at + 1;
  }
  std::cout << "journal of " << sound.size() << " bytes: " << todo.size() << " damages; " << seen->harmless
            << " harmless, " << seen->reported << " reported and refused (" << seen->beside
            << " of them only when definitions are used); of these rebuilt " << seen->rebuilt << ", without history "
            << seen->rebuilt_without_history << ", not at all " << seen->lost << "; " << bad << " wrong\n";
  if (!one && (seen->harmless == 0 || seen->reported == 0 || seen->beside == 0 || seen->rebuilt == 0 ||
               seen->rebuilt_without_history == 0))
    return std::puts("not everything that may happen has happened"), 1;
  return bad == 0 ? 0 : 1;
}
