// Spawned, ended, and counted out.
#include "actors/actor_run.hpp"

#include "actors/actor_room_inside.hpp"
#include "actors/wiring.hpp"

#include <mutex>
#include <optional>
#include <utility>

namespace troupe_internal {

struct actor_run::inside {
  run_setup setup;
  std::shared_ptr<gate> way_in = std::make_shared<gate>();
  std::function<void(run_outcome)> gone;

  std::mutex mutex;
  std::optional<run_actors> actors;  ///< once all are spawned
  std::optional<run_end> ended;      ///< once the supervisor has said so
  std::vector<asset_handle> handles; ///< kept until all have ended: see end_run()

  /// Has the actors end once the run has ended and all of them are there, whichever comes last.
  void end_if_due() {
    const std::lock_guard lock(mutex);
    if (actors && ended) {
      handles = end_run(*actors, *way_in);
      actors.reset();
    }
  }
};

actor_run::actor_run(run_setup setup) : inside_(std::make_shared<inside>()) {
  inside_->setup = std::move(setup);
}

actor_run::~actor_run() = default;

void actor_run::begin(actor_room& room, std::function<void(run_outcome)> gone) {
  begin(room.inside_->system, std::move(gone));
}

void actor_run::begin(caf::actor_system& system, std::function<void(run_outcome)> gone) {
  const no_lasting_hold after;
  auto& all = *inside_;
  all.gone = std::move(gone);
  // Each actor holds this until nothing of it runs any more.
  const std::shared_ptr<void> presence(&all, [weak = std::weak_ptr(inside_)](void*) {
    const auto self = weak.lock();
    if (!self)
      return;
    run_end end{false, "the run's actors have ended before it", true};
    {
      const std::lock_guard lock(self->mutex);
      if (self->ended)
        end = *self->ended;
    }
    const auto then = std::move(self->gone);
    then({end.durable, end.problem, end.internal});
  });
  auto actors = spawn_run(
      system, all.setup, all.way_in,
      [weak = std::weak_ptr(inside_)](run_end end) {
        if (const auto self = weak.lock()) {
          {
            const std::lock_guard lock(self->mutex);
            self->ended = std::move(end);
          }
          self->end_if_due();
        }
      },
      presence);
  {
    const std::lock_guard lock(all.mutex);
    all.actors = std::move(actors);
  }
  all.end_if_due();
}

void actor_run::stop(stop_cause cause, bool at_once) {
  inside_->way_in->stop(stop_order{cause, at_once});
}

void actor_run::let_go_on(asset_index asset, std::vector<std::pair<asset_index, digest>> versions,
                          std::optional<blocked_outside> blocked) {
  inside_->way_in->to_supervisor(hold_over{asset, std::move(versions), std::move(blocked)});
}

void actor_run::offer(std::uint64_t number, std::optional<capacity> budget) {
  inside_->way_in->offer(budget_offered{number, std::move(budget)});
}

void actor_run::fail(std::string message) {
  inside_->way_in->to_supervisor(journal_failed{std::move(message)});
}

} // namespace troupe_internal
