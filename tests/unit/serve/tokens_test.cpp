// Tokens in a state's folder: made, found, revoked; of none but the owner's does the disk know what it is.
#include "serve/tokens.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::serve;

namespace {

struct tokens_world {
  temporary_folder folder;
  state_dir::handle dir = state_dir::open_or_make(folder / "state").value();
  timestamp now{std::chrono::seconds(1'000'000)};

  [[nodiscard]] std::string path(std::string_view name) const { return dir->path() + "/" + std::string(name); }
  [[nodiscard]] std::string file(std::string_view name) const {
    std::ifstream in(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] std::optional<token_bearer> bearer(std::string_view token, duration later = {}) const {
    return find_bearer(*dir, token, now + later).value();
  }
};

} // namespace

TEST_CASE("the owner's token is made once, for this user's eyes alone, and writes") {
  const tokens_world w;
  CHECK_FALSE(w.bearer("").has_value());
  CHECK_FALSE(w.bearer("anything").has_value());
  REQUIRE(make_owner_token(*w.dir).has_value());
  const auto text = w.file("token");
  REQUIRE(make_owner_token(*w.dir).has_value());
  CHECK(w.file("token") == text);
  struct stat info {};
  REQUIRE(stat(w.path("token").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(w.bearer(text.substr(0, text.size() - 1))->scope == access_scope::write);
  CHECK_FALSE(w.bearer(text).has_value()); // with its line's end it is another one
  CHECK_FALSE(w.bearer("").has_value());
}

TEST_CASE("an empty token file is nobody's token") {
  const tokens_world w;
  REQUIRE(w.dir->write("token", "\n").has_value());
  CHECK_FALSE(w.bearer("").has_value());
}

TEST_CASE("a token is found by what it is until it is revoked, rotated, or over") {
  const tokens_world w;
  const auto reads = create_token(*w.dir, "grafana", access_scope::read, w.now, std::nullopt).value();
  const auto writes = create_token(*w.dir, "deploy", access_scope::write, w.now, w.now + std::chrono::hours(1)).value();
  CHECK(reads != writes);
  CHECK(w.bearer(reads)->name == "grafana");
  CHECK(w.bearer(reads)->scope == access_scope::read);
  CHECK(w.bearer(writes)->scope == access_scope::write);
  CHECK_FALSE(w.bearer(writes, std::chrono::hours(1)).has_value());
  CHECK(w.file("tokens.json").find(reads) == std::string::npos);
  CHECK(list_tokens(*w.dir)->size() == 2);

  const auto again = rotate_token(*w.dir, "grafana", w.now).value();
  CHECK_FALSE(w.bearer(reads).has_value());
  CHECK(w.bearer(again)->scope == access_scope::read);
  REQUIRE(revoke_token(*w.dir, "grafana").has_value());
  CHECK_FALSE(w.bearer(again).has_value());
  CHECK(w.bearer(writes)->name == "deploy");
  CHECK(revoke_token(*w.dir, "grafana").error().code == error_code::not_found);
  CHECK(rotate_token(*w.dir, "grafana", w.now).error().code == error_code::not_found);
}

TEST_CASE("the owner's token is rotated, not revoked, and its name is taken") {
  const tokens_world w;
  REQUIRE(make_owner_token(*w.dir).has_value());
  const auto before = w.file("token");
  const auto after = rotate_token(*w.dir, "owner", w.now).value();
  CHECK(w.file("token") == after + "\n");
  CHECK(before != after + "\n");
  CHECK(revoke_token(*w.dir, "owner").error().code == error_code::invalid_input);
  CHECK(create_token(*w.dir, "owner", access_scope::read, w.now, std::nullopt).error().code ==
        error_code::invalid_input);
}

TEST_CASE("who changes tokens at the same time loses nothing, and brings nothing back") {
  const tokens_world w;
  const auto doomed = create_token(*w.dir, "doomed", access_scope::write, w.now, std::nullopt).value();
  std::vector<std::thread> many;
  for (int i = 0; i < 8; ++i)
    many.emplace_back([&w, i] {
      for (int k = 0; k < 5; ++k)
        CHECK(create_token(*w.dir, std::to_string(i) + "-" + std::to_string(k), access_scope::read, w.now, std::nullopt)
                  .has_value());
    });
  CHECK(revoke_token(*w.dir, "doomed").has_value());
  for (auto& one : many)
    one.join();
  CHECK(list_tokens(*w.dir)->size() == 40);
  CHECK_FALSE(w.bearer(doomed).has_value());
}

TEST_CASE("names that are taken or could be misread are refused") {
  const tokens_world w;
  REQUIRE(create_token(*w.dir, "a", access_scope::read, w.now, std::nullopt).has_value());
  for (const auto& name : {std::string("a"), std::string(), std::string("a b"), std::string("a/b"), std::string("\n"),
                           std::string(101, 'x')})
    CHECK_MESSAGE(create_token(*w.dir, name, access_scope::read, w.now, std::nullopt).error().code ==
                      error_code::invalid_input,
                  name);
}

TEST_CASE("a file that is not as it was written lets nobody in") {
  const tokens_world w;
  for (const auto* text : {"", "[]", "{\"tokens\": 1", "{\"tokens\": [1]}", "nothing"}) {
    REQUIRE(w.dir->write("tokens.json", text).has_value());
    CHECK_MESSAGE(find_bearer(*w.dir, "x", w.now).error().code == error_code::state_unusable, text);
  }
  REQUIRE(w.dir->write("tokens.json", R"({"tokens": [{"name": "x", "sha256": "", "scope": "all"}], "more": {}})")
              .has_value());
  CHECK_FALSE(w.bearer("").has_value());
}
