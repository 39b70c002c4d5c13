// Where things are in a state folder, beside the journal's own files. Knows names only.
#pragma once

#include "base/strong_id.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe_internal {

/// STATE/logs/RUN: the folder of a run's logs.
[[nodiscard]] std::string run_log_folder(const std::string& state_folder, run_number run);
/// STATE/logs/RUN/ASSET.ATTEMPT.log; characters of the asset's name that a file name had better not hold are written
/// %XX.
[[nodiscard]] std::string log_path(const std::string& state_folder, run_number run, std::string_view asset_name,
                                   std::uint32_t attempt);
/// The name of that file.
[[nodiscard]] std::string log_file_name(std::string_view asset_name, std::uint32_t attempt);
/// In the same folder: the Nth file that is written for an asset's {{ … | file }} and the like.
[[nodiscard]] std::string response_file_name(std::string_view asset_name, std::uint32_t number);
/// In a state's folder: where commands write their TROUPE_RESULT.
inline constexpr const char* results_folder = "results";
/// Such a file's name there: RUN-ID.ASSET.ATTEMPT, the asset by its place in the pipeline.
[[nodiscard]] std::string result_file_name(std::string_view run_id, asset_index asset, std::uint32_t attempt);
/// Whether it is such a name.
[[nodiscard]] bool is_result_file_name(std::string_view name);

/// Joins and normalises lexically: "." and "//" go, ".." takes back a component. `path` absolute: it alone.
[[nodiscard]] std::string join_path(std::string_view folder, std::string_view path);
/// The same, but ".." is kept: after a link it does not lead where the text says.
[[nodiscard]] std::string join_as_written(std::string_view folder, std::string_view path);
/// `path` (absolute) as the pipeline in `folder` names it: relative if it begins with the folder, else as it is.
[[nodiscard]] std::string relative_to(std::string_view folder, std::string_view path);

} // namespace troupe_internal
