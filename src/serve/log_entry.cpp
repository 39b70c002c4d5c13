// A few beginnings of sentences.
#include "serve/log_entry.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace troupe_internal::serve {

namespace {

/// The word at the beginning, without what ends it.
std::string_view word_at(std::string_view text, std::string_view ends) {
  return text.substr(0, text.find_first_of(ends));
}

} // namespace

log_entry log_entry_of(std::string text) {
  log_entry entry;
  const std::string_view whole = text;
  constexpr std::string_view trigger = "trigger ";
  if (whole.starts_with(trigger)) {
    const auto name = word_at(whole.substr(trigger.size()), ": ");
    const auto slash = name.find('/');
    entry.trigger = name.substr(slash == std::string_view::npos ? 0 : slash + 1);
    if (slash != std::string_view::npos)
      entry.pipeline = name.substr(0, slash);
  }
  constexpr std::string_view run = "run #";
  if (const auto at = whole.find(run); at != std::string_view::npos) {
    const auto rest = whole.substr(at + run.size());
    const auto digits = rest.substr(0, rest.find_first_not_of("0123456789"));
    std::from_chars(digits.data(), digits.data() + digits.size(), entry.run);
    constexpr std::string_view of = " of ";
    if (const auto more = rest.substr(digits.size()); more.starts_with(of))
      entry.pipeline = word_at(more.substr(of.size()), " :,");
  }
  constexpr std::array bad = {"left out", "waits",  "could not",         "stays interrupted",
                              "missed",   "failed", "nothing was loaded"};
  for (const auto* word : bad)
    if (whole.find(word) != std::string_view::npos)
      entry.level = log_level::warning;
  entry.text = std::move(text);
  return entry;
}

} // namespace troupe_internal::serve
