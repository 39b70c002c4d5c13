// Runs over shared files, each file made by one asset: a value from the run's param and the values read. Random runs
// over one graph, which differ in params and selection, are held by the hold table. Checked: an asset has at most one
// open attempt; no file changes while it is read; what is read of an asset of the run is what that run made or found
// fresh; and every hold ends.
#include "core/schedule/holds.hpp"
#include "support/random_run.hpp"
#include "worlds.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace troupe_internal::test {
namespace {

using value = std::uint64_t;

class shared_files {
public:
  explicit shared_files(std::uint64_t seed) : random_(seed) {
    const auto size = 2 + random_.below(8);
    files_.assign(size, 0);
    reads_.resize(size);
    readers_.resize(size);
    for (std::uint32_t i = 0; i < size; ++i)
      for (std::uint32_t u = 0; u < i; ++u)
        if (random_.once_in(3)) {
          reads_[i].push_back(u);
          readers_[u].push_back(i);
        }
  }

  void play() {
    auto to_come = 2 + random_.below(5);
    for (int step = 0; to_come > 0 || !runs_.empty(); ++step) {
      require(step < 20'000, "the runs do not end");
      if (to_come > 0 && runs_.size() < 5 && (runs_.empty() || random_.once_in(12))) {
        --to_come;
        start();
        continue;
      }
      const auto at = random_.below(static_cast<std::uint32_t>(runs_.size()));
      auto& chosen = *runs_[at];
      if (random_.once_in(60)) {
        crash(at, random_.once_in(2));
        continue;
      }
      const auto moves = moves_of(chosen);
      if (!moves.empty())
        advance(chosen, moves[random_.below(static_cast<std::uint32_t>(moves.size()))]);
      if (std::all_of(chosen.of.begin(), chosen.of.end(), [](const asset& one) { return one.where == place::settled; }))
        leave(at);
      else
        require(anybody_moves(), "the runs are stuck: each waits, and nothing is executed");
    }
    require(table_.runs() == 0 && table_.waiting() == 0, "somebody waits after the last run has left");
  }

private:
  enum class place : std::uint8_t { waiting, held, claimed, stale, held_stale, executing, settled };
  struct asset {
    place where = place::settled;
    bool inside = false;
    value has{};             ///< what this run made of it, or found fresh
    std::vector<value> read; ///< at the start of its attempt
  };
  struct run : held_view {
    run_number number;
    value param = 0;
    std::vector<asset> of;
    const shared_files* world = nullptr;

    [[nodiscard]] bool unsettled(asset_id id) const override { return of[id.value].where != place::settled; }
    void visit_reads(asset_id id, const visitor& visit) const override { each(world->reads_[id.value], visit); }
    void visit_readers(asset_id id, const visitor& visit) const override { each(world->readers_[id.value], visit); }
    static void each(const std::vector<std::uint32_t>& all, const visitor& visit) {
      for (const auto one : all)
        if (!visit(asset_id(one)))
          return;
    }
  };

  void start() {
    auto one = std::make_unique<run>();
    one->number = run_number(++last_);
    one->param = random_.below(3);
    one->world = this;
    one->of.resize(files_.size());
    for (auto& a : one->of)
      if (!random_.once_in(3)) {
        a.inside = true;
        a.where = place::waiting;
      }
    table_.joined(one->number, *one);
    runs_.push_back(std::move(one));
  }

  [[nodiscard]] bool ready(const run& r, std::uint32_t i) const {
    return std::all_of(reads_[i].begin(), reads_[i].end(),
                       [&](std::uint32_t u) { return r.of[u].where == place::settled; });
  }
  [[nodiscard]] std::vector<std::uint32_t> moves_of(const run& r) const {
    std::vector<std::uint32_t> moves;
    for (std::uint32_t i = 0; i < r.of.size(); ++i) {
      const auto where = r.of[i].where;
      if ((where == place::waiting && ready(r, i)) || where == place::claimed || where == place::stale ||
          where == place::executing)
        moves.push_back(i);
    }
    return moves;
  }
  [[nodiscard]] bool anybody_moves() const {
    return std::any_of(runs_.begin(), runs_.end(), [&](const auto& one) {
      return !moves_of(*one).empty() ||
             std::none_of(one->of.begin(), one->of.end(), [](const asset& a) { return a.inside; });
    });
  }

  [[nodiscard]] value made_of(const run& r, const std::vector<value>& read, std::uint32_t i) const {
    value all = 1 + i * 31 + r.param * 7;
    for (const auto one : read)
      all = (all ^ one) * 0x9E3779B97F4A7C15U;
    return all;
  }
  [[nodiscard]] std::vector<value> values_read(std::uint32_t i) const {
    std::vector<value> all;
    for (const auto u : reads_[i])
      all.push_back(files_[u]);
    return all;
  }
  [[nodiscard]] bool executed_by_another(const run* self, std::uint32_t i) const {
    return std::any_of(runs_.begin(), runs_.end(),
                       [&](const auto& one) { return one.get() != self && one->of[i].where == place::executing; });
  }

  /// Where the asset stands, it goes one step on.
  void advance(run& r, std::uint32_t i) {
    auto& a = r.of[i];
    switch (a.where) {
    case place::waiting:
      a.where = asks(r, i, false) ? place::held : place::claimed;
      break;
    case place::claimed: { // examined
      check_read(r, i, values_read(i));
      if (files_[i] == made_of(r, values_read(i), i)) {
        require(!executed_by_another(&r, i), "an asset is found fresh while another run makes it");
        settle(r, i, files_[i]);
      } else {
        a.where = place::stale;
      }
      break;
    }
    case place::stale:
      if (asks(r, i, true)) {
        a.where = place::held_stale;
        break;
      }
      require(!executed_by_another(&r, i), "an asset has two open attempts");
      for (const auto u : reads_[i])
        require(!executed_by_another(&r, u), "an asset is read while another run makes it");
      a.read = values_read(i);
      check_read(r, i, a.read);
      a.where = place::executing;
      break;
    case place::executing:
      require(values_read(i) == a.read, "a file has changed while it was read");
      files_[i] = random_.once_in(8) ? random_.bits() : made_of(r, a.read, i); // a failure leaves anything
      settle(r, i, files_[i]);
      break;
    default:
      break;
    }
  }

  /// What it reads of assets of its run is what they came to in this run.
  void check_read(const run& r, std::uint32_t i, const std::vector<value>& read) const {
    for (std::size_t k = 0; k < read.size(); ++k) {
      const auto& upstream = r.of[reads_[i][k]];
      require(!upstream.inside || upstream.has == read[k], "what is read is not what the run's own dependency made");
    }
  }

  [[nodiscard]] bool asks(const run& r, std::uint32_t i, bool before_execution) {
    const auto blocker = table_.blocker(r.number, asset_id(i), before_execution);
    if (blocker) {
      const auto own = std::find_if(runs_.begin(), runs_.end(), [&](const auto& one) { return one.get() == &r; });
      const auto earlier =
          std::find_if(runs_.begin(), own, [&](const auto& one) { return one->number == blocker->run; });
      require(earlier != own, "an asset waits for a run that is not earlier");
      require((*earlier)->unsettled(blocker->asset), "an asset waits for what is settled");
    }
    return blocker.has_value();
  }

  void settle(run& r, std::uint32_t i, value has) {
    r.of[i].where = place::settled;
    r.of[i].has = has;
    wake(table_.settled(r.number, asset_id(i)));
  }
  void wake(const std::vector<run_asset>& all) {
    for (const auto& one : all) {
      const auto found = std::find_if(runs_.begin(), runs_.end(), [&](const auto& r) { return r->number == one.run; });
      require(found != runs_.end(), "a run that has left is asked for again");
      auto& where = (*found)->of[one.asset.value].where;
      if (where == place::held)
        where = place::waiting;
      else if (where == place::held_stale)
        where = place::waiting; // examined anew: what it reads may have changed
      else
        require(false, "an asset that does not wait is asked for again");
    }
  }
  void leave(std::size_t at) {
    const auto gone = std::move(runs_[at]);
    runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(at));
    wake(table_.left(gone->number));
  }

  /// The run is stopped: what it executes has written anything. If it is resumed, it is the latest of all, and judges
  /// all of its assets anew.
  void crash(std::size_t at, bool resumed) {
    auto gone = std::move(runs_[at]);
    runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(at));
    for (std::uint32_t i = 0; i < gone->of.size(); ++i) {
      auto& a = gone->of[i];
      if (a.where == place::executing)
        files_[i] = random_.bits();
      if (a.inside)
        a.where = place::waiting;
    }
    wake(table_.left(gone->number));
    if (!resumed)
      return;
    table_.joined(gone->number, *gone);
    runs_.push_back(std::move(gone));
  }

  seeded random_;
  std::vector<value> files_;                        // by asset
  std::vector<std::vector<std::uint32_t>> reads_;   // by asset
  std::vector<std::vector<std::uint32_t>> readers_; // by asset
  hold_table table_;
  std::vector<std::unique_ptr<run>> runs_; // in the order of their last start
  std::uint32_t last_ = 0;
};

} // namespace

void play_shared_files(std::uint64_t seed) {
  shared_files(seed).play();
}

} // namespace troupe_internal::test
