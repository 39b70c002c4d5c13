// What of a value counts.
#include "core/model/stored_value.hpp"

namespace troupe_internal {

content_hasher value_hasher(std::string_view type, std::uint32_t version) {
  content_hasher hasher;
  std::string head = "value ";
  head.append(type).append(" ").append(std::to_string(version)).push_back('\0');
  hasher.update(head);
  return hasher;
}

} // namespace troupe_internal
