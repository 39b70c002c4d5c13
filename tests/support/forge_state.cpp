// What end-to-end tests forge states with.
//
//   forge_state own                          prints this writer as the journal notes it: USER MACHINE, or USER -
//   forge_state writers STATE [USER MACHINE]… has the state name these as who may write it
//   forge_state boot STATE ID                has the state's last writer be of another start of the machine
//   forge_state attempts STATE GROUP TICKS   has every open attempt name this process group and start
#include "support/forged_state.hpp"

#include "adapters/process/own_identity.hpp"

#include <cstdlib>
#include <iostream>

using namespace troupe_internal;

namespace {

std::string machine_text(const digest& machine) {
  return machine == digest{} ? "-" : to_hex(machine);
}

std::string forged(const std::vector<std::string>& words) {
  if (words.size() >= 2 && words[0] == "writers" && words.size() % 2 == 0) {
    std::vector<writer_identity> writers;
    for (std::size_t i = 2; i < words.size(); i += 2)
      writers.push_back(
          {static_cast<std::uint32_t>(std::stoul(words[i])), digest_from_hex(words[i + 1]).value_or(digest{})});
    return test::forge_info(words[1], [&](state_info& info) { info.writers = writers; });
  }
  if (words.size() == 3 && words[0] == "boot")
    return test::forge_info(words[1], [&](state_info& info) { info.writer_boot_id = words[2]; });
  if (words.size() == 4 && words[0] == "attempts")
    return test::forge_attempts(words[1], std::stoi(words[2]), std::stoull(words[3]));
  return "it takes own, writers, boot or attempts";
}

} // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 1 && words[0] == "own") {
    const auto own = own_identity();
    std::cout << own.user << " " << machine_text(own.machine) << "\n";
    return EXIT_SUCCESS;
  }
  const auto problem = forged(words);
  if (problem.empty())
    return EXIT_SUCCESS;
  std::cerr << problem << "\n";
  return EXIT_FAILURE;
}
