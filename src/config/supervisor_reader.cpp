// One case for each key; the compound ones have a function each.
#include "config/supervisor_reader.hpp"

#include "adapters/files/file_content.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "config/load_pipeline.hpp"
#include "config/path_text.hpp"
#include "config/settings_reader.hpp"
#include "config/value_reader.hpp"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace troupe_internal::config {
namespace {

constexpr std::size_t max_settings_bytes = std::size_t(16) << 20U;

/// Why a text is no HOST:PORT; empty if it is one.
std::string address_problem(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return "has no port: write HOST:PORT, such as 127.0.0.1:7070";
  const auto host = text.substr(0, colon);
  const auto port = text.substr(colon + 1);
  unsigned number = 0;
  const auto read = std::from_chars(port.data(), port.data() + port.size(), number);
  if (read.ec != std::errc() || read.ptr != port.data() + port.size() || number == 0 || number > 65535)
    return "has no port from 1 to 65535";
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (host.empty() || (!bracketed && host.find(':') != std::string_view::npos))
    return host.empty() ? "has no host: write 0.0.0.0 or [::] for all addresses"
                        : "holds an IPv6 address: put that into [ ]";
  return {};
}

class supervisor_reader {
public:
  supervisor_reader(json_reader& json, findings& out) : json_(json), out_(out), values_(json, out) {}

  supervisor_settings read() {
    const auto v = values_.next();
    if (v.kind != json_kind::object) {
      values_.wrong_type(v, "a supervisor file", "an object { … }");
      return {};
    }
    bool has_pipelines = false;
    values_.members("the supervisor file", supervisor_keys, [&](std::size_t key) {
      has_pipelines |= key == 1;
      member(key);
    });
    json_.finish();
    if (!json_.failed() && !has_pipelines)
      out_.error(v.where, "missing_key", "the supervisor file has no \"pipelines\": the pipeline files to serve");
    return std::move(s_);
  }

private:
  void member(std::size_t key) {
    static constexpr std::array<std::string_view, 2> durabilities = {"strict", "pipelined"};
    static constexpr std::array<std::string_view, 3> restarts = {"resume_or_rerun", "resume", "abandon"};
    switch (key) {
    case 0:
      static_cast<void>(values_.string("$schema"));
      return;
    case 1:
      return pipelines();
    case 2:
      return path("state_dir", s_.state_dir);
    case 3:
      return listen();
    case 4:
      return number("workers", s_.workers, max_workers);
    case 5:
      return number("max_runs", s_.max_runs, 10'000);
    case 6:
      return read_pools(values_, "pools", [&](std::string_view name, std::uint32_t slots, place) {
        s_.pools[std::string(name)] = slots;
      });
    case 7:
      return weights();
    case 8:
      if (const auto i = values_.one_of("durability", durabilities))
        s_.durability = *i == 0 ? durability::strict : durability::pipelined;
      return;
    case 9:
      return history();
    case 10:
      return span("keep_events", s_.keep_events, duration(1));
    case 11:
      if (const auto i = values_.one_of("on_restart", restarts))
        s_.on_restart = static_cast<restart_rule>(*i);
      return;
    case 12:
      s_.auto_reload = values_.boolean("auto_reload").value_or(true);
      return;
    case 13:
      return span("grace_period", s_.grace_period, duration(0));
    case 14:
      return auth();
    case 15:
      return hooks();
    case 16:
      return log();
    default:
      return notify();
    }
  }

  void number(std::string_view what, std::uint32_t& into, std::int64_t most) {
    if (const auto value = values_.whole_number(what, 1, most))
      into = static_cast<std::uint32_t>(*value);
  }
  void span(std::string_view what, duration& into, duration least) {
    if (const auto value = values_.time_span(what, least))
      into = *value;
  }
  void bytes(std::string_view what, std::uint64_t& into, std::uint64_t least) {
    if (const auto value = values_.size(what, least))
      into = *value;
  }

  void path(std::string_view what, std::string& into) {
    const auto text = values_.string(what, "the path of a folder");
    if (!text)
      return;
    if (text->empty())
      out_.error(values_.where(), "bad_path", named(what) + " is empty");
    else
      into = *text;
  }

  /// A list of strings, each of which `problem(text)` finds nothing wrong with.
  template <class Problem>
  std::vector<std::string> texts(std::string_view what, std::string_view expected, std::string_view code,
                                 Problem&& problem) {
    std::vector<std::string> list;
    values_.array(what, expected, [&](std::size_t) {
      const auto text = values_.string("an element of " + named(what));
      if (!text)
        return;
      const std::string wrong = text->empty() ? "is empty" : problem(*text);
      if (!wrong.empty())
        out_.error(values_.where(), code, "the element " + in_quotes(*text) + " of " + named(what) + " " + wrong);
      list.emplace_back(*text);
    });
    return list;
  }

  void pipelines() {
    const place opened = values_.key_place();
    std::vector<place> places;
    const auto list = texts("pipelines", "a list of pipeline files", "bad_path", [&](std::string_view text) {
      places.push_back(values_.where());
      declared_path path;
      read_path(text, path);
      return std::string(path.problem);
    });
    for (std::size_t i = 0; i < list.size() && i < places.size(); ++i)
      s_.pipelines.push_back({list[i], places[i]});
    if (list.empty() && !json_.failed() && out_.clean())
      out_.error(opened, "bad_value", "\"pipelines\" is an empty list; name the pipeline files to serve");
  }

  void listen() {
    s_.listen = texts("listen", "a list of addresses", "bad_address",
                      [](std::string_view text) { return address_problem(text); });
  }

  void weights() {
    static constexpr std::array<std::string_view, 4> keys = {"user", "program", "trigger", "backfill"};
    auto& w = s_.weights;
    values_.object("weights", keys, [&](std::size_t key) {
      number(keys[key], key == 0 ? w.user : key == 1 ? w.program : key == 2 ? w.trigger : w.backfill, 1000);
    });
  }

  void history() {
    static constexpr std::array<std::string_view, 2> keys = {"max_age", "max_bytes"};
    values_.object("history", keys, [&](std::size_t key) {
      if (key == 0)
        span("max_age", s_.history_max_age, duration(1));
      else
        bytes("max_bytes", s_.history_max_bytes, std::uint64_t(1) << 20U);
    });
  }

  void auth() {
    static constexpr std::array<std::string_view, 1> keys = {"hosts"};
    values_.object("auth", keys, [&](std::size_t) {
      s_.hosts = texts("hosts", "a list of host names", "bad_address", [](std::string_view text) {
        return std::string(text.find_first_of("/ \t") == std::string_view::npos
                               ? ""
                               : "is no host name; leave out https:// and what follows the name");
      });
    });
  }

  void hooks() {
    static constexpr std::array<std::string_view, 1> keys = {"max_body"};
    values_.object("hooks", keys, [&](std::size_t) { bytes("max_body", s_.hook_max_body, 1000); });
  }

  void log() {
    static constexpr std::array<std::string_view, 2> keys = {"format", "level"};
    static constexpr std::array<std::string_view, 2> formats = {"text", "json"};
    static constexpr std::array<std::string_view, 6> levels = {"debug", "info", "warn", "error", "off", "trace"};
    values_.object("log", keys, [&](std::size_t key) {
      if (key == 0)
        s_.log_json = values_.one_of("format", formats) == std::size_t(1);
      else if (const auto i = values_.one_of("level", levels))
        s_.log_level = levels[*i];
    });
  }

  void notify() {
    if (!values_.expect(json_kind::object, "notify", "an object of names and targets"))
      return;
    std::map<std::string, place, std::less<>> seen;
    std::string_view key;
    place where;
    while (json_.next_member(key, where)) {
      notify_target target;
      target.name = key;
      const auto [first, is_new] = seen.emplace(target.name, where);
      if (!is_new) {
        values_.duplicate(target.name, where, first->second);
        values_.skip_value();
        continue;
      }
      if (!is_name(target.name))
        out_.error(where, "bad_name", name_problem(target.name, "a notification"));
      one_target(target, where);
      s_.notify.push_back(std::move(target));
    }
  }

  void one_target(notify_target& target, place where) {
    static constexpr std::array<std::string_view, 5> keys = {"on", "pipelines", "command", "url", "secret"};
    const auto errors = out_.errors();
    bool has_secret = false;
    int ways = 0;
    values_.object("a notification", keys, [&](std::size_t key) {
      switch (key) {
      case 0:
        values_.array("on", "a list of reasons", [&](std::size_t) {
          if (const auto i = values_.one_of("an element of \"on\"", notify_reasons))
            target.on.emplace_back(notify_reasons[*i]);
        });
        return;
      case 1:
        target.pipelines = texts("pipelines", "a list of names of pipelines", "bad_name", [](std::string_view text) {
          return std::string(is_name(text) ? "" : "is no name of a pipeline");
        });
        return;
      case 2:
        ++ways;
        return command(target);
      case 3:
        ++ways;
        if (const auto url = values_.string("url")) {
          target.url = *url;
          if (!url->starts_with("https://") && !url->starts_with("http://"))
            out_.error(values_.where(), "bad_address", "\"url\" has to begin with https:// or http://");
        }
        return;
      default:
        has_secret = true;
        secret(target);
      }
    });
    if (out_.errors() != errors || json_.failed())
      return;
    const std::string what = "the notification " + in_quotes(target.name);
    if (target.on.empty())
      out_.error(where, "missing_key",
                 what + " has no \"on\": which of failed, recovered, paused, overdue and rejected");
    else if (ways != 1)
      out_.error(where, "bad_value", what + " needs " + (ways == 0 ? "a" : "either a") + " \"command\" or a \"url\"");
    else if (has_secret && target.url.empty())
      out_.error(where, "bad_value", "\"secret\" of " + what + " signs requests and goes with \"url\"");
  }

  void command(notify_target& target) {
    const auto v = values_.next();
    if (v.kind == json_kind::string) {
      target.shell = true;
      target.command = {std::string(v.text)};
    } else if (v.kind == json_kind::array) {
      while (json_.next_element())
        if (const auto word = values_.string("an element of \"command\""))
          target.command.emplace_back(*word);
    } else {
      return values_.wrong_type(v, "command", "text for the shell, or a list of strings to be executed directly");
    }
    if (!json_.failed() &&
        (target.command.empty() || target.command.front().find_first_not_of(" \t\n") == std::string::npos))
      out_.error(v.where, "empty_command", "the command names no program to run");
  }

  void secret(notify_target& target) {
    static constexpr std::array<std::string_view, 3> keys = {"from_file", "from_env", "from_credential"};
    const auto v = values_.next();
    if (v.kind != json_kind::object) { // not what was found: it may be the secret
      if (v.kind != json_kind::none)
        out_.error(v.where, "wrong_type",
                   "\"secret\" has to be an object with \"from_file\", \"from_env\" or \"from_credential\"; the secret "
                   "itself does not belong into this file");
      out_.list().secret_lines.emplace_back(v.where.line, v.where.line);
      return json_.skip(v);
    }
    int count = 0;
    secret_source source;
    values_.members("a secret", keys, [&](std::size_t key) {
      ++count;
      source.from = static_cast<secret_source::kind>(key);
      if (const auto text = values_.string(keys[key]))
        source.name = *text;
      if (source.name.empty())
        out_.error(values_.where(), "bad_value", named(keys[key]) + " is empty");
    });
    if (count != 1 && !json_.failed())
      out_.error(v.where, "bad_value", "a secret has one of \"from_file\", \"from_env\" and \"from_credential\"");
    target.secret = source;
  }

  json_reader& json_;
  findings& out_;
  value_reader values_;
  supervisor_settings s_;
};

} // namespace

loaded_supervisor parse_supervisor(std::string_view text, const std::string& file) {
  loaded_supervisor loaded;
  loaded.findings.file = file;
  findings out(loaded.findings);
  json_reader json(chunks_of(text), out);
  auto settings = supervisor_reader(json, out).read();
  if (!loaded.findings.has_errors())
    loaded.settings = std::move(settings);
  sort_by_place(loaded.findings);
  return loaded;
}

result<std::string> settings_text(const std::string& file) {
  return read_whole_file(AT_FDCWD, file, max_settings_bytes);
}

loaded_supervisor load_supervisor(const std::string& file) {
  auto text = settings_text(file);
  if (text)
    return parse_supervisor(*text, file);
  loaded_supervisor loaded;
  loaded.findings.file = file;
  loaded.findings.error({}, "cannot_read", text.error().message);
  return loaded;
}

bool is_supervisor_text(std::string_view text) {
  diagnostics ignored;
  findings out(ignored);
  json_reader json(chunks_of(text), out);
  if (json.value().kind != json_kind::object)
    return false;
  std::string_view key;
  place where;
  while (json.next_member(key, where)) {
    if (key == "pipelines")
      return true;
    json.skip(json.value());
  }
  return false;
}

std::vector<std::string> pipeline_files(const supervisor_settings& settings, const std::string& folder,
                                        diagnostics& out) {
  std::vector<std::string> files;
  const auto disk = posix_file_system::open(folder);
  if (!disk) {
    out.error({}, "cannot_read", disk.error().message);
    return files;
  }
  const auto add = [&](const std::string& path) {
    const auto full = path.starts_with('/') ? path : folder + "/" + path;
    if (std::find(files.begin(), files.end(), full) == files.end())
      files.push_back(full);
  };
  for (const auto& pattern : settings.pipelines) {
    declared_path path;
    read_path(pattern.text, path);
    if (!path.glob) {
      add(path.text);
      continue;
    }
    const auto found = (*disk)->glob(path.text, {});
    if (!found)
      out.error(pattern.where, "cannot_read", found.error().message);
    else if (found->empty())
      out.warning(pattern.where, "empty_glob", "no file matches " + in_quotes(pattern.text));
    else
      for (const auto& one : *found)
        add(one);
  }
  return files;
}

} // namespace troupe_internal::config
