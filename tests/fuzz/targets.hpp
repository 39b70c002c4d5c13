// The fuzz targets: one function for each parser of what comes from outside. Each takes any bytes, and stops the
// process if one of its properties does not hold.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace troupe_internal::fuzz {

void fuzz_calendar(std::string_view bytes);  ///< cron expressions, TZ strings and zone files, and ticks by them
void fuzz_control(std::string_view bytes);   ///< the control socket's frames and messages
void fuzz_depfile(std::string_view bytes);   ///< depfiles of compilers
void fuzz_forge(std::string_view bytes);     ///< a state with forged records, and all verbs that read it
void fuzz_event(std::string_view bytes);     ///< records of events, and events made from a seed
void fuzz_glob(std::string_view bytes);      ///< globs against a matcher that tries everything; paths
void fuzz_hook(std::string_view bytes);      ///< requests to webhooks: forms, secrets, signatures, bodies
void fuzz_journal(std::string_view bytes);   ///< a journal with bytes changed, cut or added
void fuzz_json(std::string_view bytes);      ///< the JSON reader against Boost.JSON's parser
void fuzz_notation(std::string_view bytes);  ///< durations, sizes, numbers, names, ids, times
void fuzz_pages(std::string_view bytes);     ///< the pages of an LMDB file
void fuzz_param(std::string_view bytes);     ///< --param NAME=VALUE
void fuzz_pipeline(std::string_view bytes);  ///< a pipeline file: reader, expansion, graph, rendering
void fuzz_record(std::string_view bytes);    ///< records of projections, checkpoints, materializations as changes
void fuzz_result(std::string_view bytes);    ///< TROUPE_RESULT
void fuzz_run_name(std::string_view bytes);  ///< #42, 42, ids and their prefixes
void fuzz_selection(std::string_view bytes); ///< the selection language
void fuzz_sensor(std::string_view bytes);    ///< what sensors print
void fuzz_template(std::string_view bytes);  ///< {{ … }} in argv, shell text, env and paths: no value becomes syntax
void fuzz_text(std::string_view bytes);      ///< UTF-8, and what is shown or written as JSON

/// How many verbs fuzz_forge() has run in this process.
[[nodiscard]] std::uint64_t forged_verbs();

struct target {
  std::string_view name;
  void (*run)(std::string_view bytes);
  int mutations; ///< how many the replay makes: fewer where one takes longer
};

inline constexpr std::array<target, 20> targets = {
    {{"calendar", fuzz_calendar, 3000},   {"control", fuzz_control, 3000},
     {"depfile", fuzz_depfile, 6000},     {"event", fuzz_event, 4000},
     {"forge", fuzz_forge, 30},           {"glob", fuzz_glob, 6000},
     {"hook", fuzz_hook, 4000},           {"journal", fuzz_journal, 200},
     {"json", fuzz_json, 4000},           {"notation", fuzz_notation, 6000},
     {"pages", fuzz_pages, 4000},         {"param", fuzz_param, 2000},
     {"pipeline", fuzz_pipeline, 2000},   {"record", fuzz_record, 6000},
     {"result", fuzz_result, 6000},       {"run_name", fuzz_run_name, 6000},
     {"selection", fuzz_selection, 3000}, {"sensor", fuzz_sensor, 3000},
     {"template", fuzz_template, 2000},   {"text", fuzz_text, 6000}}};

} // namespace troupe_internal::fuzz
