// One case for each key; the sources have a file of their own (trigger_sources_reader.cpp).
#include "config/trigger_reader.hpp"

#include "config/trigger_sources_reader.hpp"
#include "core/model/trigger_event.hpp"

#include <utility>

namespace troupe_internal::config {
namespace {

constexpr std::size_t most_triggers = 10'000;

enum trigger_key : std::size_t {
  description_key_ = trigger_kinds.size(),
  enabled_key,
  select_key,
  exclude_key,
  params_key,
  allow_key,
  when_key,
  overlap_key,
  overlap_scope_key,
  queue_key,
  coalesce_key,
  debounce_key,
  throttle_key,
  trigger_priority_key,
  start_within_key,
  trigger_timeout_key,
  catch_up_key,
  catch_up_window_key,
  catch_up_max_key,
  late_after_key,
  pause_after_key
};
static_assert(trigger_keys[description_key_] == "description" &&
              trigger_keys[pause_after_key] == "on_failure_pause_after" && pause_after_key + 1 == trigger_keys.size());

class one_trigger {
public:
  one_trigger(value_reader& values, const trigger_sources& sources, declared_trigger& into)
      : values_(values), sources_(sources), into_(into), t_(into.what) {}

  void read() {
    std::vector<std::size_t> kinds;
    const auto errors = values_.out.errors();
    const bool opened = values_.object("a trigger", trigger_keys, [&](std::size_t key) {
      into_.places[std::string(trigger_keys[key])] = values_.key_place();
      if (key < trigger_kinds.size()) {
        kinds.push_back(key);
        return read_source(values_, key, sources_, into_);
      }
      member(key);
    });
    into_.broken |= !opened || values_.json.failed();
    // Where a key is unknown it may have been meant to be the source.
    if (kinds.size() != 1 && opened && !values_.json.failed() && (!kinds.empty() || values_.out.errors() == errors))
      wrong(t_.where, kinds.empty() ? "missing_key" : "bad_value",
            "the trigger " + in_quotes(t_.name) +
                (kinds.empty() ? " listens to nothing: it needs one of schedule, watch, webhook, sensor, assets, "
                                 "manual and start"
                               : " has both " + in_quotes(trigger_keys[kinds[0]]) + " and " +
                                     in_quotes(trigger_keys[kinds[1]]) + "; make two triggers of it"));
    into_.broken |= values_.out.errors() != errors;
  }

private:
  void member(std::size_t key) {
    static constexpr std::array<std::string_view, 4> overlaps = {"queue", "skip", "cancel", "parallel"};
    static constexpr std::array<std::string_view, 2> scopes = {"trigger", "pipeline"};
    static constexpr std::array<std::string_view, 2> coalescing = {"equal", "last"};
    static constexpr std::array<std::string_view, 3> catching_up = {"latest", "none", "all"};
    const auto word = [&](auto& into, std::span<const std::string_view> words) {
      if (const auto i = values_.one_of(trigger_keys[key], words))
        into = static_cast<std::remove_reference_t<decltype(into)>>(*i);
    };
    const auto span = [&](auto& into, duration least) {
      if (const auto value = values_.time_span(trigger_keys[key], least))
        into = *value;
    };
    switch (key) {
    case description_key_:
      if (const auto text = values_.string("description"))
        t_.description = *text;
      return;
    case enabled_key:
      t_.enabled = values_.boolean("enabled").value_or(true);
      return;
    case select_key:
      t_.select = read_texts(values_, "select", "a list of selections", into_);
      return;
    case exclude_key:
      t_.exclude = read_texts(values_, "exclude", "a list of selections", into_);
      return;
    case params_key:
      return params();
    case allow_key:
      return allow();
    case when_key:
      return when();
    case overlap_key:
      return word(t_.overlap, overlaps);
    case overlap_scope_key:
      return word(t_.scope, scopes);
    case queue_key:
      return queue();
    case coalesce_key:
      return word(t_.coalesce, coalescing);
    case debounce_key:
      return debounce();
    case throttle_key:
      return throttle();
    case trigger_priority_key:
      if (const auto number = values_.whole_number("priority", -1'000'000, 1'000'000))
        t_.priority = static_cast<std::int32_t>(*number);
      return;
    case start_within_key:
      return span(t_.start_within, duration(1));
    case trigger_timeout_key:
      return span(t_.timeout, duration(1));
    case catch_up_key:
      return word(t_.catch_up, catching_up);
    case catch_up_window_key:
      return span(t_.catch_up_window, duration(1));
    case catch_up_max_key:
      if (const auto number = values_.whole_number("catch_up_max", 1, 100'000))
        t_.catch_up_max = static_cast<std::uint32_t>(*number);
      return;
    case late_after_key:
      return span(t_.late_after, duration(1));
    default:
      if (const auto number = values_.whole_number("on_failure_pause_after", 1, 1'000'000))
        t_.pause_after_failures = static_cast<std::uint32_t>(*number);
    }
  }

  void wrong(place where, std::string_view code, std::string message) {
    into_.broken = true;
    values_.out.error(where, code, std::move(message));
  }

  /// Hands each member of an object with free names to `take(name, place)`, which reads the value.
  template <class Take>
  void each(std::string_view what, std::string_view expected, Take&& take) {
    if (!values_.expect(json_kind::object, what, expected))
      return;
    std::map<std::string, place, std::less<>> seen;
    std::string_view key;
    place where;
    while (values_.json.next_member(key, where)) {
      const std::string name(key);
      const auto [first, is_new] = seen.emplace(name, where);
      if (!is_new) {
        values_.duplicate(name, where, first->second);
        values_.skip_value();
        continue;
      }
      into_.places[std::string(what) + "." + name] = where;
      take(name, where);
    }
  }

  static bool is_scalar(const json_value& v) {
    return v.kind == json_kind::string || v.kind == json_kind::number || v.kind == json_kind::boolean;
  }

  void params() {
    each("params", "an object of params and their values", [&](const std::string& name, place) {
      const auto v = values_.next();
      if (!is_scalar(v))
        return values_.wrong_type(v, "the param " + in_quotes(name), "a string, a number, true or false");
      auto text = parse_event_template(v.text);
      if (!text)
        return wrong(v.where, "bad_template", text.error().message + " (in the param " + in_quotes(name) + ")");
      t_.params[name] = std::move(*text);
    });
  }

  void allow() {
    each("allow", "an object of params and patterns", [&](const std::string& name, place) {
      const auto text = values_.string("the pattern for " + in_quotes(name), "a regular expression");
      if (!text)
        return;
      auto pattern = value_pattern::compile(*text);
      if (pattern)
        t_.allow.emplace(name, std::move(*pattern));
      else
        wrong(values_.where(), "bad_pattern", in_quotes(*text) + ": " + pattern.error().message);
    });
  }

  void when() {
    each("when", "an object such as {\"body.ref\": [\"refs/heads/main\"]}", [&](const std::string& name, place where) {
      event_filter filter;
      auto value = parse_event_value(name);
      if (value)
        filter.value = std::move(*value);
      else
        wrong(where, "bad_template", value.error().message);
      const auto v = values_.next();
      if (is_scalar(v)) {
        filter.accepted.emplace_back(v.text);
      } else if (v.kind == json_kind::array) {
        while (values_.json.next_element()) {
          const auto one = values_.next();
          if (is_scalar(one))
            filter.accepted.emplace_back(one.text);
          else
            values_.wrong_type(one, "a value of " + in_quotes(name), "a string, a number, true or false");
        }
      } else {
        values_.wrong_type(v, name, "a value, or a list of values one of which has to be there");
      }
      t_.when.push_back(std::move(filter));
    });
  }

  void queue() {
    static constexpr std::array<std::string_view, 2> keys = {"bound", "keep"};
    static constexpr std::array<std::string_view, 2> kept = {"newest", "all"};
    values_.object("queue", keys, [&](std::size_t key) {
      if (key == 0) {
        into_.has_bound = true;
        if (const auto number = values_.whole_number("bound", 1, 1'000'000))
          t_.queue.bound = static_cast<std::uint32_t>(*number);
      } else if (const auto i = values_.one_of("keep", kept)) {
        into_.has_keep = true;
        t_.queue.keep_all = *i == 1;
      }
    });
  }

  void debounce() {
    static constexpr std::array<std::string_view, 3> keys = {"quiet", "max", "key"};
    debounce_rule rule;
    const place opened = values_.key_place();
    bool has_quiet = false;
    bool has_max = false;
    const bool read = values_.object("debounce", keys, [&](std::size_t key) {
      if (key == 2) {
        const auto text = values_.string("key", "header.NAME or body.PATH");
        if (!text)
          return;
        auto value = parse_event_value(*text);
        if (value)
          rule.key = std::move(*value);
        else
          wrong(values_.where(), "bad_template", value.error().message);
        return;
      }
      (key == 0 ? has_quiet : has_max) = true;
      if (const auto value = values_.time_span(keys[key], duration(1)))
        (key == 0 ? rule.quiet : rule.max) = *value;
    });
    if (read && !has_quiet && !values_.json.failed())
      wrong(opened, "missing_key", "\"debounce\" has no \"quiet\": how long no event may come before the run");
    if (!has_max)
      rule.max = rule.quiet <= duration::max() / 10 ? rule.quiet * 10 : duration::max();
    else if (rule.max < rule.quiet && rule.max > duration(0))
      wrong(opened, "contradiction", "\"max\" of \"debounce\" is shorter than \"quiet\"");
    t_.debounce = std::move(rule);
  }

  void throttle() {
    static constexpr std::array<std::string_view, 2> keys = {"runs", "per"};
    throttle_rule rule;
    const place opened = values_.key_place();
    int count = 0;
    const bool read = values_.object("throttle", keys, [&](std::size_t key) {
      ++count;
      if (key == 0) {
        if (const auto number = values_.whole_number("runs", 1, trigger_record::most_starts))
          rule.runs = static_cast<std::uint32_t>(*number);
      } else if (const auto value = values_.time_span("per", duration(1))) {
        rule.per = *value;
      }
    });
    if (read && count != 2 && !values_.json.failed())
      wrong(opened, "missing_key", "\"throttle\" needs \"runs\" and \"per\", such as {\"runs\": 5, \"per\": \"1h\"}");
    t_.throttle = rule;
  }

  value_reader& values_;
  const trigger_sources& sources_;
  declared_trigger& into_;
  trigger& t_;
};

} // namespace

void read_triggers(value_reader& values, declared_triggers& into) {
  into.begin = values.key_place();
  if (!values.expect(json_kind::object, "triggers", "an object of names and triggers"))
    return;
  std::map<std::string, place, std::less<>> seen;
  std::string_view key;
  place where;
  while (values.json.next_member(key, where)) {
    declared_trigger one;
    one.what.name = key;
    one.what.where = where;
    const auto [first, is_new] = seen.emplace(one.what.name, where);
    if (!is_new) {
      values.duplicate(one.what.name, where, first->second);
      values.skip_value();
      continue;
    }
    if (into.triggers.size() == most_triggers) {
      values.out.error(where, "too_large", "more than " + std::to_string(most_triggers) + " triggers");
      return values.json.stop();
    }
    if (!is_name(one.what.name))
      values.out.error(where, "bad_name", name_problem(one.what.name, "a trigger"));
    one_trigger(values, into.sources, one).read();
    into.triggers.push_back(std::move(one));
  }
  into.end = values.json.position();
}

} // namespace troupe_internal::config
