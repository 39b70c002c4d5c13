// A pipeline file from bytes to graph and commands. What is found wrong stands within the file; what is found right can
// be rendered and has an order.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "base/utf8.hpp"
#include "config/command_files.hpp"
#include "config/load_pipeline.hpp"
#include "config/value_text.hpp"
#include "core/command/command.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace troupe_internal::fuzz {
namespace {

using config::loaded_pipeline;
using config::sort_by_place;
using config::to_line;

constexpr std::uint32_t most_rendered = 10'000; // a few lines of matrix can be a million assets

std::string all_lines(const loaded_pipeline& loaded) {
  std::string text;
  for (const auto& item : loaded.findings.items)
    text += to_line(loaded.findings, item) + "\n";
  return text;
}

void check_places(std::string_view text, const loaded_pipeline& loaded) {
  std::vector<std::size_t> lengths;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    lengths.push_back(end - begin);
    begin = end + 1;
  }
  for (const auto& item : loaded.findings.items) {
    const auto line = to_line(loaded.findings, item);
    FUZZ_CHECK(item.where.line >= 1 && item.where.line <= lengths.size(), line);
    FUZZ_CHECK(item.where.column >= 1 && item.where.column <= lengths[item.where.line - 1] + 1, line);
    FUZZ_CHECK(!item.code.empty() && !item.message.empty() && is_utf8(item.message), line);
    FUZZ_CHECK(item.message.size() < 64 * 1024, line);
  }
}

void check_path(std::string_view path) {
  FUZZ_CHECK(!path.empty() && path.size() <= 2 * 4096, path);
  FUZZ_CHECK(path.find("//") == path.npos && !path.ends_with('/') && path.find('\0') == path.npos, path);
  const std::string whole = "/" + std::string(path) + "/";
  FUZZ_CHECK(whole.find("/./") == whole.npos, path);
  const auto up = whole.rfind("/../");
  FUZZ_CHECK(up == whole.npos || whole.substr(0, up + 3).find_first_not_of("./") == whole.npos, path);
}

void check_pipeline(const pipeline& p) {
  FUZZ_CHECK(config::is_name(p.name) && !p.assets.empty(), p.name);
  for (std::uint32_t i = 0; i < p.assets.size(); ++i) {
    const auto& asset = p.assets[i];
    FUZZ_CHECK(p.find(asset.name) == asset_index(i), asset.name);
    FUZZ_CHECK(config::is_name(p.declaration(asset_index(i)).name), asset.name);
    FUZZ_CHECK(asset.inputs.size() == asset.input_places.size(), asset.name);
    FUZZ_CHECK(asset.outputs.size() == asset.output_places.size(), asset.name);
    for (const auto input : asset.inputs)
      check_path(p.path(input.path));
    for (const auto output : asset.outputs)
      check_path(p.path(output));
    if (p.is_source(asset_index(i)) || i >= most_rendered)
      continue;
    // Whatever can be known at load was said at load.
    std::vector<std::string_view> inputs;
    for (const auto input : asset.inputs)
      inputs.emplace_back(p.path(input.path));
    const response_writer writes = [](const std::string&) -> result<std::string> { return std::string("/values"); };
    command_scope scope{p, asset_index(i), "run-1", inputs};
    scope.responses = &writes;
    // But whether a path among the inputs holds a line end, which a line of a file cannot.
    const auto is_good = [](const auto& rendered) {
      return rendered.has_value() || rendered.error().message.ends_with("use file0");
    };
    const auto rendered = render_command(scope);
    FUZZ_CHECK(is_good(rendered), rendered.has_error() ? rendered.error().message : "");
    for (const auto& entry : p.settings_of(asset_index(i)).env)
      if (entry.source == env_source::literal)
        FUZZ_CHECK(is_good(render_env_value(scope, entry.text)), entry.text);
  }
}

void check_graph(const pipeline& p, const asset_graph& graph) {
  FUZZ_CHECK(graph.size() == p.assets.size(), p.name);
  std::vector<std::size_t> turn(graph.size(), graph.size());
  std::size_t next = 0;
  for (const auto i : graph.topological_order())
    turn[i.value] = next++;
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    FUZZ_CHECK(turn[i] < graph.size(), p.assets[i].name);
    for (const auto needed : graph.upstream(asset_index(i)))
      FUZZ_CHECK(turn[needed.value] < turn[i], p.assets[i].name);
    for (const auto named : p.assets[i].deps) {
      const auto upstream = graph.upstream(asset_index(i));
      FUZZ_CHECK(std::find(upstream.begin(), upstream.end(), named) != upstream.end(), p.assets[i].name);
    }
  }
}

loaded_pipeline load(std::string_view text, std::size_t piece) {
  config::parse_options options;
  // Not the disk: names of zones and files are the input's.
  options.triggers.find_zone = [](const std::string& name) -> result<std::shared_ptr<const time_zone>> {
    if (name.size() % 2 == 0)
      return fail(error_code::not_found, "there is no such zone");
    return time_zone::utc();
  };
  options.triggers.read_text = [](const std::string& path) -> result<std::string> { return path; };
  options.folder = "/pipeline";
  auto loaded = parse_pipeline(
      [text, piece](char* into, std::size_t capacity) mutable {
        const std::size_t count = std::min({piece, capacity, text.size()});
        std::memcpy(into, text.data(), count);
        text.remove_prefix(count);
        return static_cast<std::ptrdiff_t>(count);
      },
      options);
  if (loaded.p) {
    // What is on disk is made up, by the path.
    disk_facts facts;
    facts.kind_of = [](std::string_view path) { return static_cast<file_kind>(number_of(path) % 3); };
    if (auto graph = asset_graph::build(*loaded.p, loaded.findings, std::move(facts))) {
      const std::function<bool(std::string_view)> by_number = [](std::string_view path) {
        return number_of(path) % 2 == 0;
      };
      config::findings out(loaded.findings);
      warn_of_undeclared_files(*loaded.p, *graph, by_number, true, out);
      warn_of_missing_inputs(*loaded.p, *graph, by_number, out);
      loaded.graph = std::make_shared<const asset_graph>(std::move(*graph));
    } else {
      loaded.p = nullptr;
    }
  }
  sort_by_place(loaded.findings);
  return loaded;
}

} // namespace

void fuzz_pipeline(std::string_view bytes) {
  const auto loaded = load(bytes, bytes.size() + 1);
  FUZZ_CHECK((loaded.p != nullptr) != loaded.findings.has_errors(), all_lines(loaded));
  FUZZ_CHECK((loaded.p != nullptr) == (loaded.graph != nullptr), all_lines(loaded));
  check_places(bytes, loaded);
  const auto in_pieces = load(bytes, 1 + number_of(bytes) % 13);
  FUZZ_CHECK(all_lines(in_pieces) == all_lines(loaded), all_lines(in_pieces));
  if (!loaded.p)
    return;
  check_pipeline(*loaded.p);
  check_graph(*loaded.p, *loaded.graph);
}

} // namespace troupe_internal::fuzz
