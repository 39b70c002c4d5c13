// What carries out functions of a host: threads, stops, deadlines, values in memory and as bytes.
#include "engine/deadline_watch.hpp"
#include "engine/function_threads.hpp"
#include "engine/stop_source.hpp"
#include "engine/value_cache.hpp"
#include "engine/value_stream.hpp"
#include "support/memory_value_store.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <fenv.h>
#include <future>
#include <pthread.h>
#include <thread>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

std::atomic<int> texts_alive{0};

struct counted_text {
  std::atomic<int> holders{1};
  std::string text;
  explicit counted_text(std::string from) : text(std::move(from)) { ++texts_alive; }
  ~counted_text() { --texts_alive; }
};

void retain_text(const void* object) {
  ++const_cast<counted_text*>(static_cast<const counted_text*>(object))->holders;
}
void release_text(const void* object) {
  auto* const text = const_cast<counted_text*>(static_cast<const counted_text*>(object));
  if (--text->holders == 0)
    delete text;
}
std::int32_t write_text(const void* object, troupe_sink* to) {
  const auto& text = static_cast<const counted_text*>(object)->text;
  if (text == "unwritable")
    return 1;
  for (const char& c : text)
    if (!to->put({&c, 1}))
      return 1;
  return 0;
}
const void* read_text(troupe_source* from, std::uint32_t) {
  const auto size = from->left();
  const void* const bytes = from->take(size);
  if (size > 0 && *static_cast<const char*>(bytes) == '!') {
    from->fail("it begins with !");
    return nullptr;
  }
  return new counted_text(std::string(static_cast<const char*>(bytes), size));
}

constexpr troupe_type text_type{sizeof(troupe_type), 2,         1,           {"text", 4},
                                write_text,          read_text, retain_text, release_text};
constexpr troupe_type other_type{sizeof(troupe_type), 2,         2,           {"text", 4},
                                 write_text,          read_text, retain_text, release_text};

held_value text(const std::string& from) {
  return {new counted_text(from), &text_type};
}
std::string text_of(const held_value& value) {
  return static_cast<const counted_text*>(value.object())->text;
}
result<made_value> keep(const std::string& from, value_store& store, std::uint64_t limit = 10'000) {
  const auto value = text(from);
  troupe_sink sink(text_type, store, limit);
  if (text_type.write(value.object(), &sink) != 0)
    sink.fail({});
  return sink.keep();
}

} // namespace

TEST_CASE("a stop calls who asked to be told, once; who comes later at once; who has left not at all") {
  auto& stop = *new troupe_stop;
  int called = 0;
  const auto count = [](void* state) { ++*static_cast<int*>(state); };
  const auto first = stop.tell(count, &called);
  const auto second = stop.tell(count, &called);
  CHECK((first != 0 && second != 0 && first != second));
  stop.forget(second);
  CHECK(!stop.requested());
  stop.request();
  stop.request();
  CHECK((stop.requested() && called == 1));
  CHECK(stop.tell(count, &called) == 0);
  CHECK(called == 2);
  stop.forget(first);
  stop.release();
}

TEST_CASE("to be forgotten waits for a call that is under way on another thread, and not within the call") {
  auto& stop = *new troupe_stop;
  struct scene {
    troupe_stop& stop;
    std::uint64_t number = 0;
    std::promise<void> began;
    std::atomic<bool> over{false};
  } at{stop, 0, {}, {}};
  at.number = stop.tell(
      [](void* state) {
        auto& mine = *static_cast<scene*>(state);
        mine.stop.forget(mine.number); // would wait for itself
        mine.began.set_value();
        std::this_thread::sleep_for(20ms);
        mine.over = true;
      },
      &at);
  std::thread asks([&] { stop.request(); });
  at.began.get_future().get();
  stop.forget(at.number);
  CHECK(at.over);
  asks.join();
  stop.release();
}

TEST_CASE(
    "functions run on at most so many threads, in the state that the thread had, and an ended thread is replaced") {
  int here = 0;
  std::atomic<int> live = 0, most = 0, done = 0;
  std::atomic<bool> round_up = true, signals = true, is_here = true;
  {
    function_threads threads(2, &here);
    CHECK(!function_threads::is_here(&here));
    for (int i = 0; i < 40; ++i)
      threads.submit([&, i] {
        const int now = ++live;
        for (int before = most; now > before && !most.compare_exchange_weak(before, now);) {
        }
        is_here = is_here && function_threads::is_here(&here) && !function_threads::is_here(&live);
        round_up = round_up && fegetround() == FE_TONEAREST;
        sigset_t blocked;
        pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
        signals = signals && sigismember(&blocked, SIGTERM) == 1;
        fesetround(FE_UPWARD);
        sigemptyset(&blocked);
        pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
        --live;
        ++done;
        if (i % 10 == 0)
          pthread_exit(nullptr);
      });
  }
  CHECK(done == 40);
  CHECK(most <= 2);
  CHECK((round_up && signals && is_here));
}

TEST_CASE("a deadline asks for the stop when it is over, and one that is gone does not") {
  deadline_watch watch;
  auto& late = *new troupe_stop;
  auto& gone = *new troupe_stop;
  std::promise<void> told;
  const auto number = late.tell([](void* state) { static_cast<std::promise<void>*>(state)->set_value(); }, &told);
  CHECK(number != 0);
  const auto now = deadline_watch::clock::now();
  {
    const deadline_watch::deadline early(watch, now + 1h, gone);
    const deadline_watch::deadline due(watch, now + 5ms, late);
    told.get_future().get();
    CHECK(deadline_watch::clock::now() >= now + 5ms);
  }
  CHECK((late.requested() && !gone.requested()));
  late.release();
  gone.release();
}

TEST_CASE("values in memory: the last used stay as long as they fit, of the version and the type that was asked for") {
  {
    value_cache cache(1'000);
    const auto version = [](std::uint8_t of) { return digest{{of}}; };
    cache.put(asset_id(1U), version(1), text("one"), 300);
    cache.put(asset_id(2U), version(1), text("two"), 300);
    CHECK(text_of(cache.find(asset_id(1U), version(1), text_type)) == "one");
    CHECK(!cache.find(asset_id(1U), version(2), text_type));
    CHECK(!cache.find(asset_id(1U), version(1), other_type));
    cache.put(asset_id(3U), version(1), text("three"), 300); // the second was used longest ago
    CHECK(!cache.find(asset_id(2U), version(1), text_type));
    CHECK(text_of(cache.find(asset_id(1U), version(1), text_type)) == "one");
    cache.put(asset_id(1U), version(2), text("one again"), 300);
    CHECK(text_of(cache.find(asset_id(1U), version(2), text_type)) == "one again");
    const auto held = cache.find(asset_id(3U), version(1), text_type);
    cache.put(asset_id(4U), version(1), text("too large"), 2'000);
    CHECK(!cache.find(asset_id(4U), version(1), text_type));
    CHECK(texts_alive == 2);
  }
  CHECK(texts_alive == 0);
}

TEST_CASE("a value is kept in its record while it is short, else in the store; equal bytes are one version") {
  test::memory_value_store store;
  const auto little = keep(std::string(max_inline_value, 'a'), store);
  REQUIRE(little.has_value());
  CHECK(!little->kept.in_file());
  CHECK(little->kept.bytes.data.size() == max_inline_value);
  CHECK((little->kept.type == "text" && little->kept.version == 2));
  const auto large = keep(std::string(max_inline_value + 1, 'a'), store);
  REQUIRE(large.has_value());
  CHECK((large->kept.in_file() && large->kept.bytes.empty() && store.has(large->kept)));
  CHECK(large->kept.file == large->version);
  CHECK(large->version != little->version);
  CHECK(keep(std::string(max_inline_value + 1, 'a'), store)->version == large->version);
  CHECK(keep("", store)->kept.size == 0);
  for (const auto& one : {*little, *large}) {
    const auto back = read_value(one.kept, text_type, store);
    REQUIRE(back.has_value());
    CHECK(text_of(*back).size() == one.kept.size);
  }
  CHECK(keep(std::string(20, 'x'), store, 10).error().message.find("larger than the 10 bytes") != std::string::npos);
  CHECK(keep("unwritable", store).error().message == "its codec says that it cannot be written");
}

TEST_CASE("what cannot be read says why: another type, another version, damage, bytes that the codec refuses") {
  test::memory_value_store store;
  auto kept = keep("words", store)->kept;
  const auto refusal = [&](const stored_value& one, const troupe_type& as = text_type) {
    const auto read = read_value(one, as, store);
    return read ? std::string() : read.error().message;
  };
  CHECK(refusal(kept).empty());
  kept.version = 1;
  CHECK(refusal(kept).empty()); // text_type reads version 1
  CHECK(refusal(kept, other_type) == "it is text v1, and the code reads text v2");
  kept.version = 3;
  CHECK(refusal(kept) == "it is text v3, and the code reads text v2");
  kept = keep("!words", store)->kept;
  CHECK(refusal(kept) == "text v2 cannot be read: it begins with !");
  const auto large = keep(std::string(5'000, 'x'), store)->kept;
  store.damage(large.file);
  CHECK(refusal(large) == "it is damaged");
  CHECK(texts_alive == 0);
}
