// The steps from text to pipeline, in order.
#include "config/expand.hpp"
#include "config/load_pipeline.hpp"
#include "config/pipeline_reader.hpp"
#include "config/trigger_checks.hpp"
#include "core/pipeline/asset_graph.hpp"

#include <algorithm>

namespace troupe_internal::config {

loaded_pipeline parse_pipeline(std::function<std::ptrdiff_t(char*, std::size_t)> source, const parse_options& options) {
  loaded_pipeline loaded;
  loaded.findings.file = options.file;
  findings out(loaded.findings);
  declared_pipeline declared;
  declared.p->folder = options.folder;
  declared.p->file = options.file;
  declared.paths_read = options.paths_read;
  declared.limits = options.limits;
  declared.values.outside = options.values;
  declared.triggers.sources = options.triggers;
  declared.triggers.sources.folder = options.folder;
  trigger_set triggers;
  // Memory that is never touched costs nothing, growing touches everything twice.
  constexpr std::size_t small_asset_bytes = 64;
  const auto expected_assets =
      static_cast<std::size_t>(std::min(options.expected_bytes / small_asset_bytes, options.limits.assets));
  declared.p->assets.reserve(expected_assets);
  declared.p->declarations.reserve(expected_assets);
  declared.p->names.reserve(expected_assets / 2);
  declared.p->paths.reserve(expected_assets / 2);
  json_reader json(std::move(source), out);
  if (read_pipeline(json, out, declared)) {
    override_params(declared, options.params, out);
    const bool expanded = expand(declared, out);
    triggers = checked_triggers(declared, out);
    // All mistakes at once: a graph of what could be read has those that only a graph can show.
    if (expanded && !out.clean() && !out.full())
      static_cast<void>(asset_graph::build(*declared.p, loaded.findings));
  }
  if (out.full())
    loaded.findings.error(loaded.findings.items.back().where, "too_many_errors",
                          "more than " + std::to_string(findings::max_errors) + " mistakes; the rest is not shown");
  if (!loaded.findings.has_errors() && !json.unreadable()) {
    loaded.p = std::move(declared.p);
    loaded.triggers = std::make_shared<const trigger_set>(std::move(triggers));
  }
  loaded.raised = std::move(declared.raised);
  return loaded;
}

loaded_pipeline parse_pipeline(std::string_view text, const parse_options& options) {
  auto loaded = parse_pipeline(chunks_of(text), options);
  sort_by_place(loaded.findings);
  return loaded;
}

void sort_by_place(diagnostics& list) {
  std::stable_sort(list.items.begin(), list.items.end(), [](const diagnostic& a, const diagnostic& b) {
    return std::pair(a.where.line, a.where.column) < std::pair(b.where.line, b.where.column);
  });
}

std::string to_line(const diagnostics& list, const diagnostic& item) {
  std::string line = list.file;
  if (line == "-")
    line = "standard input";
  if (item.where.line != 0)
    line.append(":").append(std::to_string(item.where.line)).append(":").append(std::to_string(item.where.column));
  line.append(item.level == severity::error ? ": error: " : ": warning: ");
  return line.append(item.message).append(" [").append(item.code).append("]");
}

} // namespace troupe_internal::config
