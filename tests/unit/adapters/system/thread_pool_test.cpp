// The pool: order, the end, many at once.
#include "adapters/system/thread_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

using namespace troupe_internal;

TEST_CASE("one thread does the work in the order it was given") {
  std::vector<int> done;
  {
    thread_pool pool(1);
    for (int i = 0; i < 100; ++i)
      pool.submit([&done, i] { done.push_back(i); });
  }
  REQUIRE(done.size() == 100);
  for (int i = 0; i < 100; ++i)
    CHECK(done[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("the end waits for all that was given, also for what work itself gave") {
  std::atomic<int> done{0};
  auto pool = std::make_unique<thread_pool>(3);
  auto& p = *pool;
  for (int i = 0; i < 50; ++i)
    p.submit([&] {
      ++done;
      p.submit([&] { ++done; });
    });
  pool.reset();
  CHECK(done == 100);
}

TEST_CASE("several threads work at once") {
  std::promise<void> first;
  std::promise<void> second;
  auto first_done = first.get_future().share();
  auto second_done = second.get_future().share();
  thread_pool pool(2); // after what its threads use: its end waits for them
  // Each waits for the other: one thread alone would never end.
  pool.submit([&] {
    first.set_value();
    second_done.wait();
  });
  pool.submit([&] {
    second.set_value();
    first_done.wait();
  });
  CHECK(first_done.wait_for(std::chrono::minutes(1)) == std::future_status::ready);
  CHECK(second_done.wait_for(std::chrono::minutes(1)) == std::future_status::ready);
}
