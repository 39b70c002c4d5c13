// What of a definition counts in the fingerprint, part by part, and what does not.
#include "core/freshness/definition.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace troupe_internal;
using test::pipeline_builder;

namespace {

using env_values = std::map<std::string, std::string>;

env_lookup found_in(const env_values& values) {
  return [&values](const env_entry& e) {
    const auto at = values.find(e.text);
    return at == values.end() ? std::nullopt : std::optional(at->second);
  };
}

/// As executed, the inputs being those declared.
fingerprint defined(const pipeline& p, const env_values& values = {}, std::string_view name = "a",
                    std::uint32_t steps_up = command_paths::any_steps) {
  fingerprint out;
  const auto asset = *p.find(name);
  std::vector<std::string_view> inputs;
  for (const auto& input : p.asset(asset).inputs)
    inputs.push_back(p.path(input.path));
  definer().define({p, asset, "a run", inputs, {}, steps_up}, found_in(values), out);
  return out;
}

fingerprint declared(const pipeline& p, const env_values& values = {}, std::string_view name = "a") {
  fingerprint out;
  define_as_declared(p, *p.find(name), found_in(values), out);
  return out;
}

/// The fingerprint of an asset with these settings, its command being shell text unless said otherwise.
fingerprint with(const std::function<void(asset_settings&)>& change, const env_values& values = {},
                 const std::string& command = "make it") {
  pipeline_builder b;
  b.asset("a").command(command).with(change);
  return defined(*b.build(), values);
}

std::uint64_t number(const pipeline& p) {
  return definition_number(p, *p.find("a"), declared(p));
}

const auto nothing = [](asset_settings&) {};

} // namespace

TEST_CASE("the command counts: its text, its kind, its shell and its folder") {
  const auto base = with(nothing);
  CHECK(with(nothing) == base);
  CHECK(with(nothing, {}, "make it ").command != base.command);
  CHECK(with([](auto& s) { s.shell = "/bin/bash"; }).command != base.command);
  CHECK(with([](auto& s) { s.cwd = "sub"; }).command != base.command);
  pipeline_builder argv;
  argv.asset("a").argv({"make it"});
  CHECK(defined(*argv.build()).command != base.command);
  SUBCASE("no two lists of words look alike") {
    pipeline_builder two;
    two.asset("a").argv({"make", "it"});
    pipeline_builder other;
    other.asset("a").argv({"mak", "eit"});
    CHECK(defined(*two.build()).command != defined(*other.build()).command);
    CHECK(defined(*two.build()).command != defined(*argv.build()).command);
  }
  SUBCASE("the shell is nothing to a command that uses none") {
    pipeline_builder other;
    other.asset("a").argv({"make it"}).with([](auto& s) { s.shell = "/bin/bash"; });
    CHECK(defined(*other.build()).command == defined(*argv.build()).command);
  }
}

TEST_CASE("matrix values count where they are used") {
  pipeline_builder b;
  b.asset("a").command("make {{ matrix.x }}").matrix("x", {"1", "2"}).matrix("y", {"1", "2"});
  const auto p = b.build();
  CHECK(defined(*p, {}, "a[1,1]").command != defined(*p, {}, "a[2,1]").command);
  CHECK(defined(*p, {}, "a[1,2]").command != defined(*p, {}, "a[2,1]").command);
  CHECK(defined(*p, {}, "a[1,1]").command == defined(*p, {}, "a[1,2]").command);
  CHECK(declared(*p, {}, "a[1,1]").command != declared(*p, {}, "a[1,2]").command);
}

TEST_CASE("how an asset is run does not count: retries, time-outs, pools, priority, names for people") {
  const auto base = with(nothing);
  CHECK(with([](auto& s) {
          s.retry.attempts = 7;
          s.timeout = std::chrono::seconds(1);
          s.pools["db"] = 1;
          s.priority = 5;
          s.allow_failure = true;
          s.always = true;
          s.max_age = std::chrono::hours(1);
          s.durability = durability::strict;
          s.max_log = 1;
          s.tags = {"t"};
          s.group = "g";
          s.owners = {"o"};
          s.ignore_warnings = {"empty_glob"};
        }) == base);
}

TEST_CASE("the version counts, as text") {
  CHECK(with([](auto& s) { s.version = "2"; }).version == "2");
  CHECK(with([](auto& s) { s.version = "2"; }).command == with(nothing).command);
}

TEST_CASE("declared variables count by name and text, in whatever order they stand") {
  const auto ab = with([](auto& s) {
    s.env = {{"A", env_source::literal, "1", false}, {"B", env_source::literal, "2", false}};
  });
  const auto ba = with([](auto& s) {
    s.env = {{"B", env_source::literal, "2", false}, {"A", env_source::literal, "1", false}};
  });
  CHECK(ab == ba);
  REQUIRE(ab.env.size() == 2);
  CHECK(ab.env[0].name == "A");
  const auto other = with([](auto& s) {
    s.env = {{"A", env_source::literal, "x", false}, {"B", env_source::literal, "2", false}};
  });
  CHECK(other.env[0].value != ab.env[0].value);
  CHECK(other.env[1] == ab.env[1]);
}

TEST_CASE("a variable taken from outside counts by its value") {
  const auto from_env = [](auto& s) { s.env = {{"A", env_source::from_env, "HOME", false}}; };
  CHECK(with(from_env, {{"HOME", "/a"}}) == with(from_env, {{"HOME", "/a"}}));
  CHECK(with(from_env, {{"HOME", "/a"}}) != with(from_env, {{"HOME", "/b"}}));
  SUBCASE("unset is not empty") {
    CHECK(with(from_env, {}) != with(from_env, {{"HOME", ""}}));
  }
  SUBCASE("the newline that ends a file is no part of it, since it is not passed; one of a variable is") {
    const auto from_file = [](auto& s) { s.env = {{"A", env_source::from_file, "key", false}}; };
    CHECK(with(from_file, {{"key", "x\r\n"}}) == with(from_file, {{"key", "x"}}));
    CHECK(with(from_file, {{"key", "x\ny"}}) != with(from_file, {{"key", "x"}}));
    CHECK(with(from_env, {{"HOME", "/a\n"}}) != with(from_env, {{"HOME", "/a"}}));
  }
  SUBCASE("where the value comes from is nothing to what it is") {
    const auto from_file = [](auto& s) { s.env = {{"A", env_source::from_file, "HOME", false}}; };
    CHECK(with(from_file, {{"HOME", "/a"}}) == with(from_env, {{"HOME", "/a"}}));
    CHECK(with([](auto& s) { s.env = {{"A", env_source::literal, "/a", false}}; }) == with(from_env, {{"HOME", "/a"}}));
  }
}

TEST_CASE("of a secret the name and the source count, the value never") {
  const auto secret = [](auto& s) { s.env = {{"PGPASSWORD", env_source::from_env, "PW", true}}; };
  CHECK(with(secret, {{"PW", "one"}}) == with(secret, {{"PW", "two"}}));
  CHECK(with(secret, {{"PW", "one"}}) == with(secret, {}));
  CHECK(with(secret) != with([](auto& s) { s.env = {{"PGPASSWORD", env_source::from_env, "OTHER", true}}; }));
  CHECK(with(secret) != with([](auto& s) { s.env = {{"PGPASSWORD", env_source::from_file, "PW", true}}; }));
  CHECK(with(secret) != with([](auto& s) { s.env = {{"PASSWORD", env_source::from_env, "PW", true}}; }));
}

TEST_CASE("of a secret param the name counts wherever it is inserted, the value never") {
  const auto made = [](const std::string& command, const std::string& value, bool secret, const std::string& env = "") {
    pipeline_builder b;
    b.asset("a").command(command).with([&](auto& s) {
      if (!env.empty())
        s.env = {{"E", env_source::literal, env, false}};
    });
    const auto p = b.build();
    p->params["token"] = {param_value::type::string, value, secret};
    p->params["other"] = {param_value::type::string, value, secret};
    return std::pair(defined(*p), declared(*p));
  };
  const std::string uses = "x {{ params.token }}";
  CHECK(made(uses, "one", true) == made(uses, "two", true));
  CHECK(made("x", "one", true, "a {{ params.token }}") == made("x", "two", true, "a {{ params.token }}"));
  CHECK(made(uses, "one", true).first != made("x {{ params.other }}", "one", true).first);
  CHECK(made(uses, "one", true).first != made(uses, "one", false).first);
  CHECK(made(uses, "***", true).first != made(uses, "***", false).first);
  CHECK(made(uses, "one", true).second != made(uses, "one", false).second);
}

TEST_CASE("which variables are inherited counts, their order does not; the whole environment's values never count") {
  const auto only = [](std::vector<std::string> names) {
    return with([&](auto& s) {
      s.inherit_env = false;
      s.inherit_names = names;
    });
  };
  CHECK(only({}) != with(nothing));
  CHECK(only({"HOME"}) != only({}));
  CHECK(only({"HOME"}) != only({"PATH"}));
  CHECK(only({"HOME", "PATH"}) == only({"PATH", "HOME"}));
}

TEST_CASE("of the parameters those that are used are recorded, and what they become counts") {
  const auto asset = [](const std::string& command, const std::string& top, const std::string& other) {
    pipeline_builder b;
    b.param("top", top, param_value::type::number).param("other", other);
    b.asset("a").command(command).with([](auto& s) {
      s.env = {{"E", env_source::literal, "{{ params.top }}", false}};
    });
    b.asset("plain").command("make");
    return b.build();
  };
  const auto base = defined(*asset("make", "20", "x"));
  REQUIRE(base.params.size() == 1);
  CHECK(base.params[0].name == "top");
  CHECK(defined(*asset("make", "5", "x")).params != base.params);
  CHECK(defined(*asset("make", "5", "x")).env != base.env);
  CHECK(defined(*asset("make", "20", "y")) == base);
  CHECK(defined(*asset("make {{ params.other }}", "20", "x")).params.size() == 2);
  CHECK(defined(*asset("make", "20", "x"), {}, "plain").params.empty());
  CHECK(defined(*asset("make {{ params.top }}", "20", "x")).command !=
        defined(*asset("make {{ params.top }}", "5", "x")).command);
  CHECK(defined(*asset("make {{params.top}}", "20", "x")).command ==
        defined(*asset("make {{ params.top }}", "20", "x")).command);
  SUBCASE("by rule 0 it was the template's text, and the param by itself") {
    CHECK(declared(*asset("make {{ params.top }}", "20", "x")).command ==
          declared(*asset("make {{ params.top }}", "5", "x")).command);
    CHECK(declared(*asset("make {{params.top}}", "20", "x")).command !=
          declared(*asset("make {{ params.top }}", "20", "x")).command);
    CHECK(declared(*asset("make", "5", "x")).params == defined(*asset("make", "5", "x")).params);
  }
}

TEST_CASE("a definition leaves alone what is not its own, and forgets what was there") {
  pipeline_builder b;
  b.asset("a");
  fingerprint out;
  out.inputs = {{path_id(1U), quick_digest("x")}};
  out.env = {{"OLD", quick_digest("x")}};
  out.params = {{"old", quick_digest("x")}};
  out.version = "old";
  const auto p = b.build();
  SUBCASE("as executed") {
    definer().define({*p, asset_index(0U), "", {}}, found_in({}), out);
  }
  SUBCASE("as declared") {
    define_as_declared(*p, asset_index(0U), found_in({}), out);
  }
  CHECK(out.inputs.size() == 1);
  CHECK(out.env.empty());
  CHECK(out.params.empty());
  CHECK(out.version.empty());
}

TEST_CASE("a resumed run must find command, inputs, outputs and dependencies as they were") {
  const auto asset = [](const std::function<void(test::asset_builder&)>& change) {
    pipeline_builder b;
    b.asset("d");
    b.asset("e");
    auto& a = b.asset("a");
    a.command("make").inputs({"in.txt"}).outputs({"out.txt"}).deps({"d"});
    change(a);
    return number(*b.build());
  };
  const auto base = asset([](auto&) {});
  CHECK(asset([](auto&) {}) == base);
  CHECK(asset([](auto& a) { a.command("other"); }) != base);
  CHECK(asset([](auto& a) { a.inputs({"more.txt"}); }) != base);
  CHECK(asset([](auto& a) { a.outputs({"more.txt"}); }) != base);
  CHECK(asset([](auto& a) { a.deps({"e"}); }) != base);
  CHECK(asset([](auto& a) { a.with([](auto& s) { s.version = "2"; }); }) != base);
  CHECK(asset([](auto& a) { a.priority(9); }) == base);
  SUBCASE("a file and a glob of one text differ") {
    pipeline_builder file;
    file.asset("a").literal_input("x*");
    pipeline_builder glob;
    glob.asset("a").inputs({"x*"});
    CHECK(number(*file.build()) != number(*glob.build()));
  }
}
