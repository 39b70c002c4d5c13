// Merges of sorted lists, each difference a reason.
#include "core/freshness/freshness.hpp"

#include "core/command/template_text.hpp"

#include <algorithm>

namespace troupe_internal {

namespace {

/// Walks two lists sorted by key: calls only_a, only_b or both for each element.
template <class A, class B, class Key, class OnlyA, class OnlyB, class Both>
void merge_walk(const A& a, const B& b, Key key, OnlyA only_a, OnlyB only_b, Both both) {
  auto i = a.begin();
  auto j = b.begin();
  while (i != a.end() || j != b.end()) {
    if (j == b.end() || (i != a.end() && key(*i) < key(*j)))
      only_a(*i++);
    else if (i == a.end() || key(*j) < key(*i))
      only_b(*j++);
    else
      both(*i++, *j++);
  }
}

void compare_named(const std::vector<named_digest>& before, const std::vector<named_digest>& now, reason_kind kind,
                   std::vector<reason>& reasons) {
  if (before == now)
    return;
  const auto differs = [&](const named_digest& e) { reasons.push_back({kind, e.name}); };
  merge_walk(
      before, now, [](const named_digest& e) -> const std::string& { return e.name; }, differs, differs,
      [&](const named_digest& old_value, const named_digest& new_value) {
        if (old_value.value != new_value.value)
          differs(new_value);
      });
}

/// `by_text`: the record is of format 1, in which links in folders counted by their text.
bool same_content(const file_version& before, const file_version& now, bool by_text) {
  return before.content == now.content || (by_text && now.as_text != digest{} && before.content == now.as_text);
}

bool same_bit(const file_version& before, const file_version& now) {
  return before.executable == now.executable || before.executable == executable_bit::unknown ||
         now.executable == executable_bit::unknown;
}

void compare_inputs(const std::vector<file_version>& before, const std::vector<file_version>& now, bool by_text,
                    const name_source& names, std::vector<reason>& reasons) {
  if (before == now)
    return;
  const auto say = [&](reason_kind kind, path_id path) {
    reasons.push_back({kind, std::string(names.path_text(path))});
  };
  merge_walk(
      before, now, [](const file_version& f) { return f.path; },
      [&](const file_version& gone) { say(reason_kind::input_removed, gone.path); },
      [&](const file_version& added) { say(reason_kind::input_added, added.path); },
      [&](const file_version& old_file, const file_version& new_file) {
        if (same_content(old_file, new_file, by_text)) {
          if (!same_bit(old_file, new_file))
            say(reason_kind::executable_changed, new_file.path);
          return;
        }
        say(new_file.content == absent_file   ? reason_kind::input_removed
            : old_file.content == absent_file ? reason_kind::input_added
                                              : reason_kind::input_changed,
            new_file.path);
      });
}

/// `attempted`: an attempt has been made since that did not succeed.
void compare_outputs(const std::vector<file_version>& before, std::span<const file_version> now, bool source,
                     bool attempted, bool by_text, const name_source& names, std::vector<reason>& reasons) {
  if (std::equal(before.begin(), before.end(), now.begin(), now.end()))
    return;
  const auto say = [&](const file_version& f, reason_kind present) {
    const auto kind = f.content == absent_file ? reason_kind::output_missing : present;
    reasons.push_back({kind, std::string(names.path_text(f.path))});
    if (kind == reason_kind::output_modified && attempted)
      reasons.back().note = "an attempt that did not succeed may have written it";
  };
  merge_walk(
      before, now, [](const file_version& f) { return f.path; },
      // No longer declared: not this asset's any more. For a source, its set of files has changed.
      [&](const file_version& gone) {
        if (source)
          reasons.push_back({reason_kind::input_removed, std::string(names.path_text(gone.path))});
      },
      // Another path than it made: a param in it has another value, or it is declared only now.
      [&](const file_version& added) { say(added, source ? reason_kind::input_added : reason_kind::output_renamed); },
      [&](const file_version& old_file, const file_version& new_file) {
        if (!same_content(old_file, new_file, by_text))
          say(new_file, source                           ? reason_kind::input_changed
                        : old_file.link && new_file.link ? reason_kind::output_target_changed
                                                         : reason_kind::output_modified);
        else if (!same_bit(old_file, new_file))
          say(new_file, reason_kind::executable_changed);
      });
}

/// What of a definition as executed is another, and where that comes from: a param that it uses, files more or less
/// among the inputs that it inserts, or else itself.
class definition_change {
public:
  definition_change(const fingerprint& before, const fingerprint& now, const freshness_policy& policy,
                    std::vector<reason>& reasons)
      : before_(before), now_(now), policy_(policy), reasons_(reasons) {}

  void find() {
    if (before_.command == now_.command && before_.env == now_.env)
      return;
    merge_walk(
        before_.params, now_.params, [](const named_digest& e) -> const std::string& { return e.name; },
        [](const named_digest&) {}, [](const named_digest&) {},
        [&](const named_digest& old_value, const named_digest& new_value) {
          if (old_value.value != new_value.value)
            params_.push_back(new_value.name);
        });
    other_inputs_ = !std::equal(before_.inputs.begin(), before_.inputs.end(), now_.inputs.begin(), now_.inputs.end(),
                                [](const file_version& a, const file_version& b) { return a.path == b.path; });
    if (before_.command != now_.command && !command_explained())
      reasons_.push_back({reason_kind::command_changed, {}});
    std::vector<reason> found;
    compare_named(before_.env, now_.env, reason_kind::env_changed, found);
    for (auto& one : found)
      if (!variable_explained(one.detail))
        reasons_.push_back(std::move(one));
    for (const auto& name : params_)
      reasons_.push_back({reason_kind::param_changed, name});
  }

private:
  bool explained(std::string_view text) const {
    if (!has_template(text))
      return false;
    std::vector<template_problem> problems;
    const auto pieces = parse_template(text, problems);
    return std::any_of(pieces.begin(), pieces.end(), [&](const template_piece& piece) {
      return piece.name == template_name::param ? std::find(params_.begin(), params_.end(), piece.text) != params_.end()
                                                : piece.name == template_name::inputs && other_inputs_;
    });
  }

  bool command_explained() const {
    if (policy_.of == nullptr)
      return !params_.empty();
    const auto& texts = policy_.of->declaration(policy_.asset).command;
    return std::any_of(texts.begin(), texts.end(), [&](std::string_view text) { return explained(text); });
  }

  bool variable_explained(std::string_view name) const {
    if (policy_.of == nullptr)
      return !params_.empty();
    const auto& env = policy_.of->settings_of(policy_.asset).env;
    return std::any_of(env.begin(), env.end(), [&](const env_entry& entry) {
      return entry.name == name && entry.source == env_source::literal && explained(entry.text);
    });
  }

  const fingerprint& before_;
  const fingerprint& now_;
  const freshness_policy& policy_;
  std::vector<reason>& reasons_;
  std::vector<std::string> params_; ///< used before and now, with other values
  bool other_inputs_ = false;
};

/// Rule 0: by the texts as declared, in which params count by themselves.
void compare_declared(const fingerprint& before, const fingerprint& declared, std::vector<reason>& reasons) {
  if (before.command != declared.command)
    reasons.push_back({reason_kind::command_changed, {}});
  compare_named(before.env, declared.env, reason_kind::env_changed, reasons);
  compare_named(before.params, declared.params, reason_kind::param_changed, reasons);
}

std::string_view word_of(attempt_state state) {
  switch (state) {
  case attempt_state::running:
    return "running";
  case attempt_state::failed:
    return "failed";
  case attempt_state::cancelled:
    return "cancelled";
  default:
    return "interrupted";
  }
}

} // namespace

timestamp ages_from(const materialization& last) {
  return last.since.value_or(last.finished_at - last.took);
}

duration expires_at_age(duration max_age) {
  return max_age - std::min<duration>(max_age / 100, std::chrono::minutes(10));
}

void judge_freshness(const asset_record& record, const fingerprint& now, std::span<const file_version> outputs,
                     const freshness_policy& policy, const name_source& names, std::vector<reason>& reasons,
                     const fingerprint* declared) {
  const bool unfinished = record.attempt != attempt_state::none && record.attempt != attempt_state::succeeded;
  if (!record.last) {
    reasons.push_back({reason_kind::never_materialized, {}});
  } else {
    const auto& before = record.last->made_from;
    if (before.rule == 0 && declared != nullptr)
      compare_declared(before, *declared, reasons);
    else
      definition_change(before, now, policy, reasons).find();
    if (before.version != now.version)
      reasons.push_back({reason_kind::version_changed, before.version + " -> " + now.version});
    const bool by_text = before.rule == 0;
    compare_inputs(before.inputs, now.inputs, by_text, names, reasons);
    compare_inputs(before.discovered, now.discovered, by_text, names, reasons);
    if (before.upstreams != now.upstreams) {
      merge_walk(
          before.upstreams, now.upstreams, [](const upstream_version& u) { return u.asset; },
          [&](const upstream_version& gone) {
            reasons.push_back({reason_kind::upstream_changed,
                               std::string(names.asset_name(gone.asset)) + " (no longer a dependency)"});
          },
          [&](const upstream_version& added) {
            reasons.push_back(
                {reason_kind::upstream_changed, std::string(names.asset_name(added.asset)) + " (new dependency)"});
          },
          [&](const upstream_version& old_version, const upstream_version& new_version) {
            if (old_version.version != new_version.version)
              reasons.push_back({reason_kind::upstream_changed, std::string(names.asset_name(new_version.asset))});
          });
    }
    compare_outputs(record.last->made.outputs, outputs, policy.source, unfinished, by_text, names, reasons);
  }
  if (unfinished)
    reasons.push_back({reason_kind::last_attempt_failed, std::string(word_of(record.attempt))});
  if (policy.max_age && record.last) {
    const auto age = policy.now - ages_from(*record.last);
    if (age >= expires_at_age(*policy.max_age))
      reasons.push_back({reason_kind::expired, to_human(age) + " old"});
    else if (age <= -*policy.max_age) // a clock was wrong, then or now: how old it is nobody knows
      reasons.push_back({reason_kind::expired, "made " + to_human(-age) + " in the future"});
  }
  if (policy.always)
    reasons.push_back({reason_kind::always, {}});
  if (policy.forced)
    reasons.push_back({reason_kind::forced, {}});
  if (!policy.cycle.empty())
    reasons.push_back({reason_kind::cycle, std::string(policy.cycle)});
}

std::optional<reason> judge_value(const stored_value& kept, const function_declaration& function) {
  if (function.value_type.empty())
    return std::nullopt;
  if (kept.is_none())
    return reason{reason_kind::value_missing, {}};
  if (kept.type == function.value_type && kept.version <= function.value_version &&
      kept.version >= function.oldest_readable)
    return std::nullopt;
  return reason{reason_kind::value_unreadable, kept.type + " v" + std::to_string(kept.version) +
                                                   ", and the code reads " + std::string(function.value_type) + " v" +
                                                   std::to_string(function.value_version)};
}

digest version_of_outputs(std::span<const file_version> outputs, const name_source& names) {
  std::string parts;
  for (const auto& file : outputs) {
    parts.append(names.path_text(file.path));
    parts.push_back('\0');
    parts.append(reinterpret_cast<const char*>(file.content.bytes.data()), file.content.bytes.size());
    if (file.executable == executable_bit::yes) // of any other nothing is said, as in format 1
      parts.append("\0x", 2);
  }
  return content_digest(parts);
}

digest version_of_report(std::string_view reported) {
  return content_digest("reported:" + std::string(reported));
}

digest version_of_allowed_failure() {
  return content_digest("failed");
}

} // namespace troupe_internal
