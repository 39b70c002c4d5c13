// One run_state a run.
#include "core/run/run_order.hpp"

#include <limits>
#include <type_traits>

namespace troupe_internal {
namespace {
/// Runs that are open, or resumed later, at the same time: one, as a rule.
constexpr std::uint64_t most_at_once = 16;
constexpr std::uint64_t most_assets = 1'000'000;
constexpr std::uint64_t no_more = std::numeric_limits<std::uint64_t>::max();
} // namespace

std::string run_order::take(std::uint64_t seq, const event& e, std::uint32_t names) {
  return std::visit(
      [&](const auto& it) -> std::string {
        if constexpr (requires { it.run; })
          return fold(seq, e, it.run, names);
        else
          return {};
      },
      e);
}

std::string run_order::fold(std::uint64_t seq, const event& e, run_number run, std::uint32_t names) {
  auto at = runs_.find(run);
  if (at == runs_.end()) {
    if (!std::holds_alternative<run_started>(e))
      return {}; // its beginning is no longer kept, or something impossible was told of it already
    at = runs_.try_emplace(run).first;
    at->second.last_seq = last_of_(run);
    at->second.kept = kept_of_(run);
  }
  auto& known = at->second;
  compare(run, known, seq);
  const auto before = known.state.size();
  if (const char* problem = known.state.try_apply(e, names)) {
    forget(at);
    return problem;
  }
  assets_ += known.state.size() - before;
  std::string problem;
  if (const auto* end = std::get_if<run_finished>(&e); end != nullptr && end->counts != known.state.counts())
    problem = "its counts are not those of the run's assets";
  if (known.last_seq != 0 && seq >= known.last_seq) { // nothing of it follows
    compare(run, known, no_more);
    forget(at);
  }
  if (assets_ > most_assets + most_at_once * std::uint64_t{names}) {
    runs_.clear();
    assets_ = 0;
    problem = "more runs are open at once than can be looked at: the order of their events was not checked";
  }
  return problem;
}

void run_order::finish() {
  for (auto& [run, known] : runs_)
    compare(run, known, no_more);
}

void run_order::compare(run_number run, open_run& known, std::uint64_t next) {
  if (!known.kept || known.kept->first >= next)
    return;
  (run_state::decode(known.kept->second) == known.state ? sound_ : wrong_).insert(run);
  known.kept.reset();
}

void run_order::forget(runs::iterator at) {
  assets_ -= at->second.state.size();
  runs_.erase(at);
}

} // namespace troupe_internal
