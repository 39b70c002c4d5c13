// Which folder a path leads to, against a naive resolver that remembers nothing, and against the system's own.
#include "adapters/files/folder_resolver.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>
#include <random>
#include <set>

using namespace troupe_internal;
namespace fs = std::filesystem;

namespace {

struct tree {
  temporary_folder folder;
  std::string root = fs::canonical(folder.path()).string();
  std::unique_ptr<posix_file_system> files = posix_file_system::open(folder.path()).value();

  void link(const std::string& target, const std::string& name) const {
    fs::create_directories((fs::path(root) / name).parent_path());
    fs::create_symlink(target, fs::path(root) / name);
  }
  [[nodiscard]] std::string of(const std::string& path) const { return files->resolver().identity_of(path); }
  [[nodiscard]] std::string folder_of(const std::string& path) const {
    return files->resolver().resolve(path).identity;
  }
};

/// Component by component; what is missing, and what leads in circles, is taken as it is.
std::string naive(const std::string& from, const std::string& path, int& hops) {
  fs::path at = path.starts_with('/') ? "/" : from;
  for (const auto& part : fs::path(path).relative_path()) {
    if (part == "." || part.empty())
      continue;
    if (part == "..") {
      at = at.parent_path();
      continue;
    }
    std::error_code none;
    const auto target = fs::read_symlink(at / part, none);
    if (none || ++hops > 40)
      at /= part;
    else
      at = naive(at.string(), target.string(), hops);
  }
  return at.string();
}

std::string as_identity(const std::string& root, const std::string& absolute) {
  if (absolute == root)
    return ".";
  return absolute.starts_with(root + "/") ? absolute.substr(root.size() + 1) : absolute;
}

} // namespace

TEST_CASE("a file is one, however its folder is spelt") {
  const tree t;
  t.folder.write("out/x", "");
  t.link("out", "lnk");
  t.link(t.root + "/out", "abs");
  t.link("..", "out/up");
  t.link(".", "here");
  const auto name = fs::path(t.root).filename().string();
  for (const auto& path :
       {std::string("out/x"), std::string("lnk/x"), std::string("abs/x"), std::string("out/up/out/x"),
        std::string("here/here/out/x"), "../" + name + "/out/x", t.root + "/out/x", t.root + "/lnk/x"})
    CHECK(t.of(path) == "out/x");
  CHECK(t.of("lnk") == "lnk"); // the last component is kept
  CHECK(t.folder_of("lnk") == "out");
  CHECK(t.of(t.root) == ".");
  CHECK(t.of("..") == fs::path(t.root).parent_path().string());
  CHECK(t.of("../x") == fs::path(t.root).parent_path().string() + "/x");
  CHECK(t.of("/x") == "/x");
  CHECK(t.of("not/there/x") == "not/there/x");
  CHECK(t.of("lnk/not/x") == "out/not/x");
  CHECK(t.of("out/up/new/x") == "new/x");
}

TEST_CASE("a link that leads nowhere yet leads where it will") {
  const tree t;
  t.link("made/later", "lnk");
  CHECK(t.of("lnk/x") == "made/later/x");
  t.folder.write("made/later/x", "");
  CHECK(t.of("lnk/x") == "made/later/x");
}

TEST_CASE("links in circles end") {
  const tree t;
  t.link("b", "a");
  t.link("a", "b");
  CHECK_FALSE(t.of("a/x").empty());
  CHECK(t.files->resolver().chain_of("a").size() <= 41);
}

TEST_CASE("the chain of a link names each file on the way, and the links in its folders") {
  const tree t;
  t.folder.write("v/1/data", "");
  t.link("v/1", "current");
  t.link("current/data", "latest");
  t.link("latest", "stable");
  t.link("missing", "broken");
  auto resolver = t.files->resolver();
  CHECK(resolver.chain_of("stable") == std::vector<std::string>{"latest", "current", "v/1/data"});
  CHECK(resolver.chain_of("broken") == std::vector<std::string>{"missing"});
  CHECK(resolver.chain_of("v/1/data").empty());
  CHECK(resolver.chain_of("not there").empty());
  CHECK(resolver.resolve("current").links == std::vector<std::string>{"current"});
}

TEST_CASE("property: identities are those of a naive resolver, few or many names asked in a folder") {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    std::mt19937 chance(seed);
    const tree t;
    const auto any = [&](std::size_t n) { return static_cast<std::size_t>(chance() % n); };
    const std::vector<std::string> names{"a", "b", "c", "d"};
    const auto path = [&](std::size_t most) {
      std::string text;
      for (std::size_t i = 0, n = 1 + any(most); i < n; ++i)
        text += (i == 0 ? "" : "/") + (any(6) == 0 ? std::string("..") : names[any(names.size())]);
      return text;
    };
    for (int i = 0; i < 6; ++i) {
      std::error_code taken;
      fs::create_directories(fs::path(t.root) / names[any(4)] / names[any(4)], taken);
    }
    for (int i = 0; i < 6; ++i) {
      const auto where = fs::path(t.root) / (any(2) == 0 ? "" : names[any(4)]) / ("l" + std::to_string(any(3)));
      std::error_code taken;
      fs::create_symlink(any(4) == 0 ? t.root + "/" + names[any(4)] : path(3), where, taken);
    }
    if (seed % 2 == 0) // so that folders are read instead of asked
      for (int i = 0; i < 40; ++i)
        t.folder.write("f" + std::to_string(i), "");
    auto resolver = t.files->resolver();
    for (int i = 0; i < 200; ++i) {
      auto asked = path(3);
      if (any(3) != 0)
        asked = (any(2) == 0 ? "" : names[any(4)] + "/") + ("l" + std::to_string(any(3))) + "/" + asked;
      if (seed % 2 == 0 && any(2) == 0)
        asked = "f" + std::to_string(any(40)) + "/x";
      if (any(5) == 0)
        asked = t.root + "/" + asked;
      CAPTURE(asked);
      int hops = 0;
      const auto last = fs::path(asked).filename();
      std::string expected =
          last == ".." ? naive(t.root, asked, hops)
                       : (fs::path(naive(t.root, fs::path(asked).parent_path().string(), hops)) / last).string();
      if (hops <= 40)
        CHECK(resolver.identity_of(asked) == as_identity(t.root, expected));
      std::error_code missing;
      const auto real = fs::canonical(fs::path(t.root) / asked, missing);
      if (!missing && fs::is_directory(real))
        CHECK(resolver.resolve(asked).identity == as_identity(t.root, real.string()));
    }
  }
}
