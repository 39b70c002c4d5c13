// A race that ThreadSanitizer has to report: `planted_race actors` between two actors on CAF's scheduler, `planted_race
// journal` between the thread that commits and the one that asked. With nothing at fault it ends with 0; reported races
// make that 66.
#include "actors/caf.hpp"
#include "adapters/group_commit.hpp"
#include "support/memory_journal_store.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

namespace {

int counted = 0; // the race: nobody guards it

struct counts {
  int times;
};

} // namespace

TROUPE_LOCAL_MESSAGE(counts)

namespace {

using counter = caf::typed_actor<caf::reacts_to<counts>>;

counter::behavior_type counting() {
  return {[](counts message) {
    for (int i = 0; i < message.times; ++i) {
      ++counted;
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }};
}

int between_actors() {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", 2);
  caf::actor_system system(config);
  {
    const auto one = system.spawn(counting);
    const auto other = system.spawn(counting);
    caf::anon_send(one, counts{500});
    caf::anon_send(other, counts{500});
  }
  system.await_all_actors_done();
  return counted > 0 ? 0 : 1;
}

int with_the_journal() {
  troupe::test::memory_journal_store store;
  {
    troupe::group_commit log(store, {});
    for (int i = 0; i < 200; ++i) {
      log.append({troupe::writer_closed{}}, true, [](const troupe::result<std::uint64_t>&) { ++counted; });
      ++counted;
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }
  return counted > 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "actors") == 0)
    return between_actors();
  if (argc == 2 && std::strcmp(argv[1], "journal") == 0)
    return with_the_journal();
  std::fprintf(stderr, "usage: planted_race actors|journal\n");
  return 2;
}
