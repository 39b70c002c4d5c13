// What comes from outside: webhooks and their secrets, sensors and their commands.
#include "config/source_reader.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal::config {

void source_reader::webhook() {
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

void source_reader::sensor() {
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

std::optional<event_template> source_reader::event_value(const std::string& written, place where) {
  auto value = parse_event_value(written);
  if (value)
    return std::move(*value);
  wrong(where, "bad_template", value.error().message);
  return std::nullopt;
}

void source_reader::secrets(std::vector<secret_source>& into) {
  const auto v = values_.next();
  if (v.kind == json_kind::object)
    return secret(v.where, into);
  if (v.kind != json_kind::array) {
    into_.broken = true;
    // Not what was found: it may be the secret.
    if (v.kind != json_kind::none)
      values_.out.error(v.where, "wrong_type",
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

void source_reader::secret(place where, std::vector<secret_source>& into) {
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

void source_reader::webhook_agrees(const webhook_source& source, place opened) {
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

void source_reader::command(sensor_source& source) {
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

} // namespace troupe_internal::config
