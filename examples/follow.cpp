// Follows a run in a loop of the program's own: events and progress come by a descriptor, and nothing calls back.
// Knows the public headers alone.
#include <troupe/troupe.hpp>

#include <cstdio>
#include <string>

#include <poll.h>

int main(int count, char** words) {
  if (count != 2)
    return std::fprintf(stderr, "usage: follow FOLDER\n"), 2;
  troupe::pipeline counting("counting");
  const auto numbers = counting.make("numbers", {.version = "1"}, [](troupe::context& told) {
    std::vector<int> all;
    for (int i = 0; i < 1'000; ++i) {
      all.push_back(i);
      told.progress(i / 1'000.0);
    }
    return all;
  });
  const auto sum = counting.make(
      "sum", {.version = "1"},
      [](const std::vector<int>& all) {
        long total = 0;
        for (const int one : all)
          total += one;
        return total;
      },
      numbers);

  auto engine = troupe::engine::open({.state = std::string(words[1]) + "/state"});
  if (!engine)
    return std::fprintf(stderr, "%s\n", engine.error().text().c_str()), 1;
  if (const auto added = engine->add(counting); !added)
    return std::fprintf(stderr, "%s\n", added.error().text().c_str()), 1;
  if (const auto recovered = engine->recover(); !recovered)
    return std::fprintf(stderr, "%s\n", recovered.error().text().c_str()), 1;

  auto events = engine->events({.progress = false});
  const auto run = engine->start("counting");
  if (!events || !run)
    return std::fprintf(stderr, "%s\n", (events ? run.error() : events.error()).text().c_str()), 1;
  for (bool ended = false; !ended;) {
    pollfd on{events->descriptor(), POLLIN, 0}; // beside the program's own descriptors
    if (::poll(&on, 1, 10'000) <= 0)
      return 1;
    while (const auto one = events->next(troupe::duration::zero())) {
      if (!*one)
        break;
      if ((*one)->kind == "attempt_finished" || (*one)->kind == "run_finished")
        std::printf("%s %s\n", (*one)->kind.c_str(), (*one)->asset.c_str());
      ended = ended || (*one)->kind == "run_finished";
    }
  }
  const auto value = engine->latest(sum);
  if (!value)
    return std::fprintf(stderr, "%s\n", value.error().text().c_str()), 1;
  const auto why = engine->explain(sum);
  std::printf("%ld, %s\n", **value, why ? to_string(why->action) : why.error().text().c_str());
}
