// A source is a list, or an object with one key that says where the values are.
#include "config/matrix_reader.hpp"

#include "core/command/template_text.hpp"
#include "core/pipeline/glob.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal::config {
namespace {

constexpr std::size_t max_matrix_variables = 64;
constexpr std::string_view scalar_expected = "a string, a number, true or false";
constexpr std::string_view source_expected =
    "a list of values, or an object with \"values\", \"glob\", \"lines\", \"csv\" or \"json\"";

bool is_scalar(const json_value& v) {
  return v.kind == json_kind::string || v.kind == json_kind::number || v.kind == json_kind::boolean;
}

} // namespace

std::string_view matrix_reader::keep(std::string_view text) {
  const auto kept = p_.text.keep(text);
  if (has_template(kept))
    d_.templates.push_back(kept); // what triggers bind to the params in it is checked like a part of a path
  return kept;
}

void matrix_reader::wrong(declared_source& s, place where, std::string_view code, std::string message) {
  out_.error(where, code, std::move(message));
  s.broken = true;
}

void matrix_reader::named_values() {
  if (!values_.expect(json_kind::object, "values", "an object of names and sources of values"))
    return;
  std::string_view key;
  place where;
  while (values_.json.next_member(key, where)) {
    const std::string name(key);
    const auto [at, is_new] = d_.values.named.emplace(name, named_source{where});
    if (!is_new) {
      values_.duplicate(name, where, at->second.where);
      values_.skip_value();
      continue;
    }
    if (!is_name(name) || name.find('.') != std::string::npos)
      out_.error(where, "bad_name",
                 is_name(name) ? in_quotes(name) + " is no name for a list of values: it holds a dot"
                               : name_problem(name, "a list of values"));
    at->second.source = source(at->first);
  }
}

bool matrix_reader::matrix(declared_asset& a) {
  if (!values_.expect(json_kind::object, "matrix", "an object of variables and their values"))
    return false;
  const place opened = values_.where();
  declared_matrix m;
  bool too_many = false;
  std::optional<place> excludes;
  std::string_view key;
  place where;
  while (values_.json.next_member(key, where)) {
    if (key == "exclude") {
      if (excludes) {
        values_.duplicate(key, where, *excludes);
        values_.skip_value();
        continue;
      }
      excludes = where;
      exclude(m);
      continue;
    }
    const auto name = p_.text.keep(key);
    const auto same =
        std::find_if(m.variables.begin(), m.variables.end(), [&](const auto& v) { return v.name == name; });
    if (same != m.variables.end()) {
      values_.duplicate(name, where, same->where);
      values_.skip_value();
      continue;
    }
    if (m.variables.size() == max_matrix_variables) {
      if (!std::exchange(too_many, true))
        out_.error(where, "too_large", "a matrix of more than " + std::to_string(max_matrix_variables) + " variables");
      m.broken = true;
      values_.skip_value();
      continue;
    }
    if (!is_name(name)) {
      out_.error(where, "bad_name", name_problem(name, "a matrix variable"));
      m.broken = true;
    }
    const auto number = source(name);
    m.broken |= d_.values.sources[number].broken;
    m.variables.push_back({name, where, number});
  }
  if (m.variables.empty() && !values_.json.failed()) {
    out_.error(opened, "empty_matrix", "the matrix has no variables; without a matrix the asset is one asset");
    m.broken = true;
  }
  a.matrix = static_cast<std::uint32_t>(d_.values.matrices.size());
  const bool good = !m.broken;
  d_.values.matrices.push_back(std::move(m));
  return good;
}

std::uint32_t matrix_reader::source(std::string_view used_for) {
  const auto number = static_cast<std::uint32_t>(d_.values.sources.size());
  auto& s = d_.values.sources.emplace_back();
  s.used_for = p_.text.keep(used_for);
  const auto v = values_.next();
  s.where = v.where;
  if (v.kind == json_kind::array)
    list(s);
  else if (v.kind == json_kind::object)
    source_object(s);
  else {
    s.broken = true;
    if (v.kind == json_kind::string) {
      const auto text = in_quotes(v.text);
      out_.error(v.where, "wrong_type",
                 in_quotes(used_for) + " has to be " + std::string(source_expected) + ", found the string " + text +
                     "; write " + (is_glob(v.text) ? "{\"glob\": " + text + "}" : "[" + text + "]"));
    } else {
      values_.wrong_type(v, used_for, source_expected);
    }
  }
  return number;
}

void matrix_reader::list(declared_source& s) {
  while (values_.json.next_element())
    list_value(s);
}

void matrix_reader::list_value(declared_source& s) {
  const auto v = values_.next();
  declared_value value;
  value.where = v.where;
  if (v.kind == json_kind::object) {
    value.is_row = true;
    value.row = row(s);
  } else if (is_scalar(v)) {
    value.text = keep(v.text);
  } else {
    s.broken = true;
    return values_.wrong_type(v, "a matrix value", std::string(scalar_expected) + ", or a row: an object of these");
  }
  s.values.push_back(value);
}

std::span<const declared_cell> matrix_reader::row(declared_source& s) {
  std::vector<declared_cell> cells;
  std::vector<place> places;
  std::vector<std::string_view> texts;
  std::string_view key;
  place where;
  while (values_.json.next_member(key, where)) {
    const auto column = p_.text.keep(key);
    const auto same = std::find_if(cells.begin(), cells.end(), [&](const auto& c) { return c.column == column; });
    if (same != cells.end()) {
      values_.duplicate(column, where, places[static_cast<std::size_t>(same - cells.begin())]);
      values_.skip_value();
      s.broken = true;
      continue;
    }
    if (column.empty())
      wrong(s, where, "bad_name", "a column of a row has no name");
    const auto v = values_.next();
    texts.clear();
    const bool is_list = v.kind == json_kind::array;
    if (is_list) {
      while (values_.json.next_element())
        if (const auto text = values_.string("a value in the list " + in_quotes(column)))
          texts.push_back(keep(*text));
        else
          s.broken = true;
    } else if (is_scalar(v)) {
      texts.push_back(keep(v.text));
    } else {
      s.broken = true;
      values_.wrong_type(v, column, std::string(scalar_expected) + ", or a list of strings");
      continue;
    }
    cells.push_back({column, p_.text.keep(texts), is_list});
    places.push_back(where);
  }
  return p_.text.keep(cells);
}

void matrix_reader::source_object(declared_source& s) {
  static constexpr std::array<std::string_view, 8> keys = {"values", "glob", "lines", "csv",
                                                           "json",   "at",   "key",   "separator"};
  static constexpr std::size_t first_detail = 5;
  std::array<place, keys.size()> seen{};
  std::size_t kinds = 0;
  values_.members("the source of " + in_quotes(s.used_for), keys, [&](std::size_t key) {
    seen[key] = values_.key_place();
    kinds += key < first_detail ? 1 : 0;
    switch (key) {
    case 0:
      return text_of(s, source_kind::named, keys[key], "the name of a list under \"values\"");
    case 1:
      return glob(s);
    case 2:
      return text_of(s, source_kind::lines, keys[key], "the path of a file");
    case 3:
      return text_of(s, source_kind::csv, keys[key], "the path of a file");
    case 4:
      return text_of(s, source_kind::json, keys[key], "the path of a file");
    case 5:
      if (const auto text = values_.string("at", "a JSON pointer, as in \"/samples\""))
        s.pointer = p_.text.keep(*text);
      if (!s.pointer.empty() && s.pointer.front() != '/')
        wrong(s, values_.where(), "bad_value", "\"at\" is a JSON pointer: it begins with /");
      return;
    case 6:
      if (const auto text = values_.string("key", "the name of a column"))
        s.key = p_.text.keep(*text);
      return;
    default:
      const auto text = values_.string("separator", "one character");
      if (text && text->size() == 1 && *text != "\"" && *text != "\n" && *text != "\r")
        s.separator = text->front();
      else if (text)
        wrong(s, values_.where(), "bad_value",
              "\"separator\" has to be one character of ASCII, and no quote or line end");
    }
  });
  if (values_.json.failed())
    return;
  if (kinds != 1)
    return wrong(s, s.where, kinds == 0 ? "missing_key" : "bad_value",
                 "the source of " + in_quotes(s.used_for) + (kinds == 0 ? " says nowhere" : " says more than once") +
                     " where the values are: write one of values, glob, lines, csv and json");
  const auto needs = [&](std::size_t key, bool fits, std::string_view kind) {
    if (seen[key].line != 0 && !fits)
      wrong(s, seen[key], "bad_value", in_quotes(keys[key]) + " stands beside " + std::string(kind) + " only");
  };
  needs(5, s.kind == source_kind::json, "\"json\"");
  needs(6, s.kind == source_kind::json || s.kind == source_kind::csv, "\"csv\" and \"json\"");
  needs(7, s.kind == source_kind::csv, "\"csv\"");
}

void matrix_reader::text_of(declared_source& s, source_kind kind, std::string_view key, std::string_view expected) {
  s.kind = kind;
  const auto text = values_.string(key, expected);
  s.text_where = values_.where();
  if (!text)
    s.broken = true;
  else
    s.text = kind == source_kind::named ? p_.text.keep(*text) : keep(*text);
}

void matrix_reader::glob(declared_source& s) {
  s.kind = source_kind::glob;
  const auto v = values_.next();
  if (v.kind == json_kind::array) {
    while (values_.json.next_element())
      pattern(s, values_.next());
  } else {
    pattern(s, v);
  }
  if (!s.broken && !values_.json.failed() &&
      std::all_of(s.patterns.begin(), s.patterns.end(), [](const auto& one) { return one.excludes; }))
    wrong(s, v.where, "bad_path", "the glob has no pattern that finds something");
}

void matrix_reader::pattern(declared_source& s, const json_value& v) {
  if (v.kind != json_kind::string) {
    s.broken = true;
    return values_.wrong_type(v, "glob", "a pattern, or a list of patterns");
  }
  const bool excludes = v.text.starts_with('!');
  s.patterns.push_back({keep(excludes ? v.text.substr(1) : v.text), excludes, v.where});
}

void matrix_reader::exclude(declared_matrix& m) {
  m.broken |=
      !values_.array("exclude", "a list of objects, each with ids of variables", [&](std::size_t) { exclusion(m); });
}

void matrix_reader::exclusion(declared_matrix& m) {
  declared_exclusion one;
  if (!values_.expect(json_kind::object, "an element of \"exclude\"", "an object of variables and ids")) {
    m.broken = true;
    return;
  }
  one.where = values_.where();
  std::string_view key;
  place where;
  while (values_.json.next_member(key, where)) {
    const auto name = p_.text.keep(key);
    const auto v = values_.next();
    if (is_scalar(v)) {
      one.ids.emplace_back(name, p_.text.keep(v.text));
    } else {
      values_.wrong_type(v, name, "the id of a value");
      m.broken = true;
    }
  }
  if (one.ids.empty() && !m.broken && !values_.json.failed()) {
    out_.error(one.where, "bad_value", "an element of \"exclude\" without variables would leave out everything");
    m.broken = true;
  }
  m.exclude.push_back(std::move(one));
}

} // namespace troupe_internal::config
