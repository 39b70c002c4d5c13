// Random trees full of links, against an oracle that is as slow as it is plain: equal for one is equal for the other.
#include "adapters/files/posix_file_system.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <chrono>
#include <map>
#include <random>
#include <set>
#include <thread>

using namespace troupe_internal;
namespace fs = std::filesystem;

namespace {

/// What a folder is by the rules of docs/staleness.md, as text. Knows paths only, no descriptors, no digests.
class oracle {
public:
  std::string describe(const fs::path& folder, const std::string& place = {}) {
    const auto real = fs::canonical(folder);
    chain_.push_back(real);
    std::set<std::string> members;
    for (const auto& entry : fs::recursive_directory_iterator(real))
      members.insert(entry.path().lexically_relative(real).string());
    std::string text;
    for (const auto& name : members)
      text += describe_member(real, name, place);
    chain_.pop_back();
    return text;
  }

private:
  std::string describe_member(const fs::path& folder, const std::string& name, const std::string& place) {
    const auto path = folder / name;
    if (!fs::is_symlink(path))
      return describe_real(path, name, "");
    const auto text = fs::read_symlink(path).string();
    std::error_code dangling;
    const auto target = fs::canonical(path, dangling);
    if (dangling || fs::is_fifo(target))
      return "link " + name + " -> " + text + "\n";
    if (within(target, folder))
      return "link " + name + " into " + target.lexically_relative(folder).string() + "\n";
    if (!fs::is_directory(target))
      return describe_real(target, name, "link to ");
    for (const auto& one : chain_)
      if (within(one, target)) {
        back_ = true;
        return "link " + name + " back -> " + text + "\n";
      }
    if (const auto met = met_.find(target.string()); met != met_.end() && met->second.back) {
      back_ = true;
      return "link " + name + " as at " + met->second.place + "\n";
    }
    const auto here = place.empty() ? name : place + "/" + name;
    if (!met_.contains(target.string())) {
      const bool before = std::exchange(back_, false);
      auto all = describe(target, here);
      met_[target.string()] = {here, std::move(all), back_};
      back_ = back_ || before;
    }
    return "link to folder " + name + " {\n" + met_[target.string()].text + "}\n";
  }

  static std::string describe_real(const fs::path& path, const std::string& name, const std::string& how) {
    if (fs::is_directory(path))
      return how + "folder " + name + "\n";
    if (fs::is_fifo(path))
      return "other " + name + "\n";
    std::ifstream in(path, std::ios::binary);
    std::ostringstream content;
    content << in.rdbuf();
    const bool executable = (fs::status(path).permissions() & fs::perms::owner_exec) != fs::perms::none;
    return how + (executable ? "program " : "file ") + name + ": " + content.str() + "\n";
  }

  static bool within(const fs::path& path, const fs::path& folder) {
    const auto relative = path.lexically_relative(folder);
    return !relative.empty() && *relative.begin() != "..";
  }

  struct met_folder {
    std::string place;
    std::string text;
    bool back = false;
  };
  std::vector<fs::path> chain_;
  std::map<std::string, met_folder> met_;
  bool back_ = false;
};

/// A small world around the counted folder p/d, changed at random.
class random_world {
public:
  explicit random_world(std::uint32_t seed) : random_(seed) {
    for (const auto* path : {"p/d/sub/deep", "p/other", "out/a/x", "out/b"})
      fs::create_directories(folder / path);
    REQUIRE(mkfifo((folder / "out/pipe").c_str(), 0600) == 0);
    for (int i = 0; i < 12; ++i)
      change();
  }
  /// One change, of anything.
  void change() {
    const auto home = pick(homes);
    const auto path = home + "/" + pick(names);
    const auto whole = folder / path;
    if (!fs::is_directory(folder / home))
      return;
    switch (below(8)) {
    case 0:
      fs::remove_all(whole);
      break;
    case 1:
      if (fs::is_regular_file(fs::symlink_status(whole)))
        fs::permissions(whole, fs::perms::owner_exec, below(2) == 0 ? fs::perm_options::add : fs::perm_options::remove);
      break;
    case 2:
      if (!fs::exists(fs::symlink_status(whole)))
        fs::create_directory(whole);
      break;
    case 3:
    case 4:
      if (!fs::is_directory(fs::symlink_status(whole))) {
        fs::remove(whole);
        folder.write(path, std::string(1 + below(3), 'x'));
      }
      break;
    default:
      if (!fs::is_directory(fs::symlink_status(whole))) {
        fs::remove(whole);
        fs::create_symlink(target(), whole);
      }
    }
  }
  temporary_folder folder;

private:
  std::string target() {
    const auto to = pick(targets);
    return below(2) == 0 ? std::string(to) : folder / to.substr(std::min(to.find_first_not_of("./"), to.size()));
  }
  std::size_t below(std::size_t n) { return random_() % n; }
  template <class List>
  std::string pick(const List& list) {
    return list[below(list.size())];
  }
  static inline const std::vector<std::string> homes = {"p/d",   "p/d/sub", "p/d/sub/deep", "p/other",
                                                        "out/a", "out/a/x", "out/b"};
  static inline const std::vector<std::string> names = {"f", "g", "h"};
  // Relative to somewhere: some of them are wrong in most places, and dangle.
  static inline const std::vector<std::string> targets = {"f",
                                                          "../f",
                                                          "../../out/a",
                                                          "../../out/b/f",
                                                          "../../../out/a/x",
                                                          "../../../../out/b",
                                                          "../p/d",
                                                          "../..",
                                                          "../p/d/sub",
                                                          "../../p/other",
                                                          "../../../out/pipe",
                                                          "out/a/g",
                                                          "out/b",
                                                          "p/d/f",
                                                          "p/d",
                                                          "p",
                                                          "out",
                                                          "nowhere"};
  std::minstd_rand random_;
};

} // namespace

TEST_CASE("folders with links have the same digest exactly if they are the same") {
  std::map<std::string, std::string> digest_of; // by what the oracle says
  std::map<std::string, std::string> text_of;   // the other way round
  for (std::uint32_t seed = 1; seed <= 150; ++seed) {
    random_world world(seed);
    const auto files = posix_file_system::open(world.folder / "p").value();
    for (int i = 0; i < 8; ++i) {
      const auto record = files->read("d");
      REQUIRE(record.has_value());
      // Texts of absolute links hold the world's own folder: every world has the same one for the oracle.
      auto said = oracle().describe(world.folder / "p/d");
      const auto content = to_hex(record->content);
      INFO("seed ", seed, ", step ", i, "\n", said);
      if (said.find(world.folder.path()) == std::string::npos) {
        CHECK(digest_of.emplace(said, content).first->second == content);
        CHECK(text_of.emplace(content, said).first->second == said);
      }
      world.change();
    }
  }
  CHECK(digest_of.size() > 200); // the worlds differ
}

TEST_CASE("an equal stat of a folder means equal content") {
  std::size_t equal = 0;
  for (std::uint32_t seed = 1; seed <= 25; ++seed) {
    random_world world(seed);
    const auto files = posix_file_system::open(world.folder / "p").value();
    auto before = files->read("d").value();
    for (int i = 0; i < 12; ++i) {
      std::this_thread::sleep_for(
          std::chrono::milliseconds(5)); // what has the same times is racy, and nobody trusts it
      world.change();
      const auto stat = files->stat("d").value();
      const auto after = files->read("d").value();
      INFO("seed ", seed, ", step ", i, "\n", oracle().describe(world.folder / "p/d"));
      CHECK(after.stat == stat);
      if (stat == before.stat) {
        ++equal;
        CHECK(after.content == before.content);
        CHECK(after.as_text == before.as_text);
      }
      before = after;
    }
  }
  CHECK(equal > 20); // some changes are none of the folder's business
}
