// Digests of definitions: length-prefixed parts into XXH3, so that no two lists of parts look alike.
#include "core/freshness/definition.hpp"

#include "core/command/expansion.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace troupe_internal {

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
    kind_ = 0;
    return *this;
  }
  /// Text that is told from text of another kind; what follows text of its own kind is one part with it.
  part_list& extend(char kind, std::string_view text) {
    if (kind != kind_) {
      buffer_ += kind;
      at_ = buffer_.size();
      add({});
    }
    kind_ = kind;
    buffer_.append(text);
    const auto size = static_cast<std::uint32_t>(buffer_.size() - at_ - sizeof(std::uint32_t));
    std::memcpy(buffer_.data() + at_, &size, sizeof size);
    return *this;
  }
  [[nodiscard]] digest finish() const { return quick_digest(buffer_); }

private:
  std::string& buffer_;
  char kind_ = 0;      // of the last part, if it can be extended
  std::size_t at_ = 0; // where its size is
};

bool uses_templates(const asset_declaration& d, const asset_settings& s) {
  const auto has_braces = [](std::string_view text) { return text.find("{{") != std::string_view::npos; };
  return std::any_of(d.command.begin(), d.command.end(), has_braces) ||
         std::any_of(s.env.begin(), s.env.end(), [&](const env_entry& e) { return has_braces(e.text); });
}

std::string_view word_of(command_kind kind) {
  return kind == command_kind::argv       ? "argv"
         : kind == command_kind::shell    ? "shell"
         : kind == command_kind::function ? "function"
                                          : "none";
}

/// The shell as it is called; as programs of before there were options have counted it, where there are none.
void add_shell(const asset_declaration& of, part_list& parts) {
  parts.add(of.settings->shell);
  if (of.script)
    parts.add("script");
  for (const auto& option : of.settings->shell_options)
    parts.add(option);
}

/// Keys beside the command that change what is made of it.
void add_rare(const pipeline& p, asset_index asset, part_list& parts) {
  if (p.declaration(asset).rare == nullptr)
    return;
  if (const auto depfile = p.depfile_of(asset))
    parts.add("depfile").add(p.path(*depfile));
  if (p.takes_version_from_stdout(asset))
    parts.add("data_version").add("stdout");
}

bool by_name(const named_digest& a, const named_digest& b) {
  return a.name < b.name;
}

digest digest_of_secret(const env_entry& entry, std::string& buffer) {
  part_list parts(buffer);
  parts.add("secret").add(entry.source == env_source::from_env ? "env" : "file").add(entry.text);
  return parts.finish();
}

digest digest_of_value(std::string_view value, std::string& buffer) {
  part_list parts(buffer);
  return parts.add("value").add(value).finish();
}

digest digest_of_unset(std::string& buffer) {
  part_list parts(buffer);
  return parts.add("unset").finish();
}

void add_inherited(const asset_settings& settings, std::vector<named_digest>& env, std::string& buffer) {
  if (settings.inherit_env)
    return;
  auto names = settings.inherit_names;
  std::sort(names.begin(), names.end());
  part_list inherited(buffer);
  for (const auto& name : names)
    inherited.add(name);
  env.push_back({"(inherit_env)", inherited.finish()});
}

void add_param(const pipeline& p, std::string_view name, std::vector<named_digest>& params, std::string& buffer) {
  const auto found = p.params.find(name);
  if (found == p.params.end())
    return;
  part_list value(buffer);
  if (found->second.secret) // none is written like this: a value is one part
    value.add("secret").add("param");
  else
    value.add(found->second.text);
  params.push_back({std::string(name), value.finish()});
}

/// What the texts insert of rows, beside the ids: a number for a definition counts it, and none of the other columns.
void add_cells(const pipeline& p, asset_index asset, part_list& parts) {
  const auto& matrix = p.asset(asset).matrix;
  if (std::none_of(matrix.begin(), matrix.end(),
                   [](const auto& one) { return one.more != nullptr && !one.more->row.empty(); }))
    return;
  const auto add = [&](std::string_view text) {
    std::vector<template_problem> reported_at_load;
    for (const auto& piece : parse_template(text, reported_at_load))
      if (piece.name == template_name::matrix && !unknown_variable(p, matrix, piece))
        values_of_variable(p, matrix, piece).each([&](std::string_view value, bool) { parts.add(value); });
  };
  for (const auto text : p.declaration(asset).command)
    add(text);
  for (const auto& entry : p.settings_of(asset).env)
    if (entry.source == env_source::literal)
      add(entry.text);
}

digest digest_as_declared(const env_entry& entry, const env_lookup& lookup, std::string& buffer) {
  part_list parts(buffer);
  if (entry.source == env_source::literal)
    return parts.add("literal").add(entry.text).finish();
  if (entry.secret)
    return digest_of_secret(entry, buffer);
  const auto value = lookup(entry);
  return value ? digest_of_value(*value, buffer) : digest_of_unset(buffer);
}

} // namespace

// ---- What is executed ----

void definer::read_text(std::string_view text, bool matrix_paths, std::vector<text_range>& to) {
  text_range range{pieces_.size(), 0, 0, has_template(text)};
  if (range.templated)
    parse_template(text, pieces_, problems_); // check_templates() reports what cannot be read
  range.last = pieces_.size();
  for (auto at = range.first; at != range.last; ++at) {
    const auto name = pieces_[at].name;
    takes_inputs_ = takes_inputs_ || name == template_name::inputs;
    takes_paths_ = takes_paths_ || name == template_name::inputs || name == template_name::outputs ||
                   (matrix_paths && name == template_name::matrix);
  }
  to.push_back(range);
}

void definer::read(const pipeline& p, asset_index asset) {
  const auto& declared = p.declaration(asset);
  if (of_ == &declared && p_ == &p)
    return;
  p_ = &p;
  of_ = &declared;
  has_env_ = takes_inputs_ = takes_paths_ = false;
  command_digest_.reset();
  pieces_.clear();
  command_.clear();
  values_.clear();
  problems_.clear();
  paths_.emplace(p.folder, declared.settings->cwd);
  const auto& matrix = p.asset(asset).matrix;
  const bool matrix_paths = std::any_of(matrix.begin(), matrix.end(), [](const auto& one) { return one.is_path(); });
  for (const auto text : declared.command)
    read_text(text, matrix_paths, command_);
  for (const auto& entry : declared.settings->env)
    if (entry.source == env_source::literal && has_template(entry.text))
      read_text(entry.text, matrix_paths, values_);
  params_.clear();
  for (const auto& piece : pieces_)
    if (piece.name == template_name::param &&
        std::none_of(params_.begin(), params_.end(), [&](const auto& known) { return known.name == piece.text; }))
      add_param(p, piece.text, params_, text_);
  std::sort(params_.begin(), params_.end(), by_name);
}

bool definer::takes_inputs(const pipeline& p, asset_index asset) {
  read(p, asset);
  return takes_inputs_;
}

bool definer::takes_steps_up(const pipeline& p, asset_index asset) {
  read(p, asset);
  return takes_paths_ && !paths_->at_home();
}

void definer::read_env(const env_lookup& lookup) {
  const auto& settings = *of_->settings;
  env_.clear();
  for (const auto& entry : settings.env) {
    digest value;
    if (entry.source == env_source::literal) {
      if (!has_template(entry.text))
        value = digest_of_value(entry.text, text_);
    } else if (entry.secret) {
      value = digest_of_secret(entry, text_);
    } else if (auto found = lookup(entry)) {
      // As it is set: the end of a file's last line is none of its value.
      while (entry.source == env_source::from_file && (found->ends_with('\n') || found->ends_with('\r')))
        found->pop_back();
      value = digest_of_value(*found, text_);
    } else {
      value = digest_of_unset(text_);
    }
    env_.push_back({entry.name, value});
  }
  add_inherited(settings, env_, text_);
  std::sort(env_.begin(), env_.end(), by_name);
  std::size_t next = 0;
  for (const auto& entry : settings.env)
    if (entry.source == env_source::literal && has_template(entry.text))
      values_[next++].env = static_cast<std::size_t>(
          std::lower_bound(env_.begin(), env_.end(), entry.name,
                           [](const named_digest& e, const std::string& name) { return e.name < name; }) -
          env_.begin());
  has_env_ = true;
}

digest definer::command_of(const command_scope& scope) {
  part_list parts(text_);
  parts.add(word_of(of_->kind));
  if (of_->kind == command_kind::none)
    return parts.finish();
  if (runs_command(of_->kind))
    parts.add(of_->settings->cwd);
  expansion values(scope, *paths_, value_use::fingerprint);
  // A template without a value, which no pipeline that was checked has, counts as what is written.
  if (of_->kind != command_kind::shell) {
    for (std::size_t i = 0; i < command_.size(); ++i)
      if (!command_[i].templated)
        parts.add(of_->command[i]);
      else if (!values.argv_element(pieces_of(command_[i]), [&](std::string_view element) { parts.add(element); }))
        parts.extend('x', of_->command[i]);
  } else {
    add_shell(*of_, parts);
    const auto add_literal = [&](std::string_view text) { parts.extend('t', text); };
    const auto add_value = [&](std::string_view value, const shell_slot&, bool first) {
      if (!first)
        parts.extend('t', " "); // as if each were a template, with a blank between them
      parts.extend('v', value);
    };
    if (!command_.front().templated)
      add_literal(of_->command.front());
    else if (!values.shell_text(pieces_of(command_.front()), add_literal, add_value))
      parts.extend('x', of_->command.front());
  }
  passed_otherwise_ = passed_otherwise_ || values.passed_otherwise();
  add_rare(scope.p, scope.asset, parts);
  return parts.finish();
}

void definer::define(const command_scope& scope, const env_lookup& lookup, fingerprint& out) {
  read(scope.p, scope.asset);
  passed_otherwise_ = false;
  out.rule = 1;
  if (!has_env_)
    read_env(lookup);
  if (command_digest_)
    out.command = *command_digest_;
  else
    out.command = command_of(scope);
  if (!command_digest_ && of_->rare == nullptr &&
      std::none_of(command_.begin(), command_.end(), [](const text_range& text) { return text.templated; }))
    command_digest_ = out.command;
  out.version = of_->settings->version;
  out.env = env_;
  if (!values_.empty()) {
    expansion values(scope, *paths_, value_use::fingerprint);
    std::string value;
    for (const auto& text : values_) {
      value.clear();
      if (!values.env_value(pieces_of(text), value))
        value += '\0';
      out.env[text.env].value = digest_of_value(value, text_);
    }
    passed_otherwise_ = passed_otherwise_ || values.passed_otherwise();
  }
  out.params = params_;
}

// ---- What is declared ----

void define_as_declared(const pipeline& p, asset_index asset, const env_lookup& lookup, fingerprint& out) {
  thread_local std::string buffer;
  const auto& spec = p.asset(asset);
  const auto& declared = p.declaration(asset);
  const auto& settings = *declared.settings;

  part_list parts(buffer);
  parts.add(word_of(declared.kind));
  if (runs_command(declared.kind))
    parts.add(settings.cwd);
  if (declared.kind == command_kind::shell)
    add_shell(declared, parts);
  for (const auto text : declared.command)
    parts.add(text);
  for (const auto& value : spec.matrix)
    parts.add(value.variable).add(value.value);
  add_cells(p, asset, parts);
  add_rare(p, asset, parts);
  out.command = parts.finish();

  out.version = settings.version;
  out.env.clear();
  for (const auto& entry : settings.env)
    out.env.push_back({entry.name, digest_as_declared(entry, lookup, buffer)});
  add_inherited(settings, out.env, buffer);
  std::sort(out.env.begin(), out.env.end(), by_name);

  out.params.clear();
  if (!p.params.empty() && uses_templates(declared, settings))
    for (const auto& name : params_used(p, asset))
      add_param(p, name, out.params, buffer);
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
    parts.add(input.glob ? "glob" : input.optional ? "optional" : "path").add(p.path(input.path));
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

} // namespace troupe_internal
