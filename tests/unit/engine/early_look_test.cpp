// Files looked at while a pipeline is read: what is found belongs to the right path, and ending early is no harm.
#include "engine/early_look.hpp"

#include "adapters/files/posix_file_system.hpp"
#include "support/pipeline_builder.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

/// A pipeline of many files, every third of them missing.
struct early_fixture {
  early_fixture() {
    test::pipeline_builder b("test", folder.path());
    for (int i = 0; i < 1500; ++i) {
      const auto name = "in/" + std::to_string(i);
      if (i % 3 != 0)
        folder.write(name, std::string(static_cast<std::size_t>(i), 'x'));
      b.asset("a" + std::to_string(i)).inputs({name});
    }
    p = b.build();
  }
  [[nodiscard]] file_stat now(std::size_t number) const {
    return posix_file_system::open(folder.path())
        .value()
        ->stat(p->paths.text(static_cast<std::uint32_t>(number)))
        .value();
  }
  temporary_folder folder;
  std::shared_ptr<const pipeline> p;
};

} // namespace

TEST_CASE_FIXTURE(early_fixture,
                  "two threads share the looking: each link is told once, each look stands at its path") {
  for (int i = 0; i < 1500; i += 3)
    if (i % 2 == 0)
      std::filesystem::create_symlink(i % 4 == 0 ? "1" : "nowhere", folder / ("in/" + std::to_string(i)));
  std::filesystem::create_directory(folder / "in/1497");
  early_look early;
  early.add(p, p->paths.texts(0).first(1000));
  early.add(p, p->paths.texts(1000));
  const auto seen = early.find_links();
  CHECK(std::is_sorted(seen.links.begin(), seen.links.end()));
  CHECK(std::adjacent_find(seen.links.begin(), seen.links.end()) == seen.links.end());
  for (const auto link : seen.links)
    CHECK(link % 6 == 0);
  // The two have met, but for the last share of the other thread, which is not waited for.
  REQUIRE(seen.again_from <= 1500);
  CHECK(seen.again_from - seen.paths <= 256);
  const auto of_the_rest = [&](std::uint32_t link) { return link < seen.paths || link >= seen.again_from; };
  for (std::uint32_t link = 0; link < 1500; link += 6)
    CHECK((!of_the_rest(link) || std::binary_search(seen.links.begin(), seen.links.end(), link)));
  const auto found = early.take();
  REQUIRE(found.size() == 1500);
  for (std::size_t i = 0; i < found.size(); ++i)
    if (found[i].kind != file_kind::absent)
      CHECK(found[i] == now(i));
  for (auto i = seen.again_from; i < 1500; ++i)
    CHECK((found[i].kind != file_kind::absent || i % 3 == 0)); // a folder is left to planning
}

TEST_CASE_FIXTURE(early_fixture,
                  "what is found stands at the number of its path, what is missing or not yet looked at is absent") {
  // How far it gets before it is ended is the machine's; that it gets somewhere is waited for.
  std::size_t found = 0;
  for (auto patience = 1ms; found == 0 && patience < 20s; patience *= 2) {
    early_look early;
    for (std::uint32_t first = 0; first < 1500; first += 500)
      early.add(p, p->paths.texts(first).first(500));
    std::this_thread::sleep_for(patience);
    const auto seen = early.take();
    REQUIRE(seen.size() <= 1500);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (seen[i].kind == file_kind::absent)
        continue;
      ++found;
      CHECK(seen[i] == now(i));
      CHECK(i % 3 != 0);
    }
    CHECK(early.take().empty());
  }
  CHECK(found > 0);
}

TEST_CASE_FIXTURE(early_fixture, "nobody has to ask for what was found, and the pipeline may be given up meanwhile") {
  early_look early;
  early.add(p, p->paths.texts(0));
  p.reset();
}

TEST_CASE_FIXTURE(early_fixture, "a look that nobody wants any more is not waited for") {
  early_look early;
  early.add(p, p->paths.texts(0));
  const auto seen = early.take([] { return true; });
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (seen[i].kind != file_kind::absent)
      CHECK(seen[i] == now(i));
  CHECK(early.take([] { return false; }).empty());
}

TEST_CASE("without paths nothing is looked at") {
  early_look early;
  CHECK(early.take().empty());
}
