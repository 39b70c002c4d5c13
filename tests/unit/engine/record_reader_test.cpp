// Records read ahead: all of them, in order, and what is wrong with one when its turn has come.
#include "engine/record_reader.hpp"

#include <doctest/doctest.h>

#include <new>
#include <optional>

using namespace troupe_internal;

namespace {

/// Each asset's record bears its number; one of them may be damaged. Has a twin, as LMDB's has.
class numbered_records final : public journal_snapshot {
public:
  explicit numbered_records(std::optional<std::uint32_t> damaged = std::nullopt, bool has_twin = true)
      : damaged_(damaged), has_twin_(has_twin) {}

  std::unique_ptr<const journal_snapshot> twin() const override {
    return has_twin_ ? std::make_unique<numbered_records>(damaged_) : nullptr;
  }
  result<bool> read_asset(asset_id asset, asset_record& out) const override {
    if (damaged_ == asset.value && damaged_ == 4'242U)
      throw std::bad_alloc();
    if (damaged_ == asset.value)
      return fail(error_code::state_unusable, "asset record " + std::to_string(asset.value));
    out.attempt_number = asset.value;
    out.attempt_reasons.resize(asset.value % 3);
    out.absent_outputs.resize(asset.value % 1'000 == 0 ? 10'000 : 0); // much to read
    return true;
  }

  const state_info& info() const override { return info_; }
  result<void> visit_events(std::uint64_t, const std::function<bool(std::uint64_t, const event&)>&) const override {
    return {};
  }
  result<void> visit_asset_names(const std::function<bool(asset_id, std::string_view)>&) const override { return {}; }
  result<void> visit_identities(const std::function<bool(asset_id, std::string_view)>&) const override { return {}; }
  result<bool> read_made(path_id, made_record&) const override { return false; }
  result<bool> read_base_asset(asset_id, asset_record&) const override { return false; }
  result<bool> read_definition(const digest&, asset_definition&) const override { return false; }
  result<void> visit_made(const std::function<bool(path_id)>&,
                          const std::function<bool(path_id, const made_record&)>&) const override {
    return {};
  }
  result<void> visit_paths(const std::function<bool(path_id, std::string_view)>&) const override { return {}; }
  result<void> visit_assets(const std::function<bool(asset_id, const asset_record&)>&) const override { return {}; }
  result<void> visit_files(const std::function<bool(path_id, const file_record&)>&) const override { return {}; }
  result<void> visit_queue(const std::function<bool(const run_queued&)>&) const override { return {}; }
  result<std::optional<run_record>> read_run(run_number) const override { return std::optional<run_record>(); }
  result<void> visit_runs_newest_first(const std::function<bool(const run_record&)>&) const override { return {}; }
  result<void> visit_triggers(const std::function<bool(const trigger_record&)>&) const override { return {}; }
  result<bool> read_trigger(const std::string&, trigger_record&) const override { return false; }
  result<void> visit_pending(const std::function<bool(const event_taken&)>&) const override { return {}; }
  result<void> visit_watched(const std::function<bool(const watched_record&)>&) const override { return {}; }
  result<void> visit_notices(const std::function<bool(const notice_taken&)>&) const override { return {}; }
  result<bool> read_seen_key(const std::string&, const std::string&, seen_key&) const override { return false; }
  result<bool> read_trigger(const std::string&, trigger_record&) const override { return false; }
  result<void> visit_seen_keys(const std::function<bool(const seen_key&)>&) const override { return {}; }
  result<std::vector<open_attempt>> open_attempts() const override { return std::vector<open_attempt>(); }
  result<std::optional<run_checkpoint>> read_checkpoint(run_number) const override {
    return std::optional<run_checkpoint>();
  }
  error damaged_event(std::uint64_t, const std::string& finding) const override {
    return fail(error_code::state_unusable, finding);
  }
  error damaged_run(run_number, const std::string& finding) const override {
    return fail(error_code::state_unusable, finding);
  }

private:
  std::optional<std::uint32_t> damaged_;
  bool has_twin_;
  state_info info_;
};

/// Every second asset, the last first.
std::vector<asset_id> backwards(std::uint32_t count) {
  std::vector<asset_id> ids;
  for (std::uint32_t i = count; i-- > 0;)
    ids.emplace_back(2 * i);
  return ids;
}

} // namespace

TEST_CASE("records come in the order asked for, read ahead or not") {
  for (const bool ahead : {false, true})
    for (const bool has_twin : {false, true})
      for (const std::uint32_t count : {0U, 1U, 100U, 2'000U, 10'001U}) {
        const numbered_records snapshot(std::nullopt, has_twin);
        record_reader reader(snapshot, backwards(count), ahead);
        bool good = true;
        for (const auto id : backwards(count)) {
          const auto read = reader.next();
          REQUIRE(read.has_value());
          good = good && (*read)->attempt_number == id.value && (*read)->attempt_reasons.size() == id.value % 3 &&
                 (*read)->absent_outputs.size() == (id.value % 1'000 == 0 ? 10'000 : 0);
          (*read)->attempt_number = 0; // it is the caller's
        }
        CHECK(good);
      }
}

TEST_CASE("a damaged record is told of when its turn has come") {
  constexpr std::uint32_t count = 10'000;
  for (const bool ahead : {false, true})
    for (const std::uint32_t damaged : {0U, 2U, 126U, 128U, 10'000U, 2 * (count - 1)}) {
      const numbered_records snapshot(damaged);
      record_reader reader(snapshot, backwards(count), ahead);
      for (std::uint32_t i = count; --i > damaged / 2;)
        REQUIRE(reader.next().has_value());
      const auto read = reader.next();
      REQUIRE_FALSE(read.has_value());
      CHECK(read.error().message == "asset record " + std::to_string(damaged));
    }
}

TEST_CASE("memory that runs out runs out for who asks") {
  for (const bool ahead : {false, true}) {
    const numbered_records snapshot(4'242U);
    record_reader reader(snapshot, backwards(10'000), ahead);
    for (std::uint32_t i = 10'000; --i > 4'242U / 2;)
      REQUIRE(reader.next().has_value());
    CHECK_THROWS_AS(static_cast<void>(reader.next()), std::bad_alloc);
  }
}

TEST_CASE("a reader that nobody asks any more ends") {
  const numbered_records snapshot;
  for (const std::size_t asked : {0U, 1U, 64U, 65U, 5'000U}) {
    record_reader reader(snapshot, backwards(10'000), true);
    for (std::size_t i = 0; i < asked; ++i)
      REQUIRE(reader.next().has_value());
  }
}
