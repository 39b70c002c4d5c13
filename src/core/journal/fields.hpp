// The fields of everything that is stored, each list once: bytes, JSON and tests are driven by it and cannot drift.
// Knows neither bytes nor JSON.
//
// A visitor has v(name, field), v.time(name, unix_ns) and v.sparse(named_field…) for fields that are mostly default; it
// may have v.layout(), the layout that its bytes have (0: format 1). The order here is the order on disk. See
// docs/journal-format.md before changing anything.
#pragma once

#include "core/model/event.hpp"
#include "core/model/materialization.hpp"
#include "core/model/run_record.hpp"
#include "core/model/state_info.hpp"

#include <concepts>
#include <type_traits>

namespace troupe_internal {

/// A field with its name, by reference.
template <class T>
struct named_field {
  const char* name;
  T& value;
};
template <class T>
named_field(const char*, T&) -> named_field<T>;

/// The newest layout of what is stored: that of format 2. What was written in an older one is read as it was.
inline constexpr unsigned newest_layout = 1;
template <class V>
[[nodiscard]] constexpr unsigned layout_of(const V& visitor) {
  if constexpr (requires { visitor.layout(); })
    return visitor.layout();
  else
    return newest_layout;
}

/// How many values of the enumeration there are; anything beyond is not from this version.
[[nodiscard]] constexpr unsigned enum_count(asset_status) {
  return static_cast<unsigned>(asset_status_count);
}
[[nodiscard]] constexpr unsigned enum_count(run_status) {
  return 6;
}
[[nodiscard]] constexpr unsigned enum_count(reason_kind) {
  return reason_kind_count;
}
[[nodiscard]] constexpr unsigned enum_count(outcome_kind) {
  return 14;
}
[[nodiscard]] constexpr unsigned enum_count(stop_cause) {
  return 5;
}
[[nodiscard]] constexpr unsigned enum_count(leftover_proof) {
  return 3;
}
[[nodiscard]] constexpr unsigned enum_count(cause_kind) {
  return 4;
}
[[nodiscard]] constexpr unsigned enum_count(dequeue_reason) {
  return 4;
}
[[nodiscard]] constexpr unsigned enum_count(event_source) {
  return 9;
}
[[nodiscard]] constexpr unsigned enum_count(event_fate) {
  return event_fate_count;
}
[[nodiscard]] constexpr unsigned enum_count(watch_base) {
  return 3;
}
[[nodiscard]] constexpr unsigned enum_count(notice_kind) {
  return notice_kind_count;
}
[[nodiscard]] constexpr unsigned enum_count(delivery_end) {
  return 3;
}
[[nodiscard]] constexpr unsigned enum_count(file_change) {
  return file_change_count;
}
[[nodiscard]] constexpr unsigned enum_count(command_form) {
  return 4;
}
[[nodiscard]] constexpr unsigned enum_count(variable_source) {
  return 3;
}
[[nodiscard]] constexpr unsigned enum_count(wait_kind) {
  return 4;
}
[[nodiscard]] constexpr unsigned enum_count(attempt_state) {
  return 6;
}
[[nodiscard]] constexpr unsigned enum_count(file_kind) {
  return 4;
}
[[nodiscard]] constexpr unsigned enum_count(executable_bit) {
  return 3;
}

/// T or const T: a list serves those who read the fields and those who fill them.
template <class T, class U>
concept is_a = std::same_as<std::remove_const_t<T>, U>;

// --- parts ---

template <class V, is_a<reason> T>
void visit_fields(V& v, T& r) {
  v("kind", r.kind);
  v("detail", r.detail);
}
template <class V, is_a<named_digest> T>
void visit_fields(V& v, T& n) {
  v("name", n.name);
  v("value", n.value);
}
template <class V, is_a<file_version> T>
void visit_fields(V& v, T& f) {
  v("path", f.path);
  v("content", f.content);
  if (layout_of(v) >= 1)
    v.sparse(named_field{"executable", f.executable}, named_field{"link", f.link});
}
template <class V, is_a<upstream_version> T>
void visit_fields(V& v, T& u) {
  v("asset", u.asset);
  v("version", u.version);
}
template <class V, is_a<file_stat> T>
void visit_fields(V& v, T& s) {
  v("kind", s.kind);
  v("size", s.size);
  v.time("mtime", s.mtime_ns);
  v.time("ctime", s.ctime_ns);
  v("inode", s.inode);
}
template <class V, is_a<file_record> T>
void visit_fields(V& v, T& f) {
  visit_fields(v, f.stat);
  v("content", f.content);
  if (layout_of(v) >= 1)
    v.sparse(named_field{"executable", f.executable}, named_field{"as_text", f.as_text});
}
template <class V, is_a<observed_file> T>
void visit_fields(V& v, T& f) {
  v("path", f.path);
  visit_fields(v, f.record);
}
template <class V, is_a<run_request> T>
void visit_fields(V& v, T& r) {
  v.sparse(named_field{"selection", r.selection}, named_field{"exclude", r.exclude}, named_field{"only", r.only},
           named_field{"force", r.force}, named_field{"params", r.params},
           named_field{"error_strategy", r.error_strategy}, named_field{"durability", r.durability},
           named_field{"workers", r.workers}, named_field{"pipeline_file", r.pipeline_file},
           named_field{"timeout", r.timeout});
}
template <class V, is_a<start_conditions> T>
void visit_fields(V& v, T& c) {
  v.sparse(named_field{"quiet", c.quiet}, named_field{"latest", c.latest}, named_field{"group", c.group},
           named_field{"not_before", c.not_before}, named_field{"expires", c.expires},
           named_field{"overlaps", c.overlaps}, named_field{"unthrottled", c.unthrottled});
}
template <class V, is_a<run_cause> T>
void visit_fields(V& v, T& c) {
  v.sparse(named_field{"kind", c.kind}, named_field{"trigger", c.trigger}, named_field{"events", c.events},
           named_field{"by", c.by}, named_field{"key", c.key}, named_field{"chain", c.chain});
}
template <class V, is_a<raw_bytes> T>
void visit_fields(V& v, T& b) {
  v("data", b.data);
}
template <class V, is_a<stored_value> T>
void visit_fields(V& v, T& s) {
  v.sparse(named_field{"type", s.type}, named_field{"version", s.version}, named_field{"size", s.size},
           named_field{"bytes", s.bytes}, named_field{"file", s.file});
}
template <class V, is_a<asset_flag> T>
void visit_fields(V& v, T& f) {
  v("asset", f.asset);
  v("seq", f.seq);
  v("at", f.at);
}
template <class V, is_a<materialized> T>
void visit_fields(V& v, T& m) {
  v("took", m.took);
  v.sparse(named_field{"full", m.full}, named_field{"command", m.command}, named_field{"inputs", m.inputs},
           named_field{"upstreams", m.upstreams}, named_field{"outputs", m.outputs},
           named_field{"data_version", m.data_version}, named_field{"discovered", m.discovered},
           named_field{"version", m.version}, named_field{"env", m.env}, named_field{"params", m.params},
           named_field{"inputs_gone", m.inputs_gone}, named_field{"discovered_gone", m.discovered_gone},
           named_field{"upstreams_gone", m.upstreams_gone}, named_field{"outputs_gone", m.outputs_gone},
           named_field{"reported_version", m.reported_version}, named_field{"metadata", m.metadata},
           named_field{"since", m.since}, named_field{"rule", m.rule}, named_field{"pipeline_file", m.pipeline_file},
           named_field{"templates", m.templates}, named_field{"adopted", m.adopted},
           named_field{"definition", m.definition}, named_field{"value", m.value});
}
template <class V, is_a<attempt_warning> T>
void visit_fields(V& v, T& w) {
  v("code", w.code);
  v("text", w.text);
}
template <class V, is_a<resource_use> T>
void visit_fields(V& v, T& r) {
  v.sparse(named_field{"user_cpu", r.user_cpu}, named_field{"system_cpu", r.system_cpu},
           named_field{"peak_memory_kib", r.peak_memory_kib}, named_field{"peak_is_bound", r.peak_is_bound},
           named_field{"blocks_in", r.blocks_in}, named_field{"blocks_out", r.blocks_out});
}
template <class V, is_a<recorded_wait> T>
void visit_fields(V& v, T& w) {
  v.sparse(named_field{"for", w.what}, named_field{"asset", w.asset}, named_field{"run", w.run},
           named_field{"pool", w.pool}, named_field{"ms", w.ms});
}
template <class V, is_a<settled_asset> T>
void visit_fields(V& v, T& s) {
  v("asset", s.asset);
  v("because", s.because);
}

template <class V, is_a<defined_variable> T>
void visit_fields(V& v, T& d) {
  v("name", d.name);
  v.sparse(named_field{"source", d.source}, named_field{"text", d.text}, named_field{"secret", d.secret});
}
template <class V, is_a<defined_param> T>
void visit_fields(V& v, T& d) {
  v("name", d.name);
  v("value", d.value);
}
template <class V, is_a<asset_definition> T>
void visit_fields(V& v, T& d) {
  v.sparse(named_field{"form", d.form}, named_field{"command", d.command}, named_field{"shell", d.shell},
           named_field{"cwd", d.cwd}, named_field{"env", d.env}, named_field{"inherits_env", d.inherits_env},
           named_field{"inherited", d.inherited}, named_field{"version", d.version}, named_field{"inputs", d.inputs},
           named_field{"deps", d.deps}, named_field{"outputs", d.outputs}, named_field{"more", d.more},
           named_field{"params", d.params});
}

// --- events ---

template <class V, is_a<names_interned> T>
void visit_fields(V& v, T& e) {
  v("first", e.first);
  v("names", e.names);
  if (layout_of(v) >= 1)
    v.sparse(named_field{"identities", e.identities});
}
template <class V, is_a<paths_interned> T>
void visit_fields(V& v, T& e) {
  v("first", e.first);
  v("paths", e.paths);
}
template <class V, is_a<files_observed> T>
void visit_fields(V& v, T& e) {
  v("files", e.files);
}
template <class V, is_a<run_started> T>
void visit_fields(V& v, T& e) {
  v("run", e.run);
  v("id", e.id);
  v("at", e.at);
  v("pipeline", e.pipeline);
  v("request", e.request);
  v("fresh", e.fresh);
  v("waiting", e.waiting);
  v("definitions", e.definitions);
  if (layout_of(v) >= 1) {
    v("cause", e.cause);
    v.sparse(named_field{"served", e.served});
  }
}
template <class V, is_a<run_resumed> T>
void visit_fields(V& v, T& e) {
  v("run", e.run);
  v("at", e.at);
  if (layout_of(v) >= 1)
    v.sparse(named_field{"reopened", e.reopened}, named_field{"served", e.served});
}
template <class V, is_a<asset_found_fresh> T>
void visit_fields(V& v, T& e) {
  v("run", e.run);
  v("asset", e.asset);
  v("at", e.at);
  if (layout_of(v) >= 1)
    v.sparse(named_field{"waits", e.waits});
}
template <class V, is_a<attempt_started> T>
void visit_fields(V& v, T& e) {
  v("run", e.run);
  v("asset", e.asset);
  v("attempt", e.attempt);
  v("at", e.at);
  v("reasons", e.reasons);
  if (layout_of(v) >= 1)
    v.sparse(named_field{"absent_outputs", e.absent_outputs}, named_field{"waits", e.waits});
}
template <class V, is_a<attempt_spawned> T>
void visit_fields(V& v, T& e) {
  v("run", e.run);
  v("asset", e.asset);
  v("attempt", e.attempt);
  v("process_group", e.process_group);
  v("start_ticks", e.start_ticks);
}
template <class V, is_a<attempt_finished> T>
void visit_fields(V& v, T& e) {
  v("run", e.run);
  v("asset", e.asset);
  v("attempt", e.attempt);
  v("at", e.at);
  v.sparse(named_field{"outcome", e.outcome}, named_field{"exit_code", e.exit_code}, named_field{"signal", e.signal},
           named_field{"message", e.message}, named_field{"has_log", e.has_log}, named_field{"retry_at", e.retry_at},
           named_field{"made", e.made}, named_field{"warnings", e.warnings}, named_field{"allowed", e.allowed},
           named_field{"resources", e.resources});
}
template <class V, is_a<assets_settled> T>
void visit_fields(V& v, T& e) {
  v("run", e.run);
  v("at", e.at);
  v("status", e.status);
  v("message", e.message);
  v("assets", e.assets);
  if (layout_of(v) >= 1)
    v.sparse(named_field{"allowed", e.allowed});
}
template <class V, is_a<run_stopping> T>
void visit_fields(V& v, T& e) {
  v("run", e.run);
  v("at", e.at);
  v("cause", e.cause);
}
template <class V, is_a<run_finished> T>
void visit_fields(V& v, T& e) {
  v("run", e.run);
  v("at", e.at);
  v("status", e.status);
  v("counts", e.counts);
  if (layout_of(v) >= 1)
    v.sparse(named_field{"trigger", e.trigger}, named_field{"continued_by", e.continued_by});
}
template <class V, is_a<writer_opened> T>
void visit_fields(V& v, T& e) {
  v("at", e.at);
  v("boot_id", e.boot_id);
  v("pid", e.pid);
  if (layout_of(v) >= 1)
    v.sparse(named_field{"pid_namespace", e.pid_namespace}, named_field{"process_one", e.process_one});
}
template <class V, is_a<writer_closed> T>
void visit_fields(V& v, T& e) {
  v("at", e.at);
}
template <class V, is_a<asset_renamed> T>
void visit_fields(V& v, T& e) {
  v("asset", e.asset);
  v("name", e.name);
  v("identity", e.identity);
}
template <class V, is_a<record_restated> T>
void visit_fields(V& v, T& e) {
  v("asset", e.asset);
  v("made", e.made);
}
template <class V, is_a<asset_adopted> T>
void visit_fields(V& v, T& e) {
  v("asset", e.asset);
  v("at", e.at);
  v("made", e.made);
}
template <class V, is_a<ended_process> T>
void visit_fields(V& v, T& p) {
  v("pid", p.pid);
  v("name", p.name);
  v("why", p.why);
}
template <class V, is_a<leftovers_ended> T>
void visit_fields(V& v, T& e) {
  v("at", e.at);
  v("processes", e.processes);
}

template <class V, is_a<run_queued> T>
void visit_fields(V& v, T& e) {
  v("run", e.run);
  v("id", e.id);
  v("at", e.at);
  v("pipeline", e.pipeline);
  v("request", e.request);
  v("cause", e.cause);
  v.sparse(named_field{"priority", e.priority}, named_field{"continues", e.continues},
           named_field{"conditions", e.conditions});
}
template <class V, is_a<run_dequeued> T>
void visit_fields(V& v, T& e) {
  v("run", e.run);
  v("at", e.at);
  v("reason", e.reason);
  v.sparse(named_field{"continued_by", e.continued_by});
}

template <class V, is_a<definition_recorded> T>
void visit_fields(V& v, T& e) {
  v("assets", e.assets);
  v("of", e.of);
  v("definition", e.definition);
}

template <class V, is_a<trigger_changed> T>
void visit_fields(V& v, T& e) {
  v("trigger", e.trigger);
  v("at", e.at);
  v("definition", e.definition);
}
template <class V, is_a<trigger_paused> T>
void visit_fields(V& v, T& e) {
  v("trigger", e.trigger);
  v("at", e.at);
  v.sparse(named_field{"reason", e.reason}, named_field{"by", e.by});
}
template <class V, is_a<trigger_resumed> T>
void visit_fields(V& v, T& e) {
  v("trigger", e.trigger);
  v("at", e.at);
  v.sparse(named_field{"by", e.by});
}
template <class V, is_a<ticks_missed> T>
void visit_fields(V& v, T& e) {
  v("trigger", e.trigger);
  v("at", e.at);
  v("first", e.first);
  v("last", e.last);
  v("count", e.count);
}
template <class V, is_a<clock_jumped> T>
void visit_fields(V& v, T& e) {
  v("from", e.from);
  v("to", e.to);
}
template <class V, is_a<changes_seen> T>
void visit_fields(V& v, T& e) {
  v("trigger", e.trigger);
  v("at", e.at);
  v("upto", e.upto);
  v.sparse(named_field{"flags", e.flags}, named_field{"lapsed", e.lapsed});
}
template <class V, is_a<text_file> T>
void visit_fields(V& v, T& f) {
  v("name", f.name);
  v("bytes", f.bytes);
  v("content", f.content);
}
template <class V, is_a<kept_text> T>
void visit_fields(V& v, T& t) {
  v.sparse(named_field{"text", t.text}, named_field{"file", t.file});
}
template <class V, is_a<changed_file> T>
void visit_fields(V& v, T& f) {
  v("path", f.path);
  v("change", f.change);
}
/// Kept as a text of its own.
template <class V, is_a<event_details> T>
void visit_fields(V& v, T& d) {
  v.sparse(named_field{"headers", d.headers}, named_field{"params", d.params}, named_field{"select", d.select},
           named_field{"files", d.files});
}
template <class V, is_a<event_taken> T>
void visit_fields(V& v, T& e) {
  v("event", e.event);
  v("trigger", e.trigger);
  v("kind", e.source);
  v("at", e.at);
  v.sparse(named_field{"nominal", e.nominal}, named_field{"after", e.after}, named_field{"key", e.key},
           named_field{"request", e.request}, named_field{"run", e.bound_run},
           named_field{"duplicate_of", e.duplicate_of}, named_field{"by", e.by}, named_field{"body", e.body},
           named_field{"details", e.details}, named_field{"replay_of", e.replay_of});
}
template <class V, is_a<key_used> T>
void visit_fields(V& v, T& e) {
  v("scope", e.scope);
  v("key", e.key);
  v("request", e.request);
  v("run", e.bound_run);
  v("at", e.at);
}
template <class V, is_a<keys_forgotten> T>
void visit_fields(V& v, T& e) {
  v("trigger", e.trigger);
  v("at", e.at);
  v("keys", e.keys);
  v.sparse(named_field{"by", e.by});
}
template <class V, is_a<event_settled> T>
void visit_fields(V& v, T& e) {
  v("event", e.event);
  v("at", e.at);
  v("fate", e.fate);
  v.sparse(named_field{"run", e.bound_run}, named_field{"because", e.because});
}

template <class V, is_a<watched_file> T>
void visit_fields(V& v, T& f) {
  v("path", f.path);
  visit_fields(v, f.record);
}
template <class V, is_a<files_watched> T>
void visit_fields(V& v, T& e) {
  v("trigger", e.trigger);
  v("at", e.at);
  v("files", e.files);
}
template <class V, is_a<cursor_moved> T>
void visit_fields(V& v, T& e) {
  v("trigger", e.trigger);
  v("at", e.at);
  v("cursor", e.cursor);
  v.sparse(named_field{"by", e.by});
}
template <class V, is_a<notice_taken> T>
void visit_fields(V& v, T& e) {
  v("notice", e.notice);
  v("at", e.at);
  v("kind", e.kind);
  v("pipeline", e.pipeline);
  v("subject", e.subject);
  v.sparse(named_field{"run", e.bound_run}, named_field{"because", e.because}, named_field{"targets", e.targets},
           named_field{"opens", e.opens}, named_field{"closes", e.closes});
}
template <class V, is_a<notice_settled> T>
void visit_fields(V& v, T& e) {
  v("notice", e.notice);
  v("target", e.target);
  v("at", e.at);
  v("how", e.how);
  v.sparse(named_field{"attempts", e.attempts}, named_field{"because", e.because});
}
template <class V, is_a<notices_read> T>
void visit_fields(V& v, T& e) {
  v("up_to", e.up_to);
}

// --- projections ---

template <class V, is_a<tick_range> T>
void visit_fields(V& v, T& r) {
  v("first", r.first);
  v("last", r.last);
}
template <class V, is_a<trigger_record> T>
void visit_fields(V& v, T& r) {
  v("trigger", r.trigger);
  v("definition", r.definition);
  v("mark", r.mark);
  v("floor", r.floor);
  v("settled", r.settled);
  v.sparse(named_field{"paused_at", r.paused_at}, named_field{"pause_reason", r.pause_reason},
           named_field{"fired", r.fired}, named_field{"taken", r.taken}, named_field{"pending", r.pending},
           named_field{"last_event", r.last_event}, named_field{"last_at", r.last_at},
           named_field{"last_nominal", r.last_nominal}, named_field{"starts", r.starts},
           named_field{"failures", r.failures}, named_field{"watched", r.watched}, named_field{"cursor", r.cursor},
           named_field{"seen", r.seen}, named_field{"flags", r.flags});
}
template <class V, is_a<seen_key> T>
void visit_fields(V& v, T& k) {
  v("trigger", k.trigger);
  v("key", k.key);
  v("request", k.request);
  v("event", k.event);
  v("at", k.at);
  v.sparse(named_field{"run", k.run});
}

template <class V, is_a<watched_record> T>
void visit_fields(V& v, T& r) {
  v("trigger", r.trigger);
  visit_fields(v, r.file);
}

template <class V, is_a<fingerprint> T>
void visit_fields(V& v, T& f) {
  v("command", f.command);
  v.sparse(named_field{"inputs", f.inputs}, named_field{"upstreams", f.upstreams},
           named_field{"discovered", f.discovered}, named_field{"version", f.version}, named_field{"env", f.env},
           named_field{"params", f.params}, named_field{"rule", f.rule});
}
template <class V, is_a<production> T>
void visit_fields(V& v, T& p) {
  v("data_version", p.data_version);
  v.sparse(named_field{"outputs", p.outputs}, named_field{"reported_version", p.reported_version},
           named_field{"metadata", p.metadata}, named_field{"pipeline_file", p.pipeline_file},
           named_field{"templates", p.templates}, named_field{"value", p.value});
}
template <class V, is_a<materialization> T>
void visit_fields(V& v, T& m) {
  v("run", m.run);
  v("attempt", m.attempt);
  v("finished_at", m.finished_at);
  v("took", m.took);
  v("made_from", m.made_from);
  v("made", m.made);
  if (layout_of(v) >= 1)
    v.sparse(named_field{"since", m.since}, named_field{"adopted", m.adopted}, named_field{"definition", m.definition});
}
template <class V, is_a<made_record> T>
void visit_fields(V& v, T& m) {
  v("asset", m.asset);
  v("run", m.run);
  v("pipeline_file", m.pipeline_file);
  v("output_template", m.output_template);
  v("content", m.content);
}
template <class V, is_a<asset_record> T>
void visit_fields(V& v, T& a) {
  v.sparse(named_field{"last", a.last}, named_field{"attempt", a.attempt}, named_field{"attempt_run", a.attempt_run},
           named_field{"attempt_number", a.attempt_number}, named_field{"attempt_started_at", a.attempt_started_at},
           named_field{"attempt_reasons", a.attempt_reasons}, named_field{"absent_outputs", a.absent_outputs},
           named_field{"definition", a.definition}, named_field{"definition_seq", a.definition_seq},
           named_field{"changed_seq", a.changed_seq}, named_field{"changed_run", a.changed_run},
           named_field{"changed_at", a.changed_at});
}
template <class V, is_a<run_record> T>
void visit_fields(V& v, T& r) {
  v("run", r.run);
  v("id", r.id);
  v("pipeline", r.pipeline);
  v("request", r.request);
  v("started_at", r.started_at);
  v("finished_at", r.finished_at);
  v("status", r.status);
  v("counts", r.counts);
  v("attempts", r.attempts);
  v("first_seq", r.first_seq);
  v("segment_seq", r.segment_seq);
  v("last_seq", r.last_seq);
  if (layout_of(v) >= 1)
    v.sparse(named_field{"cause", r.cause}, named_field{"queued_at", r.queued_at},
             named_field{"continues", r.continues}, named_field{"dequeued", r.dequeued},
             named_field{"continued_by", r.continued_by}, named_field{"timed_out", r.timed_out},
             named_field{"served", r.served});
}
template <class V, is_a<definition_record> T>
void visit_fields(V& v, T& d) {
  v("of", d.of);
  v("named_by", d.named_by);
  v.sparse(named_field{"has_text", d.has_text});
  v("text", d.text);
}
template <class V, is_a<writer_identity> T>
void visit_fields(V& v, T& w) {
  v("user", w.user);
  v("machine", w.machine);
}
template <class V, is_a<state_info> T>
void visit_fields(V& v, T& s) {
  v("id", s.id);
  v("first_seq", s.first_seq);
  v("last_seq", s.last_seq);
  v("asset_count", s.asset_count);
  v("path_count", s.path_count);
  v("last_run", s.last_run);
  v("writer_seq", s.writer_seq);
  v("writer_boot_id", s.writer_boot_id);
  v("closed_cleanly", s.closed_cleanly);
  if (layout_of(v) >= 1)
    v.sparse(named_field{"writer_pid_namespace", s.writer_pid_namespace},
             named_field{"writer_process_one", s.writer_process_one}, named_field{"writers", s.writers},
             named_field{"last_event", s.last_event}, named_field{"last_notice", s.last_notice},
             named_field{"notices_up_to", s.notices_up_to});
}
template <class V, is_a<open_attempt> T>
void visit_fields(V& v, T& o) {
  v("asset", o.asset);
  v("run", o.run);
  v("attempt", o.attempt);
  v("started_at", o.started_at);
  v("process_group", o.process_group);
  v("start_ticks", o.start_ticks);
  v("boot_id", o.boot_id);
  if (layout_of(v) >= 1)
    v.sparse(named_field{"pid_namespace", o.pid_namespace}, named_field{"process_one", o.process_one});
}

} // namespace troupe_internal
