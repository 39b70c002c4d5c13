// Digests of definitions: length-prefixed parts into XXH3, so that no two lists of parts look alike.
#include "core/definition.hpp"

#include "core/command.hpp"

#include <algorithm>
#include <cstring>

namespace troupe {

namespace {

/// Collects parts so that ("ab", "c") and ("a", "bc") differ.
class part_list {
public:
  explicit part_list(std::string& buffer) : buffer_(buffer) { buffer_.clear(); }
  part_list& add(std::string_view part) {
    const auto size = static_cast<std::uint32_t>(part.size());
    char prefix[sizeof size];
    std::memcpy(prefix, &size, sizeof size);
    buffer_.append(prefix, sizeof prefix);
    buffer_.append(part);
    return *this;
  }
  [[nodiscard]] digest finish() const { return quick_digest(buffer_); }

private:
  std::string& buffer_;
};

bool uses_templates(const asset_declaration& d, const asset_settings& s) {
  const auto has_braces = [](std::string_view text) { return text.find("{{") != std::string_view::npos; };
  return std::any_of(d.command.begin(), d.command.end(), has_braces) ||
         std::any_of(s.env.begin(), s.env.end(), [&](const env_entry& e) { return has_braces(e.text); });
}

digest digest_env(const env_entry& entry, const env_lookup& lookup, std::string& buffer) {
  part_list parts(buffer);
  switch (entry.source) {
  case env_source::literal:
    parts.add("literal").add(entry.text);
    break;
  case env_source::from_env:
  case env_source::from_file:
    if (entry.secret) {
      parts.add("secret").add(entry.source == env_source::from_env ? "env" : "file").add(entry.text);
    } else if (const auto value = lookup(entry)) {
      parts.add("value").add(*value);
    } else {
      parts.add("unset");
    }
    break;
  }
  return parts.finish();
}

} // namespace

void define_asset(const pipeline& p, asset_index asset, const env_lookup& lookup, fingerprint& out) {
  thread_local std::string buffer;
  const auto& spec = p.asset(asset);
  const auto& declared = p.declaration(asset);
  const auto& settings = *declared.settings;

  part_list parts(buffer);
  parts.add(declared.kind == command_kind::argv ? "argv" : declared.kind == command_kind::shell ? "shell" : "none");
  if (declared.kind != command_kind::none)
    parts.add(settings.cwd);
  if (declared.kind == command_kind::shell)
    parts.add(settings.shell);
  for (const auto text : declared.command)
    parts.add(text);
  for (const auto& value : spec.matrix)
    parts.add(value.variable).add(value.value);
  out.command = parts.finish();

  out.version = settings.version;
  out.env.clear();
  for (const auto& entry : settings.env)
    out.env.push_back({entry.name, digest_env(entry, lookup, buffer)});
  if (!settings.inherit_env) {
    auto names = settings.inherit_names;
    std::sort(names.begin(), names.end());
    part_list inherited(buffer);
    for (const auto& name : names)
      inherited.add(name);
    out.env.push_back({"(inherit_env)", inherited.finish()});
  }
  std::sort(out.env.begin(), out.env.end(), [](const auto& a, const auto& b) { return a.name < b.name; });

  out.params.clear();
  if (!p.params.empty() && uses_templates(declared, settings)) {
    for (auto& name : params_used(p, asset)) {
      const auto found = p.params.find(name);
      if (found == p.params.end())
        continue;
      part_list value(buffer);
      value.add(found->second.text);
      out.params.push_back({std::move(name), value.finish()});
    }
  }
}

std::uint64_t definition_number(const pipeline& p, asset_index asset, const fingerprint& defined) {
  thread_local std::string buffer;
  const auto& spec = p.asset(asset);
  const auto bytes_of = [](const digest& d) {
    return std::string_view(reinterpret_cast<const char*>(d.bytes.data()), d.bytes.size());
  };
  part_list parts(buffer);
  parts.add(bytes_of(defined.command)).add(defined.version);
  for (const auto& e : defined.env)
    parts.add(e.name).add(bytes_of(e.value));
  for (const auto& e : defined.params)
    parts.add(e.name).add(bytes_of(e.value));
  parts.add("inputs");
  for (const auto& input : spec.inputs)
    parts.add(input.glob ? "glob" : "path").add(p.path(input.path));
  for (const auto pattern : spec.exclusions)
    parts.add("not").add(p.path(pattern));
  parts.add("outputs");
  for (const auto output : spec.outputs)
    parts.add(p.path(output));
  parts.add("deps");
  for (const auto dep : spec.deps)
    parts.add(p.asset(dep).name);
  const digest d = parts.finish();
  std::uint64_t number = 0;
  std::memcpy(&number, d.bytes.data(), sizeof number);
  return number;
}

} // namespace troupe
