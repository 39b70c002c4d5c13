// One case a key; the compound ones have a function each.
#include "config/settings_reader.hpp"

#include "adapters/system/zone_files.hpp"
#include "core/pipeline/nearest_name.hpp"
#include "core/schedule/cron.hpp"

#include <algorithm>
#include <limits>

namespace troupe_internal::config {
namespace {

constexpr std::int64_t max_slots = 1'000'000;

enum key : std::size_t {
  env_key = first_settings_key,
  inherit_env_key,
  cwd_key,
  shell_key,
  timeout_key,
  retry_key,
  skip_exit_codes_key,
  allow_failure_key,
  pools_key,
  priority_key,
  version_key,
  always_key,
  max_age_key,
  durability_key,
  max_log_key,
  clear_outputs_key,
  links_key,
  tags_key,
  group_key,
  owners_key,
  ignore_warnings_key,
  expect_key
};
static_assert(asset_keys[env_key] == "env" && asset_keys[ignore_warnings_key] == "ignore_warnings" &&
              asset_keys[expect_key] == "expect" && links_key == first_source_key);

// An entry takes the place of the one of its name, or comes behind all.
void add_env(std::vector<env_entry>& env, const std::vector<env_entry>& more) {
  if (more.empty())
    return;
  interner names;
  for (const auto& entry : env)
    names.intern(entry.name);
  for (const auto& entry : more) {
    const auto at = names.intern(entry.name);
    if (at < env.size())
      env[at] = entry;
    else
      env.push_back(entry);
  }
}

} // namespace

void settings_reader::start() {
  if (!signature_.empty())
    patch_ = {};
  signature_.clear();
}

void settings_reader::shell() {
  constexpr std::string_view expected =
      "the path of a shell such as \"/bin/sh\", or a list such as [\"/bin/bash\", \"-euo\", \"pipefail\", \"-c\"]";
  const auto v = values_.next();
  patch_.shell_options.clear();
  if (v.kind == json_kind::string) {
    if (v.text.empty())
      return values_.out.error(v.where, "bad_value", "\"shell\" is empty");
    note(v.text);
    patch_.shell = std::string(v.text);
    return;
  }
  if (v.kind != json_kind::array)
    return values_.wrong_type(v, "shell", expected);
  const place opened = v.where;
  std::vector<std::string> words;
  bool good = true;
  while (values_.json.next_element()) {
    const auto word = values_.string("a word of \"shell\"");
    good = good && word;
    words.emplace_back(word.value_or(std::string_view()));
  }
  if (!good || values_.json.failed())
    return;
  if (words.size() < 2 || words.front().empty())
    return values_.out.error(
        opened, "bad_value",
        "\"shell\" as a list is a program and its options; the text of the command is added behind "
        "them, so the last is mostly \"-c\"");
  note("list");
  for (const auto& word : words)
    note(word);
  patch_.shell = words.front();
  patch_.shell_options.assign(words.begin() + 1, words.end());
}

void settings_reader::read(std::size_t key) {
  signature_ += static_cast<char>(key + 1);
  const auto text = [&](std::optional<std::string>& into, std::string_view expected, std::size_t least) {
    const auto value = values_.string(asset_keys[key], expected);
    if (!value)
      return;
    if (value->size() < least)
      return values_.out.error(values_.where(), "bad_value", named(asset_keys[key]) + " is empty");
    note(*value);
    into = std::string(*value);
  };
  switch (key) {
  case env_key:
    return env();
  case inherit_env_key:
    return inherit_env();
  case cwd_key:
    return text(patch_.cwd, "the path of a folder", 1);
  case shell_key:
    return shell();
  case timeout_key:
    patch_.timeout = span_or_null("timeout");
    return;
  case retry_key:
    return retry();
  case skip_exit_codes_key:
    return skip_exit_codes();
  case allow_failure_key:
    return note(patch_.allow_failure = values_.boolean("allow_failure"));
  case pools_key:
    return pools();
  case priority_key:
    if (const auto number = values_.whole_number("priority", -1'000'000, 1'000'000))
      note(patch_.priority = static_cast<std::int32_t>(*number));
    return;
  case version_key:
    return text(patch_.version, "a string", 0);
  case always_key:
    return note(patch_.always = values_.boolean("always"));
  case max_age_key:
    patch_.max_age = span_or_null("max_age");
    return;
  case durability_key:
    return note(patch_.durability = read_durability(values_));
  case max_log_key:
    return note(patch_.max_log = values_.size("max_log", 1000));
  case clear_outputs_key:
    return note(patch_.clear_outputs = values_.boolean("clear_outputs"));
  case links_key: {
    static constexpr std::array<std::string_view, 2> rules = {"content", "text"};
    if (const auto i = values_.one_of("links", rules))
      note(patch_.links = static_cast<link_rule>(*i));
    return;
  }
  case tags_key:
    patch_.tags = strings("tags", "a list of names", true);
    return;
  case group_key:
    if (const auto value = values_.name("a group")) {
      note(*value);
      patch_.group = std::string(*value);
    }
    return;
  case owners_key:
    patch_.owners = strings("owners", "a list of strings", false);
    return;
  case ignore_warnings_key:
    patch_.ignore_warnings = warning_codes_to_ignore();
    return;
  case expect_key:
    return expect();
  default:
    values_.skip_value();
  }
}

void settings_reader::expect() {
  static constexpr std::array<std::string_view, 2> keys = {"within", "by"};
  static constexpr std::array<std::string_view, 2> by_keys = {"cron", "timezone"};
  const auto opened = values_.key_place();
  const auto errors = values_.out.errors();
  freshness_expectation made;
  int ways = 0;
  values_.object("expect", keys, [&](std::size_t key) {
    ++ways;
    if (key == 0) {
      made.within = values_.time_span("within", duration(1));
      return;
    }
    values_.object("by", by_keys, [&](std::size_t by) {
      const auto text = values_.string(by_keys[by]);
      if (!text)
        return;
      const std::string written(*text);
      if (by == 0) {
        if (const auto ticks = cron_expression::parse(written); !ticks)
          values_.out.error(values_.where(), "bad_cron", in_quotes(written) + ": " + ticks.error().message);
        made.cron = written;
      } else {
        if (const auto zone = zone_files::of_system().find(written); !zone)
          values_.out.error(values_.where(), "unknown_zone", zone.error().message);
        made.timezone = written;
      }
    });
    if (values_.out.errors() == errors && made.cron.empty())
      values_.out.error(values_.key_place(), "missing_key", "\"by\" has no \"cron\", such as \"0 7 * * 1-5\"");
  });
  if (values_.out.errors() != errors || values_.json.failed())
    return;
  if (ways != 1)
    return values_.out.error(opened, "bad_value", "\"expect\" has either \"within\" or \"by\"");
  note(std::int64_t{made.within ? made.within->count() : -1});
  note(made.cron);
  note(made.timezone);
  patch_.expect = std::move(made);
}

std::optional<std::optional<duration>> settings_reader::span_or_null(std::string_view what) {
  const auto v = values_.next();
  if (v.kind == json_kind::null) {
    note("null");
    return std::optional<duration>();
  }
  const auto span = values_.time_span_of(v, what, duration(1));
  if (!span)
    return std::nullopt;
  note(span->count());
  return span;
}

std::optional<std::vector<std::string>> settings_reader::strings(std::string_view what, std::string_view expected,
                                                                 bool names) {
  std::vector<std::string> list;
  interner seen;
  bool good = values_.array(what, expected, [&](std::size_t) {
    const auto text = names ? values_.name("a tag") : values_.string("an element of " + named(what));
    if (!text)
      return;
    note(*text);
    if (text->empty())
      values_.out.error(values_.where(), "bad_value", "an element of " + named(what) + " is empty");
    else if (seen.intern(*text) == list.size())
      list.emplace_back(*text);
  });
  signature_ += '\1';
  return good ? std::optional(std::move(list)) : std::nullopt;
}

std::optional<std::vector<std::string>> settings_reader::warning_codes_to_ignore() {
  std::vector<std::string> codes;
  const bool good = values_.array("ignore_warnings", "a list of codes of warnings", [&](std::size_t) {
    const auto code = values_.string("an element of \"ignore_warnings\"");
    if (!code)
      return;
    note(*code);
    if (!is_warning_code(*code)) {
      const auto hint = nearest_hint(*code, warning_codes);
      values_.out.error(values_.where(), "unknown_warning",
                        "no warning has the code " + in_quotes(*code) +
                            (hint.empty() ? ": each warning shows its code in brackets" : hint));
    }
    codes.emplace_back(*code);
  });
  signature_ += '\1';
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  return good ? std::optional(std::move(codes)) : std::nullopt;
}

void settings_reader::env() {
  if (!values_.expect(json_kind::object, "env", "an object of names and values"))
    return;
  std::map<std::string, place, std::less<>> seen;
  std::string_view key;
  place where;
  while (values_.json.next_member(key, where)) {
    env_entry entry;
    entry.name = key;
    const auto [first, is_new] = seen.emplace(entry.name, where);
    if (!is_new)
      values_.duplicate(key, where, first->second);
    else if (!is_variable_name(key))
      values_.out.error(where, "bad_name",
                        in_quotes(key) +
                            " is no name for an environment variable: letters, digits and _ may stand in it, no "
                            "digit in front");
    else if (key.starts_with("TROUPE_"))
      values_.out.error(where, "reserved_name",
                        in_quotes(key) + ": names that begin with TROUPE_ are set by Troupe itself");
    const auto v = values_.next();
    if (v.kind == json_kind::string)
      entry.text = v.text;
    else if (v.kind == json_kind::object)
      env_object(entry);
    else
      values_.wrong_type(v, entry.name, "a string, or an object with \"from_env\" or \"from_file\"");
    note(entry.name);
    note(entry.text);
    signature_ += static_cast<char>('0' + static_cast<int>(entry.source) * 2 + (entry.secret ? 1 : 0));
    patch_.env.push_back(std::move(entry));
  }
  signature_ += '\1';
}

void settings_reader::env_object(env_entry& entry) {
  static constexpr std::array<std::string_view, 3> keys = {"from_env", "from_file", "secret"};
  const place opened = values_.where();
  entry.secret = true;
  int sources = 0;
  values_.members("the value of " + in_quotes(entry.name), keys, [&](std::size_t key) {
    if (key == 2) {
      entry.secret = values_.boolean("secret").value_or(true);
      return;
    }
    ++sources;
    entry.source = key == 0 ? env_source::from_env : env_source::from_file;
    const auto text =
        values_.string(keys[key], key == 0 ? "the name of an environment variable" : "the path of a file");
    if (!text)
      return;
    if (key == 0 ? !is_variable_name(*text) : text->empty())
      values_.out.error(values_.where(), key == 0 ? "bad_name" : "bad_path",
                        key == 0 ? in_quotes(*text) + " is no name for an environment variable"
                                 : "\"from_file\" is empty");
    entry.text = *text;
  });
  if (sources != 1 && !values_.json.failed())
    values_.out.error(
        opened, "bad_value",
        "the value of " + in_quotes(entry.name) + " needs " +
            (sources == 0 ? "\"from_env\" or \"from_file\"" : "one of \"from_env\" and \"from_file\", not both"));
}

void settings_reader::inherit_env() {
  const auto v = values_.next();
  if (v.kind == json_kind::boolean) {
    note(v.text);
    patch_.inherit_env = v.text == "true";
    return;
  }
  if (v.kind != json_kind::array)
    return values_.wrong_type(v, "inherit_env", "true, false, or a list of names");
  patch_.inherit_env = false;
  while (values_.json.next_element()) {
    const auto text = values_.string("an element of \"inherit_env\"");
    if (!text)
      continue;
    note(*text);
    if (!is_variable_name(*text))
      values_.out.error(values_.where(), "bad_name", in_quotes(*text) + " is no name for an environment variable");
    patch_.inherit_names.emplace_back(*text);
  }
  signature_ += '\1';
}

void settings_reader::retry() {
  static constexpr std::array<std::string_view, 7> keys = {"attempts", "delay",         "backoff",   "max_delay",
                                                           "jitter",   "on_exit_codes", "on_timeout"};
  static constexpr std::array<std::string_view, 3> backoffs = {"fixed", "linear", "exponential"};
  static constexpr std::array<std::string_view, 4> jitters = {"none", "full", "equal", "decorrelated"};
  auto& retry = patch_.retry;
  place delay_at;
  const auto span = [&](std::optional<duration>& into, std::string_view what) {
    if ((into = values_.time_span(what, duration(0))))
      note(into->count());
  };
  values_.object("retry", keys, [&](std::size_t key) {
    signature_ += static_cast<char>('a' + key);
    switch (key) {
    case 0:
      if (const auto number = values_.whole_number("attempts", 1, 1'000'000))
        note(retry.attempts = static_cast<std::uint32_t>(*number));
      return;
    case 1:
      span(retry.delay, "delay");
      delay_at = values_.where();
      return;
    case 2:
      if (const auto i = values_.one_of("backoff", backoffs))
        note(retry.backoff = static_cast<troupe_internal::backoff>(*i));
      return;
    case 3:
      return span(retry.max_delay, "max_delay");
    case 4:
      if (const auto i = values_.one_of("jitter", jitters))
        note(retry.jitter = static_cast<troupe_internal::jitter>(*i));
      return;
    case 6:
      return note(retry.on_timeout = values_.boolean("on_timeout"));
    default:
      retry.on_exit_codes.emplace();
      values_.array("on_exit_codes", "a list of exit statuses", [&](std::size_t) {
        const auto status = values_.whole_number("an element of \"on_exit_codes\"", 1, 255);
        note(status);
        if (status)
          retry.on_exit_codes->push_back(static_cast<int>(*status));
      });
      signature_ += '\1';
    }
  });
  if (retry.delay && retry.max_delay && *retry.delay > *retry.max_delay)
    values_.out.error(delay_at, "bad_value",
                      "\"delay\" (" + to_human(*retry.delay) + ") is longer than \"max_delay\" (" +
                          to_human(*retry.max_delay) + "): shorten the one or raise the other");
  signature_ += '\1';
}

void settings_reader::skip_exit_codes() {
  std::vector<int> codes;
  const bool good = values_.array("skip_exit_codes", "a list of exit statuses", [&](std::size_t) {
    const auto status = values_.whole_number("an element of \"skip_exit_codes\"", 1, 255);
    note(status);
    if (status)
      codes.push_back(static_cast<int>(*status));
  });
  signature_ += '\1';
  std::sort(codes.begin(), codes.end());
  if (good)
    patch_.skip_exit_codes = std::move(codes);
}

void settings_reader::pools() {
  read_pools(values_, "pools", [&](std::string_view name, std::uint32_t slots, place where) {
    note(name);
    note(static_cast<std::int64_t>(slots));
    patch_.pools[std::string(name)] = slots;
    pool_requests_.push_back({std::string(name), slots, where});
  });
  signature_ += '\1';
}

void read_pools(value_reader& values, std::string_view what,
                const std::function<void(std::string_view, std::uint32_t, place)>& take) {
  if (!values.expect(json_kind::object, what, "an object of pool names and numbers"))
    return;
  std::map<std::string, place, std::less<>> seen;
  std::string_view key;
  place where;
  while (values.json.next_member(key, where)) {
    const std::string name(key);
    const auto [first, is_new] = seen.emplace(name, where);
    if (!is_new)
      values.duplicate(name, where, first->second);
    else if (!is_name(name))
      values.out.error(where, "bad_name", name_problem(name, "a pool"));
    const auto slots = values.whole_number("the size of the pool " + in_quotes(name), 1, max_slots);
    if (slots && is_new && is_name(name))
      take(name, static_cast<std::uint32_t>(*slots), where);
  }
}

std::optional<durability> read_durability(value_reader& values) {
  static constexpr std::array<std::string_view, 3> words = {"strict", "pipelined", "none"};
  const auto i = values.one_of("durability", words);
  return i ? std::optional(static_cast<durability>(*i)) : std::nullopt;
}

std::uint64_t listed_entries(const asset_settings& s) {
  return s.env.size() + s.inherit_names.size() + s.retry.on_exit_codes.size() + s.skip_exit_codes.size() +
         s.pools.size() + s.tags.size() + s.owners.size() + s.ignore_warnings.size();
}

asset_settings applied(const settings_patch& patch, asset_settings base) {
  const auto take = [](auto& into, const auto& from) {
    if (from)
      into = *from;
  };
  add_env(base.env, patch.env);
  if (patch.inherit_env) {
    base.inherit_env = *patch.inherit_env;
    base.inherit_names = patch.inherit_names;
  }
  take(base.cwd, patch.cwd);
  if (patch.shell) {
    base.shell = *patch.shell;
    base.shell_options = patch.shell_options;
  }
  take(base.timeout, patch.timeout);
  take(base.retry.attempts, patch.retry.attempts);
  take(base.retry.delay, patch.retry.delay);
  take(base.retry.backoff, patch.retry.backoff);
  take(base.retry.max_delay, patch.retry.max_delay);
  take(base.retry.jitter, patch.retry.jitter);
  take(base.retry.on_exit_codes, patch.retry.on_exit_codes);
  take(base.retry.on_timeout, patch.retry.on_timeout);
  take(base.skip_exit_codes, patch.skip_exit_codes);
  take(base.allow_failure, patch.allow_failure);
  for (const auto& [pool, slots] : patch.pools)
    base.pools[pool] = slots;
  take(base.priority, patch.priority);
  take(base.version, patch.version);
  take(base.always, patch.always);
  take(base.max_age, patch.max_age);
  if (patch.durability)
    base.durability = patch.durability;
  take(base.max_log, patch.max_log);
  take(base.clear_outputs, patch.clear_outputs);
  take(base.links, patch.links);
  take(base.tags, patch.tags);
  take(base.group, patch.group);
  take(base.owners, patch.owners);
  take(base.ignore_warnings, patch.ignore_warnings);
  if (patch.expect)
    base.expect = *patch.expect;
  return base;
}

} // namespace troupe_internal::config
