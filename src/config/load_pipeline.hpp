// From a pipeline file to a pipeline and its graph, or to everything that is wrong with it. The one way in for the rest
// of the application; knows the disk only to read that file and to ask which files exist.
#pragma once

#include "adapters/files/posix_file_system.hpp"
#include "config/declared_pipeline.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/diagnostic.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/trigger/trigger.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal::config {

/// What was seen of links so far: of the paths with smaller numbers than `paths`, and of those from `again_from` on,
/// these are links, sorted.
struct links_seen {
  std::size_t paths = 0;
  std::size_t again_from = static_cast<std::size_t>(-1);
  std::vector<std::uint32_t> links;
};

struct load_options {
  /// "-" is standard input: paths are then relative to the working folder. So they are for /dev/stdin, /dev/fd/N, a
  /// FIFO, and what else has no folder that its reader could have meant.
  std::string file = "troupe.json";
  std::vector<std::pair<std::string, std::string>> params; ///< --param K=V; of two for one K the last counts
  bool thorough = false; ///< look for undeclared files in commands however many assets there are (validate)
  /// Told the paths of a large pipeline while it is being read, some hundreds at a time, in the order of their numbers
  /// from 0 on; not necessarily all. The views are good as long as the pipeline, which may yet turn out to be wrong.
  std::function<void(const std::shared_ptr<const pipeline>&, std::span<const std::string_view>)> paths_read{};
  /// Asked once, when all is read, by whoever took paths_read: what it spares need not be looked at again.
  std::function<links_seen()> find_links{};
  std::string state{}; ///< --state, as given: no output may lie in there; empty: the pipeline's own
  /// The user named another file or none: what is no regular file is refused, and not waited for.
  bool only_regular = false;
  bool with_graph = true; ///< false: its names are all that is asked for, and the disk is not looked at
  size_limits limits{};
  /// See value_sources; `files` are the pipeline's folder.
  std::function<result<std::vector<std::string>>(const pipeline& p, const posix_file_system& files,
                                                 std::span<const std::string> paths)>
      made_here{};
};

struct loaded_pipeline {
  std::shared_ptr<const pipeline> p;             ///< null if there is any error
  std::shared_ptr<const asset_graph> graph;      ///< null if there is any error, and from parse_pipeline()
  diagnostics findings;                          ///< sorted by place; warnings alone do not hinder
  std::shared_ptr<const trigger_set> triggers{}; ///< null if there is any error; empty if the file has none
  std::vector<raised_path> raised{};             ///< paths whose ".." was taken by the text
};

/// Reads, checks and expands the file and builds its graph. Any thread; nothing is shared between calls.
[[nodiscard]] loaded_pipeline load_pipeline(const load_options& options);

/// Whether a name means a descriptor that this process was started with: "-", /dev/stdin, /dev/fd/N.
[[nodiscard]] bool names_descriptor(std::string_view file);

struct parse_options {
  std::string folder; ///< absolute: pipeline::folder
  std::string file = "troupe.json";
  std::vector<std::pair<std::string, std::string>> params;
  std::function<void(const std::shared_ptr<const pipeline>&, std::span<const std::string_view>)>
      paths_read{}; ///< as above
  size_limits limits{};
  trigger_sources triggers{};
  value_sources values{};
  std::uint64_t expected_bytes = 0; ///< about the size of the text, so that memory is asked for once; 0: unknown
};

/// The same for a text in memory, without the graph; of a text with mistakes also those that its graph has.
[[nodiscard]] loaded_pipeline parse_pipeline(std::string_view text, const parse_options& options);
/// The same for a text that `source` hands out: the number of bytes copied, 0 at the end, -1 if it cannot be read.
[[nodiscard]] loaded_pipeline parse_pipeline(std::function<std::ptrdiff_t(char*, std::size_t)> source,
                                             const parse_options& options);

/// One line: `troupe.json:12:5: error: message [code]`.
[[nodiscard]] std::string to_line(const diagnostics& list, const diagnostic& item);

/// Sorts by line and column; equals keep their order.
void sort_by_place(diagnostics& list);

} // namespace troupe_internal::config
