// The records of projections and checkpoints, and materializations as changes against the one before.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "core/journal/event_codec.hpp"
#include "core/model/delta.hpp"
#include "core/run/run_state.hpp"

#include <algorithm>
#include <string>

namespace troupe_internal::fuzz {
namespace {

template <class T>
void check_record(std::string_view bytes) {
  T value;
  if (const char* problem = decode(bytes, value)) {
    FUZZ_CHECK(*problem != '\0', "a problem has words");
    return;
  }
  std::string first;
  encode(value, first);
  T again;
  FUZZ_CHECK(decode(first, again) == nullptr, "what was written can be read");
  FUZZ_CHECK(again == value, "what is read is what was written");
  std::string second;
  encode(again, second);
  FUZZ_CHECK(first == second, "the same record is the same bytes");
  FUZZ_CHECK(decode(first + '\0', again) != nullptr, "a byte too many is found");
  FUZZ_CHECK(decode(std::string_view(first).substr(0, first.size() - 1), again) != nullptr, "a byte too few is found");
}

void check_checkpoint(std::string_view bytes) {
  const auto state = run_state::decode(bytes);
  if (!state)
    return;
  FUZZ_CHECK(state->encode() == bytes, "a checkpoint is written as it was read");
  std::uint64_t counted = 0;
  for (const auto count : state->counts())
    counted += count;
  FUZZ_CHECK(counted == state->size(), "every asset is counted");
  for (std::uint32_t position = 0; position < state->size(); ++position)
    FUZZ_CHECK(state->position(state->id_at(position)) == position, "ids and positions are each other's");
}

template <class List>
void put_in_order(List& list) {
  const auto key = [](const auto& item) {
    if constexpr (requires { item.path; })
      return item.path;
    else
      return item.asset;
  };
  std::stable_sort(list.begin(), list.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  list.erase(std::unique(list.begin(), list.end(), [&](const auto& a, const auto& b) { return key(a) == key(b); }),
             list.end());
}

void put_in_order(materialization& m) {
  put_in_order(m.made_from.inputs);
  put_in_order(m.made_from.discovered);
  put_in_order(m.made_from.upstreams);
  put_in_order(m.made.outputs);
}

/// Two records are two materializations of one asset: the second is the first and what changed.
void check_changes(std::string_view one, std::string_view other) {
  asset_record before;
  asset_record after;
  if (decode(one, before) != nullptr || decode(other, after) != nullptr || !after.last)
    return;
  auto& m = *after.last;
  put_in_order(m);
  const materialization* previous = nullptr;
  if (before.last) {
    put_in_order(*before.last);
    previous = &*before.last;
  }
  auto delta = make_delta(previous, m.made_from, m.made, m.took);
  delta.since = m.since;
  delta.adopted = m.adopted;
  delta.definition = m.definition;
  FUZZ_CHECK(apply_delta(previous, delta, m.run, m.attempt, m.finished_at) == m,
             "a change leads to what it was made of");
  // Against another base it is something, never a crash.
  static_cast<void>(apply_delta(&m, delta, m.run, m.attempt, m.finished_at));
  const auto none = make_delta(&m, m.made_from, m.made, m.took);
  FUZZ_CHECK(none.inputs.empty() && none.outputs.empty() && none.inputs_gone.empty() && !none.command && !none.full,
             "what is equal costs nothing");
}

} // namespace

void fuzz_record(std::string_view bytes) {
  input in(bytes);
  switch (in.byte() % 8) {
  case 0:
    return check_record<asset_record>(in.rest());
  case 1:
    return check_record<run_record>(in.rest());
  case 2:
    return check_record<file_record>(in.rest());
  case 3:
    return check_record<open_attempt>(in.rest());
  case 4:
    return check_record<state_info>(in.rest());
  case 5:
    return check_checkpoint(in.rest());
  case 7:
    return check_record<definition_record>(in.rest());
  default: {
    const std::size_t first = in.byte() * std::size_t(4);
    const auto both = in.rest();
    return check_changes(both.substr(0, std::min(first, both.size())), both.substr(std::min(first, both.size())));
  }
  }
}

} // namespace troupe_internal::fuzz
