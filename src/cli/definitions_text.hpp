// The definitions of a run's assets, for people. Knows nothing of where they are kept.
#pragma once

#include "core/model/report.hpp"
#include "views/console.hpp"

namespace troupe_internal::cli {

/// One paragraph for each definition, with the assets that had it; then how many assets have none recorded. The report
/// is one of every_attempt.
void print_definitions(const output& to, const run_report& report);

} // namespace troupe_internal::cli
