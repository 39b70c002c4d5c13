// A number first, then the ids.
#include "core/model/run_name.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal {
namespace {

constexpr std::size_t least_id_characters = 4;
constexpr std::size_t most_listed = 8;

std::string number_of(const run_record& run) {
  return "#" + std::to_string(run.run.value);
}

std::optional<std::uint32_t> read_number(std::string_view digits) {
  std::uint32_t number = 0;
  const auto* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, number);
  return read.ec == std::errc() && read.ptr == end ? std::optional(number) : std::nullopt;
}

} // namespace

result<std::size_t> match_run(std::span<const run_record> runs, std::string_view name) {
  if (runs.empty())
    return fail(error_code::not_found, "there are no runs yet: troupe run makes one");
  if (name == "latest")
    return 0;
  const bool hash = name.starts_with('#');
  const auto number = read_number(name.substr(hash ? 1 : 0));
  const auto with_number =
      std::find_if(runs.begin(), runs.end(), [&](const auto& run) { return number == run.run.value; });
  if (with_number != runs.end())
    return static_cast<std::size_t>(with_number - runs.begin());
  if (hash && number)
    return fail(error_code::not_found, "there is no run " + std::string(name) + ": the newest is " +
                                           number_of(runs.front()) + ", the oldest kept " + number_of(runs.back()));
  std::vector<std::size_t> matching;
  if (name.size() >= least_id_characters)
    for (std::size_t i = 0; i < runs.size(); ++i)
      if (to_string(runs[i].id).starts_with(name))
        matching.push_back(i);
  if (matching.size() == 1)
    return matching.front();
  if (matching.empty() && number && *number > 0 && *number < runs.back().run.value)
    return fail(error_code::not_found, "run #" + std::to_string(*number) + " is no longer kept: the oldest kept is " +
                                           number_of(runs.back()) + " (engine.keep_runs says how many are kept)");
  if (matching.empty())
    return fail(error_code::not_found, "there is no run \"" + std::string(name) + "\": give a number (" +
                                           number_of(runs.front()) +
                                           "), at least 4 characters of an id, or \"latest\" (see troupe runs)");
  std::string message = "\"" + std::string(name) + "\" could be any of";
  for (std::size_t i = 0; i < std::min(matching.size(), most_listed); ++i)
    message += " " + number_of(runs[matching[i]]);
  if (matching.size() > most_listed)
    message += " and " + std::to_string(matching.size() - most_listed) + " more";
  return fail(error_code::not_found, message + ": give more of the id, or the number");
}

} // namespace troupe_internal
