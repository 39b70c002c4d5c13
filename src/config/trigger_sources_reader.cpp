// One function for each kind of source.
#include "config/trigger_sources_reader.hpp"

#include "adapters/system/posix_error.hpp"
#include "adapters/system/unique_fd.hpp"
#include "adapters/system/zone_files.hpp"
#include "config/path_text.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <utility>

namespace troupe_internal::config {
namespace {

constexpr std::size_t max_dates_bytes = std::size_t(1) << 20U;

/// A regular file's text, read through a descriptor that waits for nobody.
result<std::string> text_of(const std::string& path) {
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0)
    return posix_error("read", path, errno);
  if (!S_ISREG(status.st_mode))
    return fail(error_code::invalid_input, "cannot use " + path + ": it is not a file");
  std::string text(max_dates_bytes + 1, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const auto count = ::read(file.get(), text.data() + have, text.size() - have);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return posix_error("read", path, errno);
    if (count == 0)
      break;
    have += static_cast<std::size_t>(count);
  }
  if (have > max_dates_bytes)
    return fail(error_code::invalid_input, "cannot use " + path + ": it is larger than 1 MiB");
  text.resize(have);
  return text;
}

/// "2026-12-24"
std::optional<std::chrono::sys_days> date_of(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-')
    return std::nullopt;
  const auto number = [&](std::size_t from, std::size_t count) -> std::optional<unsigned> {
    unsigned value = 0;
    for (const char c : text.substr(from, count)) {
      if (c < '0' || c > '9')
        return std::nullopt;
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value;
  };
  const auto year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (!year || !month || !day)
    return std::nullopt;
  const auto date = std::chrono::year(static_cast<int>(*year)) / std::chrono::month(*month) / std::chrono::day(*day);
  return date.ok() ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
}

/// One date a line; blank lines and what follows # mean nothing.
result<std::vector<std::chrono::sys_days>> dates_in(std::string_view text) {
  std::vector<std::chrono::sys_days> dates;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    auto rest = text.substr(0, std::min(text.substr(0, end).find('#'), end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto first = rest.find_first_not_of(" \t\r");
    if (first == std::string_view::npos)
      continue;
    rest = rest.substr(first, rest.find_last_not_of(" \t\r") - first + 1);
    const auto date = date_of(rest);
    if (!date)
      // Not what it says: a link may lead anywhere.
      return fail(error_code::invalid_input, "line " + std::to_string(line) + " is no date such as 2026-12-24");
    dates.push_back(*date);
  }
  return dates;
}

class source_reader {
public:
  source_reader(value_reader& values, const trigger_sources& sources, declared_trigger& into)
      : values_(values), sources_(sources), into_(into) {}

  void schedule() {
    schedule_source source{interval_schedule{}, nullptr, duration(0), {}};
    std::vector<cron_expression> expressions;
    std::optional<duration> every;
    std::optional<duration> offset;
    std::string zone = "UTC";
    const place opened = values_.key_place();
    const bool read = object("schedule", schedule_keys, [&](std::size_t key) {
      switch (key) {
      case 0:
        return cron(expressions);
      case 1:
        every = whole_seconds("every", std::chrono::seconds(1));
        return;
      case 2:
        offset = whole_seconds("offset", duration(0));
        return;
      case 3:
        return text(zone, "timezone", "the name of a zone such as \"Europe/Berlin\"");
      case 4:
        return text(source.not_on, "not_on", "the path of a file of dates");
      default:
        span(source.jitter, "jitter", duration(0));
      }
    });
    if (!read || values_.json.failed())
      return;
    const bool sound = !into_.broken;
    source.zone = zone_named(zone);
    if (!sound)
      return; // a key that is not known may have been meant to be the one that is missing
    if (has("schedule.cron") == has("schedule.every"))
      return wrong(opened, "bad_schedule",
                   has("schedule.cron") ? "a schedule has either \"cron\" or \"every\"; make two triggers of this one"
                                        : "the schedule says no time: write \"cron\", such as \"30 2 * * *\", or "
                                          "\"every\", such as \"10m\"");
    if (has("schedule.every"))
      return interval(std::move(source), every, offset);
    if (has("schedule.offset"))
      wrong(into_.at("schedule.offset"), "bad_schedule", "\"offset\" goes with \"every\", not with \"cron\"");
    auto days = source.not_on.empty() ? std::vector<std::chrono::sys_days>() : dates(source.not_on);
    if (expressions.empty() || !source.zone)
      return;
    source.ticks = cron_schedule(std::move(expressions), source.zone, std::move(days));
    into_.what.source = std::move(source);
  }

  void watch() {
    watch_source source;
    const place opened = values_.key_place();
    const bool read = object("watch", watch_keys, [&](std::size_t key) {
      static constexpr std::array<std::string_view, 2> words = {"ignore", "fire"};
      switch (key) {
      case 0:
        source.paths = read_texts(values_, "watch.paths", "a list of paths", into_);
        for (std::size_t i = 0; i < source.paths.size() && !into_.broken; ++i)
          path(source.paths[i], into_.at("watch.paths." + std::to_string(i)));
        return;
      case 1:
        return span(source.settle, "settle", duration(0));
      case 2:
        return span(source.max_settle, "max_settle", duration(1));
      case 3:
        if (const auto i = values_.one_of("existing", words))
          source.fire_for_existing = *i == 1;
        else
          into_.broken = true;
        return;
      case 4:
        return span(source.poll, "poll", std::chrono::milliseconds(100));
      default:
        source.ignore = read_texts(values_, "watch.ignore", "a list of patterns of file names", into_);
      }
    });
    if (read && source.paths.empty() && !into_.broken && !values_.json.failed())
      wrong(opened, "missing_key", "the watch has no \"paths\"; name the files to watch, such as [\"inbox/*.csv\"]");
    if (!into_.broken && source.max_settle < source.settle)
      wrong(into_.at("watch.max_settle"), "contradiction", "\"max_settle\" is shorter than \"settle\"");
    into_.what.source = std::move(source);
  }

  void webhook() {
    static constexpr std::array<std::string_view, 5> schemes = {"github", "standard", "gitlab", "generic", "unsigned"};
    static constexpr std::array<std::string_view, 2> encodings = {"hex", "base64"};
    static constexpr std::array<std::string_view, 2> forms = {"body", "timestamp.body"};
    webhook_source source;
    auto& form = source.signature;
    bool has_scheme = false;
    const place opened = values_.key_place();
    const bool read = object("webhook", webhook_keys, [&](std::size_t key) {
      const auto choice = [&](std::span<const std::string_view> words) {
        const auto i = values_.one_of(webhook_keys[key], words);
        into_.broken |= !i;
        return i.value_or(0);
      };
      switch (key) {
      case 0:
        has_scheme = true;
        source.scheme = static_cast<webhook_scheme>(choice(schemes));
        return;
      case 1:
        return secrets(source.secrets);
      case 2: {
        std::string written;
        text(written, "key", "header.NAME or body.PATH");
        if (!into_.broken)
          source.key = event_value(written, values_.where());
        return;
      }
      case 3:
        return retention(source.keep_keys);
      case 4:
        return text(form.header, "header", "the name of a header");
      case 5:
        if (const auto value = values_.string("prefix"))
          form.prefix = *value;
        else
          into_.broken = true;
        return;
      case 6:
        form.base64 = choice(encodings) == 1;
        return;
      case 7:
        form.with_timestamp = choice(forms) == 1;
        return;
      case 8:
        return text(form.timestamp_header, "timestamp_header", "the name of a header");
      default:
        return span(form.tolerance, "tolerance", duration(1));
      }
    });
    if (!read || into_.broken || values_.json.failed())
      return;
    if (!has_scheme)
      return wrong(opened, "missing_key",
                   "the webhook has no \"scheme\": how requests are signed (github, standard, gitlab, generic), or "
                   "unsigned");
    webhook_agrees(source, opened);
    into_.what.source = std::move(source);
  }

  void sensor() {
    sensor_source source;
    const place opened = values_.key_place();
    const bool read = object("sensor", sensor_keys, [&](std::size_t key) {
      switch (key) {
      case 0:
        return command(source);
      case 1:
        return span(source.every, "every", std::chrono::seconds(1));
      case 2:
        return span(source.timeout, "timeout", duration(1));
      case 3:
        if (const auto n = values_.whole_number("runs_per_call", 1, 1000))
          source.runs_per_call = static_cast<std::uint32_t>(*n);
        else
          into_.broken = true;
        return;
      default:
        return retention(source.keep_keys);
      }
    });
    if (read && source.command.empty() && !into_.broken && !values_.json.failed())
      wrong(opened, "missing_key", "the sensor has no \"command\" that reports events");
    into_.what.source = std::move(source);
  }

  void assets() {
    assets_source source;
    const place opened = values_.key_place();
    int lists = 0;
    const bool read = object("assets", assets_keys, [&](std::size_t key) {
      if (key == 2) {
        duration within{0};
        span(within, "within", duration(1));
        source.within = within;
        return;
      }
      if (key == 3) {
        const auto self = values_.boolean("self");
        into_.broken |= !self;
        source.self = self.value_or(false);
        return;
      }
      ++lists;
      source.all = key == 1;
      const std::string what = "assets." + std::string(assets_keys[key]);
      source.assets.clear();
      const auto texts = read_texts(values_, what, "a list of assets", into_);
      for (std::size_t i = 0; i < texts.size(); ++i)
        source.assets.push_back(reference(texts[i], into_.at(what + "." + std::to_string(i))));
    });
    if (!read || into_.broken || values_.json.failed())
      return;
    if (lists != 1 || source.assets.empty())
      return wrong(opened, lists == 2 ? "bad_value" : "missing_key",
                   lists == 2 ? "\"assets\" has either \"any\" or \"all\"; make two triggers of this one"
                              : "\"assets\" names none: write \"any\": [\"NAME\"] or \"all\": [\"NAME\"]");
    if (source.within && !source.all)
      wrong(into_.at("assets.within"), "bad_value", "\"within\" goes with \"all\", not with \"any\"");
    into_.what.source = std::move(source);
  }

  void manual() {
    static constexpr std::array<std::string_view, 1> keys = {"keep_keys"};
    manual_source source;
    object("manual", keys, [&](std::size_t) { retention(source.keep_keys); });
    into_.what.source = source;
  }

  void start() {
    object("start", {}, [](std::size_t) {});
    into_.what.source = start_source{};
  }

private:
  /// Notes the place of each key as "KIND.KEY".
  template <class Member>
  bool object(std::string_view kind, std::span<const std::string_view> keys, Member&& member) {
    const auto errors = values_.out.errors();
    const bool read = values_.object(kind, keys, [&](std::size_t key) {
      into_.places[std::string(kind) + "." + std::string(keys[key])] = values_.key_place();
      member(key);
    });
    into_.broken |= !read || values_.out.errors() != errors;
    return read;
  }

  [[nodiscard]] bool has(std::string_view key) const { return into_.has(key); }
  void wrong(place where, std::string_view code, std::string message) {
    into_.broken = true;
    values_.out.error(where, code, std::move(message));
  }

  void text(std::string& into, std::string_view what, std::string_view expected) {
    const auto value = values_.string(what, expected);
    if (!value)
      into_.broken = true;
    else if (value->empty())
      wrong(values_.where(), "bad_value", named(what) + " is empty");
    else
      into = *value;
  }

  void span(duration& into, std::string_view what, duration least) {
    if (const auto value = values_.time_span(what, least))
      into = *value;
    else
      into_.broken = true;
  }

  std::optional<duration> whole_seconds(std::string_view what, duration least) {
    duration value{0};
    span(value, what, least);
    if (value % std::chrono::seconds(1) != duration(0))
      wrong(values_.where(), "bad_duration", named(what) + " has to be whole seconds");
    return into_.broken ? std::nullopt : std::optional(value);
  }

  void retention(key_retention& into) {
    const auto v = values_.next();
    if (v.kind == json_kind::string && v.text == "forever") {
      into = std::nullopt;
      return;
    }
    const auto value = values_.time_span_of(v, "keep_keys", duration(1));
    into_.broken |= !value;
    into = value;
  }

  void cron(std::vector<cron_expression>& into) {
    const auto take = [&](std::string_view written, place where) {
      auto one = cron_expression::parse(written);
      if (one)
        into.push_back(std::move(*one));
      else
        wrong(where, "bad_cron", in_quotes(written) + ": " + one.error().message);
    };
    const auto v = values_.next();
    if (v.kind == json_kind::string)
      return take(v.text, v.where);
    if (v.kind != json_kind::array) {
      into_.broken = true;
      return values_.wrong_type(v, "cron", "a cron expression such as \"30 2 * * *\", or a list of them");
    }
    std::size_t count = 0;
    for (; values_.json.next_element(); ++count)
      if (const auto written = values_.string("an element of \"cron\"", "a cron expression such as \"30 2 * * *\""))
        take(*written, values_.where());
      else
        into_.broken = true;
    if (count == 0 && !values_.json.failed())
      wrong(v.where, "bad_value", "\"cron\" is an empty list");
    if (count > 100)
      wrong(v.where, "bad_value", "\"cron\" has more than 100 expressions");
  }

  std::shared_ptr<const time_zone> zone_named(const std::string& name) {
    if (name == "UTC")
      return time_zone::utc();
    auto zone = sources_.find_zone ? sources_.find_zone(name) : zone_files::of_system().find(name);
    if (zone)
      return *zone;
    wrong(into_.at("schedule.timezone"), "unknown_zone", zone.error().message);
    return nullptr;
  }

  std::vector<std::chrono::sys_days> dates(const std::string& file) {
    const auto text = sources_.read_text      ? sources_.read_text(file)
                      : file.starts_with('/') ? text_of(file)
                                              : text_of(sources_.folder + "/" + file);
    if (!text) {
      wrong(into_.at("schedule.not_on"), "bad_schedule", "\"not_on\": " + text.error().message);
      return {};
    }
    auto found = dates_in(*text);
    if (found)
      return std::move(*found);
    wrong(into_.at("schedule.not_on"), "bad_schedule", "\"not_on\": " + file + ", " + found.error().message);
    return {};
  }

  void interval(schedule_source source, std::optional<duration> every, std::optional<duration> offset) {
    if (has("schedule.not_on"))
      wrong(into_.at("schedule.not_on"), "bad_schedule", "\"not_on\" goes with \"cron\", not with \"every\"");
    if (!every || into_.broken)
      return;
    if (offset && *offset >= *every)
      return wrong(into_.at("schedule.offset"), "bad_schedule", "\"offset\" has to be shorter than \"every\"");
    if (source.jitter >= *every)
      return wrong(into_.at("schedule.jitter"), "bad_schedule", "\"jitter\" has to be shorter than \"every\"");
    source.ticks = interval_schedule{std::chrono::floor<std::chrono::seconds>(*every),
                                     std::chrono::floor<std::chrono::seconds>(offset.value_or(duration(0)))};
    into_.what.source = std::move(source);
  }

  void path(std::string& text, place where) {
    declared_path path;
    read_path(text, path);
    if (path.problem.empty())
      text = path.text;
    else
      wrong(where, "bad_path", in_quotes(text) + " " + std::string(path.problem));
  }

  std::optional<event_template> event_value(const std::string& written, place where) {
    auto value = parse_event_value(written);
    if (value)
      return std::move(*value);
    wrong(where, "bad_template", value.error().message);
    return std::nullopt;
  }

  void secrets(std::vector<secret_source>& into) {
    const auto v = values_.next();
    if (v.kind == json_kind::object)
      return secret(v.where, into);
    if (v.kind != json_kind::array) {
      into_.broken = true;
      // Not what was found: it may be the secret.
      if (v.kind != json_kind::none)
        values_.out.error(
            v.where, "wrong_type",
            "\"secret\" has to be an object with \"from_file\", \"from_env\" or \"from_credential\", or a "
            "list of them; the secret itself does not belong into this file");
      values_.out.list().secret_lines.emplace_back(v.where.line, v.where.line);
      return values_.json.skip(v);
    }
    while (values_.json.next_element()) {
      const place where = values_.where();
      const auto one = values_.next();
      if (one.kind == json_kind::object) {
        secret(one.where, into);
        continue;
      }
      into_.broken = true;
      values_.out.list().secret_lines.emplace_back(one.where.line, one.where.line);
      if (one.kind != json_kind::none)
        values_.out.error(one.where.line == 0 ? where : one.where, "wrong_type",
                          "an element of \"secret\" has to be an object with \"from_file\", \"from_env\" or "
                          "\"from_credential\"");
      values_.json.skip(one);
    }
  }

  void secret(place where, std::vector<secret_source>& into) {
    static constexpr std::array<std::string_view, 3> keys = {"from_file", "from_env", "from_credential"};
    secret_source source;
    int count = 0;
    values_.members("a secret", keys, [&](std::size_t key) {
      ++count;
      source.from = static_cast<secret_source::kind>(key);
      text(source.name, keys[key], key == 0 ? "the path of a file" : "a name");
      if (key == 1 && !source.name.empty() && !is_variable_name(source.name))
        wrong(values_.where(), "bad_name", in_quotes(source.name) + " is no name for an environment variable");
      if (key == 2 && source.name.find('/') != std::string::npos)
        wrong(values_.where(), "bad_name", in_quotes(source.name) + " is no name for a credential: / stands in it");
    });
    if (count != 1 && !values_.json.failed())
      wrong(where, "bad_value", "a secret has one of \"from_file\", \"from_env\" and \"from_credential\"");
    into.push_back(std::move(source));
  }

  /// What one key of a webhook says about another.
  void webhook_agrees(const webhook_source& source, place opened) {
    const bool is_unsigned = source.scheme == webhook_scheme::unsigned_;
    if (!is_unsigned && source.secrets.empty())
      return wrong(opened, "missing_key",
                   "the webhook has no \"secret\" to check its requests with; to take requests of anybody on this "
                   "machine, write \"scheme\": \"unsigned\"");
    if (is_unsigned && has("webhook.secret"))
      return wrong(into_.at("webhook.secret"), "bad_value", "a webhook with \"scheme\": \"unsigned\" has no secret");
    if (source.scheme != webhook_scheme::generic) {
      for (const auto key : {"header", "prefix", "encoding", "signed", "timestamp_header"})
        if (has(std::string("webhook.") + key))
          return wrong(into_.at(std::string("webhook.") + key), "bad_value",
                       in_quotes(key) + " goes with \"scheme\": \"generic\"; the other schemes have their own");
      return;
    }
    const auto& form = source.signature;
    if (form.header.empty())
      return wrong(opened, "missing_key", "the scheme \"generic\" needs \"header\": the header that has the signature");
    if (form.with_timestamp == form.timestamp_header.empty())
      wrong(opened, "missing_key",
            form.with_timestamp ? "\"signed\": \"timestamp.body\" needs \"timestamp_header\""
                                : "\"timestamp_header\" needs \"signed\": \"timestamp.body\"");
  }

  void command(sensor_source& source) {
    const auto v = values_.next();
    if (v.kind == json_kind::string) {
      source.shell = true;
      if (v.text.find_first_not_of(" \t\n") == std::string_view::npos)
        return wrong(v.where, "empty_command", "the sensor's command is empty");
      source.command = {std::string(v.text)};
      return;
    }
    if (v.kind != json_kind::array) {
      into_.broken = true;
      return values_.wrong_type(v, "command", "text for the shell, or a list of strings to be executed directly");
    }
    while (values_.json.next_element())
      if (const auto word = values_.string("an element of \"command\""))
        source.command.emplace_back(*word);
      else
        into_.broken = true;
    if (!into_.broken && !values_.json.failed() && (source.command.empty() || source.command.front().empty()))
      wrong(v.where, "empty_command", "the sensor's command names no program to run");
  }

  /// PIPELINE/ASSET: the first "/" before any "[" ends the pipeline's name.
  asset_reference reference(const std::string& text, place where) {
    const auto slash = text.substr(0, text.find('[')).find('/');
    if (slash == std::string::npos)
      return {{}, text};
    const auto of = text.substr(0, slash);
    if (!is_name(of))
      wrong(where, "bad_name", name_problem(of, "a pipeline"));
    else if (slash + 1 == text.size())
      wrong(where, "bad_name", in_quotes(text) + " names no asset after the /");
    return {of, text.substr(slash + 1)};
  }

  value_reader& values_;
  const trigger_sources& sources_;
  declared_trigger& into_;
};

} // namespace

std::vector<std::string> read_texts(value_reader& values, std::string_view what, std::string_view expected,
                                    declared_trigger& into) {
  std::vector<std::string> list;
  const auto name = what.substr(what.rfind('.') + 1);
  into.broken |= !values.array(name, expected, [&](std::size_t) {
    const auto text = values.string("an element of " + named(name));
    if (!text) {
      into.broken = true;
      return;
    }
    if (text->empty()) {
      into.broken = true;
      values.out.error(values.where(), "bad_value", "an element of " + named(name) + " is empty");
    }
    into.places[std::string(what) + "." + std::to_string(list.size())] = values.where();
    list.emplace_back(*text);
  });
  return list;
}

void read_source(value_reader& values, std::size_t kind, const trigger_sources& sources, declared_trigger& into) {
  source_reader reader(values, sources, into);
  switch (kind) {
  case 0:
    return reader.schedule();
  case 1:
    return reader.watch();
  case 2:
    return reader.webhook();
  case 3:
    return reader.sensor();
  case 4:
    return reader.assets();
  case 5:
    return reader.manual();
  default:
    return reader.start();
  }
}

} // namespace troupe_internal::config
