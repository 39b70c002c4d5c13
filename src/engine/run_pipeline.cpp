// One run in an engine of its own, for who waits for it.
#include "core/command/secret_sources.hpp"
#include "engine/engine.hpp"
#include "engine/planning.hpp"
#include "engine/project.hpp"

#include <string>
#include <string_view>

namespace troupe_internal {

namespace {

/// A command for people, as the pipeline has it.
std::string command_of(const pipeline& p, std::string_view state_name) {
  constexpr std::size_t most = 200;
  const auto slash = state_name.find('/');
  const auto asset = slash != std::string_view::npos && state_name.substr(0, slash) == p.name
                         ? p.find(state_name.substr(slash + 1))
                         : std::nullopt;
  std::string text;
  if (asset)
    for (const auto word : p.declaration(*asset).command)
      text += (text.empty() ? "" : " ") + std::string(word);
  if (text.size() > most)
    text = text.substr(0, most) + "…";
  return text;
}

engine_options for_one_run(const project& on, bool assume_dead, run_observer& observer) {
  return {on.state_folder,
          {on.p->engine.durability, on.p->engine.grace_period, assume_dead,
           [&on](std::string_view name) { return command_of(*on.p, name); },
           [&observer](const std::vector<ended_process>& processes) { observer.leftovers_ended(processes); },
           [&observer](const std::string& text) { observer.noted(text); }, !secret_sources_of(*on.p).files.empty(),
           on.journal_seen, [&on] { return require_state_of(on); }},
          true};
}

} // namespace

result<run_result> run_pipeline(const project& on, const run_options& options, run_observer& observer,
                                stop_request& stop) {
  if (const auto scope = scope_of(on, options); !scope) // before a state is made
    return scope.error();
  system_clock time;
  auto opened = engine::open(for_one_run(on, options.assume_dead, observer), time, stop);
  if (!opened)
    return opened.error();
  const auto run = (*opened)->submit(on, options, observer);
  if (!run)
    return run.error();
  return (*opened)->wait(*run);
}

result<run_result> resume_run(const project& on, run_number number, const resume_options& options,
                              run_observer& observer, stop_request& stop) {
  system_clock time;
  auto opened = engine::open(for_one_run(on, options.assume_dead, observer), time, stop);
  if (!opened)
    return opened.error();
  const auto run = (*opened)->resume(on, number, observer, nullptr, options);
  if (!run)
    return run.error();
  return (*opened)->wait(*run);
}

} // namespace troupe_internal
