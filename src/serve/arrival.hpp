// What a trigger is to take in, wherever it comes from. Plain values; knows no trigger and no journal.
#pragma once

#include "core/model/event.hpp"
#include "serve/event_body.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal::serve {

/// Something that a trigger is to take in: a request, a change of files, a report of a sensor, changes of assets, a
/// wish, a tick.
struct arrival {
  event_source source = event_source::manual;
  std::string key;                                         ///< idempotency key; empty: none
  std::string body;                                        ///< JSON as it came, or empty
  std::map<std::string, std::string, std::less<>> headers; ///< by name in lower case
  std::vector<std::pair<std::string, std::string>> params; ///< given by name; they win over the trigger's own
  std::optional<std::vector<std::string>> select;          ///< given by a sensor; nullopt: the trigger's
  std::vector<changed_file> files;                         ///< of a watch: what changed
  std::optional<timestamp> nominal;                        ///< of a tick
  std::optional<timestamp> after;           ///< of a tick: no other one lies between this moment and the nominal one
  std::vector<event> with;                  ///< what is appended in the same transaction: a cursor, a baseline
  std::uint64_t replay_of = 0;              ///< the event that is taken in again; 0: none
  std::vector<std::string> chain;           ///< of changed assets: the triggers that led to it, its own last
  std::string by;                           ///< who asks; empty: unspecified
  bool refuses = true;                      ///< a full queue refuses it, and nothing is taken in; else it is skipped
  bool apart = false;                       ///< it gets a run of its own, beside whatever is open
  bool past_rules = false;                  ///< `when`, debounce and throttle do not count
  bool keeps_rejected = true;               ///< rejected, it is an event still; else it only is refused
  bool past_filter = false;                 ///< `when` does not count
  std::optional<timestamp> tick;            ///< what templates of a tick stand for, where it is none itself
  std::string skip_because;                 ///< it is not to count, and why; empty: it may
  std::string reject_because;               ///< likewise, since something is wrong with it
  std::shared_ptr<const event_body> parsed; ///< the body, where somebody has parsed it
};

} // namespace troupe_internal::serve
