// What one successful production of an asset was made from and what it made: the fingerprint's parts, kept. Knows
// nothing of how it is stored or compared.
#pragma once

#include "base/digest.hpp"
#include "base/strong_id.hpp"
#include "base/time.hpp"
#include "core/asset_status.hpp"
#include "core/reason.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Content of one file (or folder, as a whole) at one moment.
struct file_version {
  path_id path;
  digest content;
  friend bool operator==(const file_version&, const file_version&) = default;
};

/// The data version of a dependency by name, as it was seen.
struct upstream_version {
  asset_id asset;
  digest version;
  friend bool operator==(const upstream_version&, const upstream_version&) = default;
};

/// A named part of the definition: an environment variable or a parameter, by digest.
struct named_digest {
  std::string name;
  digest value;
  friend bool operator==(const named_digest&, const named_digest&) = default;
};

/// The parts of a fingerprint: all that an asset is made from. Each list is sorted by its first member.
struct fingerprint {
  digest command; ///< template texts, shell, cwd, matrix values
  std::string version;
  std::vector<named_digest> env;
  std::vector<named_digest> params;
  std::vector<file_version> inputs;     ///< declared: literal and what the globs matched
  std::vector<file_version> discovered; ///< reported by the command itself
  std::vector<upstream_version> upstreams;
  friend bool operator==(const fingerprint&, const fingerprint&) = default;
};

/// What a successful attempt produced.
struct production {
  digest data_version;
  std::string reported_version;      ///< as the asset reported it; empty: derived from outputs or unique
  std::vector<file_version> outputs; ///< sorted by path
  std::string metadata;              ///< a JSON object's text, or empty
  friend bool operator==(const production&, const production&) = default;
};

/// One successful production of an asset.
struct materialization {
  run_number run;
  std::uint32_t attempt = 0;
  timestamp finished_at;
  duration took{};
  fingerprint made_from;
  production made;
  friend bool operator==(const materialization&, const materialization&) = default;
};

/// How the last attempt of an asset stands. Persisted: do not change the values.
enum class attempt_state : std::uint8_t {
  none = 0,
  running = 1,
  succeeded = 2,
  failed = 3,
  cancelled = 4,
  interrupted = 5
};

/// All that a state remembers of one asset: the last materialization and the last attempt, success or not.
struct asset_record {
  std::optional<materialization> last;
  attempt_state attempt = attempt_state::none; ///< of the last attempt started
  run_number attempt_run;                      ///< its run
  std::uint32_t attempt_number = 0;
  timestamp attempt_started_at;
  std::vector<reason> attempt_reasons; ///< why that attempt was made
  friend bool operator==(const asset_record&, const asset_record&) = default;
};

/// What is known of a file on disk: enough to say "unchanged" without reading it. Persisted: do not change the values.
enum class file_kind : std::uint8_t { absent = 0, file = 1, folder = 2, other = 3 };

struct file_stat {
  file_kind kind = file_kind::absent;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const file_stat&, const file_stat&) = default;
};

/// A file's stat and the digest of the content it then had. For a folder `stat` is a digest over its members' stats, so
/// that equal stat means equal content for both.
struct file_record {
  file_stat stat;
  digest content;
  friend bool operator==(const file_record&, const file_record&) = default;
};

} // namespace troupe
