// Catalog, files, records and plan, put together.
#include "app/engine/planning.hpp"

#include "adapters/state_lock.hpp"
#include "app/engine/early_look.hpp"
#include "core/selection.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>

namespace troupe {

result<run_scope> scope_of(const project& on, const run_options& options) {
  const auto selected = select_assets(*on.p, *on.graph, options.selection);
  if (!selected)
    return selected.error();
  run_scope scope{std::vector<bool>(on.p->assets.size(), false), std::vector<bool>(on.p->assets.size(), false)};
  for (const auto asset : options.only ? *selected : with_upstream(*on.graph, *selected))
    scope.in_run[asset.value] = true;
  if (!options.exclude.empty()) {
    const auto excluded = select_assets(*on.p, *on.graph, options.exclude);
    if (!excluded)
      return excluded.error();
    for (const auto asset : *excluded)
      scope.in_run[asset.value] = false;
  }
  if (options.force)
    for (const auto asset : *selected)
      scope.forced[asset.value] = scope.in_run[asset.value];
  return scope;
}

unsigned usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  return static_cast<unsigned>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN))); // more CPUs than cpu_set_t can tell
}

std::vector<std::string> own_environment() {
  std::vector<std::string> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    environment.emplace_back(*entry);
  return environment;
}

/// Records are read once each, in the order they lie in: a big state need not stay in memory for it.
static constexpr std::size_t records_between_releases = 4'096;

env_lookup make_lookup(const file_system& files) {
  return [&files](const env_entry& entry) -> std::optional<std::string> {
    if (entry.source == env_source::from_env) {
      const char* value = getenv(entry.text.c_str());
      return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    }
    auto text = files.read_text(entry.text, 1U << 20U);
    if (!text)
      return std::nullopt;
    return std::move(*text);
  };
}

/// What the journal shows as running has been interrupted, unless the writer that started it is still here.
static result<void> derive_attempt(const project& on, const journal_snapshot& snapshot, asset_record& record) {
  if (record.attempt != attempt_state::running)
    return {};
  const auto run = snapshot.read_run(record.attempt_run);
  if (!run)
    return run.error();
  const bool live = *run && (*run)->segment_seq > snapshot.info().writer_seq && holder_of(on.state_folder).has_value();
  if (!live)
    record.attempt = attempt_state::interrupted;
  return {};
}

result<std::unique_ptr<planning>> planning::make(const project& on, const run_scope& scope,
                                                 const journal_snapshot* snapshot, const clock& time, bool keep_all,
                                                 const std::function<void(asset_index, const asset_record&)>& see) {
  const auto& p = *on.p;
  const auto& graph = *on.graph;
  std::unique_ptr<planning> made(new planning);
  auto names = catalog::load(p, graph, snapshot);
  if (!names)
    return names.error();
  made->names = std::move(*names);
  auto files = posix_file_system::open(p.folder);
  if (!files)
    return files.error();
  made->files = std::move(*files);
  made->table = std::make_unique<file_table>(*made->files, time, *made->names);
  if (snapshot != nullptr)
    if (const auto loaded = made->table->load(*snapshot); !loaded)
      return loaded.error();
  if (snapshot != nullptr)
    snapshot->release_memory();
  made->looks = std::make_unique<examiner>(p, graph, *made->names, *made->table, *made->files, on.state_folder,
                                           make_lookup(*made->files));
  const auto now = time.now();
  made->plan = std::make_unique<planner>(p, graph, scope.in_run, scope.forced, now, *made->names);
  made->versions.resize(p.assets.size());
  made->has_version.resize(p.assets.size());
  made->expected.resize(p.assets.size());
  made->records.resize(p.assets.size());

  std::vector<asset_index> wanted;
  for (const auto asset : graph.topological_order())
    if (scope.in_run[asset.value])
      wanted.push_back(asset);
  made->table->observe_all(made->looks->slots_of(wanted), std::min(usable_cpus(), 4U),
                           on.seen ? on.seen->take() : std::vector<file_stat>());

  asset_record record;
  findings found;
  std::size_t judged = 0;
  const std::function<digest(asset_index)> version_of = [&](asset_index dep) { return made->versions[dep.value]; };
  for (const auto asset : graph.topological_order()) {
    const auto id = made->names->id_of(asset);
    if (++judged % records_between_releases == 0 && snapshot != nullptr)
      snapshot->release_memory();
    if (snapshot != nullptr && made->names->was_known(id)) {
      if (const auto read = snapshot->read_asset(id, record); !read)
        return read.error();
      if (const auto derived = derive_attempt(on, *snapshot, record); !derived)
        return derived.error();
    } else {
      record = {};
    }
    const auto i = asset.value;
    if (record.last) {
      made->versions[i] = record.last->made.data_version;
      made->has_version[i] = true;
      made->expected[i] = record.last->took;
    }
    // A failure that was allowed is what dependents have seen of it, and see until it succeeds.
    if (p.settings_of(asset).allow_failure && record.attempt == attempt_state::failed)
      made->versions[i] = version_of_allowed_failure();
    if (!scope.in_run[i]) {
      if (!record.last && p.is_source(asset)) {
        std::vector<file_version> outputs;
        if (made->looks->observe_outputs(asset, look::anew, outputs))
          made->versions[i] = version_of_outputs(outputs, *made->names);
      }
      continue;
    }
    made->looks->examine(asset, record, version_of, look::as_remembered, found);
    made->plan->judge(asset, record, found.now, found.outputs);
    // What runs first may make what is missing now; then it is looked at again, and warned of if need be.
    const auto upstream = graph.upstream(asset);
    if (std::none_of(upstream.begin(), upstream.end(),
                     [&](asset_index u) { return made->plan->action(u) != plan_action::fresh; }))
      made->warnings.insert(made->warnings.end(), found.warnings.begin(), found.warnings.end());
    for (const auto needed : upstream)
      if (!scope.in_run[needed.value] && !made->has_version[needed.value] && !p.is_source(needed) &&
          !(p.settings_of(needed).allow_failure && made->versions[needed.value] == version_of_allowed_failure())) {
        made->blocked_from_outside.emplace_back(asset, needed);
        break;
      }
    if (see)
      see(asset, record);
    if (keep_all || made->plan->action(asset) != plan_action::fresh)
      made->records[i] = std::make_unique<asset_record>(record);
  }
  made->table->forget();
  return made;
}

} // namespace troupe
