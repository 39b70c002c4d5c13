// `troupe token`: who may use the HTTP interface over TCP.
#include "adapters/system/system_clock.hpp"
#include "cli/run_text.hpp"
#include "cli/verbs.hpp"
#include "config/value_text.hpp"
#include "serve/tokens.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <memory>

namespace troupe_internal::cli {

namespace {

result<state_dir::handle> state_of(invocation& with) {
  auto folder = with.state_folder();
  if (!folder)
    return folder.error();
  auto dir = state_dir::open(*folder);
  if (dir)
    if (auto ours = (*dir)->require_ours(); !ours)
      return ours.error();
  return dir;
}

int show_once(invocation& with, const result<std::string>& token) {
  if (!token)
    return with.report(token.error());
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    begin_document(json);
    json.member("token", *token).end_object().finish();
  } else {
    with.io.out.stream << *token << "\n";
    with.io.err.stream << "keep it: it is not shown again\n";
  }
  return exit_ok;
}

int create(invocation& with, const std::string& name, const std::string& scope, const std::string& expires) {
  const auto dir = state_of(with);
  if (!dir)
    return with.report(dir.error());
  const auto now = system_clock().now();
  std::optional<timestamp> end;
  if (!expires.empty()) {
    const auto span = config::parse_duration(expires);
    if (!span || *span <= duration::zero())
      return with.report(fail(error_code::invalid_input, "--expires takes a duration, \"90d\", not '" + expires + "'"));
    end = now + *span;
  }
  return show_once(with, serve::create_token(**dir, name,
                                             scope == "write" ? serve::access_scope::write : serve::access_scope::read,
                                             now, end));
}

int list(invocation& with) {
  const auto dir = state_of(with);
  if (!dir)
    return with.report(dir.error());
  const auto tokens = serve::list_tokens(**dir);
  if (!tokens)
    return with.report(tokens.error());
  auto& to = with.io.out;
  if (with.options.json) {
    json_writer json(to.stream);
    begin_document(json);
    json.key("tokens").begin_array();
    for (const auto& token : *tokens) {
      json.begin_object().member("name", token.name).member("scope", to_string(token.scope));
      json.member("created_at", to_rfc3339(token.created)).key("expires_at");
      if (token.expires)
        json.value(to_rfc3339(*token.expires));
      else
        json.null();
      json.end_object();
    }
    json.end_array().end_object().finish();
    return exit_ok;
  }
  if (tokens->empty()) {
    to.stream << "no tokens but the owner's\n";
    return exit_ok;
  }
  table rows({{"NAME", false, true}, {"SCOPE", false, false}, {"CREATED", false, false}, {"EXPIRES", false, false}});
  for (const auto& token : *tokens)
    rows.row({token.name, std::string(to_string(token.scope)), local_time(token.created),
              token.expires ? local_time(*token.expires) : "never"});
  rows.print(to);
  return exit_ok;
}

int revoke(invocation& with, const std::string& name) {
  const auto dir = state_of(with);
  if (!dir)
    return with.report(dir.error());
  const auto revoked = serve::revoke_token(**dir, name);
  if (!revoked)
    return with.report(revoked.error());
  with.io.out.stream << "revoked " << name << "\n";
  return exit_ok;
}

int rotate(invocation& with, const std::string& name) {
  const auto dir = state_of(with);
  if (!dir)
    return with.report(dir.error());
  return show_once(with, serve::rotate_token(**dir, name, system_clock().now()));
}

} // namespace

void declare_token(command_spec& root, invocation& with) {
  struct arguments {
    std::string name, scope = "read", expires;
  };
  auto to = std::make_shared<arguments>();
  auto& verb = root.subcommand("token", "Tokens for the HTTP interface of a supervisor over TCP");
  auto& made = verb.subcommand("create", "Make a token, and show it once");
  made.positional("NAME", to->name, true, "what it is known by");
  made.choice("--scope", "SCOPE", to->scope, {"read", "write"}, "what it lets its bearer do (default: read)");
  made.text("--expires", "TIME", to->expires, "how long it is good, 90d; default: for ever");
  made.examples = {{"troupe token create grafana", "a token that may only read"},
                   {"troupe token create deploy --scope write --expires 90d", "one that may start and cancel runs"}};
  made.action = [to, &with] { return create(with, to->name, to->scope, to->expires); };
  auto& listed = verb.subcommand("list", "List the tokens, without what they are");
  listed.examples = {{"troupe token list", "who may use the HTTP interface"}};
  listed.action = [&with] { return list(with); };
  auto& revoked = verb.subcommand("revoke", "Make a token void at once");
  revoked.positional("NAME", to->name, true, "the token");
  revoked.examples = {{"troupe token revoke grafana", "its next request is refused"}};
  revoked.action = [to, &with] { return revoke(with, to->name); };
  auto& rotated = verb.subcommand("rotate", "Make a new token in the place of an old one, and show it once");
  rotated.positional("NAME", to->name, true, "the token; owner: the one in the state's folder");
  rotated.examples = {{"troupe token rotate deploy", "the old one is void at once"}};
  rotated.action = [to, &with] { return rotate(with, to->name); };
}

} // namespace troupe_internal::cli
