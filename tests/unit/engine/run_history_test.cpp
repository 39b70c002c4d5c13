// Runs as readers see them while writers come and go.
#include "adapters/lmdb_journal_store.hpp"
#include "adapters/system_clock.hpp"
#include "app/engine/project.hpp"
#include "support/temporary_folder.hpp"
#include "unit/journal/child_process.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::test;

TEST_CASE("a run that ends while somebody looks is running or has ended, and never interrupted") {
  const temporary_folder t;
  const auto state = t / "state";
  constexpr std::uint32_t runs = 400;
  constexpr std::uint32_t looks_limit = 1'000'000; // else a writer that fails would have it look for ever
  child_process writers([&] {
    system_clock clock;
    for (std::uint32_t n = 1; n <= runs; ++n) {
      const auto store = open_journal(state, {}, clock);
      run_started started;
      started.run = run_number(n);
      started.at = clock.now();
      run_finished finished;
      finished.run = started.run;
      finished.at = clock.now();
      finished.status = run_status::succeeded;
      if (!store || !(*store)->append(std::vector<event>{writer_opened{}, started}) ||
          !(*store)->append(std::vector<event>{finished, writer_closed{}}))
        return 1;
    }
    return 0;
  });
  std::uint32_t newest = 0;
  std::uint32_t looks = 0;
  std::uint32_t interrupted = 0;
  for (; newest < runs && looks < looks_limit; ++looks) {
    const auto seen = list_runs(state, 1);
    REQUIRE_MESSAGE(seen.has_value(), seen.error().message);
    if (seen->empty())
      continue;
    newest = seen->front().run.value;
    interrupted += seen->front().status == run_status::interrupted ? 1 : 0;
  }
  CHECK(newest == runs);
  CHECK(interrupted == 0);
  CHECK(writers.wait() == 0);
}

TEST_CASE("a run whose writer has died is interrupted") {
  const temporary_folder t;
  child_process writer([&] {
    system_clock clock;
    const auto store = open_journal(t / "state", {}, clock);
    run_started started;
    started.run = run_number(1U);
    return store && (*store)->append(std::vector<event>{writer_opened{}, started}) ? ::kill(::getpid(), SIGKILL) : 1;
  });
  REQUIRE(writer.wait() == -SIGKILL);
  const auto seen = list_runs(t / "state", 0);
  REQUIRE(seen.has_value());
  REQUIRE(seen->size() == 1);
  CHECK(seen->front().status == run_status::interrupted);
}
