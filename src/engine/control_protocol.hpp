// What is said through the control socket: frames, and the messages in them as JSON. Knows no socket and no engine.
//
//   client                                     server
//   hello {protocol, build}                ->
//                                          <-  hello {protocol, build}
//   list                                   ->
//                                          <-  runs {runs: [{run, pipeline, since_ms, counts}],
//                                                   queued: [{run, pipeline, cause, priority, since_ms, reason}],
//                                                   waiting: how many there are, of which some are listed}
//   cancel {run?, at_once}                 ->
//                                          <-  cancelling {run}
//   wait {run}                             ->
//                                          <-  ended {run, status}            once it has
//   submit {file, …}                       ->                                 as in run_ask.hpp
//                                          <-  submitted {run, queued}        once that is on disk
//   resume {run, params}                   ->                                 an interrupted run; its secret params
//                                          <-  submitted {run, queued}        likewise
//   prioritize {run, priority}             ->                                 of a queued run
//                                          <-  prioritized {run}              likewise
//   trigger {verb, name, key, body, …}     ->                                 as in trigger_intake.hpp
//                                          <-  taken {event, fate, run, duplicate_of, because}   once that is on disk
//   supervisor {verb, …}                   ->                                 as in supervisor_ask.hpp
//                                          <-  supervising {pid, user, …}     once it is done
//   follow {from?, run?}                   ->
//                                          <-  following {from}               later than asked: earlier ones are gone
//                                          <-  event {seq, line}              one by one, as they get on disk
//                                          <-  ended {run, status}            after a run's last; without `run` never
//
// Any answer may be error {code, message} instead. A frame is the length of what follows, as 4 bytes, least first, and
// one JSON object with the message's name as "type"; keys that are not known are passed over. The frames and `hello`
// stay as they are in all versions of the protocol, so that any two programs can say that they differ.
#pragma once

#include "engine/control_port.hpp"
#include "engine/supervisor_ask.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe_internal {

/// Changes with each message whose meaning changes, or that a client cannot do without.
inline constexpr std::uint32_t control_protocol_version = 1;
/// The entry of the state's folder.
inline constexpr const char* control_socket_name = "control.sock";
/// A FIFO, through which older versions were asked.
inline constexpr const char* old_control_name = "control";
inline constexpr std::size_t max_frame_bytes = std::size_t(1) << 20U;

/// The first message, from either side.
struct control_hello {
  std::uint32_t protocol = control_protocol_version;
  std::string build; ///< the program's version, for people
  friend bool operator==(const control_hello&, const control_hello&) = default;
};
struct list_request {
  friend bool operator==(const list_request&, const list_request&) = default;
};
struct cancel_request {
  std::optional<run_number> run; ///< none: the only live one
  bool at_once = false;
  friend bool operator==(const cancel_request&, const cancel_request&) = default;
};
struct wait_request {
  run_number run;
  friend bool operator==(const wait_request&, const wait_request&) = default;
};
struct submit_request {
  run_ask ask;
  friend bool operator==(const submit_request&, const submit_request&) = default;
};
struct priority_request {
  run_number run;
  std::int32_t priority = 0;
  friend bool operator==(const priority_request&, const priority_request&) = default;
};
struct trigger_request {
  trigger_ask ask;
  friend bool operator==(const trigger_request&, const trigger_request&) = default;
};
struct resume_request {
  run_number run;
  std::vector<std::pair<std::string, std::string>> secrets; ///< as "params"
  friend bool operator==(const resume_request&, const resume_request&) = default;
};
struct supervisor_request {
  supervisor_ask ask;
  friend bool operator==(const supervisor_request&, const supervisor_request&) = default;
};
struct follow_request {
  std::optional<std::uint64_t> from; ///< the first event's number; none: the next one there will be
  std::optional<run_number> run;     ///< events of this run alone, until it has ended
  friend bool operator==(const follow_request&, const follow_request&) = default;
};
struct live_runs {
  std::vector<live_run_info> runs; ///< `since` in whole milliseconds
  std::vector<queued_run_info>
      queued;                ///< likewise; the first of those that wait, in the order in which they are to start
  std::uint32_t waiting = 0; ///< so many wait in all
  friend bool operator==(const live_runs&, const live_runs&) = default;
};
struct run_cancelling {
  run_number run;
  friend bool operator==(const run_cancelling&, const run_cancelling&) = default;
};
struct run_ended {
  run_number run;
  run_status status = run_status::succeeded;
  friend bool operator==(const run_ended&, const run_ended&) = default;
};

struct run_submitted {
  submitted_run what;
  friend bool operator==(const run_submitted&, const run_submitted&) = default;
};
struct run_prioritized {
  run_number run;
  friend bool operator==(const run_prioritized&, const run_prioritized&) = default;
};
struct trigger_answer {
  taken_event what;
  friend bool operator==(const trigger_answer&, const trigger_answer&) = default;
};
struct supervisor_reply {
  supervisor_answer what;
  friend bool operator==(const supervisor_reply&, const supervisor_reply&) = default;
};
struct now_following {
  std::uint64_t from = 0;
  friend bool operator==(const now_following&, const now_following&) = default;
};
struct followed_event {
  std::uint64_t seq = 0;
  std::string line; ///< as `troupe journal dump` has it
  friend bool operator==(const followed_event&, const followed_event&) = default;
};

/// Why a request was not done. Words on the wire: see to_string().
enum class refusal_code : std::uint8_t {
  bad_message,   ///< no frame or message of this protocol; the connection ends
  other_version, ///< of the protocol; the connection ends
  busy,          ///< too many clients: the connection ends; or a queue is full
  not_permitted, ///< the client is another user; the connection ends
  not_found,     ///< no such run is live
  invalid_input, ///< the request names too little, or what cannot be run
  internal,
  unavailable, ///< not now: the journal cannot be written, or the engine is stopping
};
inline constexpr std::size_t refusal_code_count = 8;
[[nodiscard]] std::string_view to_string(refusal_code code);
/// nullopt: a code of a later version.
[[nodiscard]] std::optional<refusal_code> refusal_of(std::string_view word);

struct control_refusal {
  refusal_code code = refusal_code::internal;
  std::string message; ///< a sentence for people
  friend bool operator==(const control_refusal&, const control_refusal&) = default;
};

using control_message =
    std::variant<control_hello, list_request, cancel_request, wait_request, submit_request, priority_request,
                 trigger_request, resume_request, supervisor_request, follow_request, live_runs, run_cancelling,
                 run_ended, run_submitted, run_prioritized, trigger_answer, supervisor_reply, now_following,
                 followed_event, control_refusal>;

/// The message as a frame. One that would be longer than a frame may be becomes a refusal (internal).
[[nodiscard]] std::string to_frame(const control_message& message);
/// invalid_input, with what is wrong, for anything else than one message. Any bytes may come.
[[nodiscard]] result<control_message> parse_message(std::string_view json);

/// Puts frames together from what arrives, in pieces of any size. Uses as much memory as has arrived, whatever length
/// a frame announces.
class frame_reader {
public:
  enum class step : std::uint8_t {
    partial,  ///< all was taken, and more belongs to the frame
    whole,    ///< take() what is in it
    too_long, ///< the frame announces more than max_frame_bytes: nothing after it can be read
  };
  /// Takes bytes from the front, no more than belong to the frame. Not again after too_long, or after whole before
  /// payload().
  [[nodiscard]] step take(std::string_view& bytes);
  /// What is in the whole frame; the next one may come.
  [[nodiscard]] std::string payload();

private:
  [[nodiscard]] std::size_t announced() const;
  std::string bytes_; ///< of the frame, its length first
};

} // namespace troupe_internal
