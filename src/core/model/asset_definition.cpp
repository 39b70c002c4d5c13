// The digest: length-prefixed parts, each list after its name.
#include "core/model/asset_definition.hpp"

#include <string_view>

namespace troupe_internal {

namespace {

class digested_parts {
public:
  void add(std::string_view part) {
    for (auto size = part.size(), i = std::size_t{0}; i < 8; ++i, size >>= 8U)
      bytes_ += static_cast<char>(size & 0xFFU);
    bytes_ += part;
  }
  void add(std::string_view name, const std::vector<std::string>& items) {
    add(name);
    add(std::to_string(items.size()));
    for (const auto& item : items)
      add(item);
  }
  [[nodiscard]] digest finish() const { return quick_digest(bytes_); }

private:
  std::string bytes_;
};

} // namespace

digest digest_of(const asset_definition& definition) {
  digested_parts parts;
  parts.add("troupe definition");
  parts.add(std::to_string(static_cast<unsigned>(definition.form)));
  parts.add("command", definition.command);
  parts.add(definition.shell);
  parts.add(definition.cwd);
  parts.add(std::to_string(definition.env.size()));
  for (const auto& variable : definition.env) {
    parts.add(variable.name);
    parts.add(std::to_string(static_cast<unsigned>(variable.source)) + (variable.secret ? " secret" : ""));
    parts.add(variable.text);
  }
  parts.add(definition.inherits_env ? "inherits" : "inherits these alone");
  parts.add("inherited", definition.inherited);
  parts.add(definition.version);
  parts.add("inputs", definition.inputs);
  parts.add("deps", definition.deps);
  parts.add("outputs", definition.outputs);
  if (!definition.more.empty())
    parts.add("more", definition.more);
  for (const auto& param : definition.params) {
    parts.add("param");
    parts.add(param.name);
    parts.add(param.value);
  }
  return parts.finish();
}

} // namespace troupe_internal
