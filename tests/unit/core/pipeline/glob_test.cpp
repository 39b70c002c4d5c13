// Globs, against a table and against a naive recursive matcher.
#include "core/pipeline/glob.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

using namespace troupe_internal;

namespace {

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> parts(1);
  for (const char c : path)
    c == '/' ? parts.emplace_back() : parts.back() += c, void();
  return parts;
}

/// Only literals, *, ? and [x], [!x] or [^x] with one letter: what the generator below makes.
bool naive_text(const std::string& p, const std::string& t) {
  if (p.empty())
    return t.empty();
  if (p[0] == '*')
    return naive_text(p.substr(1), t) || (!t.empty() && naive_text(p, t.substr(1)));
  if (t.empty())
    return false;
  if (p[0] == '?')
    return naive_text(p.substr(1), t.substr(1));
  if (p[0] == '[') {
    const bool negated = p[1] == '!' || p[1] == '^';
    const std::size_t at = negated ? 2 : 1;
    return (p[at] == t[0]) != negated && naive_text(p.substr(at + 2), t.substr(1));
  }
  return p[0] == t[0] && naive_text(p.substr(1), t.substr(1));
}

bool naive_path(const std::vector<std::string>& p, std::size_t i, const std::vector<std::string>& t, std::size_t k) {
  if (i == p.size())
    return k == t.size();
  if (p[i] == "**") {
    const bool last = i + 1 == p.size();
    for (std::size_t end = k; end <= t.size(); ++end) {
      if ((!last || end > k) && naive_path(p, i + 1, t, end))
        return true;
      if (end < t.size() && (t[end].empty() || t[end][0] == '.'))
        break;
    }
    return false;
  }
  if (k == t.size() || (t[k].empty() && !p[i].empty()))
    return false;
  if ((!t[k].empty() && t[k][0] == '.' && (p[i].empty() || p[i][0] != '.')))
    return false;
  return naive_text(p[i], t[k]) && naive_path(p, i + 1, t, k + 1);
}

/// Whether the pattern has something left once it has taken all components of the path.
bool naive_prefix(const std::vector<std::string>& p, std::size_t i, const std::vector<std::string>& t, std::size_t k) {
  if (k == t.size())
    return i < p.size();
  if (i == p.size())
    return false;
  const bool hidden = !t[k].empty() && t[k][0] == '.';
  if (p[i] == "**")
    return (i + 1 < p.size() && naive_prefix(p, i + 1, t, k)) ||
           (!hidden && !t[k].empty() && naive_prefix(p, i, t, k + 1));
  if (t[k].empty() && !p[i].empty()) // an empty component is matched by an empty one only
    return false;
  return (!hidden || (!p[i].empty() && p[i][0] == '.')) && naive_text(p[i], t[k]) && naive_prefix(p, i + 1, t, k + 1);
}

std::string joined(const std::vector<std::string>& pieces) {
  std::string all;
  for (const auto& piece : pieces)
    all += piece;
  return all;
}

} // namespace

TEST_CASE("a text is a glob when a wildcard stands unescaped in it") {
  CHECK(is_glob("*.txt"));
  CHECK(is_glob("a?"));
  CHECK(is_glob("a[b]"));
  CHECK(is_glob("a["));
  CHECK(is_glob("a\\\\*"));
  CHECK_FALSE(is_glob("a.txt"));
  CHECK_FALSE(is_glob(""));
  CHECK_FALSE(is_glob("a\\*\\?\\["));
  CHECK_FALSE(is_glob("a]"));
  CHECK_FALSE(is_glob("a\\"));
}

TEST_CASE("globs match paths component by component") {
  struct example {
    const char* pattern;
    const char* path;
    bool matches;
  };
  const example table[] = {
      {"a.txt", "a.txt", true},
      {"a.txt", "a.txtx", false},
      {"*.txt", "a.txt", true},
      {"*.txt", ".txt", false},
      {"*.txt", ".a.txt", false},
      {".*.txt", ".a.txt", true},
      {"\\.*", ".a", true},
      {"*.txt", "raw/a.txt", false},
      {"raw/*.txt", "raw/a.txt", true},
      {"raw/*.txt", "raw/x/a.txt", false},
      {"raw?a", "raw/a", false},
      {"raw[/]a", "raw/a", false},
      {"*", "", false},
      {"*", "a", true},
      {"?", "", false},
      {"?", "ä", true},
      {"?", "\xFF", true},
      {"[ä-ö]", "é", true},
      {"[ä-ö]", "a", false},
      {"a*b*c", "a__b__c", true},
      {"a*b*c", "a__c__b", false},
      {"**", "a", true},
      {"**", "a/b/c", true},
      {"**", "a/.b/c", false},
      {"**", "/a", false},
      {"/**", "/a/b", true},
      {"raw/**", "raw/a/b", true},
      {"raw/**", "raw", false},
      {"raw/**", "raws/a", false},
      {"**/a.txt", "a.txt", true},
      {"**/a.txt", "x/y/a.txt", true},
      {"**/a.txt", ".git/a.txt", false},
      {"**/.git/**", "x/.git/a", true},
      {"a/**/b", "a/b", true},
      {"a/**/b", "a/x/y/b", true},
      {"a/**/b", "a/.x/b", false},
      {"a/**/b/**/c", "a/b/x/b/y/c", true},
      {"**/**", "a", true},
      {"a**b", "axxb", true},
      {"a**b", "ax/xb", false},
      {"../*.txt", "../a.txt", true},
      {"*/a.txt", "../a.txt", false},
      {"**/a.txt", "../a.txt", false},
      {"[abc].n", "b.n", true},
      {"[!abc].n", "b.n", false},
      {"[!abc].n", "x.n", true},
      {"[^abc].n", "b.n", false},
      {"[^abc].n", "x.n", true},
      {"[^a-c]x", "bx", false},
      {"[^]]", "]", false},
      {"[^]", "[^]", true},
      {"[a^]", "^", true},
      {"[\\^a]", "^", true},
      {"[\\^a]", "b", false},
      {"[!^]", "^", false},
      {"[^.]a", ".a", false},
      {"**/*/**/", "a//b/", false},
      {"[a-c]x", "bx", true},
      {"[a-c]x", "dx", false},
      {"[]a]", "]", true},
      {"[!]a]", "]", false},
      {"[a-]", "-", true},
      {"[-a]", "-", true},
      {"[\\]]", "]", true},
      {"[.]a", ".a", false},
      {"a[b", "a[b", true},
      {"a[b", "ab", false},
      {"a[", "a[", true},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"a\\", "a\\", true},
      {"a\\", "a", false},
      {"/*", "/a", true},
      {"*", "/", false},
  };
  for (const auto& e : table) {
    CAPTURE(e.pattern);
    CAPTURE(e.path);
    CHECK(glob_matches(e.pattern, e.path) == e.matches);
  }
}

TEST_CASE("a glob that asks for folders takes what lies in them") {
  CHECK(asks_for_folders("a/*/"));
  CHECK_FALSE(asks_for_folders("a/*"));
  CHECK_FALSE(asks_for_folders("/"));
  CHECK(without_slash("a/*/") == "a/*");
  CHECK(glob_takes("a/*/", "a/b"));
  CHECK(glob_takes("a/*/", "a/b/c/.d"));
  CHECK_FALSE(glob_takes("a/*/", "a"));
  CHECK_FALSE(glob_takes("a/*/", "a/.b/c"));
  CHECK(glob_takes("*/src/", "x/src/y"));
  CHECK(glob_takes("a/*", "a/b"));
  CHECK_FALSE(glob_takes("a/*", "a/b/c"));
}

TEST_CASE("the root of a glob is the folder before its first wildcard, without escapes") {
  CHECK(glob_root("raw/*.txt") == "raw");
  CHECK(glob_root("raw/x/**/*.txt") == "raw/x");
  CHECK(glob_root("raw/x*/y") == "raw");
  CHECK(glob_root("*.txt") == "");
  CHECK(glob_root("**") == "");
  CHECK(glob_root("/*.txt") == "/");
  CHECK(glob_root("/a/?") == "/a");
  CHECK(glob_root("raw/a.txt") == "raw");
  CHECK(glob_root("a\\*b/[x]") == "a*b");
  CHECK(glob_root("") == "");
}

TEST_CASE("the prefix of a glob is all before its first wildcard, without escapes") {
  CHECK(glob_prefix("raw/x_*.txt") == "raw/x_");
  CHECK(glob_prefix("*") == "");
  CHECK(glob_prefix("a\\*[x]") == "a*");
  CHECK(glob_prefix("raw/a.txt") == "raw/a.txt");
  CHECK(glob_prefix("a\\/b*") == "a\\/b"); // it ends a component, and escapes nothing
  CHECK(glob_matches("\\/*", "\\/x"));
}

TEST_CASE("wildcards over plain text know neither slashes nor hidden names") {
  CHECK(wildcard_matches("n[[]*]", "n[a/b]"));
  CHECK(wildcard_matches("*", ".x"));
  CHECK(wildcard_matches("?x", ".x"));
  CHECK(wildcard_matches("raw_*", "raw_"));
  CHECK_FALSE(wildcard_matches("raw_*", "ra"));
  CHECK(wildcard_matches("", ""));
  CHECK_FALSE(wildcard_matches("", "a"));
}

TEST_CASE("a pattern reaches into each folder that could hold a match") {
  CHECK(relate_to_glob("out/*/metrics.txt", "out/a").reaches);
  CHECK(relate_to_glob("out/**/metrics.txt", "out/a").reaches);
  CHECK(relate_to_glob("out/**/metrics.txt", "out/a/b/c").reaches);
  CHECK(relate_to_glob("out/**", "out/a").reaches);
  CHECK(relate_to_glob("*/a/x", "out").reaches);
  CHECK(relate_to_glob("*/a/x", "out/a").reaches);
  CHECK_FALSE(relate_to_glob("*/a/x", "out/b").reaches);
  CHECK_FALSE(relate_to_glob("out/*.txt", "out/a").reaches);
  CHECK_FALSE(relate_to_glob("out/*.txt", "out/a.txt").reaches);
  CHECK_FALSE(relate_to_glob("out/*/x", "out/.a").reaches);
  CHECK(relate_to_glob("out/.*/x", "out/.a").reaches);
  CHECK_FALSE(relate_to_glob("out/v*/x", "out/a").reaches);
  CHECK(relate_to_glob("out/*", "out/a/b").beneath);
  CHECK_FALSE(relate_to_glob("out/*", "out/a").beneath);
  CHECK(enters_folders("a/*/b"));
  CHECK(enters_folders("a/**"));
  CHECK_FALSE(enters_folders("a/b/*.c"));
  CHECK_FALSE(enters_folders("a/b/c"));
  CHECK(glob_of_path("a*b/[c]\\d?") == "a\\*b/\\[c]\\\\d\\?");
}

TEST_CASE("a pattern of many stars against a long text ends soon") {
  std::string pattern;
  std::string deep = "**";
  for (int i = 0; i < 200; ++i) {
    pattern += "*a";
    deep += "/a/**";
  }
  std::string path = "a";
  for (int i = 0; i < 2000; ++i)
    path += "/a";
  CHECK_FALSE(wildcard_matches(pattern + "b", std::string(20'000, 'a')));
  CHECK_FALSE(glob_matches(deep + "/b", path));
}

TEST_CASE("property: globs match what a naive recursive matcher matches") {
  const auto pieces = rc::gen::elementOf(std::vector<std::string>{
      "a", "b", ".", "*", "?", "/", "/", "/**/", "**", "[a]", "[!a]", "[^b]", "[.]", "/*/", "/.*", "a/", "**/"});
  const auto letters = rc::gen::elementOf(std::vector<std::string>{"a", "b", ".", "/", "/a", "/b/", "a/", "/."});
  CHECK(rc::check([&] {
    const auto some = [](const auto& piece) {
      return rc::gen::resize(8, rc::gen::container<std::vector<std::string>>(piece));
    };
    const auto pattern = joined(*some(pieces));
    const auto paths = *rc::gen::container<std::vector<std::string>>(20, rc::gen::map(some(letters), joined));
    for (const auto& path : paths) {
      const bool expected = naive_path(split(pattern), 0, split(path), 0);
      RC_ASSERT(glob_matches(pattern, path) == expected);
      if (path == "/" || path == ".") // folders with names of their own, not components
        continue;
      const auto relation = relate_to_glob(pattern, path);
      RC_ASSERT(relation.matches == expected);
      RC_ASSERT(relation.reaches == naive_prefix(split(pattern), 0, split(path), 0));
      bool beneath = false;
      for (auto end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1))
        beneath = beneath || naive_path(split(pattern), 0, split(path.substr(0, end)), 0);
      RC_ASSERT(relation.beneath == beneath);
      if (expected)
        RC_ASSERT(path.substr(0, glob_prefix(pattern).size()) == glob_prefix(pattern));
    }
  }));
}

TEST_CASE("property: an escaped text matches itself and nothing shorter") {
  CHECK(rc::check([](const std::string& text) {
    std::string pattern;
    for (const char c : text)
      pattern += (std::string("*?[]\\").find(c) != std::string::npos ? "\\" : "") + std::string(1, c);
    RC_ASSERT(wildcard_matches(pattern, text));
    RC_ASSERT(!is_glob(pattern));
    RC_ASSERT(glob_prefix(pattern) == text);
    if (!text.empty())
      RC_ASSERT(!wildcard_matches(pattern, text.substr(1)));
  }));
}

TEST_CASE("bytes that are no UTF-8 are a character each, however much they look like more") {
  CHECK_FALSE(wildcard_matches("?", "\xE0\x80\x80")); // overlong
  CHECK(wildcard_matches("???", "\xE0\x80\x80"));
  CHECK_FALSE(wildcard_matches("?", "\xED\xA0\x80")); // a surrogate
  CHECK(wildcard_matches("?", "\xED\x9F\xBF"));
}
