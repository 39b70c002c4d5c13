// Words, numbers, spans, and the keys of a scenario's header.
#include "scenario_header.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <sstream>
#include <stdexcept>

namespace troupe_internal::test {

void misread(const std::string& what) {
  throw std::runtime_error("scenario: " + what);
}

word_list split(std::string_view line) {
  word_list all;
  std::istringstream in{std::string(line)};
  for (std::string word; in >> word;)
    all.push_back(word);
  return all;
}

long number(std::string_view text) {
  long value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size())
    misread("\"" + std::string(text) + "\" is not a number");
  return value;
}

duration span_of(std::string_view text) {
  static const std::vector<std::pair<std::string_view, duration>> units{{"ms", std::chrono::milliseconds(1)},
                                                                        {"s", std::chrono::seconds(1)},
                                                                        {"m", std::chrono::minutes(1)},
                                                                        {"h", std::chrono::hours(1)}};
  const auto digits = text.find_first_not_of("0123456789");
  if (digits != std::string_view::npos)
    for (const auto& [unit, length] : units)
      if (text.substr(digits) == unit)
        return number(text.substr(0, digits)) * length;
  misread("\"" + std::string(text) + "\" is not a duration");
}

std::pair<std::string, std::uint32_t> slots_of(std::string_view text) {
  const auto star = text.find('*');
  if (star == std::string_view::npos)
    return {std::string(text), 1};
  return {std::string(text.substr(0, star)), static_cast<std::uint32_t>(number(text.substr(star + 1)))};
}

std::optional<capacity> capacity_of(const word_list& words) {
  if (words.empty())
    misread("a budget needs a number of workers, or \"everything\"");
  if (words[0] == "everything")
    return std::nullopt;
  capacity all{static_cast<std::uint32_t>(number(words[0])), {}};
  for (std::size_t i = 1; i < words.size(); ++i)
    all.pools.insert(slots_of(words[i]));
  return all;
}

std::string text_of(const run_demand& demand) {
  const auto words = [](const capacity& one) {
    auto list = std::to_string(one.workers);
    for (const auto& [pool, slots] : one.pools)
      list += " " + pool + (slots == 1 ? "" : "*" + std::to_string(slots));
    return list;
  };
  std::string wants;
  for (const auto& bundle : demand.wants)
    wants += (wants.empty() ? " " : ", ") + words(bundle);
  return "uses " + words(demand.used) + ", wants" + (wants.empty() ? " nothing" : wants) +
         (demand.expects_claims ? ", expects claims" : "") + " (budget " + std::to_string(demand.obeys) + ")";
}

scenario_header::asset_options& scenario_header::option(const std::string& name) {
  for (auto& [known, options] : assets)
    if (known == name)
      return options;
  misread("there is no asset " + name);
}

void scenario_header::declare(const word_list& parts) {
  const auto& verb = parts[0];
  const auto at = [&](std::size_t i) -> const std::string& {
    if (i >= parts.size())
      misread("\"" + verb + "\" needs more words");
    return parts[i];
  };
  if (verb == "workers") {
    policy.workers = static_cast<std::uint32_t>(number(at(1)));
  } else if (verb == "strategy") {
    policy.error_strategy = at(1) == "continue"    ? error_strategy::continue_
                            : at(1) == "abort"     ? error_strategy::abort
                            : at(1) == "fail_fast" ? error_strategy::fail_fast
                                                   : (misread("no such strategy"), error_strategy::abort);
  } else if (verb == "pool") {
    pools[at(1)] = static_cast<std::uint32_t>(number(at(2)));
  } else if (verb == "asset") {
    declare_asset(parts);
  } else if (verb == "retry") {
    declare_retry(parts);
  } else if (verb == "allow_failure") {
    for (std::size_t i = 1; i < parts.size(); ++i)
      option(parts[i]).settings.allow_failure = true;
  } else if (verb == "fresh_at_start") {
    fresh.insert(fresh.end(), parts.begin() + 1, parts.end());
  } else if (verb == "outside") {
    outside.insert(outside.end(), parts.begin() + 1, parts.end());
  } else if (verb == "limited") {
    policy.limited = true;
  } else if (verb == "never_made") {
    never_made.emplace_back(at(1), at(3));
  } else {
    misread("no header line begins with \"" + verb + "\"");
  }
}

void scenario_header::declare_asset(const word_list& parts) {
  assets.emplace_back(parts.at(1), asset_options{});
  auto& options = assets.back().second;
  for (std::size_t i = 2; i < parts.size(); ++i) {
    static const word_list keys{"needs", "pool", "priority", "takes", "strict"};
    const auto is_key = [](const std::string& w) { return std::find(keys.begin(), keys.end(), w) != keys.end(); };
    if (parts[i] == "needs") {
      while (i + 1 < parts.size() && !is_key(parts[i + 1]))
        options.needs.push_back(parts[++i]);
    } else if (parts[i] == "pool") {
      while (i + 1 < parts.size() && !is_key(parts[i + 1]))
        options.settings.pools.insert(slots_of(parts[++i]));
    } else if (parts[i] == "priority") {
      options.settings.priority = static_cast<std::int32_t>(number(parts.at(++i)));
    } else if (parts[i] == "takes") {
      options.takes = span_of(parts.at(++i));
    } else if (parts[i] == "strict") {
      options.settings.durability = durability::strict;
    } else {
      misread("an asset has no \"" + parts[i] + "\"");
    }
  }
}

void scenario_header::declare_retry(const word_list& parts) {
  auto& retry = option(parts.at(1)).settings.retry;
  for (std::size_t i = 2; i < parts.size(); ++i) {
    const auto& key = parts[i];
    const auto& value = parts.at(++i);
    if (key == "attempts") {
      retry.attempts = static_cast<std::uint32_t>(number(value));
    } else if (key == "delay") {
      retry.delay = span_of(value);
    } else if (key == "max") {
      retry.max_delay = span_of(value);
    } else if (key == "backoff") {
      retry.backoff = value == "linear"        ? backoff::linear
                      : value == "exponential" ? backoff::exponential
                      : value == "fixed"       ? backoff::fixed
                                               : (misread("no such backoff"), backoff::fixed);
    } else if (key == "jitter") {
      retry.jitter = value == "full"           ? jitter::full
                     : value == "equal"        ? jitter::equal
                     : value == "decorrelated" ? jitter::decorrelated
                     : value == "none"         ? jitter::none
                                               : (misread("no such jitter"), jitter::none);
    } else if (key == "on_timeout") {
      retry.on_timeout = value == "yes" || (value == "no" ? false : (misread("on_timeout is yes or no"), false));
    } else if (key == "codes") {
      retry.on_exit_codes.push_back(static_cast<int>(number(value)));
      while (i + 1 < parts.size())
        retry.on_exit_codes.push_back(static_cast<int>(number(parts[++i])));
    } else {
      misread("retry has no \"" + key + "\"");
    }
  }
}

} // namespace troupe_internal::test
