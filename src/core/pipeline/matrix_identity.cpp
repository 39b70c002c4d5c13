// Variables and ids of values in the order of their names. Neither holds a "[", "]" or ",", and no variable a "=".
#include "core/pipeline/matrix_identity.hpp"

#include <algorithm>
#include <vector>

namespace troupe_internal {

std::string matrix_identity(const pipeline& p, asset_index asset) {
  const auto& spec = p.asset(asset);
  if (spec.matrix.size() < 2)
    return {};
  thread_local std::vector<matrix_value> sorted;
  sorted.assign(spec.matrix.begin(), spec.matrix.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const matrix_value& a, const matrix_value& b) { return a.variable < b.variable; });
  std::string identity(p.declaration(asset).name);
  for (const auto& one : sorted)
    identity.append(identity.size() == p.declaration(asset).name.size() ? "[" : ",")
        .append(one.variable)
        .append("=")
        .append(one.id());
  return identity += ']';
}

std::string log_name(const pipeline& p, asset_index asset) {
  auto identity = matrix_identity(p, asset);
  return identity.empty() ? std::string(p.asset(asset).name) : identity;
}

} // namespace troupe_internal
