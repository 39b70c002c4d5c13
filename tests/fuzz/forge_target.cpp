// A state with forged records, and every verb that reads one, as a user would call it: each ends in order. What
// `journal verify` calls good is shown, and can be resumed as far as the journal goes. Nothing is executed, and no
// process ended.
#include "fuzz/forged_state.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "adapters/journal/lmdb_journal_check.hpp"
#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/lmdb_remake.hpp"
#include "cli/cli_main.hpp"
#include "core/run/reopening.hpp"
#include "core/run/run_logic.hpp"
#include "engine/run_history.hpp"
#include "engine/state_writer.hpp"

#include <atomic>
#include <sstream>
#include <string>
#include <vector>

namespace troupe_internal::fuzz {
namespace {

std::atomic<std::uint64_t> verbs{0};

constexpr int no_such_status = 4; // 0 to 3 are what verbs end with

/// Words of one verb, as the shell would hand them over.
int call(const forged_state& on, std::vector<std::string> words, std::string* said = nullptr) {
  words.insert(words.end(), {"-f", on.pipeline(), "--log-level", "off"});
  std::vector<const char*> argv = {"troupe"};
  for (const auto& word : words)
    argv.push_back(word.c_str());
  std::ostringstream out;
  std::ostringstream err;
  cli::console io(out, err);
  const int status = cli_main(static_cast<int>(argv.size()), argv.data(), io);
  verbs.fetch_add(1, std::memory_order_relaxed);
  FUZZ_CHECK(status >= 0 && status < no_such_status, words[0] + ": " + std::to_string(status));
  FUZZ_CHECK(err.str().find("internal error") == std::string::npos, words[0] + ": " + err.str());
  if (said != nullptr)
    *said = err.str();
  return status;
}

/// What `resume` makes of a run before it executes anything.
bool can_be_planned(const project& on, run_number run) {
  const auto snapshot = open_snapshot(on.state_folder);
  if (!snapshot)
    return false;
  const auto history = replay_run(**snapshot, run);
  const auto names = catalog::load(*on.p, *on.graph, snapshot->get());
  if (!history || !names)
    return false;
  auto state = history->state;
  const auto open = (*snapshot)->open_attempts();
  if (!open)
    return false;
  for (const auto& e : interrupted_attempts(*open, history->record.started_at))
    if (state.try_apply(e, (*snapshot)->info().asset_count) != nullptr)
      return false;
  run_resumed resumed{run, history->record.started_at, {}};
  resumed.reopened = reopened_by_resume(*on.graph, (*names)->asset_ids(), state, [](asset_index) { return false; });
  if (state.try_apply(resumed, (*snapshot)->info().asset_count) != nullptr)
    return false;
  if (changed_definitions(on, **names, *history, state)) {
    run_logic logic(*on.p, *on.graph, {2, static_cast<error_strategy>(history->record.request.error_strategy), {}},
                    (*names)->asset_ids(), std::move(state));
    static_cast<void>(logic.begin({}, history->record.started_at));
  }
  verbs.fetch_add(1, std::memory_order_relaxed);
  return true;
}

} // namespace

std::uint64_t forged_verbs() {
  return verbs;
}

void fuzz_forge(std::string_view bytes) {
  static const forged_state state;
  static const project on = [] {
    diagnostics findings;
    auto opened = open_project({state.pipeline(), {}, {}}, findings);
    FUZZ_CHECK(opened.has_value(), "the pipeline is a good one");
    return std::move(*opened);
  }();
  input choices(bytes);
  state.forge(choices);
  const auto verified = verify_journal(state.state());
  const bool good = verified && verified->ok();
  FUZZ_CHECK(good || !bytes.empty(), "what nobody has forged is good");
  const auto reads = [&](std::vector<std::string> words) {
    const auto verb = words.front();
    std::string said;
    const int status = call(state, std::move(words), &said);
    FUZZ_CHECK(!good || status != cli::exit_state, verb + " refuses what is called good: " + said);
  };
  FUZZ_CHECK(!good || call(state, {"journal", "verify"}) == 0, "verify says the same twice");
  if (!good)
    call(state, {"journal", "verify", "--json"});
  reads({"plan"});
  reads({"status", "--json"});
  reads({"runs"});
  reads({"runs", "--json"});
  reads({"show"});
  reads({"explain", "asset_3"});
  reads({"logs", "asset_2"});
  reads({"journal", "dump"});
  reads({"journal", "stats"});
  reads({"__complete", "runs"});
  const auto runs = list_runs(state.state(), 0);
  FUZZ_CHECK(!good || runs, "what is called good has runs");
  if (!runs)
    return;
  // The newest, of which one is open, and the oldest.
  constexpr std::size_t newest = 3;
  for (std::size_t i = 0; i < runs->size(); ++i) {
    const auto& run = (*runs)[i];
    if (i >= newest && i + 1 < runs->size())
      continue;
    const auto number = std::to_string(run.run.value);
    reads({"show", number, "--json"});
    reads({"explain", "asset_1", "--run", number});
    const bool planned = never_started(run) || can_be_planned(on, run.run);
    FUZZ_CHECK(!good || planned, "what is called good can be resumed: run " + number);
  }
}

} // namespace troupe_internal::fuzz
