// `.troupe/supervised.json` in a pipeline's folder: that a supervisor elsewhere has the pipeline, and which state its
// history is in. Knows nothing of what is in a state.
#pragma once

#include "base/result.hpp"

#include <map>
#include <optional>
#include <string>

namespace troupe_internal {

inline constexpr const char* supervised_file = "supervised.json";
/// The folder that it lies in, beside the pipeline's file, wherever the pipeline's own state is.
inline constexpr const char* supervised_folder = ".troupe";

struct supervised_pipeline {
  std::string file;     ///< the pipeline's; absolute
  std::string state;    ///< the supervisor's folder of state; absolute
  std::string state_id; ///< of that state
  std::string moved;    ///< the id of the own state that was taken over and is put aside; empty: there was none
  friend bool operator==(const supervised_pipeline&, const supervised_pipeline&) = default;
};

/// The entries by the pipelines' names; empty where there is no such file. state_unusable where it cannot be read.
[[nodiscard]] result<std::map<std::string, supervised_pipeline>> read_supervised(const std::string& pipeline_folder);
/// Replaces one entry, or removes it (nullopt), durably: a crash leaves all of the old file or all of the new one.
[[nodiscard]] result<void> write_supervised(const std::string& pipeline_folder, const std::string& pipeline,
                                            const std::optional<supervised_pipeline>& entry);

/// Whether both paths lead to the same folder; where one does not exist, whether they are the same text.
[[nodiscard]] bool is_same_folder(const std::string& one, const std::string& other);

/// The state that an entry for this pipeline names; nullopt where there is none, and the pipeline's own counts. `file`:
/// the pipeline's, as it was named. `asked`: the state that the caller wants, absolute; may be empty. Errors, all
/// state_unusable, with the way out: the entry is of another file (this folder is a copy), or the caller wants another
/// state; and, where the caller asks for none, the entry's state is gone, or another one is in its place.
[[nodiscard]] result<std::optional<std::string>> supervised_state_of(const std::string& pipeline_folder,
                                                                     const std::string& pipeline,
                                                                     const std::string& file, const std::string& asked);

} // namespace troupe_internal
