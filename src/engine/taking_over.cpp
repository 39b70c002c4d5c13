// Ids are translated by name; lists that are sorted by id are sorted again.
#include "engine/taking_over.hpp"

#include "base/digest.hpp"
#include "core/model/delta.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

namespace troupe_internal {

namespace {

/// From one state's ids to the other's; nullopt for what is of another pipeline.
struct translation {
  std::map<asset_id, asset_id> assets;
  std::unordered_map<std::uint32_t, path_id> paths; ///< by the value of the id

  [[nodiscard]] bool path(path_id& id) const {
    const auto at = paths.find(id.value);
    if (at == paths.end())
      return false;
    id = at->second;
    return true;
  }
  [[nodiscard]] bool files(std::vector<file_version>& list) const {
    for (auto& one : list)
      if (!path(one.path))
        return false;
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return true;
  }
  /// `templates` is parallel to the list, or empty.
  [[nodiscard]] bool outputs(std::vector<file_version>& list, std::vector<std::string>& templates) const {
    std::vector<std::pair<file_version, std::string>> both;
    for (std::size_t i = 0; i < list.size(); ++i)
      both.emplace_back(list[i], i < templates.size() ? templates[i] : std::string());
    for (auto& one : both)
      if (!path(one.first.path))
        return false;
    std::sort(both.begin(), both.end(), [](const auto& a, const auto& b) { return a.first.path < b.first.path; });
    for (std::size_t i = 0; i < both.size(); ++i) {
      list[i] = both[i].first;
      if (i < templates.size())
        templates[i] = std::move(both[i].second);
    }
    return true;
  }
  [[nodiscard]] bool upstreams(std::vector<upstream_version>& list) const {
    for (auto& one : list) {
      const auto at = assets.find(one.asset);
      if (at == assets.end())
        return false;
      one.asset = at->second;
    }
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.asset < b.asset; });
    return true;
  }
  /// False where it names what is not of the pipeline.
  [[nodiscard]] bool record(materialization& last) const {
    auto& from = last.made_from;
    return files(from.inputs) && files(from.discovered) && upstreams(from.upstreams) &&
           outputs(last.made.outputs, last.made.templates) &&
           (!last.made.pipeline_file || path(*last.made.pipeline_file));
  }
};

result<translation> translate(const journal_snapshot& from, const std::string& prefix, const ids_there& ids) {
  translation to;
  std::map<asset_id, std::string> identities;
  if (const auto read = from.visit_identities([&](asset_id id, std::string_view text) {
        identities.emplace(id, std::string(text));
        return true;
      });
      !read)
    return read.error();
  if (const auto read = from.visit_asset_names([&](asset_id id, std::string_view name) {
        if (name.starts_with(prefix)) {
          const auto identity = identities.find(id);
          to.assets.emplace(id, ids.asset(name, identity == identities.end() ? std::string() : identity->second));
        }
        return true;
      });
      !read)
    return read.error();
  if (const auto read = from.visit_paths([&](path_id id, std::string_view name) {
        if (name.starts_with(prefix))
          to.paths.emplace(id.value, ids.path(name));
        return true;
      });
      !read)
    return read.error();
  return to;
}

/// In events of so many, as others have them.
result<void> add_files(const journal_snapshot& from, const translation& to, std::vector<event>& events) {
  constexpr std::size_t files_per_event = 64;
  files_observed chunk;
  const auto read = from.visit_files([&](path_id id, const file_record& record) {
    if (auto there = id; to.path(there))
      chunk.files.push_back({there, record});
    if (chunk.files.size() == files_per_event)
      events.emplace_back(std::exchange(chunk, {}));
    return true;
  });
  if (!chunk.files.empty())
    events.emplace_back(std::move(chunk));
  return read;
}

} // namespace

result<taking_over> take_over(const journal_snapshot& from, std::string_view pipeline, const ids_there& ids,
                              timestamp now) {
  const auto to = translate(from, std::string(pipeline) + "/", ids);
  if (!to)
    return to.error();
  taking_over out;
  if (const auto added = add_files(from, *to, out.events); !added)
    return added.error();
  asset_record record;
  // What the other state knows of it is of files that are no longer there: nothing is fresh by it.
  const auto forget = [&](asset_id there) {
    if (!ids.has_success(there))
      return;
    fingerprint none;
    none.command = content_digest("its last attempt, in another state, did not succeed");
    auto made = make_delta(nullptr, none, production(), duration::zero());
    made.adopted = true;
    out.events.emplace_back(asset_adopted{there, now, std::move(made)});
  };
  for (const auto& [here, there] : to->assets) {
    const auto found = from.read_asset(here, record);
    if (!found)
      return found.error();
    if (!*found || (!record.last && record.attempt == attempt_state::none))
      continue; // nothing happened to it there
    if (!record.last || !record.last->made.value.is_none() ||
        (record.attempt != attempt_state::succeeded && record.attempt != attempt_state::none) ||
        !to->record(*record.last)) {
      forget(there);
      continue;
    }
    auto made = make_delta(nullptr, record.last->made_from, record.last->made, record.last->took);
    made.since = record.last->since;
    made.adopted = true;
    if (record.last->definition != digest{}) {
      asset_definition definition;
      const auto has_text = from.read_definition(record.last->definition, definition);
      if (!has_text)
        return has_text.error();
      if (*has_text) {
        out.events.emplace_back(definition_recorded{{{there, there}}, record.last->definition, std::move(definition)});
        made.definition = record.last->definition;
      }
    }
    out.events.emplace_back(asset_adopted{there, now, std::move(made)});
    ++out.assets;
  }
  return out;
}

result<ids_there> ids_of_state(const journal_snapshot& snapshot, ids_there more) {
  struct known_ids {
    std::unordered_map<std::string, asset_id> assets;
    std::unordered_map<std::string, path_id> paths;
  };
  auto known = std::make_shared<known_ids>();
  if (const auto read = snapshot.visit_asset_names([&](asset_id id, std::string_view name) {
        known->assets.emplace(std::string(name), id);
        return true;
      });
      !read)
    return read.error();
  if (const auto read = snapshot.visit_paths([&](path_id id, std::string_view name) {
        known->paths.emplace(std::string(name), id);
        return true;
      });
      !read)
    return read.error();
  ids_there ids;
  ids.asset = [known, give = std::move(more.asset)](std::string_view name, std::string identity) {
    const auto at = known->assets.find(std::string(name));
    return at != known->assets.end() ? at->second : give(name, std::move(identity));
  };
  ids.path = [known, give = std::move(more.path)](std::string_view name) {
    const auto at = known->paths.find(std::string(name));
    return at != known->paths.end() ? at->second : give(name);
  };
  ids.has_success = [&snapshot](asset_id id) {
    asset_record record;
    if (id.value >= snapshot.info().asset_count)
      return false;
    const auto found = snapshot.read_asset(id, record);
    return !found || (*found && record.last.has_value()); // what cannot be read is no reason to believe it
  };
  return ids;
}

} // namespace troupe_internal
