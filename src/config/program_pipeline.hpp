// A pipeline that a program declares in its own code: plain structs, and the way from them to a pipeline with its
// graph, with the checks that pipeline files go through. Knows nothing of JSON, or of how the program says it.
#pragma once

#include "config/declared_pipeline.hpp"
#include "config/load_pipeline.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal::config {

/// The function that makes an asset.
struct program_function {
  std::uint32_t number = 0;
  std::string value_type; ///< empty: it hands on no value
  std::uint32_t value_version = 0;
  std::uint32_t oldest_readable = 0;
  std::vector<std::uint32_t> arguments; ///< assets, by their place in program_pipeline::assets
  std::vector<std::string> params;
};

struct program_asset {
  std::string name;
  std::string description;
  place where; ///< what its findings say
  command_kind kind = command_kind::none;
  std::vector<std::string> command;              ///< kind argv, or one text of kind shell
  std::optional<program_function> function;      ///< kind function
  std::vector<std::string> inputs, outputs;      ///< as in a file
  std::vector<std::uint32_t> after;              ///< assets that it needs beside its arguments, by place
  std::uint32_t settings = declared_asset::none; ///< index into program_pipeline::settings; none: the defaults
};

struct program_pipeline {
  std::string name;
  std::string folder;                                      ///< absolute: pipeline::folder
  std::vector<std::pair<std::string, std::string>> params; ///< with their defaults
  engine_settings engine;
  std::deque<settings_patch> settings; ///< that assets write; what many have alike is here once
  std::vector<program_asset> assets;
};

/// As load_pipeline(), of what a program declares. `overrides`: of params.
[[nodiscard]] loaded_pipeline declare_pipeline(const program_pipeline& what,
                                               const std::vector<std::pair<std::string, std::string>>& overrides);

} // namespace troupe_internal::config
