// Counts: states with forged records, the verbs run on them, and what crashed, hung or took all memory. Each state is
// met in a child with limits; the seed and the number make it again.
//
// usage: forge [--states N] [--seed S] [--at NUMBER]
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <random>
#include <string>

namespace {

constexpr unsigned patience_s = 30;              // for one state, all of its verbs
constexpr rlim_t most_memory = rlim_t{1} << 30U; // for what is not mapped from files
constexpr std::uint64_t most_crashes = 50;

struct counts {
  std::uint64_t at = 0, tried = 0, verbs = 0;
};

std::string input_of(std::uint64_t seed, std::uint64_t number) {
  std::mt19937_64 random(seed * 1'000'003 + number);
  std::string bytes(8 + random() % 56, '\0');
  for (auto& byte : bytes)
    byte = static_cast<char>(random());
  return bytes;
}

void limit_memory() {
#if !defined(__SANITIZE_ADDRESS__)
  const rlimit most{most_memory, most_memory};
  ::setrlimit(RLIMIT_DATA, &most);
#endif
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

} // namespace

int main(int argc, char** argv) {
  std::uint64_t states = 1'000;
  std::uint64_t seed = 1;
  std::uint64_t first = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto value = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--states") == 0)
      states = value;
    else if (std::strcmp(argv[i], "--seed") == 0)
      seed = value;
    else if (std::strcmp(argv[i], "--at") == 0)
      first = value;
    else
      return std::fputs("usage: forge [--states N] [--seed S] [--at NUMBER]\n", stderr), 2;
  }
  auto* seen =
      static_cast<counts*>(::mmap(nullptr, sizeof(counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (seen == MAP_FAILED)
    return std::perror("memory to count in"), 1;
  *seen = {};
  seen->at = first;
  const auto end = first + states;
  std::uint64_t crashes = 0;
  while (seen->at < end && crashes < most_crashes) {
    std::fflush(stdout);
    const auto child = ::fork();
    if (child < 0)
      return std::perror("a process of its own"), 1;
    if (child == 0) {
      limit_memory();
      for (; seen->at < end; ++seen->at) {
        ::alarm(patience_s);
        const auto bytes = input_of(seed, seen->at);
        const auto before = troupe_internal::fuzz::forged_verbs();
        troupe_internal::fuzz::fuzz_forge(bytes);
        seen->verbs += troupe_internal::fuzz::forged_verbs() - before;
        ++seen->tried;
      }
      std::exit(0); // the folder goes away
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
      break;
    ++crashes;
    ++seen->tried;
    std::printf("state %llu of seed %llu: %s\n", static_cast<unsigned long long>(seen->at),
                static_cast<unsigned long long>(seed),
                WIFSIGNALED(status) ? (WTERMSIG(status) == SIGALRM ? "hangs" : ::strsignal(WTERMSIG(status)))
                                    : "ends the process");
    ++seen->at;
  }
  std::printf("forged records: %llu states, %llu verbs run on them, %llu crashes\n",
              static_cast<unsigned long long>(seen->tried), static_cast<unsigned long long>(seen->verbs),
              static_cast<unsigned long long>(crashes));
  return crashes == 0 ? 0 : 1;
}
