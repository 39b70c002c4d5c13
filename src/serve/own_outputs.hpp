// Whether a file that a trigger watches is what an asset of a loaded pipeline has made: such a file is no event. Knows
// no trigger and no watch.
#pragma once

#include "base/result.hpp"
#include "core/pipeline/pipeline.hpp"
#include "engine/serving_engine.hpp"
#include "ports/file_system.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::serve {

/// One thread at a time.
class own_outputs {
public:
  /// Both outlive it.
  own_outputs(serving_engine& engine, const file_system& files) : engine_(engine), files_(files) {}

  void set_pipelines(const std::vector<std::shared_ptr<const pipeline>>& all);
  /// Whether the path is a declared output, or lies in one.
  [[nodiscard]] bool is_declared(std::string_view path) const { return find(path) != nullptr; }

  enum class whose : std::uint8_t {
    foreign, ///< it is no output, or is not as it was made
    own,     ///< it is as its asset made it
    unknown, ///< an attempt that makes it is open: ask again when that has ended
  };
  /// Of a file, absolute, with this content (all zero: it is gone). Waits until all that was appended is on disk.
  [[nodiscard]] result<whose> judge(std::string_view path, const digest& content);

private:
  struct output {
    std::string asset; ///< "PIPELINE/ASSET"
    std::string path;  ///< "PIPELINE/PATH", as the journal has it
    link_rule links = link_rule::content;
  };
  [[nodiscard]] const output* find(std::string_view path, std::string* found = nullptr) const;
  [[nodiscard]] result<std::optional<path_id>> id_of(const journal_snapshot& snapshot, const std::string& path);

  serving_engine& engine_;
  const file_system& files_;
  std::map<std::string, output, std::less<>> outputs_; ///< by absolute path
  std::map<std::string, path_id, std::less<>> ids_;    ///< of paths that were asked for: ids are never given out anew
};

} // namespace troupe_internal::serve
