// One call of a function: what it is told, and what it answers. The C interface hands it to the function as an opaque
// handle. Knows nothing of threads.
#pragma once

#include "adapters/system/unique_fd.hpp"
#include "engine/function_maker.hpp"
#include "engine/stop_source.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// For the function's thread, and for those that it starts and waits for, one at a time.
struct troupe_call {
public:
  troupe_call(troupe_internal::function_maker& maker, troupe_internal::asset_index asset, std::uint32_t attempt,
              std::optional<std::chrono::steady_clock::time_point> deadline, troupe_stop& stop,
              troupe_internal::function_room::call& called);
  /// Removes its scratch folder.
  ~troupe_call();
  troupe_call(const troupe_call&) = delete;
  troupe_call& operator=(const troupe_call&) = delete;

  [[nodiscard]] std::string_view pipeline() const;
  [[nodiscard]] std::string_view asset() const;
  [[nodiscard]] std::string_view run() const;
  [[nodiscard]] std::uint64_t run_number() const;
  /// The same for all attempts of this asset in this run.
  [[nodiscard]] std::string_view key() const { return key_; }
  [[nodiscard]] std::uint32_t attempt() const { return attempt_; }
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> deadline() const { return deadline_; }
  [[nodiscard]] troupe_stop& stop() const { return stop_; }
  /// Nothing: it has not been declared to take it.
  [[nodiscard]] std::optional<std::string_view> param(std::string_view name) const;
  /// Empty: it cannot be had, and the call has failed.
  [[nodiscard]] troupe_internal::held_value value(std::size_t argument, const troupe_type& as);
  [[nodiscard]] const std::vector<std::string>& files(std::size_t argument);
  /// Empty: it cannot be made, and the call has failed.
  [[nodiscard]] std::string_view scratch();
  /// The file with the events that the run is for; empty: it is for none.
  [[nodiscard]] std::string_view events_file() const;
  void progress(double done, std::string_view words) { called_.progress(done, words); }
  void log(std::string_view line);
  void metadata(std::string_view key, std::string_view json);
  void also_read(std::string_view path) { inputs_.emplace_back(path); }
  /// False: it cannot be kept, and the call has failed.
  [[nodiscard]] bool hand_on(const troupe_value& value, std::string_view version);
  /// The first failure counts.
  void fail(troupe_internal::outcome_kind how, std::string why);

  /// After the call.
  [[nodiscard]] troupe_internal::work_end end();
  [[nodiscard]] troupe_internal::held_value take_handed_on() { return std::move(handed_on_); }

private:
  [[nodiscard]] const troupe_internal::function_declaration& declared() const;

  troupe_internal::function_maker& maker_;
  const troupe_internal::asset_index asset_;
  const std::uint32_t attempt_;
  const std::optional<std::chrono::steady_clock::time_point> deadline_;
  troupe_stop& stop_;
  troupe_internal::function_room::call& called_;
  std::string key_;
  std::string scratch_name_;
  std::string scratch_; ///< its path; empty: there is none yet
  troupe_internal::unique_fd log_;
  std::string log_problem_;
  std::vector<std::pair<std::size_t, std::vector<std::string>>> files_; ///< by argument
  std::vector<std::pair<std::string, std::string>> metadata_;
  std::vector<std::string> inputs_;
  std::string version_;
  std::optional<troupe_internal::made_value> made_;
  troupe_internal::held_value handed_on_;
  troupe_internal::outcome_kind outcome_ = troupe_internal::outcome_kind::succeeded;
  std::string why_;
};
