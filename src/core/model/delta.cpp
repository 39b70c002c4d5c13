// Merges of sorted lists.
#include "core/model/delta.hpp"

namespace troupe_internal {
namespace {

path_id key_of(const file_version& f) {
  return f.path;
}
asset_id key_of(const upstream_version& u) {
  return u.asset;
}

template <class T, class Id>
void list_delta(const std::vector<T>& from, const std::vector<T>& to, std::vector<T>& changed, std::vector<Id>& gone) {
  auto old = from.begin();
  for (const auto& item : to) {
    for (; old != from.end() && key_of(*old) < key_of(item); ++old)
      gone.push_back(key_of(*old));
    if (old != from.end() && key_of(*old) == key_of(item)) {
      if (!(*old == item))
        changed.push_back(item);
      ++old;
    } else {
      changed.push_back(item);
    }
  }
  for (; old != from.end(); ++old)
    gone.push_back(key_of(*old));
}

template <class T, class Id>
std::vector<T> patched(const std::vector<T>& from, const std::vector<T>& changed, const std::vector<Id>& gone) {
  std::vector<T> to;
  to.reserve(from.size() + changed.size());
  auto next = changed.begin();
  auto dropped = gone.begin();
  for (const auto& item : from) {
    for (; next != changed.end() && key_of(*next) < key_of(item); ++next)
      to.push_back(*next);
    while (dropped != gone.end() && *dropped < key_of(item))
      ++dropped;
    if (next != changed.end() && key_of(*next) == key_of(item))
      to.push_back(*next++);
    else if (dropped == gone.end() || *dropped != key_of(item))
      to.push_back(item);
  }
  to.insert(to.end(), next, changed.end());
  return to;
}

template <class T>
void value_delta(const T& from, const T& to, std::optional<T>& out) {
  if (!(from == to))
    out = to;
}

} // namespace

materialized make_delta(const materialization* previous, const fingerprint& made_from, const production& made,
                        duration took) {
  static const auto& nothing = *new materialization; // never destroyed: see lmdb_env::all_open()
  const auto& base = previous != nullptr ? *previous : nothing;
  materialized d;
  d.took = took;
  d.full = previous == nullptr;
  value_delta(base.made_from.command, made_from.command, d.command);
  value_delta(base.made_from.version, made_from.version, d.version);
  value_delta(base.made_from.env, made_from.env, d.env);
  value_delta(base.made_from.params, made_from.params, d.params);
  list_delta(base.made_from.inputs, made_from.inputs, d.inputs, d.inputs_gone);
  list_delta(base.made_from.discovered, made_from.discovered, d.discovered, d.discovered_gone);
  list_delta(base.made_from.upstreams, made_from.upstreams, d.upstreams, d.upstreams_gone);
  list_delta(base.made.outputs, made.outputs, d.outputs, d.outputs_gone);
  value_delta(base.made.data_version, made.data_version, d.data_version);
  value_delta(base.made.reported_version, made.reported_version, d.reported_version);
  value_delta(base.made.metadata, made.metadata, d.metadata);
  value_delta(base.made_from.rule, made_from.rule, d.rule);
  value_delta(base.made.templates, made.templates, d.templates);
  value_delta(base.made.value, made.value, d.value);
  d.pipeline_file = made.pipeline_file;
  return d;
}

materialized restate(const materialization& last, const fingerprint& now, std::span<const file_version> outputs,
                     const std::function<void(production&)>& declare) {
  auto made = last.made;
  const auto as_recorded = [&](const file_version& output, const file_version& now_found) {
    return now_found.content == output.content || // links in folders counted by their text until now
           (last.made_from.rule == 0 && now_found.as_text != digest{} && now_found.as_text == output.content);
  };
  auto found = outputs.begin();
  for (auto& output : made.outputs) {
    while (found != outputs.end() && found->path < output.path)
      ++found;
    if (found != outputs.end() && found->path == output.path && as_recorded(output, *found))
      output = *found;
  }
  declare(made);
  return make_delta(&last, now, made, last.took);
}

materialization apply_delta(const materialization* previous, const materialized& d, run_number run,
                            std::uint32_t attempt, timestamp finished_at) {
  static const auto& nothing = *new materialization; // never destroyed: see lmdb_env::all_open()
  const auto& base = previous != nullptr && !d.full ? *previous : nothing;
  materialization m;
  m.run = run;
  m.attempt = attempt;
  m.finished_at = finished_at;
  m.took = d.took;
  m.made_from.command = d.command.value_or(base.made_from.command);
  m.made_from.version = d.version.value_or(base.made_from.version);
  m.made_from.env = d.env.value_or(base.made_from.env);
  m.made_from.params = d.params.value_or(base.made_from.params);
  m.made_from.inputs = patched(base.made_from.inputs, d.inputs, d.inputs_gone);
  m.made_from.discovered = patched(base.made_from.discovered, d.discovered, d.discovered_gone);
  m.made_from.upstreams = patched(base.made_from.upstreams, d.upstreams, d.upstreams_gone);
  m.made.outputs = patched(base.made.outputs, d.outputs, d.outputs_gone);
  m.made.data_version = d.data_version.value_or(base.made.data_version);
  m.made.reported_version = d.reported_version.value_or(base.made.reported_version);
  m.made.metadata = d.metadata.value_or(base.made.metadata);
  m.made_from.rule = d.rule.value_or(base.made_from.rule);
  m.made.templates = d.templates.value_or(base.made.templates);
  m.made.value = d.value.value_or(base.made.value);
  m.made.pipeline_file = d.pipeline_file;
  m.definition = d.definition.value_or(base.definition);
  m.since = d.since;
  m.adopted = d.adopted;
  return m;
}

} // namespace troupe_internal
