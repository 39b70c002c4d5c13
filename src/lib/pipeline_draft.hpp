// A pipeline as the host declares it, call by call, with its functions, and the mistakes that were made. Knows nothing
// of running.
#pragma once

#include "config/program_pipeline.hpp"
#include "engine/host_function.hpp"
#include "engine/project.hpp"
#include "lib/abi_error.hpp"
#include "troupe/abi.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// One thread. Copies share the functions, and have another id.
struct troupe_pipeline {
public:
  troupe_pipeline(std::string name, troupe_place where);
  troupe_pipeline(const troupe_pipeline& from);
  troupe_pipeline& operator=(const troupe_pipeline&) = delete;

  [[nodiscard]] std::uint32_t id() const { return id_; }
  [[nodiscard]] const std::string& name() const { return what_.name; }
  /// Of an asset, by its index; empty: there is none.
  [[nodiscard]] std::string_view asset_name(std::uint32_t index) const;

  void folder(std::string_view path, troupe_place where);
  void param(std::string_view name, std::string_view value, troupe_place where);
  void pool(std::string_view name, std::uint32_t slots, troupe_place where);
  void strategy(std::uint8_t which);
  /// An event from outside starts a run of these assets.
  void on_event(std::string_view name, std::vector<std::string> select, troupe_place where);
  struct wanted_event {
    std::vector<std::string> select; ///< none: everything
    troupe_place where;
  };
  /// By name.
  [[nodiscard]] const std::map<std::string, wanted_event>& events() const { return events_; }
  troupe_asset add_files(std::string_view name, std::vector<std::string> files, troupe_place where);
  troupe_asset add_command(std::string_view name, const troupe_command& command, const troupe_asset_options* options,
                           troupe_place where);
  troupe_asset add_function(std::string_view name, const troupe_made_by& by, const troupe_asset_options* options,
                            troupe_place where);
  troupe_asset add_value(std::string_view name, const troupe_value& value, troupe_place where);

  /// For tests: an asset is made by this function, not by its command. False: it has none.
  [[nodiscard]] bool script(std::string_view name, const troupe_function& function);
  /// The pipeline with its graph, for a state in this folder (absolute; empty: any). Errors: all mistakes.
  /// `params`: overrides.
  struct outcome {
    troupe_internal::project on;
    std::unique_ptr<troupe_error> wrong; ///< null: nothing is
  };
  struct engine_part {
    troupe_internal::durability durability = troupe_internal::durability::pipelined;
    std::uint32_t keep_runs = 1'000;
  };
  [[nodiscard]] outcome build(const std::string& state, const std::vector<std::pair<std::string, std::string>>& params,
                              const engine_part& engine) const;
  /// Names of its assets that are made by commands.
  [[nodiscard]] std::vector<std::string> commands() const;

private:
  /// What an asset hands on.
  struct product {
    bool files = false;
    const troupe_type* type = nullptr; ///< null, and no files: nothing
  };
  troupe_asset add(troupe_internal::config::program_asset asset, product hands_on, troupe_place where);
  void wrong(troupe_place where, std::string_view asset, std::string_view code, std::string message);
  /// Settings, files and what it needs, into the asset.
  void take(const troupe_asset_options& from, troupe_internal::config::program_asset& to, troupe_place where);
  /// Whether it is an asset of this pipeline; what is wrong is noted.
  [[nodiscard]] bool is_own(const troupe_asset& asset, std::string_view by, std::string_view as, troupe_place where);
  [[nodiscard]] std::string version_of(std::string_view name, const troupe_made_by& by,
                                       const troupe_asset_options* options, troupe_place where);

  const std::uint32_t id_;
  troupe_place where_;
  troupe_internal::config::program_pipeline what_;
  troupe_internal::function_set functions_;
  std::vector<product> products_;
  std::vector<troupe_place> places_; ///< of assets
  std::vector<troupe_internal::lib::finding> wrong_;
  std::map<std::string, std::uint32_t> settings_; ///< by what was written
  std::map<std::string, wanted_event> events_;
};
