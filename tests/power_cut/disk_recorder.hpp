// Stands between this program (LMDB in it) and the system: calls that change files go to a log as they are made. Knows
// nothing of who calls or why.
#pragma once

#include "disk_log.hpp"

#include <cstdint>
#include <string>

namespace troupe_internal::test {

/// From here on all that this process does beneath `root` (an absolute path, no links in it) goes to `log`. One thread.
void record_disk(disk_log& log, const std::string& root);
/// The process ends, as if killed, right after `calls` more calls that change or sync files.
void die_after_calls(std::uint64_t calls);
/// What this process is told when it asks the kernel for the boot's id; empty: the truth.
void pretend_boot(const std::string& id);
/// From here on LMDB's way to sync files (fdatasync) fails with EIO, or does not.
void fail_syncs(bool fail);

} // namespace troupe_internal::test
