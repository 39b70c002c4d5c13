// Which events may be folded into the base: a rule over runs. Knows nothing of how events are stored or dropped.
#pragma once

#include "core/run_record.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace troupe {

/// Fed all runs, newest first, finds the event before which everything may go: the first of the oldest run that is
/// kept. Kept are the runs down to the keep_runs-th that executed something (those between that executed nothing are
/// kept with them), and open runs of the present writer. An open run of a writer that is gone is history like any
/// other: else one interrupted run that nobody resumes would keep the journal growing for ever.
class retention_bound {
public:
  /// `writer_seq`: of the last writer_opened.
  retention_bound(std::uint32_t keep_runs, std::uint64_t writer_seq) : keep_(keep_runs), writer_seq_(writer_seq) {}

  void add(const run_record& run) {
    const bool live = !run.finished_at && run.segment_seq > writer_seq_;
    if (executed_ < keep_ || live)
      first_kept_ = std::min(first_kept_, run.first_seq);
    if (run.attempts > 0)
      ++executed_;
  }
  /// Events below this sequence number may go; all of them, if no run is kept.
  [[nodiscard]] std::uint64_t first_kept() const { return first_kept_; }

private:
  std::uint64_t keep_;
  std::uint64_t writer_seq_;
  std::uint64_t executed_ = 0;
  std::uint64_t first_kept_ = std::numeric_limits<std::uint64_t>::max();
};

} // namespace troupe
