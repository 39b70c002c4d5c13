// The secret values that a run knows, and texts without them. Knows nothing of assets or of what the texts are for.
#pragma once

#include "core/command/secret_mask.hpp"
#include "core/model/event.hpp"
#include "core/pipeline/pipeline.hpp"
#include "ports/file_system.hpp"

#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// Any thread.
class known_secrets {
public:
  /// Of all assets of the pipeline: the values of its secret params, of variables in `environment` ("NAME=value") and
  /// of the files as they are now. A variable or file that is not there may come later: see learn().
  known_secrets(const pipeline& p, std::span<const std::string> environment, const file_system& files);

  /// What is masked from now on includes this value.
  void learn(std::string_view value);
  /// For the output of a command that starts now; null while there is nothing to mask.
  [[nodiscard]] std::shared_ptr<const secret_mask> mask() const;
  void hide(std::string& text) const;
  void hide(std::vector<attempt_warning>& warnings) const;
  /// Whether there is a known value in the text.
  [[nodiscard]] bool in(std::string_view text) const;

private:
  [[nodiscard]] bool add(std::string_view value); // whether it is news
  void arrange();

  mutable std::mutex mutex_;
  std::set<std::string> texts_;
  std::shared_ptr<const secret_mask> mask_;
};

} // namespace troupe_internal
