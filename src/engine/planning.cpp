// Catalog, files, records and plan, put together.
#include "engine/planning.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/state_lock.hpp"
#include "adapters/state/state_key.hpp"
#include "adapters/system/cpu_quota.hpp"
#include "core/command/secret_sources.hpp"
#include "core/model/delta.hpp"
#include "core/pipeline/selection.hpp"
#include "engine/early_look.hpp"
#include "engine/edge_finder.hpp"
#include "engine/output_makers.hpp"
#include "engine/own_writes.hpp"
#include "engine/record_reader.hpp"
#include "engine/records_anew.hpp"
#include "engine/state_layout.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>

namespace troupe_internal {

/// A pattern that takes in more than was meant must not pass for a run with nothing to do.
static error nothing_left(const run_options& options) {
  const auto quoted = [](const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words)
      text.append(text.empty() ? "\"" : " \"").append(word).append("\"");
    return text;
  };
  return fail(
      error_code::invalid_input,
      "--exclude " + quoted(options.exclude) + " leaves out every asset of " +
          (options.selection.empty() ? std::string("the pipeline") : "the selection " + quoted(options.selection)) +
          ": there is nothing to run; exclude less, or select more");
}

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
    if (std::find(scope.in_run.begin(), scope.in_run.end(), true) == scope.in_run.end())
      return nothing_left(options);
  }
  if (options.force)
    for (const auto asset : *selected)
      scope.forced[asset.value] = scope.in_run[asset.value];
  return scope;
}

static unsigned allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  return static_cast<unsigned>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN))); // more CPUs than cpu_set_t can tell
}

unsigned usable_cpus() {
  static const unsigned cpus = [] {
    const auto allowed = allowed_cpus();
    return allowed == 1 ? allowed : std::min(allowed, cpu_quota("").value_or(allowed));
  }();
  return cpus;
}

/// Records are read once each, in the order they lie in: a big state need not stay in memory for it.
static constexpr std::size_t records_between_releases = 8'192;

env_lookup make_lookup(const file_system& files) {
  return [&files](const env_entry& entry) -> std::optional<std::string> {
    if (entry.source == env_source::from_env)
      return environment_value(entry.text);
    auto text = files.read_text(entry.text, 1U << 20U);
    if (!text)
      return std::nullopt;
    return std::move(*text);
  };
}

env_lookup make_lookup(const file_system& files, const project& on) {
  if (!on.environment)
    return make_lookup(files);
  return [own = make_lookup(files), theirs = on.environment](const env_entry& entry) -> std::optional<std::string> {
    if (entry.source == env_source::from_env)
      if (const auto at = theirs->find(entry.text); at != theirs->end())
        return at->second;
    return own(entry);
  };
}

/// Paths of which all assets say that links count by their text; empty: there are none.
static std::vector<bool> slots_by_text(const pipeline& p) {
  if (std::none_of(p.settings.begin(), p.settings.end(),
                   [](const asset_settings& s) { return s.links == link_rule::text; }))
    return {};
  std::vector<bool> by_text(p.paths.size(), false);
  std::vector<bool> by_content(p.paths.size(), false);
  for (std::uint32_t i = 0; i < p.assets.size(); ++i) {
    auto& slots = p.settings_of(asset_index(i)).links == link_rule::text ? by_text : by_content;
    for (const auto& input : p.assets[i].inputs)
      slots[input.path.value] = true;
    for (const auto output : p.assets[i].outputs)
      slots[output.value] = true;
  }
  for (std::size_t i = 0; i < by_text.size(); ++i)
    by_text[i] = by_text[i] && !by_content[i];
  return by_text;
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

result<project> with_recorded_edges(const project& on) {
  auto snapshot = open_snapshot(on.state_folder);
  if (!snapshot && snapshot.error().code == error_code::not_found)
    return on;
  if (!snapshot)
    return snapshot.error();
  const auto names = catalog::load(*on.p, *on.graph, snapshot->get());
  if (!names)
    return names.error();
  const auto files = posix_file_system::open(on.p->folder);
  if (!files)
    return files.error();
  edge_finder finder(on, **names, **files);
  asset_record record;
  for (const auto asset : on.graph->topological_order()) {
    const auto id = (*names)->id_of(asset);
    if (!(*names)->was_known(id))
      continue;
    if (const auto read = (*snapshot)->read_asset(id, record); !read)
      return read.error();
    finder.look(asset, record);
  }
  project extended = on;
  std::vector<recorded_edge> dropped;
  if (!finder.edges.empty())
    extended.graph = std::make_shared<const asset_graph>(on.graph->with_edges(std::move(finder.edges), dropped));
  return extended;
}

std::shared_ptr<const keyed_files> secret_files_of(const project& on) {
  auto names = secret_sources_of(*on.p).files;
  if (names.empty())
    return nullptr;
  const auto key = read_state_key(on.state_folder);
  if (!key)
    return nullptr;
  for (auto& name : names)
    name = join_path(on.p->folder, name);
  return std::make_shared<const keyed_files>(std::move(names), *key);
}

result<std::unique_ptr<planning>> planning::make(const project& on, const scope_maker& scope_for,
                                                 const journal_snapshot* snapshot, const clock& time, bool keep_all,
                                                 const planning_view& view) {
  std::unique_ptr<planning> made(new planning);
  auto names = catalog::load(*on.p, *on.graph, snapshot, view.ids, usable_cpus() > 1);
  if (!names)
    return names.error();
  made->names = std::move(*names);
  auto files = posix_file_system::open(
      on.p->folder, {view.enough, identity_of_folder(on.state_folder), on.state_folder, secret_files_of(on)});
  if (!files)
    return files.error();
  made->files = std::move(*files);
  made->table = std::make_unique<file_table>(*made->files, time, *made->names);
  made->lists = std::make_unique<member_lists>(on.state_folder, view.state);
  made->table->hand_listings_to(
      [lists = made->lists.get()](std::vector<folder_listing> found) { lists->keep(std::move(found)); });
  made->table->count_links_by_text(slots_by_text(*on.p));
  if (snapshot != nullptr)
    if (const auto loaded = made->table->load(*snapshot); !loaded)
      return loaded.error();
  made->pipeline_file = made->names->id_of(made->names->slot_of(recorded_file(on)));
  orphan_set orphans;
  if (snapshot != nullptr) {
    auto found = find_orphans(on, *snapshot, *made->names, *made->table, *made->files);
    if (!found)
      return found.error();
    orphans = std::move(*found);
    snapshot->release_memory();
  }
  if (view.state != nullptr && on.p->engine.orphans == orphan_rule::remove) {
    for (const auto& [path, one] : orphans.all()) {
      if (const auto removed = made->files->remove(path); !removed)
        return removed.error();
      made->removed.push_back("removed " + describe(one) + " (\"orphans\": \"remove\")");
    }
    orphans = {};
  }
  made->orphans = std::move(orphans);
  const auto now = time.now();
  if (const auto used = made->use(on, scope_for, now); !used)
    return used.error();
  std::vector<recorded_edge> edges;
  for (std::size_t known = 0;;) {
    if (const auto judged = made->judge_all(snapshot, keep_all, view, edges); !judged)
      return judged.error();
    if (edges.size() == known || made->broken_off)
      break;
    // What runs, and in which order, is another question now.
    known = edges.size();
    std::vector<recorded_edge> dropped;
    auto extended = on;
    extended.graph = std::make_shared<const asset_graph>(on.graph->with_edges(edges, dropped));
    if (const auto used = made->use(extended, scope_for, now); !used)
      return used.error();
    for (const auto& edge : dropped)
      made->drop(edge);
  }
  made->broken_off = made->files->broken_off();
  made->table->forget();
  return made;
}

void planning::warn(asset_index asset, attempt_warning what) {
  if (!on.p->settings_of(asset).ignores(what.code))
    warnings.push_back({asset, std::move(what)});
}

void planning::drop(const recorded_edge& edge) {
  const auto& p = *on.p;
  if (!edge.by_link)
    plan->keep_stale(edge.needing, edge.path);
  if (!scope.in_run[edge.needing.value])
    return;
  const std::string name(p.asset(edge.needing).name);
  const std::string maker(p.asset(edge.needed).name);
  if (edge.by_link) {
    warn(edge.needing, make_warning("link_cycle", "the link " + edge.path + " in its inputs leads to what " + maker +
                                                      " makes; but " + maker + " needs " + name + ", so " + name +
                                                      " may be stale after every run: set \"links\": \"text\" if the "
                                                      "link need not count"));
    return;
  }
  warn(edge.needing,
       make_warning("discovered_cycle", "its last attempt reported " + edge.path + " as an input, which " + maker +
                                            " makes; but " + maker + " needs " + name + ", so " + name +
                                            " stays stale: let one of the two do without the other"));
}

result<void> planning::use(const project& project, const scope_maker& scope_for, timestamp now) {
  auto wanted_scope = scope_for(project);
  if (!wanted_scope)
    return wanted_scope.error();
  on = project;
  scope = std::move(*wanted_scope);
  const auto& p = *on.p;
  const auto& graph = *on.graph;
  looks = std::make_unique<examiner>(p, graph, *names, *table, *files, on.state_folder, make_lookup(*files, on));
  looks->leave_out(orphans);
  looks->use_values(project.values);
  plan = std::make_unique<planner>(p, graph, scope.in_run, scope.forced, now, *names);
  const auto size = p.assets.size();
  versions.assign(size, {});
  has_version.assign(size, false);
  expected.assign(size, {});
  records.clear();
  records.resize(size);
  recorded.assign(size, 0);
  definitions.emplace(p);
  blocked_from_outside.clear();
  warnings.clear();
  restated.clear();
  std::vector<asset_index> wanted;
  for (const auto asset : graph.topological_order())
    if (scope.in_run[asset.value])
      wanted.push_back(asset);
  table->observe_all(looks->slots_of(wanted), std::min(usable_cpus(), 4U),
                     on.seen ? on.seen->take([this] { return files->broken_off(); }) : large_vector<file_stat>());
  return {};
}

result<void> planning::judge_all(const journal_snapshot* snapshot, bool keep_all, const planning_view& view,
                                 std::vector<recorded_edge>& edges) {
  const auto& p = *on.p;
  const auto& graph = *on.graph;
  if (view.begins)
    view.begins(on, scope);
  std::vector<attempt_state> attempts(p.assets.size(), attempt_state::none); // the last ones, outside the scope
  edge_finder finder(on, *names, *files);
  const bool first = edges.empty(); // all records are read at the first time
  std::vector<recorded_edge> by_links;
  own_writes written(p.folder);
  std::optional<output_makers> makers;
  if (snapshot != nullptr)
    makers.emplace(*snapshot, *names, p.folder, on.state_folder);
  std::optional<record_reader> reader;
  if (snapshot != nullptr) {
    std::vector<asset_id> known;
    known.reserve(p.assets.size());
    for (const auto asset : graph.topological_order())
      if (const auto id = names->id_of(asset); names->was_known(id))
        known.push_back(id);
    reader.emplace(*snapshot, std::move(known), usable_cpus() > 1);
  }
  asset_record unknown;
  findings found;
  std::size_t judged = 0;
  const std::function<digest(asset_index)> version_of = [&](asset_index dep) { return versions[dep.value]; };
  for (const auto asset : graph.topological_order()) {
    if (files->broken_off()) {
      broken_off = true;
      return {};
    }
    const auto id = names->id_of(asset);
    if (++judged % records_between_releases == 0 && snapshot != nullptr)
      snapshot->release_memory();
    const bool is_known = reader && names->was_known(id);
    const auto read = is_known ? reader->next() : result<asset_record*>(&(unknown = {}));
    if (!read)
      return read.error();
    auto& record = **read;
    if (is_known)
      if (const auto derived = derive_attempt(on, *snapshot, record); !derived)
        return derived.error();
    if (first)
      finder.look(asset, record);
    if (!finder.edges.empty())
      continue; // the rest is read for its edges alone
    const auto i = asset.value;
    recorded[i] = definition_key(record.definition);
    if (record.last) {
      versions[i] = record.last->made.data_version;
      has_version[i] = true;
      expected[i] = record.last->took;
    }
    // A failure that was allowed is what dependents have seen of it, and see until it succeeds.
    if (p.settings_of(asset).allow_failure && record.attempt == attempt_state::failed)
      versions[i] = version_of_allowed_failure();
    if (!scope.in_run[i]) {
      attempts[i] = record.attempt;
      if (!record.last && p.is_source(asset)) {
        std::vector<file_version> outputs;
        if (looks->observe_outputs(asset, look::anew, outputs))
          versions[i] = version_of_outputs(outputs, *names);
      }
      continue;
    }
    looks->examine(asset, record, version_of, look::as_remembered, found);
    std::copy_if(found.by_links.begin(), found.by_links.end(), std::back_inserter(by_links), [&](const auto& edge) {
      return std::find(edges.begin(), edges.end(), edge) == edges.end(); // else it was dropped
    });
    const bool inside = files->links_are_inside() && p.settings_of(asset).links == link_rule::content;
    if (inside || !found.links.empty())
      finder.follow_links(p, *files, asset, found, inside, edges, by_links);
    plan->judge(asset, record, found.now, found.outputs, found.declared_definition(), found.value);
    if (scope.restates && found.declared_definition() != nullptr && plan->action(asset) == plan_action::fresh)
      restated.emplace_back(record_restated{id, restate(*record.last, found.now, found.outputs, [&](production& made) {
                                              if (!p.is_source(asset))
                                                note_declaration(p, asset, *names, pipeline_file, made);
                                            })});
    if (record.last && plan->action(asset) == plan_action::run) {
      if (makers)
        if (const auto refined = makers->refine(*plan, asset, *record.last, found.outputs); !refined)
          return refined.error();
      name_changed_members(plan->last_reasons(), record, found.now, found.outputs, p.is_source(asset), *names, *table,
                           *lists);
      if (auto warning = written.note(*record.last, plan->last_reasons()))
        warn(asset, make_warning("input_changed_meanwhile", std::move(*warning)));
    }
    for (const auto& missing : found.missing)
      warn(asset, make_warning("missing_input", missing));
    // What runs first may make what is missing now; then it is looked at again, and warned of if need be.
    const auto upstream = graph.upstream(asset);
    if (std::none_of(upstream.begin(), upstream.end(),
                     [&](asset_index u) { return plan->action(u) != plan_action::fresh; }))
      for (const auto& warning : found.warnings)
        warnings.push_back({asset, warning});
    for (const auto needed : upstream) {
      if (scope.in_run[needed.value])
        continue;
      // --only does not follow what is recorded.
      const bool was_made = has_version[needed.value] || graph.recorded(asset, needed) != nullptr;
      auto why = no_use_of(p, needed, attempts[needed.value], was_made, plan->action(asset) == plan_action::fresh);
      if (!why)
        continue;
      blocked_from_outside.push_back({asset, needed, std::move(*why)});
    }
    if (p.settings_of(asset).clear_outputs && snapshot != nullptr)
      for (const auto output : p.asset(asset).outputs) {
        const auto path = names->id_of(path_slot(output.value));
        made_record maker;
        if (const auto known = snapshot->read_made(path, maker); !known)
          return known.error();
        else if (*known && maker.asset == id)
          own_work.push_back(path);
      }
    if (view.see)
      view.see(asset, record);
    if (keep_all || plan->action(asset) != plan_action::fresh)
      records[i] = std::make_unique<asset_record>(record);
  }
  std::sort(own_work.begin(), own_work.end());
  auto& more = finder.edges.empty() ? by_links : finder.edges;
  edges.insert(edges.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return {};
}

std::vector<event> names_and_files(planning& plan) {
  auto events = plan.names->take_new_names();
  auto observed = plan.table->take_observed();
  // Files may have found new names in the meantime: those first.
  for (auto& more : plan.names->take_new_names())
    events.push_back(std::move(more));
  constexpr std::size_t files_per_event = 64;
  for (std::size_t i = 0; i < observed.size(); i += files_per_event) {
    const auto end = std::min(i + files_per_event, observed.size());
    events.emplace_back(files_observed{
        {observed.begin() + static_cast<std::ptrdiff_t>(i), observed.begin() + static_cast<std::ptrdiff_t>(end)}});
  }
  return events;
}

} // namespace troupe_internal
