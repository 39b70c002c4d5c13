// What a value store promises: of the real one and of the fake.
#include "adapters/journal/value_files.hpp"
#include "adapters/state/state_dir.hpp"
#include "support/memory_value_store.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>

using namespace troupe_internal;

namespace {

stored_value kept(const std::string& bytes, const std::string& type = "text") {
  auto hasher = value_hasher(type, 1);
  hasher.update(bytes);
  return {type, 1, bytes.size(), {}, hasher.finish()};
}

stored_value put(value_store& store, const std::string& bytes) {
  auto draft = store.begin();
  REQUIRE(draft.has_value());
  const auto half = bytes.size() / 2;
  REQUIRE((*draft)->put(bytes.substr(0, half)).has_value());
  REQUIRE((*draft)->put(bytes.substr(half)).has_value());
  const auto value = kept(bytes);
  REQUIRE((*draft)->keep(value.file).has_value());
  return value;
}

void contract(value_store& store, const std::function<void(const digest&)>& damage) {
  CHECK(!store.has(kept("nothing")));
  CHECK(store.read(kept("nothing")).error().code == error_code::not_found);
  CHECK(store.sweep([](const digest&) { return false; }).has_value());
  {
    auto dropped = store.begin();
    REQUIRE(dropped.has_value());
    REQUIRE((*dropped)->put("half").has_value());
  }
  const std::string bytes(100'000, 'a');
  const auto first = put(store, bytes);
  const auto second = put(store, "b\0c" + bytes);
  CHECK(store.has(first));
  CHECK(store.read(first).value() == bytes);
  auto other_size = first;
  ++other_size.size;
  CHECK(!store.has(other_size));
  auto other_type = first;
  other_type.type = "number"; // the same bytes are another value
  CHECK(store.read(other_type).error().code == error_code::not_found);
  CHECK(put(store, bytes) == first);
  CHECK(store.sweep([&](const digest& one) { return one == first.file; }).has_value());
  CHECK((store.has(first) && !store.has(second)));
  damage(first.file);
  CHECK(store.has(first)); // a look does not read it
  CHECK(store.read(first).error().code == error_code::not_found);
  store.drop(first);
  CHECK(!store.has(first));
  CHECK(put(store, bytes) == first);
  CHECK(store.read(first).value() == bytes);
}

} // namespace

TEST_CASE("a value store keeps what it says, and says what it does not") {
  SUBCASE("in memory") {
    test::memory_value_store store;
    contract(store, [&](const digest& one) { store.damage(one); });
  }
  SUBCASE("in files") {
    const temporary_folder folder;
    const auto dir = state_dir::open_or_make(folder / "state");
    REQUIRE(dir.has_value());
    value_files store(*dir, true);
    contract(store, [&](const digest& one) {
      std::fstream file(folder / ("state/values/" + to_hex(one)), std::ios::in | std::ios::out);
      file.put('x');
    });
  }
}

TEST_CASE("what a dead process left of a value is swept away, and what is no value is left alone") {
  const temporary_folder folder;
  const auto dir = state_dir::open_or_make(folder / "state");
  REQUIRE(dir.has_value());
  value_files store(*dir, false);
  const auto value = put(store, "kept");
  std::ofstream(folder / "state/values/draft-7") << "half";
  std::ofstream(folder / "state/values/note.txt") << "mine";
  const auto open = store.begin();
  REQUIRE(open.has_value());
  CHECK(store.sweep([](const digest&) { return true; }).has_value());
  CHECK(std::filesystem::exists(folder / "state/values/draft-7")); // it may be the open one
}

TEST_CASE("a folder of values that is no folder of ours is refused, and a link in it is not followed") {
  const temporary_folder folder;
  const auto dir = state_dir::open_or_make(folder / "state");
  REQUIRE(dir.has_value());
  std::filesystem::create_symlink("/tmp", folder / "state/values");
  value_files store(*dir, false);
  CHECK(!store.begin().has_value());
  CHECK(!store.has(kept("x")));
  std::filesystem::remove(folder / "state/values");
  const auto value = put(store, std::string(2'000, 'x'));
  std::filesystem::remove(folder / ("state/values/" + to_hex(value.file)));
  std::ofstream(folder / "elsewhere") << std::string(2'000, 'x');
  std::filesystem::create_symlink(folder / "elsewhere", folder / ("state/values/" + to_hex(value.file)));
  CHECK(!store.has(value));
  CHECK(!store.read(value).has_value());
}
