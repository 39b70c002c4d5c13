// A scope of marks.
#include "engine/selected_plan.hpp"

#include "core/pipeline/selection.hpp"

namespace troupe_internal {

result<std::unique_ptr<planning>> plan_selected(const project& on, const std::vector<std::string>& selection,
                                                const journal_snapshot* snapshot, const clock& time) {
  return planning::make(
      on,
      [&](const project& now) -> result<run_scope> {
        const auto selected = select_assets(*now.p, *now.graph, selection);
        if (!selected)
          return selected.error();
        const std::vector<bool> nothing(now.p->assets.size(), false);
        run_scope scope;
        scope.in_run = scope.forced = nothing;
        for (const auto asset : *selected)
          scope.in_run[asset.value] = true;
        return scope;
      },
      snapshot, time, true);
}

} // namespace troupe_internal
