// One request: find, verify, read, take in, answer.
#include "serve/hook_desk.hpp"

#include "base/json_writer.hpp"
#include "base/utf8.hpp"
#include "core/journal/event_json.hpp"
#include "serve/api.hpp"
#include "serve/hook_signature.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

namespace troupe_internal::serve {

namespace {

constexpr std::size_t longest_key = 255;

/// "application/json" of "Application/JSON; charset=utf-8".
std::string media_type(const http_request& request) {
  const auto* const type = only_field(request.headers, "content-type");
  if (type == nullptr)
    return {};
  std::string out = type->substr(0, type->find(';'));
  while (!out.empty() && out.back() == ' ')
    out.pop_back();
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

int hex_value(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

/// The header with the key of a request, where its trigger names none.
std::string_view key_header(webhook_scheme scheme) {
  switch (scheme) {
  case webhook_scheme::standard:
    return "webhook-id";
  case webhook_scheme::github:
    return "x-github-delivery";
  default:
    return "idempotency-key";
  }
}

http_response with_retry(http_response response, unsigned seconds) {
  response.headers.emplace_back("Retry-After", std::to_string(seconds));
  return response;
}

std::optional<http_response> bad_key(std::string_view key) {
  if (key.size() > longest_key)
    return http_problem(400, "bad_key", "the request's key has more than " + std::to_string(longest_key) + " bytes");
  const bool has_control =
      std::any_of(key.begin(), key.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (has_control || !is_utf8(key))
    return http_problem(400, "bad_key", "the request's key is no plain text");
  return std::nullopt;
}

} // namespace

std::optional<std::string> payload_of_form(std::string_view form) {
  std::optional<std::string> found;
  for (auto left = form;;) {
    const auto field = left.substr(0, left.find('&'));
    const auto name = decoded(field.substr(0, field.find('=')));
    if (!name)
      return std::nullopt;
    if (*name == "payload") {
      if (found || field.find('=') == std::string_view::npos)
        return std::nullopt;
      found = decoded(field.substr(field.find('=') + 1));
      if (!found)
        return std::nullopt;
    }
    if (field.size() == left.size())
      return found;
    left.remove_prefix(field.size() + 1);
  }
}

std::string answer_text(const taken_event& taken) {
  std::ostringstream text;
  {
    json_writer json(text);
    const auto number = [&](std::string_view name, std::uint64_t value) {
      json.key(name);
      if (value == 0)
        json.null();
      else
        json.value(value);
    };
    json.begin_object();
    number("event", taken.duplicate_of != 0 ? taken.duplicate_of : taken.event);
    json.member("fate", to_string(taken.fate));
    number("run", taken.run.value);
    number("duplicate_of", taken.duplicate_of);
    json.key("because");
    if (taken.because.empty())
      json.null();
    else
      json.value(taken.because);
    json.end_object();
  }
  return text.str() + "\n";
}

void hook_desk::complain(const std::string& name, const std::string& why) {
  constexpr auto between = std::chrono::minutes(1);
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    auto [at, is_new] = complained_.try_emplace(name, now);
    if (!is_new && now - at->second < between)
      return;
    at->second = now;
  }
  log_("webhook " + name + ": a request was refused: " + why);
}

void hook_desk::reload() {
  secrets_.forget();
  for (const auto& of : desk_.pipelines())
    for (const auto& what : of.set->triggers)
      if (const auto problem = secrets_.problem_of(trigger_desk::target_of(of, what)); !problem.empty())
        log_("webhook " + of.pipeline + "/" + what.name + ": " + problem);
}

refused_hooks hook_desk::refused() const {
  return {refused_.unknown, refused_.signature, refused_.unreadable, refused_.values, refused_.busy};
}

std::optional<http_response> hook_desk::verify(const http_request& request, const trigger_desk::target& at,
                                               const webhook_source& hook) {
  if (hook.scheme == webhook_scheme::unsigned_)
    return refuse_foreign_page(request, rules_);
  const auto keys = secrets_.keys_of(at);
  if (!keys) {
    complain(at.name(), keys.error().message);
    return with_retry(http_problem(503, "no_secret",
                                   "this webhook cannot check requests now: its supervisor's log "
                                   "says why"),
                      60);
  }
  if (const auto problem = signature_problem(hook, *keys, request.headers, request.body, time_.now());
      !problem.empty()) {
    ++refused_.signature;
    complain(at.name(), problem);
    return http_problem(401, "bad_signature", "the request is not signed as this webhook asks for");
  }
  return std::nullopt;
}

std::optional<http_response> hook_desk::read(const http_request& request, const trigger_desk::target& at,
                                             arrival& into) {
  const auto& hook = std::get<webhook_source>(at.what->source);
  const auto unreadable = [&](http_response response) {
    ++refused_.unreadable;
    return response;
  };
  const auto type = media_type(request);
  const bool is_form = hook.scheme == webhook_scheme::github && type == "application/x-www-form-urlencoded";
  const bool is_json = type == "application/json" || (hook.scheme != webhook_scheme::unsigned_ &&
                                                      type.starts_with("application/") && type.ends_with("+json"));
  if (!is_form && !is_json)
    return unreadable(http_problem(
        415, "no_json",
        hook.scheme == webhook_scheme::github
            ? "send application/json, or application/x-www-form-urlencoded with the JSON in the field payload"
            : "send Content-Type: application/json"));
  into.source = event_source::webhook;
  into.body = request.body;
  if (is_form) {
    auto payload = payload_of_form(request.body);
    if (!payload)
      return unreadable(http_problem(400, "bad_body", "the form has no field payload, or more than one"));
    into.body = std::move(*payload);
  }
  if (into.body.empty())
    return unreadable(http_problem(400, "bad_body", "the request has no body; it takes JSON"));
  auto body = event_body::parse(into.body);
  if (!body)
    return unreadable(http_problem(400, "bad_body", body.error().message));
  for (const auto& [name, value] : request.headers)
    into.headers.try_emplace(name, value);
  if (hook.key) {
    event_values values;
    values.body = [&](const std::vector<std::string>& path) { return body->at(path); };
    values.header = [&](std::string_view name) {
      const auto found = into.headers.find(name);
      return found == into.headers.end() ? std::nullopt : std::optional(found->second);
    };
    auto key = render(*hook.key, values);
    if (!key || key->empty())
      into.reject_because = "the request has no key: there is nothing at " + hook.key->written;
    else
      into.key = std::move(*key);
  } else if (const auto key = into.headers.find(key_header(hook.scheme)); key != into.headers.end()) {
    into.key = key->second;
  }
  if (auto problem = bad_key(into.key))
    return unreadable(std::move(*problem));
  into.parsed = std::make_shared<const event_body>(std::move(*body));
  into.keeps_rejected = hook.scheme != webhook_scheme::unsigned_;
  return std::nullopt;
}

http_response hook_desk::answer_of(const result<std::vector<taken_event>>& taken) {
  constexpr unsigned soon_s = 5;
  if (!taken) {
    const auto& why = taken.error();
    if (why.code == error_code::busy) {
      ++refused_.busy;
      return serve::problem_of(why);
    }
    if (why.code == error_code::stopped)
      return with_retry(http_problem(503, "stopping", "the supervisor is stopping: send it again"), soon_s);
    return with_retry(http_problem(503, "state_unusable", "the request cannot be taken in now: send it again"), soon_s);
  }
  const auto& one = taken->front();
  if (one.fate == event_fate::rejected) {
    ++refused_.values;
    return http_problem(422, one.key_conflict ? "key_conflict" : "refused_value",
                        one.because + (one.event == 0 ? "" : " (event " + std::to_string(one.event) + ")"));
  }
  http_response answer{202, "application/json", {}, answer_text(one)};
  if (one.fate == event_fate::duplicate || one.fate == event_fate::filtered || one.fate == event_fate::skipped)
    answer.status = 200;
  if (one.fate == event_fate::duplicate)
    answer.headers.emplace_back("Idempotent-Replay", "true");
  return answer;
}

void hook_desk::take(const http_request& request, const std::string& pipeline, const std::string& name,
                     std::shared_ptr<http_answer> answer) {
  const auto at = desk_.find(pipeline + "/" + name);
  const auto* const hook = at ? std::get_if<webhook_source>(&at->what->source) : nullptr;
  if (hook == nullptr || !at->what->enabled) {
    ++refused_.unknown;
    return answer->send(http_problem(404, "not_found", "there is no such webhook"));
  }
  if (auto refused = verify(request, *at, *hook))
    return answer->send(std::move(*refused));
  if (const auto* const kind = only_field(request.headers, "x-github-event");
      hook->scheme == webhook_scheme::github && kind != nullptr && *kind == "ping")
    return answer->send({200,
                         "application/json",
                         {},
                         "{\"event\": null, \"fate\": \"ping\", \"run\": null, \"duplicate_of\": null}\n"});
  arrival what;
  if (auto refused = read(request, *at, what))
    return answer->send(std::move(*refused));
  if (const auto paused = desk_.is_paused(*at); !paused)
    return answer->send(answer_of(paused.error()));
  else if (*paused)
    what.skip_because = "the trigger is paused";
  std::vector<arrival> all;
  all.push_back(std::move(what));
  const auto took =
      desk_.take_soon(*at, std::move(all), [this, answer](auto taken) { answer->send(answer_of(taken)); });
  if (took)
    return;
  if (took.error().code == error_code::invalid_input)
    complain(at->name(), took.error().message);
  answer->send(answer_of(took.error()));
}

} // namespace troupe_internal::serve
