// What the next commands would do: look, then write.
#include "image_check.hpp"

#include "adapters/journal/lmdb_journal_check.hpp"
#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/system/system_clock.hpp"
#include "disk_recorder.hpp"

#include <filesystem>

namespace troupe_internal::test {
namespace {

/// The next writer appends what a writer appends first, and some names that nobody has had.
std::string go_on(const std::string& folder, std::uint64_t& last_seq) {
  system_clock clock;
  auto store = open_journal(folder, {}, clock);
  if (!store)
    return "the next writer is refused: " + store.error().message;
  std::uint32_t names = 0;
  {
    const auto now = (*store)->snapshot();
    if (!now)
      return "the next writer cannot read: " + now.error().message;
    names = (*now)->info().asset_count;
  }
  const std::vector<event> events = {writer_opened{clock.now(), "boot", 4711},
                                     names_interned{asset_id(names), {"demo/new"}}, writer_closed{clock.now()}};
  const auto done = (*store)->append(events);
  if (!done)
    return "the next writer cannot write: " + done.error().message;
  last_seq = *done;
  return {};
}

std::string verified(const std::string& folder) {
  const auto found = verify_journal(folder);
  if (!found)
    return found.error().message;
  return found->ok() ? std::string() : "journal verify: " + found->problems.front();
}

/// Whether the refusal is the one that is announced, and its way out leads out.
std::string refusal_problem(const std::string& folder, const error& why) {
  if (why.code != error_code::state_unusable || why.message.find("durability none") == std::string::npos ||
      why.message.find("Remove ") == std::string::npos)
    return "refused in other words than those for unsynced states: " + why.message;
  system_clock clock;
  if (const auto store = open_journal(folder, {}, clock); store || store.error().message != why.message)
    return "a reader is refused, and a writer is not, or in other words";
  std::filesystem::remove(folder + "/journal.mdb");
  std::filesystem::remove(folder + "/unsynced");
  std::uint64_t last_seq = 0;
  return go_on(folder, last_seq);
}

} // namespace

verdict check_image(const std::string& folder, const recorded_history& history, const promises& made) {
  pretend_boot("boot-after-the-power-cut");
  verdict found;
  auto snapshot = open_snapshot(folder);
  if (!snapshot && snapshot.error().code == error_code::state_unusable && made.may_refuse) {
    found.refused = true;
    found.wrong = refusal_problem(folder, snapshot.error());
    return found;
  }
  if (!snapshot && snapshot.error().code != error_code::not_found) {
    found.wrong = "it is refused: " + snapshot.error().message;
    return found;
  }
  std::uint64_t before = 0;
  if (!snapshot) { // no journal yet
    if (made.promised > 0) {
      found.wrong = "there is no journal, and " + std::to_string(made.promised) + " commits were acknowledged";
      return found;
    }
  } else {
    found.there = true;
    if (found.wrong = verified(folder); !found.wrong.empty())
      return found;
    std::string nearest;
    bool matches = false;
    for (auto n = made.begun + 1; n-- > made.promised && !matches;) {
      auto differs = difference(**snapshot, history.after(n));
      matches = differs.empty();
      found.commits = n;
      nearest = std::move(differs);
    }
    if (!matches) {
      found.wrong = "what is there is neither commit " + std::to_string(made.promised) + ", which was acknowledged, " +
                    "nor one up to " + std::to_string(made.begun) + ", which was begun: " + nearest;
      return found;
    }
    before = (*snapshot)->info().last_seq;
  }
  snapshot = fail(error_code::not_found, "closed");
  std::uint64_t after = 0;
  if (found.wrong = go_on(folder, after); !found.wrong.empty())
    return found;
  if (after != before + 3)
    found.wrong = "the next writer's three events end with event " + std::to_string(after) + ", and before it event " +
                  std::to_string(before) + " was the last";
  else
    found.wrong = verified(folder);
  return found;
}

} // namespace troupe_internal::test
