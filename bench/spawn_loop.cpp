// What the executor adds to a bare posix_spawn loop: the same commands, two at a time, by both in turn.
#include "adapters/process/process_executor.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

using namespace troupe_internal;

namespace {

constexpr int at_a_time = 2;

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::vector<std::string> command(int i) {
  return {"touch", "/tmp/troupe-bench-" + std::to_string(i % 16)};
}

void bare(int count, bool with_group) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, with_group ? POSIX_SPAWN_SETPGROUP : 0);
  char* const environment[] = {const_cast<char*>("PATH=/usr/bin:/bin"), nullptr};
  int running = 0;
  for (int i = 0; i < count || running > 0;) {
    while (i < count && running < at_a_time) {
      auto words = command(i++);
      char* const argv[] = {words[0].data(), words[1].data(), nullptr};
      pid_t pid = 0;
      if (posix_spawn(&pid, "/usr/bin/touch", nullptr, &attributes, argv, environment) != 0)
        std::abort();
      ++running;
    }
    if (waitpid(-1, nullptr, 0) > 0)
      --running;
  }
  posix_spawnattr_destroy(&attributes);
}

void through_executor(int count) {
  auto executor = posix_process_executor::open().value();
  std::mutex mutex;
  std::condition_variable done;
  int started = 0;
  int ended = 0;
  std::function<void()> next = [&] {
    process_request r;
    r.key = static_cast<process_key>(++started);
    r.argv = command(started);
    r.environment = {"PATH=/usr/bin:/bin"};
    r.cwd = "/tmp";
    r.log_file = "/tmp/troupe-bench.log";
    r.open_log = []() -> result<int> {
      return ::open("/tmp/troupe-bench.log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    };
    r.max_log = 1000;
    executor->start(
        std::move(r), [](process_spawned) {},
        [&](process_exit e) {
          if (e.how != process_exit::kind::ended || e.exit_code != 0)
            std::abort();
          const std::lock_guard lock(mutex);
          ++ended;
          if (started < count)
            next();
          else if (ended == count)
            done.notify_one();
        });
  };
  std::unique_lock lock(mutex);
  for (int i = 0; i < at_a_time; ++i)
    next();
  done.wait(lock, [&] { return ended == count; });
}

template <class Work>
double timed(const char* name, Work work) {
  const auto from = std::chrono::steady_clock::now();
  const auto cpu = cpu_seconds(RUSAGE_SELF);
  const auto children = cpu_seconds(RUSAGE_CHILDREN);
  work();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - from;
  std::printf("%-28s %6.3f s  own CPU %5.3f s  children's %5.3f s\n", name, took.count(),
              cpu_seconds(RUSAGE_SELF) - cpu, cpu_seconds(RUSAGE_CHILDREN) - children);
  return took.count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

} // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  std::vector<double> bare_times;
  std::vector<double> group_times;
  std::vector<double> executor_times;
  for (int round = 0; round < rounds; ++round) {
    bare_times.push_back(timed("bare", [&] { bare(count, false); }));
    group_times.push_back(timed("bare, each its own group", [&] { bare(count, true); }));
    executor_times.push_back(timed("executor", [&] { through_executor(count); }));
  }
  std::printf("medians of %d rounds of %d: bare %.3f s, with groups %.3f s, executor %.3f s = %.3f x bare\n", rounds,
              count, median(bare_times), median(group_times), median(executor_times),
              median(executor_times) / median(bare_times));
}
