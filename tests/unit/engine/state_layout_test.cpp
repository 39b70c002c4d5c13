// Names of files and folders in a state, and paths put together.
#include "engine/state_layout.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace troupe_internal;

TEST_CASE("logs lie in a folder of their run, named by asset and attempt") {
  CHECK(run_log_folder("/p/.troupe", run_number(42U)) == "/p/.troupe/logs/42");
  CHECK(log_path("/p/.troupe", run_number(42U), "by_section[admin]", 3) ==
        "/p/.troupe/logs/42/by_section[admin].3.log");
  CHECK(log_file_name("by_section[admin]", 3) == "by_section[admin].3.log");
}

TEST_CASE("characters that a file name had better not hold are written as numbers, so that no two names meet") {
  const auto name = [](std::string_view asset) { return log_path("/s", run_number(1U), asset, 1).substr(10); };
  CHECK(name("a[x y]") == "a[x%20y].1.log");
  CHECK(name("a[../../etc/passwd]") == "a[..%2F..%2Fetc%2Fpasswd].1.log");
  CHECK(name("a[50%]") == "a[50%25].1.log");
  CHECK(name("a[ä\n]") == "a[%C3%A4%0A].1.log");
  CHECK(name("..") == "%2E..1.log");
  std::set<std::string> names;
  for (const auto* asset : {"a[ ]", "a[%20]", "a[_]", "a[%2520]", "a[\t]"})
    names.insert(name(asset));
  CHECK(names.size() == 5);
}

TEST_CASE("long names are cut to what a file system takes, and stay different") {
  const std::string longest(1000, 'x');
  const auto one = log_path("/s", run_number(1U), longest + "1", 4'294'967'295U);
  const auto two = log_path("/s", run_number(1U), longest + "2", 4'294'967'295U);
  CHECK(one != two);
  CHECK(one.substr(one.rfind('/') + 1).size() <= 255);
}

TEST_CASE("paths are joined and normalised without asking the disk") {
  CHECK(join_path("/p", "a/b") == "/p/a/b");
  CHECK(join_path("/p", "/abs") == "/abs");
  CHECK(join_path("/p", "./a//b/.") == "/p/a/b");
  CHECK(join_path("/p/q", "../x") == "/p/x");
  CHECK(join_path("/p", "../../../x") == "/x");
  CHECK(join_path("/", "x") == "/x");
  CHECK(join_path("/p", ".") == "/p");
  CHECK(join_path("/p", "..") == "/");
  CHECK(join_path("p", "../../x") == "../x");
  CHECK(join_path("p", "..") == ".");
  CHECK(join_path("/p", "a..b/...") == "/p/a..b/...");
}

TEST_CASE("what lies beneath a folder is named relative to it, nothing else is") {
  CHECK(relative_to("/p", "/p/a/b") == "a/b");
  CHECK(relative_to("/p", "/p") == "/p");
  CHECK(relative_to("/p", "/pq/a") == "/pq/a");
  CHECK(relative_to("/p", "/q") == "/q");
}

TEST_CASE("what lies beneath the root is named relative to it") {
  CHECK(relative_to("/", "/a/b") == "a/b");
}
