// From text to cron_expression. Each message says what is wrong, and how to write what was probably meant.
#include "core/schedule/cron.hpp"

#include "base/shown_text.hpp"

#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace troupe_internal {
namespace {

constexpr std::size_t longest_expression = 1000;

constexpr std::array<std::string_view, 7> weekday_names = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<std::string_view, 12> month_names = {"jan", "feb", "mar", "apr", "may", "jun",
                                                          "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> macros = {{{"@yearly", "0 0 1 1 *"},
                                                                                  {"@annually", "0 0 1 1 *"},
                                                                                  {"@monthly", "0 0 1 * *"},
                                                                                  {"@weekly", "0 0 * * 0"},
                                                                                  {"@daily", "0 0 * * *"},
                                                                                  {"@midnight", "0 0 * * *"},
                                                                                  {"@hourly", "0 * * * *"}}};

struct field_kind {
  std::string_view name;
  unsigned least, most; ///< most: in ranges that are not written out; the day of the week also takes 7
  std::span<const std::string_view> names;
};
constexpr std::array<field_kind, 5> kinds = {{{"minute", 0, 59, {}},
                                              {"hour", 0, 23, {}},
                                              {"day of the month", 1, 31, {}},
                                              {"month", 1, 12, month_names},
                                              {"day of the week", 0, 6, weekday_names}}};
enum field_index : std::size_t { minute_field, hour_field, month_day_field, month_field, weekday_field };

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string quoted(std::string_view text) {
  return '"' + visible(text.substr(0, 60)) + (text.size() > 60 ? "…\"" : "\"");
}

std::optional<unsigned> digits(std::string_view text) {
  if (text.empty() || text.size() > 4)
    return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9')
      return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

std::vector<std::string_view> cut(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0;;) {
    const auto end = text.find(at, from);
    parts.push_back(text.substr(from, end == std::string_view::npos ? end : end - from));
    if (end == std::string_view::npos)
      return parts;
    from = end + 1;
  }
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (const auto word : cut(text, ' '))
    for (const auto part : cut(word, '\t'))
      if (!part.empty())
        words.push_back(part);
  return words;
}

} // namespace

/// Fills in an expression; the first mistake ends it.
class cron_reader {
public:
  result<cron_expression> read(std::string_view text) {
    std::string small = lower(text);
    into_.text_ = std::string(text);
    if (text.size() > longest_expression)
      return wrong("a cron expression has at most " + std::to_string(longest_expression) + " characters");
    if (const auto words = words_of(small); !words.empty() && words.front().starts_with('@')) {
      auto full = words.size() == 1 ? macro(std::string(words.front()))
                                    : result<std::string>(wrong("nothing may follow " + quoted(words.front())));
      if (!full)
        return full.error();
      small = *full;
    }
    const auto fields = words_of(small);
    if (auto problem = shape(fields); !problem.empty())
      return wrong(std::move(problem));
    for (std::size_t i = 0; i < fields.size(); ++i)
      if (!field(i, fields[i]))
        return wrong(problem_);
    into_.month_star_ = fields[month_day_field].front() == '*';
    into_.week_star_ = fields[weekday_field].front() == '*';
    if (!into_.ever_matches())
      return wrong("no date ever matches: no month named in " + quoted(fields[month_field]) +
                   " has such a day (day of the month " + quoted(fields[month_day_field]) + ", day of the week " +
                   quoted(fields[weekday_field]) + ")");
    return std::move(into_);
  }

private:
  [[nodiscard]] error wrong(std::string why) const { return fail(error_code::invalid_input, std::move(why)); }

  result<std::string> macro(const std::string& name) const {
    for (const auto& [known, full] : macros)
      if (known == name)
        return std::string(full);
    if (name == "@reboot")
      return wrong("@reboot is no time; use a trigger with \"start\": {}, which fires at each start of the supervisor");
    if (name == "@every")
      return wrong("@every is of Go's cron dialect; write \"schedule\": { \"every\": \"10m\" } instead of \"cron\"");
    return wrong("there is no " + quoted(name) +
                 "; known are @yearly, @annually, @monthly, @weekly, @daily, @midnight and @hourly");
  }

  /// What is wrong with the expression as a whole.
  static std::string shape(const std::vector<std::string_view>& fields) {
    if (fields.empty())
      return "the cron expression is empty; five fields are needed: minute, hour, day of the month, month, day of the "
             "week";
    if (fields.front().starts_with("tz=") || fields.front().starts_with("cron_tz="))
      return "a zone within the expression is not understood; name it with the key \"timezone\"";
    if (fields.size() == 6 || fields.size() == 7)
      return std::to_string(fields.size()) +
             " fields: this looks like the dialect of Quartz or Spring, which begins with seconds (and may end with "
             "a year). Here there are five fields, from the minute on. Check the day of the week as well: Quartz "
             "counts Sunday as 1, here Sunday is 0 and Monday 1";
    if (fields.size() != 5)
      return std::to_string(fields.size()) + (fields.size() == 1 ? " field" : " fields") +
             ", but five are needed: minute, hour, day of the month, month, day of the week";
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const std::string in = " (in the field for the " + std::string(kinds[i].name) + ")";
      if (fields[i].find('?') != std::string_view::npos)
        return "? is of the dialect of Quartz; write * instead" + in +
               ". Check the day of the week as well: Quartz counts Sunday as 1, here Sunday is 0 and Monday 1";
      if (fields[i].find('~') != std::string_view::npos)
        return "~ (a random value) is of the dialects of OpenBSD and cronie; give one value, and spread the load with "
               "\"jitter\"" +
               in;
      if (fields[i].front() == 'h' && (fields[i].size() == 1 || fields[i][1] == '/' || fields[i][1] == '('))
        return "H (a hashed value) is of the dialect of Jenkins; give one value, and spread the load with \"jitter\"" +
               in;
    }
    return {};
  }

  bool refuse(std::string why) {
    problem_ = std::move(why) + " (in the field for the " + std::string(kinds[which_].name) + ")";
    return false;
  }

  bool field(std::size_t which, std::string_view text) {
    which_ = which;
    for (const auto part : cut(text, ',')) {
      if (part.empty())
        return refuse("there is nothing on one side of a comma in " + quoted(text));
      if (!(which == month_day_field ? month_day_item(part) : which == weekday_field ? weekday_item(part) : item(part)))
        return false;
    }
    return true;
  }

  bool month_day_item(std::string_view text) {
    if (text == "lw") {
      into_.last_weekday_ = true;
      return true;
    }
    if (text == "l" || text.starts_with("l-")) {
      const auto before = text == "l" ? std::optional(0U) : digits(text.substr(2));
      if (!before || *before > 30)
        return refuse(quoted(text) + " has to be L, or L-n with n from 1 to 30");
      into_.from_last_ |= 1U << *before;
      return true;
    }
    if (text.ends_with('w')) {
      const auto day = digits(text.substr(0, text.size() - 1));
      if (!day || *day < 1 || *day > 31)
        return refuse(quoted(text) + " has to be nW with one day n from 1 to 31: the weekday nearest to it");
      into_.near_ |= 1U << *day;
      return true;
    }
    return item(text);
  }

  bool weekday_item(std::string_view text) {
    if (text == "l")
      return refuse("L alone means Saturday in Quartz and nothing here; write SAT, or SATL for the last Saturday of "
                    "the month");
    if (const auto hash = text.find('#'); hash != std::string_view::npos) {
      const auto day = value(text.substr(0, hash));
      const auto which = digits(text.substr(hash + 1));
      if (!day || !which || *which < 1 || *which > 5)
        return refuse(quoted(text) + " has to be d#k with one day d and k from 1 to 5, such as FRI#2");
      into_.nth_of_week_[*which] |= static_cast<std::uint8_t>(1U << *day % 7);
      return true;
    }
    if (text.size() > 1 && text.ends_with('l')) {
      const auto day = value(text.substr(0, text.size() - 1));
      if (!day)
        return refuse(quoted(text) + " has to be one day and L, such as FRIL or 5L: the last Friday of the month");
      into_.last_of_week_ |= static_cast<std::uint8_t>(1U << *day % 7);
      return true;
    }
    return item(text);
  }

  /// A number or a name; 7 is a day of the week as well.
  [[nodiscard]] std::optional<unsigned> value(std::string_view text) const {
    const auto& kind = kinds[which_];
    for (unsigned i = 0; i < kind.names.size(); ++i)
      if (kind.names[i] == text)
        return i + kind.least;
    const auto number = digits(text);
    if (!number || *number < kind.least || *number > (which_ == weekday_field ? 7 : kind.most))
      return std::nullopt;
    return number;
  }

  std::string no_value(std::string_view text) const {
    const auto& kind = kinds[which_];
    if (text.empty())
      return "a value is missing";
    std::string why = quoted(text) + " is no " + std::string(kind.name) + ": it takes " + std::to_string(kind.least) +
                      " to " + std::to_string(which_ == weekday_field ? 7 : kind.most);
    if (!kind.names.empty())
      why += which_ == month_field ? " or JAN to DEC" : " or SUN to SAT";
    if (text == "w" || text.ends_with('w'))
      why += "; W is for the day of the month";
    else if (text == "l" || text.ends_with('l') || text.starts_with("l-"))
      why += "; L is for days";
    else if (text.find('#') != std::string_view::npos)
      why += "; # is for the day of the week";
    return why;
  }

  /// "*", a value or a range, with or without a step.
  bool item(std::string_view text) {
    const auto& kind = kinds[which_];
    const auto slash = text.find('/');
    const auto range = text.substr(0, slash);
    unsigned first = kind.least;
    unsigned last = kind.most;
    if (range != "*") {
      const auto dash = range.find('-');
      const auto from = value(range.substr(0, dash));
      if (!from)
        return refuse(no_value(range.substr(0, dash)));
      first = *from;
      if (dash != std::string_view::npos) {
        auto to = value(range.substr(dash + 1));
        if (!to)
          return refuse(no_value(range.substr(dash + 1)));
        if (which_ == weekday_field && range.substr(dash + 1) == "sun")
          to = 7; // FRI-SUN
        if (*to < first)
          return refuse("the range " + quoted(range) + " runs backwards; write it as two: " + std::to_string(first) +
                        "-" + std::to_string(kind.most) + "," + std::to_string(kind.least) + "-" + std::to_string(*to));
        last = *to;
      } else if (slash == std::string_view::npos) {
        last = first;
      } else if (which_ == weekday_field) {
        last = 7; // 1/3: Monday, Thursday, Sunday
      }
    }
    unsigned step = 1;
    if (slash != std::string_view::npos) {
      const auto written = digits(text.substr(slash + 1));
      if (!written || *written == 0)
        return refuse("the step in " + quoted(text) + " has to be a whole number from 1 on");
      step = *written;
      if (step > kind.most - kind.least + 1)
        return refuse("the step in " + quoted(text) + " is larger than the field, so it would leave one value alone, " +
                      std::to_string(first) +
                      ": write that, or use \"every\" for an interval that does not fit into the field");
    }
    for (unsigned v = first; v <= last; v += step)
      set(v);
    return true;
  }

  void set(unsigned v) {
    switch (which_) {
    case minute_field:
      into_.minutes_ |= std::uint64_t(1) << v;
      return;
    case hour_field:
      into_.hours_ |= 1U << v;
      return;
    case month_day_field:
      into_.days_ |= 1U << v;
      return;
    case month_field:
      into_.months_ = static_cast<std::uint16_t>(into_.months_ | 1U << v);
      return;
    default:
      into_.weekdays_ = static_cast<std::uint8_t>(into_.weekdays_ | 1U << v % 7);
    }
  }

  cron_expression into_;
  std::size_t which_ = 0;
  std::string problem_;
};

result<cron_expression> cron_expression::parse(std::string_view text) {
  return cron_reader().read(text);
}

} // namespace troupe_internal
