// A race that ThreadSanitizer has to report: `planted_race actors` between two actors on CAF's scheduler, `planted_race
// journal` between the thread that commits and the one that asked, `planted_race handover` between an actor and a
// thread that goes on with what it has sent. With nothing at fault it ends with 0; reported races make that 66.
#include "actors/caf.hpp"
#include "actors/handover.hpp"
#include "adapters/journal/group_commit.hpp"
#include "support/memory_journal_store.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>

namespace {

int counted = 0; // the race: nobody guards it

struct counts {
  int times;
};
struct shared_counter {
  std::shared_ptr<int> counted_by_both;
};

} // namespace

TROUPE_LOCAL_MESSAGE(counts)
TROUPE_LOCAL_MESSAGE(shared_counter)

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

using reader = caf::typed_actor<caf::reacts_to<shared_counter>>;

reader::behavior_type reading() {
  return {[](const shared_counter& message) {
    troupe_internal::take_over();
    for (int i = 0; i < 500; ++i) {
      ++*message.counted_by_both;
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }};
}

int after_a_handover() {
  caf::actor_system_config config;
  caf::actor_system system(config);
  const auto both = std::make_shared<int>(1);
  {
    const auto actor = system.spawn(reading);
    troupe_internal::hand_over();
    caf::anon_send(actor, shared_counter{both});
    for (int i = 0; i < 500; ++i) {
      ++*both; // it is the actor's now
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }
  system.await_all_actors_done();
  return *both > 1 ? 0 : 1;
}

int with_the_journal() {
  troupe_internal::test::memory_journal_store store;
  {
    troupe_internal::group_commit log(store, {});
    for (int i = 0; i < 200; ++i) {
      log.append({troupe_internal::writer_closed{}}, true,
                 [](const troupe_internal::result<std::uint64_t>&) { ++counted; });
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
  if (argc == 2 && std::strcmp(argv[1], "handover") == 0)
    return after_a_handover();
  std::fprintf(stderr, "usage: planted_race actors|journal|handover\n");
  return 2;
}
