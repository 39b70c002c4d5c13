// Equal: the same bytes before and after loading, the same values of matrices, and the same file behind each path.
#include "engine/pipeline_versions.hpp"

#include "adapters/system/unique_fd.hpp"
#include "config/load_pipeline.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

namespace troupe_internal {

namespace {

std::optional<digest> content_of(const std::string& file) {
  const unique_fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd)
    return std::nullopt;
  content_hasher hasher;
  std::array<char, 65536> bytes;
  for (;;) {
    const auto got = read(fd.get(), bytes.data(), bytes.size());
    if (got == 0)
      return hasher.finish();
    if (got < 0 && errno != EINTR)
      return std::nullopt;
    if (got > 0)
      hasher.update({bytes.data(), static_cast<std::size_t>(got)});
  }
}

/// Whether each path names the same file. Of equal texts.
bool same_files(const pipeline& p, const path_identities& one, const path_identities& other) {
  if (one.trivial() && other.trivial())
    return true;
  for (std::uint32_t i = 0; i < p.paths.size(); ++i)
    if (one.text_of(p, path_index(i)) != other.text_of(p, path_index(i)) ||
        !std::ranges::equal(one.links(path_index(i)), other.links(path_index(i))))
      return false;
  return true;
}

} // namespace

result<project> pipeline_versions::open(const project_options& options) {
  const auto before = content_of(options.file);
  diagnostics findings;
  auto loaded = open_project(options, findings);
  if (!loaded) {
    std::string text = loaded.error().message;
    constexpr std::size_t most = 5;
    std::size_t told = 0;
    for (const auto& one : findings.items)
      if (one.level == severity::error && told++ < most)
        text += "\n  " + config::to_line(findings, one);
    return told == 0 ? loaded.error() : fail_in_lines(loaded.error().code, std::move(text));
  }
  if (!before || before != content_of(options.file))
    return loaded; // it was being changed, or cannot be read twice: nobody else has just this one
  const std::lock_guard lock(mutex_);
  std::erase_if(versions_, [](const auto& one) { return one.second.p.expired(); });
  const auto [first, last] = versions_.equal_range(name(options.file, options.params));
  for (auto at = first; at != last; ++at) {
    auto p = at->second.p.lock();
    auto graph = at->second.graph.lock();
    if (p && graph && at->second.content == *before && p->values_read == loaded->p->values_read &&
        at->second.state_folder == loaded->state_folder && same_files(*p, graph->same(), loaded->graph->same())) {
      loaded->p = std::move(p);
      loaded->graph = std::move(graph);
      return loaded;
    }
  }
  versions_.emplace(name(options.file, options.params),
                    version{*before, loaded->p, loaded->graph, loaded->state_folder});
  return loaded;
}

std::size_t pipeline_versions::living() {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(versions_.begin(), versions_.end(), [](const auto& one) { return !one.second.p.expired(); }));
}

} // namespace troupe_internal
