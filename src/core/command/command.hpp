// From an asset's templates to what is executed: template checks, rendering, shell quoting, and the choice between a
// shell and direct execution. Knows nothing of processes.
#pragma once

#include "base/result.hpp"
#include "core/pipeline/pipeline.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// Writes a file for {{ … | file }} and the like, and says where it is.
using response_writer = std::function<result<std::string>(const std::string& content)>;

/// What is known when an attempt starts, for {{ … }}.
struct command_scope {
  const pipeline& p;
  asset_index asset;
  std::string_view run_id;
  std::span<const std::string_view> inputs; ///< literal inputs in declared order, each glob's matches sorted in its
                                            ///< place; no optional one that is absent
  /// Where in `inputs` each input of the asset begins, and the end. Empty: each input is one path.
  std::span<const std::uint32_t> input_starts{};
  /// How many of the last components of cwd are no links: as far as `..` leads to the folder that the text names.
  std::uint32_t steps_up = 0xFFFFFFFFU;
  /// Words that a shell finds as functions in its environment (`export -f` of bash): no program is meant by them.
  std::span<const std::string> functions{};
  /// Whether bash reads a file before anything else (BASH_ENV), which may change what any word means.
  bool bash_reads_file = false;
  /// Null: nothing is executed, or no template asks for it.
  const response_writer* responses = nullptr;
};

/// What the values are for. A fingerprint must not depend on where the pipeline's folder is, nor on the run; in what is
/// shown a mark stands for a secret param.
enum class value_use : std::uint8_t { execution, fingerprint, shown };

/// What to execute: argv[0] is looked up in PATH.
struct rendered_command {
  std::vector<std::string> argv;
  bool through_shell = false; ///< argv is {shell, "-c", text}
};

/// Renders the asset's command. A shell string that uses nothing of the shell is split and executed directly. A value
/// never becomes shell syntax. Fails (invalid_input) only on what check_templates() reports at load.
[[nodiscard]] result<rendered_command> render_command(const command_scope& scope, value_use use = value_use::execution);
/// Renders the text of an env value.
[[nodiscard]] result<std::string> render_env_value(const command_scope& scope, std::string_view text,
                                                   value_use use = value_use::execution);
/// Fills in params and matrix only (for inputs and outputs); any other name, a secret param, and a list is an error. In
/// a value what means something in globs is escaped by \, since a value is never part of one.
[[nodiscard]] result<std::string> render_path(const pipeline& p, std::span<const matrix_value> matrix,
                                              std::string_view text);
/// The same for a depfile: the asset's outputs are known, too.
[[nodiscard]] result<std::string> render_depfile(const pipeline& p, asset_index asset, std::string_view text);
/// The same, and a text that is exactly a list template becomes as many.
[[nodiscard]] result<std::vector<std::string>> render_paths(const pipeline& p, std::span<const matrix_value> matrix,
                                                            std::string_view text);
/// The same for names of assets and for values: nothing is escaped.
[[nodiscard]] result<std::vector<std::string>> render_names(const pipeline& p, std::span<const matrix_value> matrix,
                                                            std::string_view text);

/// Checks every template of the asset's command and env: unknown names, a list inside a longer argv element, a value in
/// a here-document, backticks or $(…). Reports to `out` at the command's place.
void check_templates(const pipeline& p, asset_index asset, diagnostics& out);

/// Whether the text inserts a secret param.
[[nodiscard]] bool inserts_secret(const pipeline& p, std::string_view text);
/// Names of the params that the asset's command and env values use, sorted, each once.
[[nodiscard]] std::vector<std::string> params_used(const pipeline& p, asset_index asset);

/// Whether the asset's command or env values insert its inputs: {{ inputs }} or one of them.
[[nodiscard]] bool inserts_inputs(const pipeline& p, asset_index asset);

/// Whether the text means the same split at blanks and executed directly as under /bin/sh; if so, its words.
[[nodiscard]] bool split_plain_command(std::string_view text, std::vector<std::string>& words);

} // namespace troupe_internal
