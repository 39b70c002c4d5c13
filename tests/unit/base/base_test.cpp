// Values of base: digests, times, UUIDs, interned strings.
#include "base/digest.hpp"
#include "base/interner.hpp"
#include "base/large_pages.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace troupe_internal;

TEST_CASE("a content digest is the first half of SHA-256") {
  CHECK(to_hex(content_digest("abc")) == "ba7816bf8f01cfea414140de5dae2223");
  content_hasher hasher;
  hasher.update("a");
  hasher.update("bc");
  CHECK(hasher.finish() == content_digest("abc"));
  hasher.update("abc");
  CHECK(hasher.finish() == content_digest("abc"));
}

TEST_CASE("a quick digest tells texts apart and is stable") {
  CHECK(quick_digest("a") != quick_digest("b"));
  CHECK(quick_digest("") == quick_digest({}));
  CHECK(to_hex(quick_digest("")) == "99aa06d3014798d86001c324468d497f");
}

TEST_CASE("digests survive hexadecimal, anything else is refused") {
  const auto d = content_digest("x");
  CHECK(digest_from_hex(to_hex(d)) == d);
  CHECK(digest_from_hex("BA7816BF8F01CFEA414140DE5DAE2223") == content_digest("abc"));
  CHECK_FALSE(digest_from_hex("ba78"));
  CHECK_FALSE(digest_from_hex(std::string(32, 'g')));
}

TEST_CASE("times print as RFC 3339 in UTC with milliseconds") {
  CHECK(to_rfc3339(from_unix_ns(0)) == "1970-01-01T00:00:00.000Z");
  CHECK(to_rfc3339(from_unix_ns(1'769'847'330'250'999'999)) == "2026-01-31T08:15:30.250Z");
  CHECK(to_rfc3339(from_unix_ns(-1)) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("durations print for people") {
  using namespace std::chrono_literals;
  CHECK(to_human(0ms) == "0ms");
  CHECK(to_human(999ms) == "999ms");
  CHECK(to_human(3250ms) == "3.2s");
  CHECK(to_human(247s) == "4m07s");
  CHECK(to_human(2h + 5min) == "2h05m");
  CHECK(to_human(76h) == "3d04h");
}

TEST_CASE("a version 7 UUID carries its time, version and variant, and survives text") {
  const auto id = make_uuid_v7(from_unix_ns(0x0123456789ABLL * 1'000'000), ~0ULL, ~0ULL);
  CHECK(to_string(id) == "01234567-89ab-7fff-bfff-ffffffffffff");
  CHECK(uuid_from_string(to_string(id)) == id);
  CHECK(make_uuid_v7(from_unix_ns(1'000'000), ~0ULL, ~0ULL) < make_uuid_v7(from_unix_ns(2'000'000), 0, 0));
  CHECK_FALSE(uuid_from_string("01234567-89ab-7fff-bfff-fffffffffff"));
  CHECK_FALSE(uuid_from_string("0123456789ab-7fff-bfff--fffffffffffff"));
  CHECK_FALSE(uuid_from_string("g1234567-89ab-7fff-bfff-ffffffffffff"));
}

TEST_CASE("interned strings are numbered in order of first appearance") {
  interner names;
  CHECK_FALSE(names.find("a"));
  names.reserve(10);
  for (int i = 0; i < 1000; ++i)
    CHECK(names.intern("name " + std::to_string(i)) == static_cast<std::uint32_t>(i));
  CHECK(names.intern("name 7") == 7);
  CHECK(names.find("name 999") == 999U);
  CHECK_FALSE(names.find("name 1000"));
  CHECK(names.text(42) == "name 42");
  CHECK(names.intern("") == 1000);
  CHECK(names.size() == 1001);
}

TEST_CASE("hundreds of thousands of interned strings keep their numbers") {
  interner names;
  constexpr std::uint32_t count = 300'000;
  const auto name = [](std::uint32_t i) { return std::to_string(i * 7) + "/x"; };
  for (std::uint32_t i = 0; i < count; ++i)
    REQUIRE(names.intern(name(i)) == i);
  bool same = true;
  for (std::uint32_t i = 0; i < count; ++i)
    same = same && names.find(name(i)) == i && names.intern(name(i)) == i && names.text(i) == name(i) &&
           !names.find(name(i) + "y");
  CHECK(same);
  CHECK(names.size() == count);
}

TEST_CASE("a list of any size lies in ordinary memory or in large pages, and is as long and as aligned") {
  for (const std::size_t count :
       {std::size_t{0}, std::size_t{1}, std::size_t{262'143}, std::size_t{262'144}, std::size_t{1'000'000}}) {
    large_vector<std::uint64_t> list(count);
    CHECK(reinterpret_cast<std::uintptr_t>(list.data()) % alignof(std::uint64_t) == 0);
    for (std::size_t i = 0; i < count; ++i)
      list[i] = i;
    list.push_back(7);
    list.shrink_to_fit();
    CHECK(list.size() == count + 1);
    CHECK((count == 0 || list[count - 1] == count - 1));
  }
  auto* memory = large_page_resource()->allocate(5'000'001, 1);
  static_cast<char*>(memory)[5'000'000] = 1;
  large_page_resource()->deallocate(memory, 5'000'001, 1);
}

TEST_CASE("a result is a value or an error with its words") {
  const auto half = [](int n) -> result<int> {
    if (n % 2 != 0)
      return fail(error_code::invalid_input, "odd");
    return n / 2;
  };
  CHECK(half(4).value() == 2);
  CHECK(half(3).error().code == error_code::invalid_input);
  CHECK(half(3).error().message == "odd");
}

TEST_CASE("moments are read as people write them") {
  const auto text = [](const char* written) {
    const auto moment = parse_moment(written);
    return moment ? to_rfc3339(*moment) : "none";
  };
  CHECK(text("2026-03-29") == "2026-03-29T00:00:00.000Z");
  CHECK(text("2026-03-29T02:30") == "2026-03-29T02:30:00.000Z");
  CHECK(text("2026-03-29 02:30:15Z") == "2026-03-29T02:30:15.000Z");
  CHECK(text("2026-03-29T02:30+02:00") == "2026-03-29T00:30:00.000Z");
  CHECK(text("2026-03-29T02:30:00-0130") == "2026-03-29T04:00:00.000Z");
  CHECK(text("1970-01-01T00:00Z") == "1970-01-01T00:00:00.000Z");
  CHECK(text("2261-12-31T23:59:59Z") == "2261-12-31T23:59:59.000Z");
  for (const char* wrong : {"", "today", "2026", "2026-3-29", "2026-02-29", "2026-13-01", "2026-03-29T",
                            "2026-03-29T24:00", "2026-03-29T02", "2026-03-29T02:60", "2026-03-29T02:30X",
                            "2026-03-29T02:30Z ", "1969-12-31", "2262-01-01", "2026-03-29T02:30+2", "2026-03-2902:30"})
    CHECK(text(wrong) == "none");
}
