// What an asset is by its definition alone: the parts of the fingerprint that need no look at files. Knows nothing of
// the disk or the environment: values are handed in.
#pragma once

#include "core/command/command.hpp"
#include "core/command/command_paths.hpp"
#include "core/command/template_text.hpp"
#include "core/model/materialization.hpp"
#include "core/pipeline/pipeline.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal {

/// The value of a from_env or from_file entry that is not secret; nullopt if there is none.
using env_lookup = std::function<std::optional<std::string>(const env_entry&)>;

/// Fingerprints of what would be executed (rule 1). Made for one asset after the other: what assets of one declaration
/// have in common is worked out once. The values of env entries are looked up when the declaration is another than that
/// of the last asset. One thread at a time.
///
/// The command's digest covers kind, shell, cwd and, with all values filled in, a list's elements or a shell text's
/// pieces, before they are quoted; env counts by name and final value, a secret by its name and source only, a
/// secret param by its name wherever it is inserted; the params used are there to explain, they do not count by
/// themselves.
class definer {
public:
  /// Fills in rule, command, version, env and params of `out` (reusing its memory); its other members are left alone.
  void define(const command_scope& scope, const env_lookup& lookup, fingerprint& out);

  /// The next asset is read as if it were the first.
  void forget() { of_ = nullptr; }

  /// Whether scope.inputs has to be filled in for this asset.
  [[nodiscard]] bool takes_inputs(const pipeline& p, asset_index asset);
  /// Whether scope.steps_up has.
  [[nodiscard]] bool takes_steps_up(const pipeline& p, asset_index asset);
  /// Whether define() has found a path that is passed otherwise than by the programs that wrote rule 0.
  [[nodiscard]] bool passed_otherwise() const { return passed_otherwise_; }

private:
  struct text_range {
    std::size_t first = 0, last = 0; ///< of pieces_
    std::size_t env = 0;             ///< index into env_
    bool templated = false;
  };

  void read(const pipeline& p, asset_index asset);
  void read_text(std::string_view text, bool matrix_paths, std::vector<text_range>& to);
  void read_env(const env_lookup& lookup);
  [[nodiscard]] digest command_of(const command_scope& scope);
  [[nodiscard]] std::span<const template_piece> pieces_of(const text_range& text) const {
    return std::span(pieces_).subspan(text.first, text.last - text.first);
  }

  const pipeline* p_ = nullptr;
  const asset_declaration* of_ = nullptr;
  std::optional<command_paths> paths_;
  std::vector<template_piece> pieces_;
  std::vector<text_range> command_; ///< one a text
  std::vector<text_range> values_;  ///< of env, those with templates
  std::vector<named_digest> env_;   ///< sorted; of those with templates only the name
  std::vector<named_digest> params_;
  std::optional<digest> command_digest_; ///< where no template is part of it
  bool has_env_ = false;                 ///< env_ and values_ are of this declaration
  bool takes_inputs_ = false, takes_paths_ = false;
  bool passed_otherwise_ = false;
  std::string text_; ///< reused
  std::vector<template_problem> problems_;
};

/// The same of the texts as declared (rule 0, that of format 1): template texts, shell, cwd, matrix values; params by
/// the values of those used.
void define_as_declared(const pipeline& p, asset_index asset, const env_lookup& lookup, fingerprint& out);

/// One number for all of an asset's definition as far as a resumed run must find it unchanged: what
/// define_as_declared() has found, inputs, outputs and deps as declared.
[[nodiscard]] std::uint64_t definition_number(const pipeline& p, asset_index asset, const fingerprint& declared);

} // namespace troupe_internal
