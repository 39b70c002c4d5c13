// From files on disk to pipelines: the examples of this project, and files that cannot be read.
#include "config/load_pipeline.hpp"
#include "finding_lines.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::config;
using test::lines;

namespace {

struct temporary_folder {
  std::filesystem::path path;
  temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "troupe-config-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~temporary_folder() { std::filesystem::remove_all(path); }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
  }
};

} // namespace

TEST_CASE("every example in configs/ loads without a finding, commands searched thoroughly") {
  for (const auto& entry : std::filesystem::directory_iterator(CONFIGS_FOLDER)) {
    if (entry.path().extension() != ".json")
      continue;
    const auto loaded = load_pipeline({entry.path().string(), {}, true});
    INFO(entry.path().string());
    CHECK(lines(loaded.findings) == "");
    REQUIRE(loaded.p);
    REQUIRE(loaded.graph);
    CHECK(loaded.graph->size() == loaded.p->assets.size());
    CHECK(loaded.p->folder == std::filesystem::path(CONFIGS_FOLDER).lexically_normal().string());
  }
}

TEST_CASE("the paths of a large pipeline are told while it is read, in the order of their numbers") {
  std::string text = R"({"name":"p","assets":{)";
  for (int i = 0; i < 3000; ++i)
    text += "\"a" + std::to_string(i) + R"(":{"command":"x","inputs":["in/)" + std::to_string(i / 2) +
            R"("],"outputs":["out/)" + std::to_string(i) + "\"]}" + (i == 2999 ? "" : ",");
  std::vector<std::string_view> told;
  std::shared_ptr<const pipeline> holder;
  parse_options options;
  options.folder = "/p";
  options.paths_read = [&](const std::shared_ptr<const pipeline>& p, std::span<const std::string_view> paths) {
    holder = p;
    told.insert(told.end(), paths.begin(), paths.end());
  };
  {
    const auto loaded = parse_pipeline(text + "}}", options);
    REQUIRE(loaded.p);
    CHECK(holder == loaded.p);
    REQUIRE(told.size() <= loaded.p->paths.size());
    CHECK(told.size() > 4000); // of 4500: the last few hundred may stay untold
    for (std::uint32_t i = 0; i < told.size(); ++i)
      REQUIRE(told[i] == loaded.p->paths.text(i));
  }
  told.clear();
  CHECK_FALSE(parse_pipeline(text, options).p); // it is not closed: the texts stay good all the same
  REQUIRE(told.size() > 4000);
  CHECK(told[1] == "out/0");
}

TEST_CASE("errors of the graph are reported with those of the file") {
  temporary_folder folder;
  folder.write("troupe.json", R"({"name":"p","assets":{
    "a":{"command":"x","inputs":["b.txt"],"outputs":["a.txt"]},
    "b":{"command":"x","inputs":["a.txt"],"outputs":["b.txt"]}}})");
  const auto loaded = load_pipeline({(folder.path / "troupe.json").string(), {}, false});
  CHECK_FALSE(loaded.p);
  CHECK_FALSE(loaded.graph);
  REQUIRE(loaded.findings.has_errors());
  CHECK(loaded.findings.items.front().code == "cycle");
}

TEST_CASE("a missing file, a folder and an unreadable file are told apart") {
  temporary_folder folder;
  const auto missing = load_pipeline({(folder.path / "none.json").string(), {}, false});
  CHECK(lines(missing.findings).find("there is no such file; -f FILE names another, troupe init writes one") !=
        std::string::npos);
  const auto directory = load_pipeline({folder.path.string(), {}, false});
  CHECK(lines(directory.findings).find("it is a folder; name the pipeline file in it") != std::string::npos);
  CHECK_FALSE(directory.p);
  CHECK_FALSE(directory.graph);
}

TEST_CASE("what a descriptor or a FIFO hands over is relative to the working folder, and may be asked for twice") {
  const std::string text = R"({"name":"p","assets":{"a":{"command":"true","inputs":["x/*"]}}})";
  temporary_folder folder;
  folder.write("troupe.json", text);
  const auto working = std::filesystem::current_path().string();
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  const int file = ::open((folder.path / "troupe.json").c_str(), O_RDONLY | O_CLOEXEC);
  for (const auto& prefix : {"/dev/fd/", "/proc/self/fd/", "/dev/fd/"})
    for (const int descriptor : {ends[0], file}) {
      const auto name = prefix + std::to_string(descriptor);
      CHECK(names_descriptor(name));
      const auto loaded = load_pipeline({name, {}, false});
      REQUIRE(loaded.p);
      CHECK(loaded.p->folder == working);
      CHECK(loaded.p->file == "-");
      CHECK(loaded.findings.file == name);
    }
  ::close(ends[0]);
  ::close(file);
  const auto fifo = (folder.path / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::thread writer([&] { std::ofstream(fifo) << text; });
  const auto loaded = load_pipeline({fifo, {}, false});
  writer.join();
  REQUIRE(loaded.p);
  CHECK(loaded.p->folder == working);
  CHECK(loaded.p->file == "-");
  CHECK(load_pipeline({(folder.path / "troupe.json").string(), {}, false}).p->folder == folder.path);
}

TEST_CASE("a descriptor that is not open, and names that only look like one") {
  const auto loaded = load_pipeline({"/dev/fd/987", {}, false});
  CHECK_FALSE(loaded.p);
  CHECK(lines(loaded.findings).find("cannot read /dev/fd/987: Bad file descriptor") != std::string::npos);
  CHECK(names_descriptor("-"));
  CHECK(names_descriptor("/dev/stdin"));
  for (const auto* name :
       {"troupe.json", "/dev/fd/", "/dev/fd/x", "/dev/fd/1x", "/dev/fd/-1", "dev/fd/1", "/dev/stdin2", ""})
    CHECK_FALSE(names_descriptor(name));
}

TEST_CASE("a file of the folder that stands in a command and not among the inputs is warned of") {
  temporary_folder folder;
  folder.write("etl.py", "");
  folder.write("made.txt", "");
  folder.write("troupe.json", R"({"name":"p","assets":{
    "a":{"command":"python3 etl.py > made.txt","outputs":["made.txt"]}}})");
  const auto loaded = load_pipeline({(folder.path / "troupe.json").string(), {}, false});
  CHECK(lines(loaded.findings) == (folder.path / "troupe.json").string() +
                                      ":2:20: warning: etl.py is in the command of \"a\" but not in inputs: editing it "
                                      "will re-run nothing [undeclared_file]\n");
  CHECK(loaded.p);
}

TEST_CASE("what is no regular file is refused without waiting, unless the user named it") {
  const temporary_folder folder;
  const auto load = [](const std::string& file) {
    load_options options;
    options.file = file;
    options.only_regular = true;
    return load_pipeline(options);
  };
  const auto fifo = (folder.path / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  for (const auto& name : {fifo, std::string("/dev/zero"), std::string("/dev/tty"), std::string("-")}) {
    const auto loaded = load(name);
    INFO(name);
    CHECK_FALSE(loaded.p);
    REQUIRE(loaded.findings.items.size() == 1);
    CHECK(loaded.findings.items[0].code == "cannot_read");
  }
  CHECK(load(fifo).findings.items[0].message.find("a FIFO, a socket or a device; -f ") != std::string::npos);
  folder.write("troupe.json", R"({"name":"p","assets":{"a":{"command":"x"}}})");
  CHECK(load((folder.path / "troupe.json").string()).p);
  std::filesystem::create_symlink("troupe.json", folder.path / "link.json");
  CHECK(load((folder.path / "link.json").string()).p);
  CHECK(load(folder.path.string()).findings.items[0].message.find("it is a folder") != std::string::npos);
}

TEST_CASE("who asks by the way gets the names of a small file, and nothing of a large one") {
  const temporary_folder folder;
  const auto assets = [&](const std::string& text) {
    folder.write("troupe.json", text);
    load_options options;
    options.file = (folder.path / "troupe.json").string();
    options.with_graph = false;
    options.limits = limits_by_the_way;
    const auto loaded = load_pipeline(options);
    return loaded.p ? loaded.p->assets.size() : 0;
  };
  const auto matrix = [](int values) {
    std::string text = R"({"name":"p","assets":{"a":{"command":"x {{ matrix.v }}","matrix":{"v":[)";
    for (int i = 0; i < values; ++i)
      text += (i == 0 ? "" : ",") + std::to_string(i);
    return text + "]}}}}";
  };
  CHECK(assets(matrix(10'000)) == 10'000);
  CHECK(assets(matrix(10'001)) == 0);
  CHECK(assets(R"({"name":"p","assets":{"a":{"command":"x"}}})" + std::string(1'000'000, ' ')) == 1);
  CHECK(assets(R"({"name":"p","assets":{"a":{"command":"x"}}})" + std::string(1'100'000, ' ')) == 0);
  // A cycle is for who looks at the graph.
  CHECK(assets(R"({"name":"p","assets":{"a":{"command":"x","deps":["b"]},"b":{"command":"x","deps":["a"]}}})") == 2);
}
