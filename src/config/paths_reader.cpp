// A path that is none keeps its place, so that {{ outputs[1] }} means what it says.
#include "config/paths_reader.hpp"

#include "core/command/template_text.hpp"

#include <algorithm>
#include <array>

namespace troupe_internal::config {
namespace {

constexpr std::string_view input_expected = "a path, {\"optional\": PATH} or {\"outputs_of\": ASSET}";

std::string in_json(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  return out + '"';
}

} // namespace

std::string_view paths_reader::keep(std::string_view text) {
  return p_.text.keep(text);
}

bool paths_reader::good_name(std::string_view name, place where, std::string_view what) {
  if (is_name(name) && name.find('.') == std::string_view::npos)
    return true;
  out_.error(where, "bad_name",
             is_name(name) ? in_quotes(name) + " is no name for " + std::string(what) + ": it holds a dot"
                           : name_problem(name, what));
  return false;
}

void paths_reader::inputs(declared_asset& a) {
  a.inputs.first = static_cast<std::uint32_t>(d_.inputs.size());
  const auto v = values_.next();
  if (v.kind == json_kind::array) {
    while (values_.json.next_element())
      input(a, values_.next(), path_item::no_name);
  } else if (v.kind == json_kind::object) {
    named_inputs(a);
  } else {
    values_.wrong_type(v, "inputs", "a list of paths, or an object of names and paths");
    a.broken = true;
  }
  a.inputs.count = static_cast<std::uint32_t>(d_.inputs.size()) - a.inputs.first;
}

void paths_reader::named_inputs(declared_asset& a) {
  std::vector<input_name> names;
  std::vector<place> places;
  std::string_view key;
  place where;
  while (values_.json.next_member(key, where)) {
    const auto name = keep(key);
    const auto same = std::find_if(names.begin(), names.end(), [&](const auto& one) { return one.name == name; });
    if (same != names.end()) {
      values_.duplicate(name, where, places[static_cast<std::size_t>(same - names.begin())]);
      values_.skip_value();
      a.broken = true;
      continue;
    }
    a.broken |= !good_name(name, where, "an input");
    const auto number = static_cast<std::uint32_t>(names.size());
    const auto first = d_.inputs.size();
    const auto v = values_.next();
    const bool list = v.kind == json_kind::array;
    if (list)
      while (values_.json.next_element())
        input(a, values_.next(), number);
    else
      input(a, v, number);
    const auto plain = [](const path_item& item) {
      return !item.glob && !item.exclusion && !item.optional && item.outputs_of == path_item::no_name;
    };
    names.push_back({name, list || d_.inputs.size() != first + 1 || !plain(d_.inputs.back())});
    places.push_back(where);
  }
  a.input_names = p_.text.keep(names);
}

void paths_reader::input(declared_asset& a, const json_value& v, std::uint32_t name) {
  path_item item;
  item.name = name;
  if (v.kind == json_kind::object)
    return input_object(a, name);
  if (v.kind != json_kind::string) {
    a.broken = true;
    return values_.wrong_type(v, "an input", input_expected);
  }
  item.exclusion = v.text.starts_with('!');
  path(a, item.exclusion ? v.text.substr(1) : v.text,
       item.exclusion ? asset_maker::kind::exclusion : asset_maker::kind::input, v.where, item, d_.inputs);
}

void paths_reader::input_object(declared_asset& a, std::uint32_t name) {
  static constexpr std::array<std::string_view, 3> keys = {"optional", "outputs_of", "named"};
  const place opened = values_.where();
  std::array<place, keys.size()> seen{};
  path_item item;
  item.where = opened;
  item.name = name;
  outputs_item outputs;
  std::string optional;
  const auto errors = out_.errors();
  values_.members("an input", keys, [&](std::size_t key) {
    seen[key] = values_.key_place();
    if (key == 1)
      return outputs_of(a, outputs);
    const auto text = values_.string(keys[key], key == 0 ? "a path" : "the name of an output");
    if (text && key == 0)
      optional = *text;
    else if (text)
      outputs.named = keep(*text);
  });
  if (values_.json.failed() || out_.errors() != errors) {
    a.broken = true;
    return;
  }
  const auto wrong = [&](place where, std::string_view code, std::string message) {
    out_.error(where, code, std::move(message));
    a.broken = true;
  };
  const bool is_optional = seen[0].line != 0;
  if (is_optional == (seen[1].line != 0))
    return wrong(opened, is_optional ? "bad_value" : "missing_key",
                 "an input is " + std::string(input_expected) + ": write one of the two keys");
  if (is_optional && seen[2].line != 0)
    return wrong(seen[2], "bad_value", "\"named\" stands beside \"outputs_of\" only");
  if (is_optional) {
    item.optional = true;
    if (optional.starts_with('!'))
      return wrong(opened, "bad_path", "an optional input is one path, and no pattern that takes out");
    return path(a, optional, asset_maker::kind::optional, opened, item, d_.inputs);
  }
  std::string written = "{\"outputs_of\": [";
  for (const auto asset : outputs.assets)
    written += (written.ends_with('[') ? "" : ", ") + in_json(asset);
  written += outputs.named.empty() ? "]}" : "], \"named\": " + in_json(outputs.named) + "}";
  outputs.written = keep(written);
  item.outputs_of = static_cast<std::uint32_t>(d_.outputs_of.size());
  d_.outputs_of.push_back(std::move(outputs));
  d_.inputs.push_back(item);
  a.takes_outputs = true;
}

void paths_reader::outputs_of(declared_asset& a, outputs_item& item) {
  const auto take = [&](const json_value& one) {
    if (one.kind == json_kind::string)
      return item.assets.push_back(keep(one.text));
    values_.wrong_type(one, "outputs_of", "the name of an asset, or a list of names");
    a.broken = true;
  };
  const auto v = values_.next();
  if (v.kind != json_kind::array)
    return take(v);
  while (values_.json.next_element())
    take(values_.next());
}

void paths_reader::outputs(declared_asset& a) {
  a.outputs.first = static_cast<std::uint32_t>(d_.outputs.size());
  const auto v = values_.next();
  if (v.kind == json_kind::array) {
    while (values_.json.next_element())
      output(a, values_.next());
  } else if (v.kind == json_kind::object) {
    named_outputs(a);
  } else {
    values_.wrong_type(v, "outputs", "a list of paths, or an object of names and paths");
    a.broken = true;
  }
  a.outputs.count = static_cast<std::uint32_t>(d_.outputs.size()) - a.outputs.first;
}

void paths_reader::named_outputs(declared_asset& a) {
  std::vector<std::string_view> names;
  std::vector<place> places;
  std::string_view key;
  place where;
  while (values_.json.next_member(key, where)) {
    const auto name = keep(key);
    const auto same = std::find(names.begin(), names.end(), name);
    if (same != names.end()) {
      values_.duplicate(name, where, places[static_cast<std::size_t>(same - names.begin())]);
      values_.skip_value();
      a.broken = true;
      continue;
    }
    a.broken |= !good_name(name, where, "an output");
    const auto before = d_.outputs.size();
    output(a, values_.next());
    if (d_.outputs.size() == before)
      continue;
    names.push_back(name);
    places.push_back(where);
  }
  a.output_names = p_.text.keep(names);
}

void paths_reader::output(declared_asset& a, const json_value& v) {
  if (v.kind == json_kind::string)
    return path(a, v.text, asset_maker::kind::output, v.where, {}, d_.outputs);
  values_.wrong_type(v, "an output", "a path");
  a.broken = true;
}

void paths_reader::path(declared_asset& a, std::string_view text, asset_maker::kind what, place where, path_item item,
                        std::vector<path_item>& to) {
  item.where = where;
  if (has_template(text)) {
    item.text = static_cast<std::uint32_t>(d_.templates.size());
    item.is_template = true;
    d_.templates.push_back(d_.text.keep(text));
    to.push_back(item);
    return;
  }
  const auto read = maker_.read(text, text, what, where);
  a.broken |= !read;
  item.text = read ? read->text : p_.paths.intern(text);
  item.glob = read && read->glob;
  to.push_back(item);
}

} // namespace troupe_internal::config
