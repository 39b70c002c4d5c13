// A journal that somebody looks at before it is opened: what was found sound is believed of that version alone.
#include "adapters/journal/early_inspection.hpp"
#include "adapters/journal/lmdb_file.hpp"
#include "journal_fixtures.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

using namespace troupe_internal;
using namespace troupe_internal::test;

namespace {

/// More than one megabyte; closed.
struct large_state {
  lmdb_fixture f{durability::pipelined};
  large_state() { add(0); }
  void add(std::uint32_t first) {
    f.reopen();
    names_interned names{asset_id(first), std::vector<std::string>(20'000, std::string(60, 'n')), {}};
    for (std::size_t i = 0; i < names.names.size(); ++i)
      names.names[i] += std::to_string(first + i);
    REQUIRE(f.store().append(std::vector<event>{names}).has_value());
    f.close();
  }
  [[nodiscard]] lmdb_file file() const {
    return lmdb_file::open(*state_dir::open(f.folder()).value(), "journal.mdb").value();
  }
  [[nodiscard]] std::uint64_t transaction() const {
    const auto metas = file().metas();
    return std::max(metas[0] ? metas[0]->txn_id : 0, metas[1] ? metas[1]->txn_id : 0);
  }
};

} // namespace

TEST_CASE("a sound journal is known to be sound, in the version that was looked at") {
  large_state state;
  REQUIRE(state.file().bytes() > 1'000'000);
  const auto early = early_inspection::begin(state.f.folder());
  REQUIRE(early);
  const auto id = state.file().id();
  const auto version = state.transaction();
  early->stand_still(true);
  early->stand_still(false);
  // It may not have begun yet.
  for (int i = 0; i < 10'000 && !early->found_sound(id, version); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(early->found_sound(id, version));
  CHECK(early->found_projections_sound(id, version));
  CHECK_FALSE(early->found_sound(id, version + 1));
  CHECK_FALSE(early->found_sound({id.first, id.second + 1}, version));
  state.add(20'000); // of what is written later it knows nothing
  CHECK_FALSE(early->found_sound(id, state.transaction()));
}

TEST_CASE("a damaged event leaves what is read beside it sound, but not the whole") {
  large_state state;
  const auto path = state.f.folder() + "/journal.mdb";
  std::string bytes(static_cast<std::size_t>(std::filesystem::file_size(path)), '\0');
  std::ifstream(path, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  // In the event one name follows the other; in the table of names each is a record.
  const auto name = [](int number) { return std::string(60, 'n') + std::to_string(number); };
  std::size_t at = bytes.find(name(1000));
  while (at != std::string::npos && bytes.find(name(1001), at) - at > name(1000).size() + 4)
    at = bytes.find(name(1000), at + 1);
  REQUIRE(at != std::string::npos);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file.put('N');
  file.close();
  const auto early = early_inspection::begin(state.f.folder());
  REQUIRE(early);
  const auto id = state.file().id();
  const auto version = state.transaction();
  for (int i = 0; i < 10'000 && !early->found_projections_sound(id, version); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(early->found_projections_sound(id, version));
  CHECK_FALSE(early->found_sound(id, version));
}

TEST_CASE("a journal is opened with and without what was found early, and damage is told alike") {
  large_state state;
  journal_settings settings;
  settings.early = early_inspection::begin(state.f.folder());
  REQUIRE(settings.early);
  {
    const auto opened = open_journal(state.f.folder(), settings, state.f.clock());
    REQUIRE(opened.has_value());
    CHECK((*opened)->append(std::vector<event>{names_interned{asset_id(20'000U), {"one"}, {}}}).has_value());
  }
  // A byte in the middle of a record that only a look at everything finds.
  const auto path = state.f.folder() + "/journal.mdb";
  std::string bytes(static_cast<std::size_t>(std::filesystem::file_size(path)), '\0');
  std::ifstream(path, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const auto at = bytes.rfind(std::string(60, 'n'));
  REQUIRE(at != std::string::npos);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file.put('N');
  file.close();
  std::string told[2];
  for (const bool early : {false, true}) {
    settings.early = early ? early_inspection::begin(state.f.folder()) : nullptr;
    const auto opened = open_journal(state.f.folder(), settings, state.f.clock());
    if (!opened)
      told[early ? 1 : 0] = opened.error().message;
    else if (const auto added = (*opened)->append(std::vector<event>{names_interned{asset_id(20'001U), {"two"}, {}}});
             !added)
      told[early ? 1 : 0] = added.error().message;
  }
  CHECK_FALSE(told[0].empty());
  CHECK(told[0] == told[1]);
}

TEST_CASE("what is small, or not there, or stands still for ever holds nobody up") {
  temporary_folder nothing;
  CHECK(early_inspection::begin(nothing / "state"));
  large_state state;
  const auto early = early_inspection::begin(state.f.folder());
  REQUIRE(early);
  early->stand_still(true); // and is destroyed so
}
