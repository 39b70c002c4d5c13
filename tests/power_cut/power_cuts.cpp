// `power_cuts`: many images of what a disk may hold after a power cut, in several processes, with a table of what they
// were cases of; or one image, told in words; or the proof that the eye is sharp.
//   power_cuts [--images N] [--from S] [--jobs J]   N images from seed S on; fails at the first that breaks a promise
//   power_cuts --seed S                             this one
//   power_cuts --self-check [--images N]            disks that lie, and a store that does not sync: each has to be
//   found out
// Knows how to count and to report; the images are power_cut_images'.
#include "power_cut_images.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>

using namespace troupe_internal::test;

namespace {

/// From so many images on each case has to have been met.
constexpr std::uint64_t images_that_meet_everything = 5'000;

struct options {
  std::uint64_t images = 5'000;
  std::uint64_t from = 0;
  std::uint64_t jobs = 1;
  std::optional<std::uint64_t> one;
  bool self_check = false;
};

/// On a file system in memory, where there is one that can be used: images are many and short-lived.
class scratch_folder {
public:
  scratch_folder() {
    for (const auto& place : {std::string("/dev/shm"), std::filesystem::temp_directory_path().string()}) {
      auto name = place + "/troupe-power-cut-XXXXXX";
      if (::mkdtemp(name.data()) == nullptr)
        continue;
      path_ = std::filesystem::canonical(name).string();
      return;
    }
    std::perror("no place for images");
    std::exit(2);
  }
  ~scratch_folder() {
    std::error_code ignored; // a left-over is no reason to fail
    std::filesystem::remove_all(path_, ignored);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

private:
  std::string path_;
};

void tell_wrong(std::uint64_t seed, const std::string& what) {
  std::fprintf(stderr, "\nimage %llu: %s\nto repeat exactly this: ./dev power-cuts --seed %llu\n",
               static_cast<unsigned long long>(seed), what.c_str(), static_cast<unsigned long long>(seed));
}

/// The images, in whole histories, spread over processes of their own; nullopt if one of them died.
std::optional<image_totals> play_all(const options& asked, const std::string& scratch) {
  std::vector<std::pair<pid_t, int>> children;
  for (std::uint64_t job = 0; job < asked.jobs; ++job) {
    int ends[2];
    if (::pipe(ends) != 0)
      return std::nullopt;
    const auto child = ::fork();
    if (child == 0) {
      const auto mine = scratch + "/" + std::to_string(job);
      std::filesystem::create_directory(mine);
      image_totals all;
      const auto last = asked.from + asked.images;
      for (auto first = asked.from; first < last && all.wrong == 0;) {
        const auto next = std::min(last, (first / images_per_history + 1) * images_per_history);
        if (first / images_per_history % asked.jobs == job)
          all.add(play_images(first, next, {}, mine, tell_wrong));
        first = next;
      }
      const bool written = ::write(ends[1], &all, sizeof all) == static_cast<ssize_t>(sizeof all);
      ::_exit(written && all.wrong == 0 ? 0 : 1);
    }
    ::close(ends[1]);
    children.emplace_back(child, ends[0]);
  }
  std::optional<image_totals> all(std::in_place);
  for (const auto& [child, end] : children) {
    image_totals part;
    const bool got = ::read(end, &part, sizeof part) == static_cast<ssize_t>(sizeof part);
    ::close(end);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!got || !WIFEXITED(status))
      all.reset();
    else if (all)
      all->add(part);
  }
  return all;
}

int report(const image_totals& all, double seconds) {
  std::printf("%llu images of %llu histories, %llu commits, %llu writes, syncs and notes: %.1f s\n",
              static_cast<unsigned long long>(all.images), static_cast<unsigned long long>(all.histories),
              static_cast<unsigned long long>(all.commits), static_cast<unsigned long long>(all.ops), seconds);
  bool missed = false;
  for (std::size_t i = 0; i < all.cases.size(); ++i) {
    std::printf("%10llu  %s\n", static_cast<unsigned long long>(all.cases[i]),
                std::string(image_case_names[i]).c_str());
    missed = missed || all.cases[i] == 0;
  }
  if (all.wrong > 0)
    return 1;
  if (missed && all.images >= images_that_meet_everything) {
    std::fprintf(stderr, "a case that has to be met was not: what it leads to is not tested\n");
    return 1;
  }
  return 0;
}

/// Each of these breaks promises; an eye that does not see it is blind to real bugs of the kind.
int self_check(const options& asked, const std::string& scratch) {
  struct fault {
    const char* name;
    image_options with;
    unsigned least_wrong_in_100;
  };
  const fault faults[] = {
      {"a store that does not sync (durability none), trusted all the same", {{true}, {}, true, false}, 50},
      {"a disk that ignores syncs of files", {{}, {true, false, false}, false, false}, 5},
      {"a disk that ignores syncs of folders", {{}, {false, true, false}, false, false}, 5},
      {"a disk that ignores O_DSYNC", {{}, {false, false, true}, false, false}, 5},
  };
  int failed = 0;
  for (const auto& [name, with, least] : faults) {
    const auto all = play_images(asked.from, asked.from + asked.images, with, scratch, [](auto, const auto&) {});
    const bool found = 100 * all.wrong >= least * all.images && all.images == asked.images;
    std::printf("%s  %s: %llu of %llu images are bad\n", found ? "found    " : "NOT FOUND", name,
                static_cast<unsigned long long>(all.wrong), static_cast<unsigned long long>(all.images));
    failed += found ? 0 : 1;
  }
  return failed == 0 ? 0 : 1;
}

bool parse(int argc, char** argv, options& asked) {
  bool counted = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--self-check") == 0) {
      asked.self_check = true;
      continue;
    }
    if (i + 1 >= argc)
      return false;
    char* end = nullptr;
    const auto number = std::strtoull(argv[i + 1], &end, 10);
    if (end == argv[i + 1] || *end != '\0')
      return false;
    if (std::strcmp(argv[i], "--images") == 0) {
      asked.images = number;
      counted = true;
    } else if (std::strcmp(argv[i], "--from") == 0) {
      asked.from = number;
    } else if (std::strcmp(argv[i], "--jobs") == 0) {
      asked.jobs = std::max<std::uint64_t>(1, number);
    } else if (std::strcmp(argv[i], "--seed") == 0) {
      asked.one = number;
    } else {
      return false;
    }
    ++i;
  }
  if (asked.self_check && !counted)
    asked.images = 300;
  return true;
}

} // namespace

int main(int argc, char** argv) {
  options asked;
  if (!parse(argc, argv, asked)) {
    std::fprintf(stderr, "usage: power_cuts [--images N] [--from SEED] [--jobs N] | --seed SEED | --self-check\n");
    return 2;
  }
  const scratch_folder scratch;
  if (asked.one)
    return show_image(*asked.one, scratch.path()) ? 0 : 1;
  if (asked.self_check)
    return self_check(asked, scratch.path());
  const auto began = std::chrono::steady_clock::now();
  const auto all = play_all(asked, scratch.path());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  if (!all)
    return 1; // who died has said why
  return report(*all, took.count());
}
