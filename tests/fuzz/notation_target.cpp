// The small notations, each against arithmetic or a reader of another make.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "base/digest.hpp"
#include "base/time.hpp"
#include "base/utf8.hpp"
#include "base/uuid.hpp"
#include "config/findings.hpp"
#include "config/value_text.hpp"
#include "core/pipeline/nearest_name.hpp"

#include <boost/json.hpp>

#include <cmath>
#include <map>
#include <string>

namespace troupe_internal::fuzz {
namespace {

/// "15ms" by long arithmetic; -1 if it is no such thing.
long double scaled(const std::string& text, const std::map<std::string, long double>& units, long double most) {
  const auto end = text.find_first_not_of("0123456789");
  if (end == 0 || end == std::string::npos)
    return -1;
  const auto unit = units.find(text.substr(end));
  if (unit == units.end())
    return -1;
  long double number = 0;
  for (std::size_t i = 0; i < end; ++i)
    number = std::fmin(number * 10 + (text[i] - '0'), 1e30L);
  return number * unit->second > most ? -1 : number * unit->second;
}

void check_scaled(const std::string& text) {
  static const std::map<std::string, long double> spans = {
      {"ms", 1e6L}, {"s", 1e9L}, {"m", 60e9L}, {"h", 3600e9L}, {"d", 86400e9L}};
  static const std::map<std::string, long double> sizes = {{"B", 1},         {"KB", 1e3L},          {"MB", 1e6L},
                                                           {"GB", 1e9L},     {"TB", 1e12L},         {"KiB", 1024},
                                                           {"MiB", 1048576}, {"GiB", 1073741824.0L}};
  const auto span = scaled(text, spans, 36500.0L * 86400e9L);
  const auto read_span = config::parse_duration(text);
  FUZZ_CHECK(read_span.has_value() == (span >= 0), text);
  FUZZ_CHECK(!read_span || static_cast<long double>(read_span->count()) == span, text);
  const auto size = scaled(text, sizes, 1e15L);
  const auto read_size = config::parse_size(text);
  FUZZ_CHECK(read_size.has_value() == (size >= 0), text);
  FUZZ_CHECK(!read_size || static_cast<long double>(*read_size) == size, text);
}

void check_number(const std::string& text) {
  boost::system::error_code wrong;
  const auto v = boost::json::parse(text, wrong);
  const bool blank = text.empty() || std::string_view(" \t\r\n").find(text.front()) != std::string_view::npos ||
                     std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos;
  const bool number = config::number_problem(text).empty();
  if (wrong != boost::json::error::exponent_overflow && text.size() < 400)
    FUZZ_CHECK(number == (!wrong && v.is_number() && !blank), text);
  const auto whole = config::parse_whole_number(text);
  if (number && whole && !wrong) {
    const double value = v.is_int64()    ? static_cast<double>(v.get_int64())
                         : v.is_uint64() ? static_cast<double>(v.get_uint64())
                                         : v.get_double();
    if (std::isfinite(value)) // of 0e400 Boost.JSON makes no number, and zero is one
      FUZZ_CHECK(std::fabs(value - static_cast<double>(*whole)) <= 1e-9 * std::fabs(value), text);
  }
  if (number && !wrong && v.is_int64())
    FUZZ_CHECK(whole == v.get_int64(), text);
}

void check_name(std::string_view text) {
  const auto letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
  const bool name = !text.empty() && text.size() <= 200 && std::string_view(letters).find(text[0]) != text.npos &&
                    text.find_first_not_of(std::string(letters) + "0123456789.-") == text.npos;
  FUZZ_CHECK(config::is_name(text) == name, text);
  FUZZ_CHECK(!config::is_variable_name(text) || text.find_first_of(".-") == text.npos, text);
  const auto problem = config::name_problem(text, "it");
  FUZZ_CHECK(problem.size() < 1000, problem);
  FUZZ_CHECK(!is_utf8(text) || is_utf8(problem), problem);
  const auto in_message = config::in_quotes(text);
  FUZZ_CHECK(in_message.size() < 500 && in_message.find_first_of("\n\r\t\x1b\x7f") == in_message.npos, in_message);

  nearest_name nearest(text);
  nearest.consider("command");
  nearest.consider(text);
  nearest.consider("commands");
  FUZZ_CHECK(text.empty() || text.size() > 64 || nearest.best() == text, nearest.best());
}

void check_ids(const std::string& text) {
  const auto id = uuid_from_string(text);
  std::string lower = text;
  for (char& c : lower)
    c = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
  FUZZ_CHECK(!id || to_string(*id) == lower, text);
  const auto d = digest_from_hex(text);
  FUZZ_CHECK(!d || to_hex(*d) == lower, text);
}

void check_times(std::int64_t ns) {
  const auto moment = to_rfc3339(from_unix_ns(ns));
  // 1677-09-21 to 2262-04-11 is what nanoseconds since 1970 can say.
  FUZZ_CHECK(moment.size() == 24 && moment[10] == 'T' && moment.back() == 'Z' && moment >= "1677" && moment < "2263",
             moment);
  FUZZ_CHECK(ns == INT64_MAX || to_rfc3339(from_unix_ns(ns + 1)) >= moment, moment);
  const auto span = to_human(duration(ns));
  FUZZ_CHECK(!span.empty() && span.size() < 30, span);
}

} // namespace

void fuzz_notation(std::string_view bytes) {
  const std::string text(bytes);
  check_scaled(text);
  check_number(text);
  check_name(text);
  check_ids(text);
  input in(bytes);
  const std::uint64_t high = in.number();
  check_times(static_cast<std::int64_t>(high << 32U | in.number()));
}

} // namespace troupe_internal::fuzz
