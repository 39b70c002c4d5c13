// What names a run on the command line, against the runs that there are.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "base/utf8.hpp"
#include "core/model/run_name.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::fuzz {
namespace {

const std::vector<run_record>& runs() {
  static const std::vector<run_record> made = [] {
    std::vector<run_record> all;
    for (const std::uint32_t number : {1200U, 420U, 43U, 42U, 7U, 1U}) {
      auto& run = all.emplace_back();
      run.run = run_number(number);
      run.id =
          make_uuid_v7(from_unix_ns(1'790'000'000'000'000'000 + (number > 400 ? number * 1'000'000'000'000'000 : 0)),
                       number * 7919U, number * 104'729U);
    }
    all.back().id = *uuid_from_string("12345678-1234-7123-8123-123456789012"); // digits only, as a number has
    return all;
  }();
  return made;
}

/// As docs/cli.md says it, run by run.
std::optional<std::size_t> expected(const std::string& name) {
  if (name == "latest")
    return 0;
  std::string digits = name.starts_with('#') ? name.substr(1) : name;
  const bool number = !digits.empty() && digits.find_first_not_of("0123456789") == std::string::npos;
  if (number) {
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
    for (std::size_t i = 0; i < runs().size(); ++i)
      if (std::to_string(runs()[i].run.value) == digits)
        return i;
  }
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < runs().size(); ++i)
    if (name.size() >= 4 && to_string(runs()[i].id).starts_with(name)) {
      if (found)
        return std::nullopt;
      found = i;
    }
  return found;
}

} // namespace

void fuzz_run_name(std::string_view bytes) {
  const std::string name(bytes);
  const auto wanted = expected(name);
  const auto found = match_run(runs(), name);
  FUZZ_CHECK(found.has_value() == wanted.has_value(), name);
  if (found)
    FUZZ_CHECK(*found == *wanted, name);
  else
    FUZZ_CHECK(found.error().code == error_code::not_found && !found.error().message.empty(), name);
  FUZZ_CHECK(!match_run({}, name), "without runs there is none");
}

} // namespace troupe_internal::fuzz
