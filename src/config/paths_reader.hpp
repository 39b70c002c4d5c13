// Reads "inputs" and "outputs" of an asset: lists of paths, or objects that give them names. Knows how an item is
// written; what it means when all assets are known is worked out later.
#pragma once

#include "config/asset_maker.hpp"
#include "config/declared_pipeline.hpp"
#include "config/value_reader.hpp"

namespace troupe_internal::config {

/// What it reads goes into the pipeline's lists of waiting items.
class paths_reader {
public:
  paths_reader(value_reader& values, declared_pipeline& d, asset_maker& maker)
      : values_(values), d_(d), p_(*d.p), out_(values.out), maker_(maker) {}

  void inputs(declared_asset& a);
  void outputs(declared_asset& a);

private:
  void named_inputs(declared_asset& a);
  void named_outputs(declared_asset& a);
  [[nodiscard]] bool good_name(std::string_view name, place where, std::string_view what);
  void input(declared_asset& a, const json_value& v, std::uint32_t name);
  void input_object(declared_asset& a, std::uint32_t name);
  void output(declared_asset& a, const json_value& v);
  void outputs_of(declared_asset& a, outputs_item& item);
  void path(declared_asset& a, std::string_view text, asset_maker::kind what, place where, path_item item,
            std::vector<path_item>& to);
  [[nodiscard]] std::string_view keep(std::string_view text);

  value_reader& values_;
  declared_pipeline& d_;
  pipeline& p_;
  findings& out_;
  asset_maker& maker_;
};

} // namespace troupe_internal::config
