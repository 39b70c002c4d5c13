// Asked, then read: the socket only says when there is more to read.
#include "engine/delegation.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/state_lock.hpp"
#include "adapters/state/state_dir.hpp"
#include "core/pipeline/matrix_identity.hpp"
#include "core/run/run_state.hpp"
#include "engine/catalog.hpp"
#include "engine/control_client.hpp"
#include "engine/live_run.hpp"
#include "engine/run_history.hpp"
#include "engine/state_layout.hpp"
#include "engine/supervisor_client.hpp"

#include <chrono>
#include <map>
#include <memory>

namespace troupe_internal {

namespace {

constexpr auto answer_within = std::chrono::minutes(10); // a large pipeline is planned first
constexpr auto look_again_every = std::chrono::milliseconds(500);

result<submitted_run> submitted_by(const result<control_message>& said) {
  if (!said)
    return said.error();
  if (const auto* taken = std::get_if<run_submitted>(&*said))
    return taken->what;
  return fail(error_code::state_unusable, "the supervisor answered with something else than was asked for");
}

/// What the state's last event is, before anything was asked: later ones are to be shown.
result<std::uint64_t> last_event_of(const std::string& state_folder) {
  const auto snapshot = open_snapshot(state_folder);
  return snapshot ? (*snapshot)->info().last_seq : result<std::uint64_t>(snapshot.error());
}

/// A run's events, told to an observer as the run itself would tell them.
class narrator {
public:
  narrator(const project& on, run_number run, std::uint64_t shown_after, run_observer& observer)
      : on_(on), run_(run), shown_after_(shown_after), observer_(observer) {}

  /// Reads on. Whether the run has ended.
  [[nodiscard]] result<bool> read_on() {
    const auto snapshot = open_snapshot(on_.state_folder);
    if (!snapshot)
      return snapshot.error();
    const auto record = record_in(**snapshot, run_);
    if (!record)
      return record.error();
    if (never_started(*record)) {
      record_ = *record;
      return record->dequeued.has_value();
    }
    record_ = *record;
    if (next_ == 0)
      next_ = record->first_seq;
    if (!names_) {
      auto names = catalog::load(*on_.p, *on_.graph, snapshot->get());
      if (!names)
        return names.error();
      names_ = std::move(*names);
    }
    std::optional<error> damage;
    const auto visited = (*snapshot)->visit_events(next_, [&](std::uint64_t seq, const event& e) {
      next_ = seq + 1;
      const bool own = std::visit(
          [&](const auto& it) {
            if constexpr (requires { it.run; })
              return it.run == run_;
            else
              return false;
          },
          e);
      if (!own)
        return true;
      if (const char* problem = state_.try_apply(e, (*snapshot)->info().asset_count)) {
        damage = (*snapshot)->damaged_event(seq, problem);
        return false;
      }
      if (seq > shown_after_)
        std::visit([this](const auto& it) { tell(it); }, e);
      return true;
    });
    if (damage)
      return std::move(*damage);
    if (!visited)
      return visited.error();
    return state_.finished().has_value();
  }

  [[nodiscard]] run_result ended() const {
    run_result out;
    out.run = run_;
    out.id = record_.id;
    out.status = record_.finished_at ? record_.status : run_status::interrupted;
    out.counts = state_.counts();
    out.started_at = began_at_.value_or(record_.started_at);
    out.finished_at = record_.finished_at.value_or(out.started_at);
    for (std::uint32_t position = 0; position < state_.size(); ++position)
      if (state_.at(position).status == asset_status::failed)
        if (const auto asset = names_->index_of(state_.id_at(position)))
          out.failed.push_back(*asset);
    return out;
  }

private:
  template <class T>
  void tell(const T&) {}
  void tell(const run_started& e) { begin(e.at); }
  void tell(const run_resumed& e) { begin(e.at); }
  void tell(const run_stopping& e) { observer_.run_stopping(e.cause); }
  void tell(const asset_found_fresh& e) { settled(e.asset, asset_status::fresh, e.asset, {}); }
  void tell(const attempt_started& e) {
    started_[e.asset.value] = e.at;
    if (const auto asset = names_->index_of(e.asset))
      observer_.attempt_began(*asset, e.attempt, e.reasons, duration::zero());
  }
  void tell(const attempt_finished& e) {
    const auto asset = names_->index_of(e.asset);
    if (!asset)
      return;
    for (const auto& warning : e.warnings)
      observer_.warned(*asset, warning);
    attempt_end end;
    end.attempt = e.attempt;
    end.outcome = e.outcome;
    end.message = e.message;
    end.changed = e.made && e.made->data_version.has_value();
    end.allowed_to_fail = on_.p->settings_of(*asset).allow_failure;
    const auto log = e.has_log ? log_path(on_.state_folder, run_, log_name(*on_.p, *asset), e.attempt) : std::string();
    end.log_file = log;
    const auto began = started_.find(e.asset.value);
    end.took = e.made ? e.made->took : began == started_.end() ? duration::zero() : e.at - began->second;
    if (e.retry_at)
      end.retry_in = *e.retry_at - e.at;
    observer_.attempt_ended(*asset, end);
    if (!e.retry_at)
      settled(e.asset, state_.at(*state_.position(e.asset)).status, e.asset, {});
  }
  void tell(const assets_settled& e) {
    for (const auto& one : e.assets)
      settled(one.asset, e.status, one.because, e.message);
  }

  void begin(timestamp at) {
    began_at_ = at;
    const auto done = state_.counts()[static_cast<std::size_t>(asset_status::fresh)] +
                      state_.counts()[static_cast<std::size_t>(asset_status::succeeded)];
    observer_.run_began({run_, record_.id, static_cast<std::uint32_t>(state_.size()), done, workers_of(record_.request),
                         static_cast<error_strategy>(record_.request.error_strategy), duration::zero()});
  }
  void settled(asset_id asset, asset_status status, asset_id because, const std::string& message) {
    const auto index = names_->index_of(asset);
    if (index)
      observer_.asset_settled(*index, status, names_->index_of(because).value_or(*index), message);
  }

  const project& on_;
  const run_number run_;
  const std::uint64_t shown_after_;
  run_observer& observer_;
  std::uint64_t next_ = 0;
  run_record record_;
  run_state state_;
  std::unique_ptr<catalog> names_;
  std::optional<timestamp> began_at_;
  std::map<std::uint32_t, timestamp> started_;
};

result<run_result> watch(const project& on, run_number run, std::uint64_t shown_after, run_observer& observer,
                         stop_request& stop) {
  narrator tells(on, run, shown_after, observer);
  const auto dir = state_dir::open(on.state_folder);
  if (!dir)
    return dir.error();
  std::optional<control_client> follows;
  int asked = 0;
  for (;;) {
    const auto over = tells.read_on();
    if (!over)
      return over.error();
    if (*over)
      return tells.ended();
    if (const int wanted = stop.count(); wanted > asked) {
      asked = wanted;
      auto client = control_client::connect(**dir);
      if (client && client->send(cancel_request{run, wanted > 1}))
        static_cast<void>(client->receive(std::chrono::seconds(1))); // the journal says what becomes of it
    }
    if (!follows) {
      auto client = control_client::connect(**dir);
      if (client && client->send(follow_request{std::nullopt, run}))
        follows = std::move(*client);
      else if (!living_holder_of(on.state_folder)) {
        const auto last = tells.read_on(); // what it wrote in the end
        return last ? result<run_result>(tells.ended()) : last.error();
      }
    }
    if (follows && !follows->receive(look_again_every, stop.descriptor()))
      follows.reset(); // it has ended, or the supervisor has
  }
}

} // namespace

std::optional<supervisor_answer> supervisor_of(const std::string& state_folder) {
  // What a dead supervisor was starting has its socket, too, and never answers.
  if (!is_held(state_folder))
    return std::nullopt;
  auto answer = ask_supervisor(state_folder, {}, std::chrono::seconds(10));
  return answer ? std::optional(std::move(*answer)) : std::nullopt;
}

result<submitted_run> submit_to_supervisor(const std::string& state_folder, const run_ask& ask) {
  return submitted_by(answer_of(state_folder, submit_request{ask}, answer_within));
}

result<run_result> run_in_supervisor(const project& on, const run_ask& ask, run_observer& observer,
                                     stop_request& stop) {
  const auto before = last_event_of(on.state_folder);
  if (!before)
    return before.error();
  const auto taken = submit_to_supervisor(on.state_folder, ask);
  if (!taken)
    return taken.error();
  return watch(on, taken->run, *before, observer, stop);
}

result<run_result> resume_in_supervisor(const project& on, run_number run,
                                        const std::vector<std::pair<std::string, std::string>>& secrets,
                                        run_observer& observer, stop_request& stop) {
  const auto before = last_event_of(on.state_folder);
  if (!before)
    return before.error();
  const auto taken = submitted_by(answer_of(on.state_folder, resume_request{run, secrets}, answer_within));
  if (!taken)
    return taken.error();
  return watch(on, run, *before, observer, stop);
}

} // namespace troupe_internal
