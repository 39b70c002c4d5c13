// What one successful production of an asset was made from and what it made: the fingerprint's parts, kept. Knows
// nothing of how it is stored or compared.
#pragma once

#include "base/digest.hpp"
#include "base/strong_id.hpp"
#include "base/time.hpp"
#include "core/model/asset_status.hpp"
#include "core/model/reason.hpp"
#include "core/model/stored_value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal {

/// Whether the owner may execute a file. Unknown equals both: records of format 1, folders, file systems that invent
/// the bit. Persisted: do not change the values.
enum class executable_bit : std::uint8_t { unknown = 0, no = 1, yes = 2 };

/// Content of one file (or folder, as a whole) at one moment.
struct file_version {
  path_id path;
  digest content;
  executable_bit executable = executable_bit::unknown;
  bool link = false; ///< an output: the path itself is a symbolic link
  /// As of now, never recorded, compared by nobody but judge_freshness(): the content of a folder if its links counted
  /// by their text, as in format 1. All zero: it is the same.
  digest as_text{};
  friend bool operator==(const file_version& a, const file_version& b) {
    return a.path == b.path && a.content == b.content && a.executable == b.executable && a.link == b.link;
  }
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
  digest command; ///< as `rule` says
  std::string version;
  std::vector<named_digest> env;
  std::vector<named_digest> params;
  std::vector<file_version> inputs;     ///< declared: literal and what the globs matched
  std::vector<file_version> discovered; ///< reported by the command itself
  std::vector<upstream_version> upstreams;
  /// What `command`, `env` and `params` stand for. 0, format 1: template texts, shell, cwd, matrix values, and the
  /// params used, all of which count. 1: what would be executed, and final values of variables; params only explain.
  std::uint8_t rule = 0;
  friend bool operator==(const fingerprint&, const fingerprint&) = default;
};

/// What a successful attempt produced.
struct production {
  digest data_version;
  std::string reported_version;         ///< as the asset reported it; empty: derived from outputs or unique
  std::vector<file_version> outputs;    ///< sorted by path
  std::string metadata;                 ///< a JSON object's text, or empty
  std::optional<path_id> pipeline_file; ///< that declared the asset; absent for sources and in records of format 1
  /// Parallel to `outputs`: the text each was declared with. Empty where every text is the path itself.
  std::vector<std::string> templates;
  stored_value value; ///< what a function handed on; empty for all others
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
  /// When the run (or its last resumption) that made it started; absent in records of format 1.
  std::optional<timestamp> since;
  bool adopted = false; ///< taken over as it was, not made by an attempt; then run and attempt are 0
  digest definition{};  ///< what it was made with; all zero: not recorded
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
  /// Declared outputs that did not exist when the first attempt after the last success started; recorded only for
  /// assets that clear their outputs.
  std::vector<path_id> absent_outputs;
  digest definition{};              ///< what the last definition_recorded says of it; all zero: there was none
  std::uint64_t definition_seq = 0; ///< the number of that event
  std::uint64_t changed_seq = 0;    ///< the event that last gave it another data version; 0: none since format 2
  run_number changed_run;           ///< of that event; 0: none, it was adopted
  timestamp changed_at;
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
  // What else a look shows. Not recorded with the stat, which vouches for the content alone.
  executable_bit executable = executable_bit::unknown;
  bool link = false; ///< the path itself is a symbolic link
  friend bool operator==(const file_stat& a, const file_stat& b) {
    return a.kind == b.kind && a.size == b.size && a.mtime_ns == b.mtime_ns && a.ctime_ns == b.ctime_ns &&
           a.inode == b.inode;
  }
};

/// A file's stat and the digest of the content it then had. For a folder `stat` is a digest over its members' stats, so
/// that equal stat means equal content for both.
struct file_record {
  file_stat stat;
  digest content;
  executable_bit executable = executable_bit::unknown;
  /// Of a folder with links that count by what they lead to: its content if they counted by their text. All zero: the
  /// same.
  digest as_text{};
  friend bool operator==(const file_record&, const file_record&) = default;
};

/// Who made the file at a path last, as far as the state knows: kept for every output ever made.
struct made_record {
  asset_id asset;
  run_number run;              ///< 0: adopted
  path_id pipeline_file;       ///< that declared the asset
  std::string output_template; ///< the text the output was declared with; empty: the path itself
  digest content;
  friend bool operator==(const made_record&, const made_record&) = default;
};

} // namespace troupe_internal
