// The port to the kinds of work: how an attempt of an asset is made, by a command or by a function. Knows nothing of
// freshness, of order, or of what becomes of the outputs.
#pragma once

#include "base/result.hpp"
#include "engine/attempt_report.hpp"
#include "engine/examiner.hpp"
#include "ports/asset_executor.hpp"

#include <cstdint>
#include <functional>
#include <optional>

namespace troupe_internal {

/// A value that a function has handed on, kept.
struct made_value {
  stored_value kept;
  digest version; ///< its data version
};

/// How an attempt's work has ended. Nobody has looked yet at what it made.
struct work_end {
  execution so_far;                     ///< outcome, status, message, log, resources, warnings
  std::optional<attempt_report> report; ///< what it said of itself; nothing: see take_report()
  std::optional<made_value> value;
  std::string standard_output{}; ///< where it is the data version: what the command wrote to it, secrets masked
  bool more_output = false;      ///< and more
};

/// Of one run. Calls come from any thread, for one asset never two at a time; `ended` comes on a thread of the maker
/// and must not block.
class attempt_maker {
public:
  virtual ~attempt_maker() = default;

  /// Does ahead, right after the examination, what does not need the attempt's number. May block. Errors: why the asset
  /// cannot be made; then make() is not called.
  [[nodiscard]] virtual result<void> prepare(asset_index asset, const findings& found) = 0;
  /// Makes the asset that was prepared last. `spawned` at most once, before `ended`; `ended` exactly once.
  virtual void make(asset_index asset, std::uint32_t attempt, std::function<void(process_spawned)> spawned,
                    std::function<void(work_end)> ended) = 0;
  /// The asset was made, and this is what is going to be recorded; before anybody needs it.
  virtual void succeeded(asset_index, const production& /*made*/) {}
  /// Asks all work of the run to end, or ends it where that can be done.
  virtual void end_all(urgency how) = 0;

  // What an attempt says of itself beside its end, in a file.
  /// Whether it may have said something: a quick look.
  [[nodiscard]] virtual bool may_have_report(asset_index, std::uint32_t /*attempt*/) const { return false; }
  /// Takes it; nothing if there is none. Errors: what is wrong with it.
  [[nodiscard]] virtual result<std::optional<attempt_report>> take_report(asset_index, std::uint32_t /*attempt*/) {
    return std::optional<attempt_report>();
  }
  /// It failed: nobody is going to take it.
  virtual void drop_report(asset_index, std::uint32_t /*attempt*/) {}
};

} // namespace troupe_internal
