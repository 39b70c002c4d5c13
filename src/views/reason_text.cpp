// The words.
#include "views/reason_text.hpp"

#include "views/change_text.hpp"
#include "views/text.hpp"

namespace troupe_internal::cli {

namespace {

std::string quoted(const std::string& text) {
  return text.empty() ? "nothing" : "`" + printable(text) + "`";
}

std::string note_words(const reason& why) {
  return why.note.empty() ? "" : ": " + printable(why.note);
}

/// What was said of the definition, and from what to what.
std::string with_change(std::string sentence, const reason& why, bool past) {
  if (why.change && fits_in_a_sentence(*why.change))
    return sentence + (past ? " It had been " : " It was ") + quoted(why.change->was) +
           (past ? ", and was " : ", and is ") + quoted(why.change->now) + ".";
  if (why.change)
    return sentence + change_lines(*why.change, "      ");
  return why.note.empty() ? sentence : sentence + " (" + printable(why.note) + ".)";
}

} // namespace

std::string reason_words(const reason& why) {
  if (why.kind == reason_kind::last_attempt_failed && why.detail == "running")
    return "running now";
  std::string words(to_string(why.kind));
  for (auto& c : words)
    if (c == '_')
      c = ' ';
  return words + (why.detail.empty() ? "" : ": " + printable(why.detail)) +
         (why.change ? ": " + change_words(*why.change) : "") +
         (why.note.empty() ? "" : " (" + printable(why.note) + ")");
}

std::string reason_words(const std::vector<reason>& why) {
  std::string all;
  for (const auto& one : why)
    all += (all.empty() ? "" : "; ") + reason_words(one);
  return all;
}

std::string why_words(plan_action action, const std::vector<reason>& why) {
  if (action == plan_action::fresh)
    return "";
  if (action == plan_action::run)
    return reason_words(why);
  std::string all;
  for (const auto& one : why)
    all += (all.empty() ? "if this changes: " : ", ") + printable(one.detail);
  return all;
}

std::string reason_sentence(const reason& why) {
  const std::string detail = printable(why.detail);
  switch (why.kind) {
  case reason_kind::never_materialized:
    return "It has never been materialized: no attempt at it has succeeded yet.";
  case reason_kind::command_changed:
    return with_change("What would be executed (its command with all values filled in, its shell or its working "
                       "folder) is not what it "
                       "was made with.",
                       why, false);
  case reason_kind::version_changed:
    return "Its declared version is not what it was made with" + (detail.empty() ? "" : ": " + detail) + ".";
  case reason_kind::env_changed:
    return with_change("Its environment variable " + detail + " is not what it was made with.", why, false);
  case reason_kind::param_changed:
    return with_change("The param " + detail + ", which it uses, has another value than it was made with.", why, false);
  case reason_kind::input_changed:
    return "The content of its input " + detail + " has changed since" + note_words(why) + ".";
  case reason_kind::input_added:
    return "The file " + detail + " is among its inputs now and was not when it was made" + note_words(why) + ".";
  case reason_kind::input_removed:
    return "The file " + detail + " was among its inputs when it was made and is not now.";
  case reason_kind::upstream_changed:
    return "What it needs from " + detail + " is not the data version it was made from.";
  case reason_kind::output_missing:
    return "Its output " + detail + " is not there.";
  case reason_kind::output_modified:
    return "Its output " + detail +
           " is not as it was produced: " + (why.note.empty() ? "somebody else wrote it" : printable(why.note)) + ".";
  case reason_kind::last_attempt_failed:
    if (detail == "running")
      return "An attempt at it is running now, and has not succeeded yet.";
    return "The last attempt at it did not succeed" +
           (detail.empty()       ? ""
            : detail == "failed" ? ": it failed"
                                 : ": it was " + detail) +
           ".";
  case reason_kind::expired:
    if (detail.ends_with(" future"))
      return "Its last materialization was " + detail + ", by the clock as it is now: how old it is cannot be told.";
    return "Its last materialization has reached its max_age" + (detail.empty() ? "" : " (" + detail + ")") + ".";
  case reason_kind::always:
    return "It is declared to run every time (\"always\": true).";
  case reason_kind::forced:
    return "It was asked to run whatever its freshness (--force).";
  case reason_kind::cycle:
    return "It was found to read " + detail +
           ", and the asset that makes this file needs this asset: neither can come "
           "last.";
  case reason_kind::output_target_changed:
    return "What a link in its output " + detail + " leads to has changed.";
  case reason_kind::output_renamed:
    return "It declares the output " + detail + ", and it last made another path.";
  case reason_kind::output_made_by_other:
    return "Its output was written since it was made: " + detail + ".";
  case reason_kind::executable_changed:
    return "The executable bit of " + detail + " is not what it was.";
  case reason_kind::value_missing:
    return detail.empty() ? "The value that it handed on was not kept."
                          : "The file with the value that it handed on, " + detail + ", is not there or is damaged.";
  case reason_kind::value_unreadable:
    return "The value that it handed on cannot be read: it is " + detail + ".";
  }
  return reason_words(why);
}

std::string past_reason_sentence(const reason& why) {
  const std::string detail = printable(why.detail);
  switch (why.kind) {
  case reason_kind::never_materialized:
    return "It had never been materialized: no attempt at it had succeeded yet.";
  case reason_kind::command_changed:
    return with_change(
        "What was to be executed (its command with all values filled in, its shell or its working folder) was not what "
        "it had been made with.",
        why, true);
  case reason_kind::version_changed:
    return "Its declared version was not what it had been made with" + (detail.empty() ? "" : ": " + detail) + ".";
  case reason_kind::env_changed:
    return with_change("Its environment variable " + detail + " was not what it had been made with.", why, true);
  case reason_kind::param_changed:
    return with_change("The param " + detail + ", which it uses, had another value than it had been made with.", why,
                       true);
  case reason_kind::input_changed:
    return "The content of its input " + detail + " had changed.";
  case reason_kind::input_added:
    return "The file " + detail + " had come to be among its inputs.";
  case reason_kind::input_removed:
    return "The file " + detail + " was no longer among its inputs.";
  case reason_kind::upstream_changed:
    return "What it needs from " + detail + " was not the data version it had been made from.";
  case reason_kind::output_missing:
    return "Its output " + detail + " was not there.";
  case reason_kind::output_modified:
    return "Its output " + detail + " was not as it had been produced.";
  case reason_kind::last_attempt_failed:
    return "The last attempt at it had not succeeded" +
           (detail.empty()       ? ""
            : detail == "failed" ? ": it failed"
                                 : ": it was " + detail) +
           ".";
  case reason_kind::expired:
    if (!detail.ends_with(" future"))
      return "Its last materialization had reached its max_age" + (detail.empty() ? "" : " (" + detail + ")") + ".";
    break;
  case reason_kind::always:
  case reason_kind::forced:
    break;
  case reason_kind::cycle:
    return "It had been found to read " + detail + ", and the asset that makes this file needs it.";
  case reason_kind::output_target_changed:
    return "What a link in its output " + detail + " leads to had changed.";
  case reason_kind::output_renamed:
    return "It declared the output " + detail + ", and it had last made another path.";
  case reason_kind::output_made_by_other:
    return "Its output had been written since it was made: " + detail + ".";
  case reason_kind::executable_changed:
    return "The executable bit of " + detail + " was not what it had been.";
  case reason_kind::value_missing:
    return detail.empty()
               ? "The value that it had handed on was not kept."
               : "The file with the value that it had handed on, " + detail + ", was not there or was damaged.";
  case reason_kind::value_unreadable:
    return "The value that it had handed on could not be read: it was " + detail + ".";
  }
  return reason_sentence(why);
}

std::string maybe_sentence(const std::vector<reason>& why) {
  std::vector<std::string> upstreams;
  for (const auto& one : why)
    if (one.kind == reason_kind::upstream_changed)
      upstreams.push_back(printable(one.detail));
  const std::string names = upstreams.empty() ? "something it needs" : listed(upstreams, 10);
  return "It needs " + names + ", which will or may run first. If " +
         (upstreams.size() > 1 ? "they end up with the data versions they have"
                               : "that ends up with the data version it has") +
         ", it is spared (early cut-off); otherwise it runs.";
}

std::string warning_line(std::string_view asset, const attempt_warning& warning) {
  return "asset " + printable(asset) + ": " + printable(warning.text) + " [" + printable(warning.code) + "]";
}

std::string_view standing_words(asset_standing standing) {
  return standing == asset_standing::maybe ? "may run" : standing_word(standing);
}

std::string_view standing_word(asset_standing standing) {
  switch (standing) {
  case asset_standing::fresh:
    return "fresh";
  case asset_standing::maybe:
    return "maybe";
  case asset_standing::stale:
    return "stale";
  case asset_standing::running:
    return "running";
  case asset_standing::failed:
    return "failed";
  }
  return "unknown";
}

std::string_view action_word(plan_action action) {
  switch (action) {
  case plan_action::fresh:
    return "fresh";
  case plan_action::maybe:
    return "maybe";
  case plan_action::run:
    return "run";
  }
  return "unknown";
}

} // namespace troupe_internal::cli
