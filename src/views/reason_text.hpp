// Reasons and outcomes in words for people. Knows nothing of how they are found.
#pragma once

#include "core/model/reason.hpp"
#include "core/model/report.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::cli {

/// A few words, for a column: "input changed: data/x.txt".
[[nodiscard]] std::string reason_words(const reason& why);
/// All of them, separated by "; ".
[[nodiscard]] std::string reason_words(const std::vector<reason>& why);
/// The same for an asset as it stands in a plan; of one that may run, which upstreams decide that.
[[nodiscard]] std::string why_words(plan_action action, const std::vector<reason>& why);
/// A whole sentence, with what it means.
[[nodiscard]] std::string reason_sentence(const reason& why);
/// The same of an attempt that is over: it was so when the attempt began.
[[nodiscard]] std::string past_reason_sentence(const reason& why);
/// For an asset that may run: which upstreams may change, and that early cut-off can spare it.
[[nodiscard]] std::string maybe_sentence(const std::vector<reason>& why);

/// "asset report: its log is not complete … [log_incomplete]", printable.
[[nodiscard]] std::string warning_line(std::string_view asset, const attempt_warning& warning);

/// How an asset is: "fresh", "stale", "may run", "running", "failed".
[[nodiscard]] std::string_view standing_words(asset_standing standing);
/// The same in one word, for JSON documents: "maybe" for "may run".
[[nodiscard]] std::string_view standing_word(asset_standing standing);
/// "run", "maybe", "fresh": the words of the JSON documents.
[[nodiscard]] std::string_view action_word(plan_action action);

} // namespace troupe_internal::cli
