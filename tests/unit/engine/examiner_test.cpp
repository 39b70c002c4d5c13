// What an examination says to people besides what it found.
#include "engine/examiner.hpp"
#include "support/memory_file_system.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace troupe_internal;

namespace {

class still_clock final : public clock {
public:
  timestamp now() const override { return from_unix_ns(1'800'000'000'000'000'000); }
  duration monotonic() const override { return {}; }
  std::uint64_t random() override { return 4; }
};

/// Files of which one folder has links to very many others.
class far_file_system final : public file_system {
public:
  far_file_system(const file_system& of, std::string folder) : of_(of), folder_(std::move(folder)) {}
  result<file_stat> stat(std::string_view path, link_rule links) const override { return of_.stat(path, links); }
  result<file_stat> glance(std::string_view path) const override { return of_.glance(path); }
  result<file_record> read(std::string_view path, link_rule links,
                           std::vector<folder_listing>* listings) const override {
    return of_.read(path, links, listings);
  }
  bool many_are_elsewhere() const override { return true; }
  std::uint64_t members_elsewhere(std::string_view path) const override { return path == folder_ ? 123'456 : 0; }
  result<std::vector<std::string>> glob(std::string_view pattern, const std::vector<std::string>& skip,
                                        glob_remarks* remarks) const override {
    return of_.glob(pattern, skip, remarks);
  }
  std::string real_folder(std::string_view path) const override { return of_.real_folder(path); }
  result<void> make_parent(std::string_view path) const override { return of_.make_parent(path); }
  result<void> remove(std::string_view path) const override { return of_.remove(path); }
  result<std::string> read_text(std::string_view path, std::uint64_t limit) const override {
    return of_.read_text(path, limit);
  }

private:
  const file_system& of_;
  std::string folder_;
};

} // namespace

TEST_CASE("links that lead to very many members elsewhere are a warning with both ways out") {
  test::pipeline_builder b;
  b.asset("reads").inputs({"staged", "near"});
  b.asset("makes").outputs({"staged2"});
  const auto p = b.build();
  diagnostics found;
  const auto graph = std::move(*asset_graph::build(*p, found));
  memory_file_system memory;
  memory.write("staged/a", "1");
  memory.write("near/a", "1");
  memory.write("staged2/a", "1");
  const auto warnings_of = [&](const std::string& far, std::string_view name) {
    const far_file_system files(memory, far);
    const still_clock time;
    const auto names = catalog::load(*p, graph, nullptr).value();
    file_table table(files, time, *names);
    const examiner looks(*p, graph, *names, table, files, "/state", [](const env_entry&) { return std::nullopt; });
    findings all;
    looks.examine(
        *p->find(name), {}, [](asset_index) { return digest{}; }, look::anew, all);
    return all.warnings;
  };
  const auto read = warnings_of("staged", "reads");
  REQUIRE(read.size() == 1);
  CHECK(read[0].code == "links_elsewhere");
  CHECK(read[0].text ==
        "the links in the folder \"staged\" lead to 123456 files and folders outside of the "
        "pipeline's folder, and every run looks at all of them: set \"links\": \"text\" if they need not "
        "count, or leave out some with \"!staged/…\" in \"inputs\"");
  const auto made = warnings_of("staged2", "makes");
  REQUIRE(made.size() == 1);
  CHECK(made[0].text ==
        "the links in the folder \"staged2\" lead to 123456 files and folders outside of the "
        "pipeline's folder, and every run looks at all of them: set \"links\": \"text\" if they need not "
        "count");
  CHECK(warnings_of("elsewhere", "reads").empty());
}
