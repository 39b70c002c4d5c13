// Names are compared first; only what has the name of a recorded output is read.
#include "engine/recorded_outputs.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "core/pipeline/parent_paths.hpp"
#include "engine/project.hpp"
#include "engine/state_layout.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string_view>

namespace troupe_internal {

namespace {

std::string_view last_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// A recorded output that may be one of the paths, or a folder above one.
struct candidate {
  path_id path;
  std::string text;
};

} // namespace

result<std::vector<std::string>> recorded_outputs(const pipeline& p, const std::string& state_folder,
                                                  const posix_file_system& files, std::span<const std::string> paths) {
  std::vector<std::string> made;
  auto snapshot = open_snapshot(state_folder);
  if (!snapshot) // what is wrong with it is said by whoever needs it
    return made;
  auto resolver = files.resolver();
  std::map<std::string, std::vector<std::size_t>, std::less<>> wanted; // by identity, of the paths and folders above
  std::set<std::string_view, std::less<>> names;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto identity = resolver.identity_of(paths[i]);
    for (std::string_view rest = identity; !rest.empty() && rest != "/"; rest = parent_path(rest)) {
      const auto at = wanted.emplace(rest, std::vector<std::size_t>()).first;
      at->second.push_back(i);
      names.insert(last_name(at->first));
    }
  }
  const auto prefix = p.name + "/";
  const auto own_file = prefix + recorded_file(p, state_folder);
  std::optional<path_id> file;
  std::vector<candidate> candidates;
  auto visited = (*snapshot)->visit_paths([&](path_id id, std::string_view text) {
    if (text == own_file)
      file = id;
    if (text.starts_with(prefix) && names.contains(last_name(text)))
      candidates.push_back({id, std::string(text.substr(prefix.size()))});
    return true;
  });
  if (!visited)
    return visited.error();
  std::set<std::size_t> found;
  made_record record;
  for (const auto& one : candidates) {
    const auto at = wanted.find(resolver.identity_of(one.text));
    if (at == wanted.end())
      continue;
    const auto known = (*snapshot)->read_made(one.path, record);
    if (!known)
      return known.error();
    if (!*known || !file || record.pipeline_file != *file)
      continue;
    const auto now = files.read(one.text);
    if (now && now->content == record.content)
      found.insert(at->second.begin(), at->second.end());
  }
  for (const auto i : found)
    made.push_back(paths[i]);
  std::sort(made.begin(), made.end());
  return made;
}

made_here_function recorded_in(const std::string& state) {
  return [state](const pipeline& p, const posix_file_system& files,
                 std::span<const std::string> paths) -> result<std::vector<std::string>> {
    std::error_code gone; // then no path from here is good
    const auto here = std::filesystem::current_path(gone).string();
    return recorded_outputs(p, state.empty() ? join_path(p.folder, p.engine.state_dir) : join_path(here, state), files,
                            paths);
  };
}

} // namespace troupe_internal
