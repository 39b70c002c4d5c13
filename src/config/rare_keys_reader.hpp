// Reads the keys that few assets have ("depfile", "data_version"), and checks what can only be checked once all assets
// are there. Knows how they are written; does not know what a run makes of them.
#pragma once

#include "config/declared_pipeline.hpp"
#include "config/value_reader.hpp"

#include <cstddef>

namespace troupe_internal::config {

/// One asset after the other: start(), read() for each such key, end().
class rare_keys_reader {
public:
  rare_keys_reader(value_reader& values, declared_pipeline& d) : values_(values), p_(*d.p) {}

  void start() { any_ = false; }
  /// Reads the value of asset_keys[key].
  void read(declared_asset& a, std::size_t key);
  /// Hands what was read to the asset.
  void end(declared_asset& a);

private:
  void depfile(declared_asset& a);
  void data_version(declared_asset& a);

  value_reader& values_;
  pipeline& p_;
  bool any_ = false;
  rare_keys keys_;
};

/// A depfile belongs to one asset: it is no other's depfile or output, no input of its own, and nothing of Troupe's.
void check_depfiles(const pipeline& p, findings& out);

} // namespace troupe_internal::config
