// What it takes to start as many `touch`es and nothing else: two at a time with posix_spawn, in the order of their
// numbers, without dependencies, records or output. The limit for whoever starts processes.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  constexpr int at_a_time = 2;
  const int count = argc > 1 ? std::atoi(argv[1]) : 1000;
  int running = 0;
  const auto wait_for_one = [&running] {
    int status = 0;
    if (wait(&status) < 0 || status != 0) {
      std::fprintf(stderr, "bare_loop: a command failed\n");
      std::exit(1);
    }
    --running;
  };
  for (int i = 0; i < count; ++i) {
    if (running == at_a_time)
      wait_for_one();
    std::string name = "touch";
    auto file = "out/" + std::to_string(i);
    char* const words[] = {name.data(), file.data(), nullptr};
    pid_t pid = 0;
    if (posix_spawnp(&pid, "touch", nullptr, nullptr, words, environ) != 0) {
      std::fprintf(stderr, "bare_loop: cannot start touch\n");
      return 1;
    }
    ++running;
  }
  while (running > 0)
    wait_for_one();
}
