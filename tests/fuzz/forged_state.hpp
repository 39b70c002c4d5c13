// A small project with a state, and what somebody could make of that state who can write it: records and events that
// are changed, swapped, repeated or moved, with right check values and, often, tables that fit each other. Knows no
// verb.
#pragma once

#include "core/model/event.hpp"
#include "fuzz/fuzz.hpp"

#include <string>
#include <vector>

namespace troupe_internal::fuzz {

class forged_state {
public:
  forged_state();
  ~forged_state();
  forged_state(const forged_state&) = delete;
  forged_state& operator=(const forged_state&) = delete;

  /// The pipeline file, and the state that belongs to it.
  [[nodiscard]] std::string pipeline() const { return folder_ + "/troupe.json"; }
  [[nodiscard]] std::string state() const { return folder_ + "/state"; }
  /// Makes the state that the input describes; the same input makes the same one. With nothing in it, one that is as a
  /// real one is.
  void forge(input& choices) const;

private:
  void begin_with(const std::string& journal) const;
  /// Whether all tables fold the events.
  [[nodiscard]] bool appended(const std::vector<event>& events) const;

  std::string folder_;
  std::vector<event> events_; ///< a history from its beginning
  std::string whole_;         ///< a journal with these, as bytes
  std::string aged_;          ///< one whose older events are folded into its base, with an open run and its checkpoint
};

} // namespace troupe_internal::fuzz
