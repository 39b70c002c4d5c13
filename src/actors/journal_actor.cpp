// Append, then release.
#include "actors/journal_actor.hpp"

#include "actors/guard.hpp"
#include "actors/handover.hpp"

#include <iterator>

namespace troupe_internal {

namespace {

void let_go(std::vector<release>& releases) {
  for (auto& one : releases)
    std::visit([&](auto& what) { caf::anon_send(one.to, std::move(what)); }, one.what);
  releases.clear();
}

} // namespace

journal_handle::behavior_type journal_actor(journal_handle::stateful_pointer<journal_state> self,
                                            journal_state initial) {
  self->state = std::move(initial);
  guard_actor(self, self->state.supervisor, "journal actor");
  return {
      [self](append_request& request) {
        auto& state = self->state;
        if (state.failed)
          return;
        const bool hold = request.strict || state.strict || request.last;
        const auto ticket = state.next_ticket++;
        state.log->append(std::move(request.events), hold,
                          [back = state.back, ticket, hold](result<std::uint64_t> outcome) {
                            if (hold || !outcome)
                              back->to_journal(committed{ticket, outcome.has_value(),
                                                         outcome ? std::string() : outcome.error().message});
                          });
        if (!request.checkpoint.empty())
          state.log->checkpoint(state.run, std::move(request.checkpoint));
        if (hold)
          state.waiting[ticket] = {std::move(request.releases), request.last};
        else if (!state.begun)
          state.held_back.insert(state.held_back.end(), std::make_move_iterator(request.releases.begin()),
                                 std::make_move_iterator(request.releases.end()));
        else
          let_go(request.releases);
      },
      [self](const committed& done) {
        take_over();
        auto& state = self->state;
        if (!done.ok) {
          if (!state.failed)
            self->send(state.supervisor, journal_failed{done.message});
          state.failed = true;
          state.waiting.clear();
          return;
        }
        if (done.ticket == beginning_ticket) {
          state.begun = true;
          let_go(state.held_back);
          return;
        }
        const auto at = state.waiting.find(done.ticket);
        if (at == state.waiting.end())
          return;
        let_go(at->second.releases);
        if (at->second.last)
          self->send(state.supervisor, run_durable{});
        state.waiting.erase(at);
      },
  };
}

} // namespace troupe_internal
