// Each format is read in one pass.
#include "config/value_files.hpp"

#include "config/json_reader.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace troupe_internal::config {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

error at_line(std::uint32_t line, const std::string& finding) {
  return fail(error_code::invalid_input, "line " + std::to_string(line) + ": " + finding);
}

std::string too_many(std::size_t most) {
  return "more than " + std::to_string(most) + " values";
}

/// Cuts one CSV record after the other off a text.
class csv_records {
public:
  csv_records(std::string_view text, char separator) : text_(text), separator_(separator) {}

  /// False at the end, and where something is wrong (then `wrong()`).
  bool next(std::vector<std::string>& fields) {
    fields.clear();
    while (at_ < text_.size() && ends_line()) // a blank line is no record
      skip_line_end();
    if (at_ == text_.size())
      return false;
    first_line_ = line_;
    for (;;) {
      if (!field(fields.emplace_back()))
        return false;
      if (at_ == text_.size() || text_[at_] != separator_)
        break;
      ++at_;
    }
    if (at_ < text_.size())
      skip_line_end();
    return true;
  }
  [[nodiscard]] std::uint32_t line() const { return first_line_; }
  [[nodiscard]] const std::optional<error>& wrong() const { return wrong_; }

private:
  [[nodiscard]] bool ends_line() const {
    return text_[at_] == '\n' || (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n');
  }
  void skip_line_end() {
    at_ += text_[at_] == '\r' ? 2 : 1;
    ++line_;
  }

  bool field(std::string& into) {
    if (at_ < text_.size() && text_[at_] == '"')
      return quoted(into);
    while (at_ < text_.size() && text_[at_] != separator_ && !ends_line()) {
      if (text_[at_] == '"') {
        wrong_ = at_line(line_, "a quote inside a field that does not begin with one; write the field in quotes, and "
                                "each quote in it twice");
        return false;
      }
      into += text_[at_++];
    }
    return true;
  }

  bool quoted(std::string& into) {
    const auto opened = line_;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] != '"') {
        line_ += text_[at_] == '\n' ? 1 : 0;
        into += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        into += text_[at_++];
      } else {
        ++at_;
        if (at_ == text_.size() || text_[at_] == separator_ || ends_line())
          return true;
        wrong_ = at_line(line_, "text behind the quote that ends a field");
        return false;
      }
    }
    wrong_ = at_line(opened, "a field begins with a quote and has none at its end");
    return false;
  }

  std::string_view text_;
  char separator_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t first_line_ = 1;
  std::optional<error> wrong_;
};

/// Goes down to the value that a JSON pointer names, and reads the list there.
class pointed_list {
public:
  pointed_list(std::string_view text, std::string_view pointer, std::size_t most)
      : out_(list_), json_(chunks_of(text), out_, json_dialect::plain), pointer_(pointer), most_(most) {}

  result<std::vector<file_value>> read() {
    std::string so_far;
    json_value v = json_.value();
    for (auto rest = pointer_; !rest.empty() && v.kind != json_kind::none;) {
      const auto end = std::min(rest.find('/', 1), rest.size());
      const auto key = unescaped(rest.substr(1, end - 1));
      so_far += rest.substr(0, end);
      rest.remove_prefix(end);
      if (!down(v, key))
        return json_.failed() ? mistake() : fail(error_code::invalid_input, "there is nothing at \"" + so_far + "\"");
      v = json_.value();
    }
    if (v.kind == json_kind::none)
      return mistake();
    if (v.kind != json_kind::array)
      return at_line(v.where.line, pointer_.empty() ? "the value is no list; \"at\" says where in the file the list is"
                                                    : "what is at \"" + std::string(pointer_) + "\" is no list");
    std::vector<file_value> values;
    while (json_.next_element()) {
      if (values.size() == most_)
        return fail(error_code::invalid_input, too_many(most_));
      if (auto wrong = element(values.emplace_back()))
        return *wrong;
    }
    if (json_.failed())
      return mistake();
    return values;
  }

private:
  [[nodiscard]] static std::string unescaped(std::string_view token) {
    std::string key;
    for (std::size_t i = 0; i < token.size(); ++i)
      if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1'))
        key += token[++i] == '0' ? '~' : '/';
      else
        key += token[i];
    return key;
  }

  /// To where value() is the member or element of that name.
  bool down(const json_value& v, const std::string& wanted) {
    std::string_view key;
    place where;
    if (v.kind == json_kind::object) {
      while (json_.next_member(key, where)) {
        if (key == wanted)
          return true;
        json_.skip(json_.value());
      }
      return false;
    }
    if (v.kind != json_kind::array)
      return false;
    for (std::size_t i = 0; json_.next_element(); ++i) {
      if (std::to_string(i) == wanted)
        return true;
      json_.skip(json_.value());
    }
    return false;
  }

  static bool is_scalar(const json_value& v) {
    return v.kind == json_kind::string || v.kind == json_kind::number || v.kind == json_kind::boolean;
  }

  std::optional<error> element(file_value& into) {
    const auto v = json_.value();
    into.line = v.where.line;
    if (v.kind == json_kind::object) {
      into.is_row = true;
      row(into);
      return std::nullopt;
    }
    if (v.kind == json_kind::none)
      return mistake();
    if (!is_scalar(v))
      return at_line(v.where.line, "a value has to be a string, a number, true, false or an object of these");
    into.text = v.text;
    return std::nullopt;
  }

  void row(file_value& into) {
    std::string_view key;
    place where;
    while (json_.next_member(key, where)) {
      file_cell cell;
      cell.column = key;
      const auto v = json_.value();
      if (v.kind == json_kind::array) {
        cell.list = true;
        if (!strings(cell.texts))
          continue;
      } else if (is_scalar(v)) {
        cell.texts.emplace_back(v.text);
      } else {
        json_.skip(v);
        continue;
      }
      std::erase_if(into.row, [&](const auto& one) { return one.column == cell.column; });
      into.row.push_back(std::move(cell));
    }
  }

  /// To the end of a list; false if something else is in it.
  bool strings(std::vector<std::string>& into) {
    bool all = true;
    while (json_.next_element()) {
      const auto v = json_.value();
      all = all && v.kind == json_kind::string;
      if (all)
        into.emplace_back(v.text);
      json_.skip(v);
    }
    return all;
  }

  [[nodiscard]] error mistake() const {
    if (list_.items.empty())
      return fail(error_code::invalid_input, "it cannot be read");
    const auto& first = list_.items.front();
    return fail(error_code::invalid_input, "line " + std::to_string(first.where.line) + ", column " +
                                               std::to_string(first.where.column) + ": " + first.message);
  }

  diagnostics list_;
  findings out_;
  json_reader json_;
  std::string_view pointer_;
  std::size_t most_;
};

} // namespace

result<std::vector<file_value>> lines_of(std::string_view text, std::size_t most) {
  std::vector<file_value> values;
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  for (std::uint32_t line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    auto one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (one.ends_with('\r'))
      one.remove_suffix(1);
    if (one.find_first_not_of(" \t\r") == std::string_view::npos)
      continue;
    if (values.size() == most)
      return fail(error_code::invalid_input, too_many(most));
    values.push_back({std::string(one), {}, false, line});
  }
  return values;
}

result<std::vector<file_value>> csv_rows(std::string_view text, char separator, std::size_t most) {
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  csv_records records(text, separator);
  std::vector<std::string> columns;
  std::vector<std::string> fields;
  std::vector<file_value> rows;
  if (!records.next(columns))
    return records.wrong() ? *records.wrong()
                           : fail(error_code::invalid_input, "it is empty: its first line has to name the columns");
  for (auto at = columns.begin(); at != columns.end(); ++at)
    if (at->empty() || std::find(columns.begin(), at, *at) != at)
      return at_line(records.line(),
                     at->empty() ? "a column has no name" : "the column \"" + *at + "\" stands here twice");
  while (records.next(fields)) {
    if (fields.size() != columns.size())
      return at_line(records.line(), std::to_string(fields.size()) + (fields.size() == 1 ? " field" : " fields") +
                                         ", where the first line names " + std::to_string(columns.size()) + " columns");
    if (rows.size() == most)
      return fail(error_code::invalid_input, too_many(most));
    auto& row = rows.emplace_back();
    row.is_row = true;
    row.line = records.line();
    for (std::size_t i = 0; i < fields.size(); ++i)
      row.row.push_back({columns[i], {std::move(fields[i])}, false});
  }
  if (records.wrong())
    return *records.wrong();
  return rows;
}

result<std::vector<file_value>> json_values(std::string_view text, std::string_view pointer, std::size_t most) {
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  return pointed_list(text, pointer, most).read();
}

} // namespace troupe_internal::config
