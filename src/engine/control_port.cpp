// What an engine without a queue answers.
#include "engine/control_port.hpp"

namespace troupe_internal {

namespace {

error no_queue() {
  return fail(error_code::invalid_input,
              "the process that has this state carries out one run and takes no others: wait for its end, or start the "
              "run with `troupe run --wait`");
}

} // namespace

result<std::unique_ptr<journal_snapshot>> control_port::history() {
  return fail(error_code::not_found, "there is no history to follow");
}

void control_port::submit_later(run_ask, std::function<void(result<submitted_run>)> then) {
  then(no_queue());
}

result<void> control_port::prioritize(run_number, std::int32_t, std::function<void(result<void>)>) {
  return no_queue();
}

void control_port::ask_trigger(trigger_ask, std::function<void(result<taken_event>)> then) {
  then(no_triggers());
}

void control_port::resume_later(run_number, std::vector<std::pair<std::string, std::string>>,
                                std::function<void(result<submitted_run>)> then) {
  then(no_queue());
}

void control_port::ask_supervisor(supervisor_ask, std::function<void(result<supervisor_answer>)> then) {
  then(no_supervisor());
}

error control_port::no_supervisor() {
  return fail(error_code::not_found, "the process that has this state is no supervisor, or one that has not started");
}

error control_port::no_triggers() {
  return fail(error_code::state_unusable,
              "the process that has this state fires no triggers: `troupe serve` does, once it has started");
}

} // namespace troupe_internal
