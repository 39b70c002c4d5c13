// Each source is read once, whoever uses it.
#include "config/matrix_source.hpp"

#include "base/digest.hpp"
#include "config/matrix_ids.hpp"
#include "config/path_text.hpp"
#include "config/value_files.hpp"
#include "config/value_text.hpp"
#include "core/command/command.hpp"
#include "core/command/template_text.hpp"
#include "core/pipeline/exclusion.hpp"
#include "core/pipeline/glob.hpp"
#include "core/pipeline/nearest_name.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace troupe_internal::config {
namespace {

constexpr std::uint64_t max_file_bytes = std::uint64_t(1) << 28U;

/// A value before it has its final place in memory.
struct found_value {
  std::string_view text;
  std::vector<matrix_cell> row;
  bool is_row = false;
  std::string where; ///< in a file: "samples.csv, line 3"
  place at;
};

class matrix_filler {
public:
  matrix_filler(declared_pipeline& d, findings& out) : d_(d), p_(*d.p), out_(out), read_(d.values.read) {
    read_.resize(d.values.sources.size());
  }

  void all() {
    for (auto& matrix : d_.values.matrices) {
      for (auto& variable : matrix.variables) {
        const auto& values = of(variable.source);
        variable.values = &values.entries;
        variable.from_files = values.from_files;
        matrix.broken |= values.broken;
        if (values.entries.empty() && !values.broken)
          none(variable, values, matrix);
      }
      for (auto& one : matrix.exclude)
        exclusion(matrix, one);
    }
    // Also what no matrix uses may be wrong.
    for (std::uint32_t i = 0; i < read_.size(); ++i)
      static_cast<void>(of(i));
    if (!digested_.empty()) {
      const auto d = quick_digest(digested_);
      std::memcpy(&p_.values_read, d.bytes.data(), sizeof p_.values_read);
      p_.values_read |= 1U;
    }
  }

private:
  const loaded_source& of(std::uint32_t number) {
    auto& source = read_[number];
    if (source.at != loaded_source::step::unread)
      return source;
    source.at = loaded_source::step::reading;
    const auto& declared = d_.values.sources[number];
    source.broken = declared.broken;
    if (!source.broken)
      read(declared, source);
    source.at = loaded_source::step::read;
    return source;
  }

  void read(const declared_source& declared, loaded_source& into) {
    switch (declared.kind) {
    case source_kind::list:
      return list(declared, into);
    case source_kind::named:
      return named(declared, into);
    case source_kind::glob:
      return glob(declared, into);
    default:
      return file(declared, into);
    }
  }

  void wrong(loaded_source& into, place where, std::string_view code, std::string message) {
    out_.error(where, code, std::move(message));
    into.broken = true;
  }

  // The text with params filled in; nullopt if that cannot be, which is reported.
  std::optional<std::string_view> filled_in(std::string_view text, place where, loaded_source& into) {
    if (!has_template(text))
      return text;
    auto filled = render_names(p_, {}, text);
    if (filled && filled->size() == 1)
      return p_.text.keep(filled->front());
    wrong(into, where, "unknown_template",
          (filled ? std::string("a list cannot stand here") : filled.error().message) + " (in " + in_quotes(text) +
              ")");
    return std::nullopt;
  }

  // ── lists ──────────────────────────────────────────────────────────────────────────────────────────────────────

  void list(const declared_source& declared, loaded_source& into) {
    if (declared.values.empty())
      return;
    std::vector<found_value> values;
    const bool rows = declared.values.front().is_row;
    for (const auto& one : declared.values) {
      found_value value;
      value.at = one.where;
      value.is_row = one.is_row;
      if (one.is_row != rows) {
        wrong(into, one.where, "bad_row", "a list has rows or single values, and here they are mixed");
        continue;
      }
      if (!one.is_row) {
        const auto text = filled_in(one.text, one.where, into);
        if (!text)
          continue;
        value.text = *text;
      }
      bool good = true;
      for (const auto& cell : one.row) {
        std::vector<std::string_view> texts;
        for (const auto text : cell.texts) {
          const auto filled = filled_in(text, one.where, into);
          good = good && filled;
          texts.push_back(filled.value_or(std::string_view()));
        }
        value.row.push_back({cell.column, p_.text.keep(texts), cell.list});
      }
      if (good)
        values.push_back(std::move(value));
    }
    if (rows && !values.empty() && !same_columns(values, into))
      return;
    add(values, key_of(declared, values, into), into);
  }

  // Rows that somebody types have the same columns; what one lacks was forgotten.
  bool same_columns(const std::vector<found_value>& values, loaded_source& into) {
    const auto& first = values.front().row;
    for (const auto& value : values) {
      std::string why = value.row.size() > first.size() ? "this one has more than the first" : "";
      for (const auto& cell : first)
        if (const auto* own = cell_of(value, cell.column); own == nullptr)
          why = "this one has no " + in_quotes(cell.column);
        else if (own->list != cell.list)
          why = in_quotes(cell.column) + " is a list in one and a single value in another";
      if (!why.empty()) {
        wrong(into, value.at, "bad_row", "the rows of one list have the same columns: " + why);
        return false;
      }
    }
    return true;
  }

  static const matrix_cell* cell_of(const found_value& value, std::string_view column) {
    const auto at =
        std::find_if(value.row.begin(), value.row.end(), [&](const auto& cell) { return cell.column == column; });
    return at == value.row.end() ? nullptr : &*at;
  }

  void named(const declared_source& declared, loaded_source& into) {
    const auto at = d_.values.named.find(declared.text);
    if (at == d_.values.named.end()) {
      nearest_name nearest(declared.text);
      for (const auto& [name, one] : d_.values.named)
        nearest.consider(name);
      return wrong(into, declared.text_where, "unknown_values",
                   "there is no list " + in_quotes(declared.text) + " under \"values\"" +
                       (d_.values.named.empty() ? "; the pipeline has none" : nearest.hint()));
    }
    at->second.used = true;
    if (read_[at->second.source].at == loaded_source::step::reading)
      return wrong(into, declared.text_where, "cycle", "the list " + in_quotes(declared.text) + " is made from itself");
    const auto& other = of(at->second.source);
    into.entries = other.entries;
    into.from_files = other.from_files;
    into.broken = other.broken; // reported there
  }

  // ── files ──────────────────────────────────────────────────────────────────────────────────────────────────────

  void glob(const declared_source& declared, loaded_source& into) {
    into.from_files = true;
    searched_glob searched;
    for (const auto& one : declared.patterns)
      if (const auto pattern = pattern_of(one, into); pattern && one.excludes)
        searched.exclusions.push_back(p_.text.keep(*pattern));
      else if (pattern)
        searched.patterns.push_back({p_.text.keep(*pattern), false, one.where});
    d_.values.globs.push_back(searched);
    if (into.broken || !d_.values.outside.glob)
      return;
    std::vector<std::string> paths;
    for (const auto& one : searched.patterns) {
      auto found = d_.values.outside.glob(std::string(one.text), {p_.engine.state_dir});
      if (!found)
        return wrong(into, declared.where, "cannot_read", found.error().message);
      paths.insert(paths.end(), std::make_move_iterator(found->begin()), std::make_move_iterator(found->end()));
    }
    std::sort(paths.begin(), paths.end());
    paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
    std::erase_if(paths, [&](const std::string& path) {
      return std::any_of(searched.exclusions.begin(), searched.exclusions.end(),
                         [&](std::string_view pattern) { return takes_out(pattern, path); });
    });
    if (paths.size() > d_.limits.assets)
      return wrong(into, declared.where, "too_many_assets",
                   "the glob matches more than " + std::to_string(d_.limits.assets) + " files");
    leave_out_made(declared, paths, into);
    std::optional<glob_ids> ids;
    if (searched.patterns.size() == 1)
      ids.emplace(searched.patterns.front().text);
    std::vector<matrix_item> items;
    items.reserve(paths.size());
    for (const auto& path : paths)
      items.push_back({p_.text.keep(id_of_text(ids ? ids->of(path) : std::string_view(path))), {}, true});
    const auto kept = p_.text.keep(items);
    for (std::size_t i = 0; i < paths.size(); ++i)
      into.entries.push_back({p_.text.keep(paths[i]), &kept[i]});
    check_ids(declared, into);
    note(into);
  }

  std::optional<std::string> pattern_of(const declared_pattern& one, loaded_source& into) {
    std::string text(one.text);
    if (has_template(one.text)) {
      auto filled = render_path(p_, {}, one.text);
      if (!filled) {
        wrong(into, one.where, "unknown_template", filled.error().message + " (in " + in_quotes(one.text) + ")");
        return std::nullopt;
      }
      text = std::move(*filled);
    }
    declared_path path;
    read_path(text, path);
    if (path.problem.empty())
      return !path.glob ? glob_of_path(path.text) : one.excludes ? std::string(without_slash(path.text)) : path.text;
    wrong(into, one.where, "bad_path", "the pattern " + in_quotes(text) + " " + std::string(path.problem));
    return std::nullopt;
  }

  // What an asset of this pipeline has made is not there in a clean folder, and must not make assets here.
  void leave_out_made(const declared_source& declared, std::vector<std::string>& paths, loaded_source& into) {
    if (paths.empty() || !d_.values.outside.made_here)
      return;
    auto made = d_.values.outside.made_here(p_, paths);
    if (!made)
      return wrong(into, declared.where, "cannot_read", made.error().message);
    std::erase_if(*made, [&](const std::string& path) { return a_source_declares(path); });
    if (made->empty())
      return;
    std::erase_if(paths, [&](const std::string& path) { return std::binary_search(made->begin(), made->end(), path); });
    out_.warning(declared.where, "orphan_input",
                 "the glob leaves out " + in_quotes(made->front()) +
                     (made->size() > 1 ? " and " + std::to_string(made->size() - 1) + " more" : std::string()) +
                     ", which an asset of this pipeline has made: remove what is left over with `troupe clean "
                     "--orphans`, or declare it as a source to keep it");
  }

  bool a_source_declares(std::string_view path) {
    if (!knows_sources_) {
      knows_sources_ = true;
      for (const auto& spec : p_.assets)
        if (p_.declarations[spec.declaration].kind == command_kind::none)
          for (const auto output : spec.outputs)
            source_outputs_.push_back(p_.path(output));
      for (const auto& a : d_.waiting)
        if (a.kind == command_kind::none)
          for (const auto& item : std::span(d_.outputs).subspan(a.outputs.first, a.outputs.count))
            if (!item.is_template)
              source_outputs_.push_back(p_.paths.text(item.text));
    }
    return std::any_of(source_outputs_.begin(), source_outputs_.end(),
                       [&](std::string_view output) { return is_at_or_beneath(path, output); });
  }

  void file(const declared_source& declared, loaded_source& into) {
    into.from_files = true;
    const auto path = path_of(declared, into);
    if (!path || !d_.values.outside.read_text)
      return;
    d_.values.files.emplace_back(*path, declared.text_where);
    const auto text = d_.values.outside.read_text(*path, std::min(max_file_bytes, d_.limits.text_bytes));
    if (!text)
      return wrong(into, declared.text_where, "cannot_read",
                   "the values of " + in_quotes(declared.used_for) + " cannot be read: " + text.error().message);
    if (text->find('\0') != std::string::npos)
      return wrong(into, declared.text_where, "bad_value_file", in_quotes(*path) + ": the text holds a NUL");
    const auto most = static_cast<std::size_t>(d_.limits.assets);
    const auto found = declared.kind == source_kind::lines ? lines_of(*text, most)
                       : declared.kind == source_kind::csv ? csv_rows(*text, declared.separator, most)
                                                           : json_values(*text, declared.pointer, most);
    if (!found)
      return wrong(into, declared.text_where, "bad_value_file", in_quotes(*path) + ": " + found.error().message);
    std::vector<found_value> values;
    values.reserve(found->size());
    for (const auto& one : *found)
      values.push_back(kept(one, declared, *path));
    if (!values.empty() && std::any_of(values.begin(), values.end(),
                                       [&](const auto& value) { return value.is_row != values.front().is_row; }))
      return wrong(into, declared.text_where, "bad_value_file",
                   in_quotes(*path) + ": the list has rows and single values, and it may have one of the two");
    common_columns(values);
    add(values, key_of(declared, values, into), into);
    note(into);
  }

  std::optional<std::string> path_of(const declared_source& declared, loaded_source& into) {
    std::string text(declared.text);
    if (has_template(declared.text)) {
      auto filled = render_path(p_, {}, declared.text);
      if (!filled) {
        wrong(into, declared.text_where, "unknown_template",
              filled.error().message + " (in " + in_quotes(declared.text) + ")");
        return std::nullopt;
      }
      text = std::move(*filled);
    }
    declared_path path;
    read_path(text, path);
    if (path.problem.empty() && path.glob)
      path.problem = "holds a wildcard; it has to name one file";
    if (path.problem.empty())
      return std::move(path.text);
    wrong(into, declared.text_where, "bad_path", "the file " + in_quotes(text) + " " + std::string(path.problem));
    return std::nullopt;
  }

  found_value kept(const file_value& one, const declared_source& declared, const std::string& path) {
    found_value value;
    value.at = declared.text_where;
    value.where = in_quotes(path) + ", line " + std::to_string(one.line);
    value.text = p_.text.keep(one.text);
    value.is_row = one.is_row;
    for (const auto& cell : one.row) {
      std::vector<std::string_view> texts;
      for (const auto& text : cell.texts)
        texts.push_back(p_.text.keep(text));
      value.row.push_back({p_.text.keep(cell.column), p_.text.keep(texts), cell.list});
    }
    return value;
  }

  // Programs leave out members that have no value: only the columns that all rows have can be named.
  static void common_columns(std::vector<found_value>& values) {
    if (values.empty() || !values.front().is_row)
      return;
    auto common = values.front().row;
    for (const auto& value : values)
      std::erase_if(common, [&](const matrix_cell& cell) {
        const auto* own = cell_of(value, cell.column);
        return own == nullptr || own->list != cell.list;
      });
    for (auto& value : values) {
      std::vector<matrix_cell> row;
      for (const auto& cell : common)
        row.push_back(*cell_of(value, cell.column));
      value.row = std::move(row);
    }
  }

  // ── ids ────────────────────────────────────────────────────────────────────────────────────────────────────────

  // The column that has the ids; empty where the values are no rows, or where there is none (reported).
  std::string_view key_of(const declared_source& declared, const std::vector<found_value>& values,
                          loaded_source& into) {
    if (values.empty() || !values.front().is_row)
      return {};
    const auto usable = [&](std::string_view column) {
      const auto* cell = cell_of(values.front(), column);
      return cell != nullptr && !cell->list;
    };
    if (declared.key) {
      if (usable(*declared.key))
        return *declared.key;
      wrong(into, declared.where, "bad_row",
            "no row has the column " + in_quotes(*declared.key) + " as a single value");
      return {};
    }
    if (declared.kind == source_kind::csv)
      return values.front().row.front().column;
    for (const std::string_view name : {"id", "name"})
      if (usable(name))
        return name;
    wrong(into, values.front().at, "missing_key",
          declared.kind == source_kind::json
              ? "the rows have no \"id\" and no \"name\" (in every row, as a single value); \"key\" says which column "
                "names them"
              : "a row needs an \"id\" or a \"name\": it becomes part of the asset's name");
    return {};
  }

  void add(const std::vector<found_value>& values, std::string_view key, loaded_source& into) {
    if (into.broken && (values.empty() || values.front().is_row))
      return;
    std::vector<matrix_item> items;
    std::vector<std::string_view> texts;
    interner seen;
    for (const auto& value : values) {
      const bool typed = value.where.empty();
      const auto text = value.is_row ? cell_of(value, key)->texts.front() : value.text;
      const auto id = typed ? text : p_.text.keep(id_of_text(text));
      auto problem = id_problem(id);
      const std::string what = value.is_row ? "the id of a row " : "a matrix value ";
      if (!problem.empty()) {
        if (problem.starts_with('"') && !value.is_row)
          problem = "the matrix value " + problem;
        else
          problem = what + problem;
        wrong(into, value.at, value.is_row || !typed ? "bad_id" : "bad_value",
              (typed ? "" : value.where + ": ") + problem);
        continue;
      }
      if (seen.intern(id) < items.size()) {
        wrong(into, value.at, "duplicate_value",
              (typed ? "" : value.where + ": ") + "the " + (value.is_row ? "id " : "matrix value ") + in_quotes(id) +
                  " stands here again");
        continue;
      }
      items.push_back({id, p_.text.keep(value.row), false});
      texts.push_back(value.is_row ? id : text);
    }
    const auto kept = p_.text.keep(items);
    for (std::size_t i = 0; i < texts.size(); ++i)
      into.entries.push_back({texts[i], kept[i].row.empty() && kept[i].id == texts[i] ? nullptr : &kept[i]});
  }

  // Of a glob.
  void check_ids(const declared_source& declared, loaded_source& into) {
    interner seen;
    std::size_t good = 0;
    for (const auto& entry : into.entries) {
      if (const auto problem = id_problem(entry.id()); !problem.empty())
        wrong(into, declared.where, "bad_id", "the id of the file " + in_quotes(entry.value) + " " + problem);
      else if (seen.intern(entry.id()) < good)
        wrong(into, declared.where, "duplicate_value",
              "two files that the glob matches have the id " + in_quotes(entry.id()) + ", one of them " +
                  in_quotes(entry.value));
      else
        ++good;
    }
  }

  void note(const loaded_source& source) {
    const auto add_text = [&](std::string_view text) {
      const auto size = static_cast<std::uint32_t>(text.size());
      digested_.append(reinterpret_cast<const char*>(&size), sizeof size).append(text);
    };
    add_text(std::to_string(source.entries.size()));
    for (const auto& entry : source.entries) {
      add_text(entry.value);
      if (entry.more == nullptr)
        continue;
      for (const auto& cell : entry.more->row) {
        add_text(cell.column);
        for (const auto text : cell.texts)
          add_text(text);
      }
    }
    const auto d = quick_digest(digested_);
    digested_.assign(reinterpret_cast<const char*>(d.bytes.data()), d.bytes.size());
  }

  // ── what matrices make of it ───────────────────────────────────────────────────────────────────────────────────

  void none(const matrix_variable& variable, const loaded_source& values, declared_matrix& matrix) {
    const auto& declared = d_.values.sources[variable.source];
    if (values.from_files) {
      if (d_.values.outside.glob && d_.values.outside.read_text)
        out_.warning(declared.where, "empty_source",
                     "nothing is found for the matrix variable " + in_quotes(variable.name) +
                         ", so there are no assets for it; correct it where that is not meant");
      return;
    }
    out_.error(variable.where, "empty_matrix",
               "the matrix variable " + in_quotes(variable.name) + " has no values, so the asset would not exist");
    matrix.broken = true;
  }

  void exclusion(declared_matrix& matrix, declared_exclusion& one) {
    for (const auto& [name, id] : one.ids) {
      const auto at = std::find_if(matrix.variables.begin(), matrix.variables.end(),
                                   [&, &wanted = name](const auto& variable) { return variable.name == wanted; });
      if (at == matrix.variables.end()) {
        nearest_name nearest(name);
        for (const auto& variable : matrix.variables)
          nearest.consider(variable.name);
        out_.error(one.where, "unknown_variable",
                   "\"exclude\" names " + in_quotes(name) + ", and the matrix has no such variable" + nearest.hint());
        matrix.broken = true;
        continue;
      }
      one.by_number.emplace_back(static_cast<std::size_t>(at - matrix.variables.begin()), id);
      if (at->from_files || matrix.broken)
        continue;
      nearest_name nearest(id);
      bool known = false;
      for (const auto& entry : *at->values) {
        known = known || entry.id() == id;
        nearest.consider(entry.id());
      }
      if (!known) {
        out_.error(one.where, "unknown_id",
                   "\"exclude\" names " + in_quotes(id) + ", and no value of " + in_quotes(name) + " has that id" +
                       nearest.hint());
        matrix.broken = true;
      }
    }
  }

  declared_pipeline& d_;
  pipeline& p_;
  findings& out_;
  std::vector<loaded_source>& read_;
  std::vector<std::string_view> source_outputs_;
  bool knows_sources_ = false;
  std::string digested_;
};

} // namespace

void read_matrices(declared_pipeline& d, findings& out) {
  if (!d.values.sources.empty())
    matrix_filler(d, out).all();
}

} // namespace troupe_internal::config
