// The JSON documents of the commands: their keys and how values are written. Knows nothing of where the values come
// from.
#pragma once

#include "base/json_writer.hpp"
#include "base/result.hpp"
#include "core/model/report.hpp"
#include "core/model/shown_command.hpp"
#include "core/pipeline/diagnostic.hpp"
#include "core/pipeline/pipeline.hpp"

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace troupe_internal::cli {

/// Every document opens like this; the caller ends the object.
void begin_document(json_writer& json);

/// {"format","error":{"code","message"},"errors"}: what is written where a command could not do its work. `ended` as in
/// write_run.
void write_error(json_writer& json, const error& e, const diagnostics& findings,
                 std::span<const ended_process> ended = {});

/// `run`, `show`. `log_of` gives the path of the log of an attempt that has one.
using log_finder = std::function<std::string(const asset_run_report&, std::uint32_t attempt)>;
/// `ended`: what an earlier run had left running, of the command that ended it.
void write_run(json_writer& json, const run_report& report, const log_finder& log_of,
               std::span<const ended_process> ended = {});
/// The member "leftovers_ended" of an open object; nothing if there were none.
void write_leftovers(json_writer& json, std::span<const ended_process> ended);
/// The same where there is none yet: the keys of a run, null, and no assets.
void write_no_run(json_writer& json);
void write_runs(json_writer& json, const std::vector<run_record>& runs);
/// The members of one run, without its assets, into an open object.
void write_run_members(json_writer& json, const run_record& run, const status_counts& counts);
/// The members of one asset of a run, into an open object; of its attempts only the last.
void write_asset_run_members(json_writer& json, const asset_run_report& asset, const log_finder& log_of);

/// `commands`: those of the assets that are shown with theirs.
void write_plan(json_writer& json, const pipeline& p, const plan_report& plan,
                const std::map<asset_index, shown_command>& commands = {});

/// A run's UUID by its number; empty if the run is no longer known.
using run_id_finder = std::function<std::string(run_number)>;
void write_statuses(json_writer& json, const pipeline& p, const std::vector<asset_status_report>& assets,
                    const run_id_finder& id_of);
/// {"run","number","finished_at","duration_ms","data_version"} or null.
void write_last(json_writer& json, const asset_record& record, const run_id_finder& id_of);

void write_validation(json_writer& json, const diagnostics& findings);
/// `serve --check`: {"format","ok","errors","warnings"} of several files.
void write_checked_files(json_writer& json, std::span<const diagnostics> files);
void write_reasons(json_writer& json, const std::vector<reason>& reasons);

/// How the assets of a report stand, counted.
[[nodiscard]] status_counts count_assets(const run_report& report);
/// What a person and a document call the data version: as reported, or the digest.
[[nodiscard]] std::string data_version_text(const production& made);

} // namespace troupe_internal::cli
