// That it is had by one at a time, and in the order of asking.
#include "adapters/process/fair_mutex.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

using namespace troupe_internal;

TEST_CASE("a fair mutex is had by one thread at a time") {
  fair_mutex mutex;
  int count = 0; // no atomic: the sanitizers see to it, and so does the sum
  const auto add = [&](bool soon) {
    for (int i = 0; i < 3000; ++i) {
      if (soon)
        mutex.lock_soon();
      else
        mutex.lock();
      ++count;
      mutex.unlock();
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back(add, i % 2 == 0);
  for (auto& thread : threads)
    thread.join();
  CHECK(count == 18000);
  CHECK_FALSE(mutex.wanted());
}

TEST_CASE("who waits for a fair mutex has it before who gives it back and asks again") {
  for (const bool soon : {false, true}) {
    fair_mutex mutex;
    std::vector<int> order;
    mutex.lock();
    CHECK_FALSE(mutex.wanted());
    std::thread other([&] {
      if (soon)
        mutex.lock_soon();
      else
        mutex.lock();
      order.push_back(1);
      mutex.unlock();
    });
    while (!mutex.wanted())
      std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(2)); // it may sleep by now
    mutex.unlock();
    mutex.lock();
    order.push_back(2);
    mutex.unlock();
    other.join();
    CHECK(order == std::vector<int>{1, 2});
  }
}
