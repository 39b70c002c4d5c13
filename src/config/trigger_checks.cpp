// One method for each rule; a trigger with a mistake in its own text is checked no further where that would only repeat
// it.
#include "config/trigger_checks.hpp"

#include "config/trigger_reader.hpp"
#include "config/value_text.hpp"
#include "core/command/command.hpp"
#include "core/command/shell_text.hpp"
#include "core/command/template_text.hpp"
#include "core/pipeline/nearest_name.hpp"
#include "core/pipeline/selection.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal::config {
namespace {

class trigger_checker {
public:
  trigger_checker(declared_pipeline& d, findings& out) : d_(d), p_(*d.p), out_(out) {}

  trigger_set run() {
    trigger_set set;
    set.begin = d_.triggers.begin;
    set.end = d_.triggers.end;
    for (auto& one : d_.triggers.triggers) {
      params(one);
      filters(one);
      if (!one.broken) {
        sources(one);
        useless_keys(one);
        ticks(one);
      }
      for (const auto& [name, text] : one.what.params)
        set.uses[name];
      for (const auto& [name, pattern] : one.what.allow)
        set.uses[name];
      queue(one);
      one.what.select_where = one.at("select");
      one.what.exclude_where = one.at("exclude");
      set.triggers.push_back(std::move(one.what));
    }
    if (!set.triggers.empty() || !p_.params.empty()) {
      // A value from outside can reach each declared param: by a sensor, by `fire`, and without any trigger over HTTP.
      for (const auto& [name, value] : p_.params)
        set.uses[name];
      uses_in_paths(set);
      uses_in_commands(set);
    }
    return set;
  }

private:
  void unknown_param(place where, std::string_view name) {
    nearest_name nearest(name);
    for (const auto& [known, value] : p_.params)
      nearest.consider(known);
    out_.error(where, "unknown_param",
               "the pipeline has no param " + in_quotes(name) +
                   (p_.params.empty() ? "; declare it under \"params\"" : nearest.hint()));
  }

  void params(const declared_trigger& one) {
    using type = param_value::type;
    for (const auto& [name, text] : one.what.params) {
      const auto where = one.at("params." + name);
      const auto param = p_.params.find(name);
      if (param == p_.params.end()) {
        unknown_param(where, name);
        continue;
      }
      templates_fit(one, text, where, "the param " + in_quotes(name));
      const bool literal = std::all_of(text.pieces.begin(), text.pieces.end(),
                                       [](const auto& piece) { return piece.name == event_name::literal; });
      if (!literal || param->second.secret)
        continue;
      const std::string value = text.pieces.empty() ? std::string() : text.pieces.front().text;
      if (param->second.kind == type::number && !number_problem(value).empty())
        out_.error(where, "bad_param", in_quotes(name) + " is declared as a number, found " + in_quotes(value));
      else if (param->second.kind == type::boolean && value != "true" && value != "false")
        out_.error(where, "bad_param", in_quotes(name) + " is declared as true or false, found " + in_quotes(value));
    }
    for (const auto& [name, pattern] : one.what.allow)
      if (!p_.params.contains(name))
        unknown_param(one.at("allow." + name), name);
  }

  /// Whether events of this kind have what the template names.
  void templates_fit(const declared_trigger& one, const event_template& text, place where, const std::string& what) {
    if (one.broken)
      return; // its kind may be what is wrong
    const auto kind = one.what.kind();
    const bool webhook = kind == "webhook";
    std::string lacks;
    if (text.of_tick() && kind != "schedule")
      lacks = "tick.…: only a schedule has ticks";
    else if (text.names(event_name::body) && !webhook && kind != "manual")
      lacks = "body.…: only a webhook and a manual trigger have bodies";
    else if (text.names(event_name::header) && !webhook)
      lacks = "header.…: only a webhook has headers";
    if (!lacks.empty())
      out_.error(where, "bad_template",
                 "the trigger " + in_quotes(one.what.name) + " (" + std::string(kind) + ") has no value for " + lacks +
                     " (in " + what + ")");
  }

  void filters(const declared_trigger& one) {
    for (const auto& filter : one.what.when)
      templates_fit(one, filter.value, one.at("when." + filter.value.written), "\"when\"");
    if (one.what.debounce && one.what.debounce->key)
      templates_fit(one, *one.what.debounce->key, one.at("debounce"), "\"debounce\"");
  }

  void sources(const declared_trigger& one) {
    const auto* assets = std::get_if<assets_source>(&one.what.source);
    if (assets == nullptr)
      return;
    for (std::size_t i = 0; i < assets->assets.size(); ++i) {
      const auto& name = assets->assets[i].asset;
      const auto& of = assets->assets[i].pipeline;
      if ((!of.empty() && of != p_.name) || is_asset(name))
        continue;
      nearest_name nearest(name);
      for (const auto& declaration : p_.declarations)
        nearest.consider(declaration.name);
      out_.error(one.at((assets->all ? "assets.all." : "assets.any.") + std::to_string(i)), "unknown_asset",
                 "there is no asset " + in_quotes(name) + nearest.hint());
    }
  }

  [[nodiscard]] bool is_asset(std::string_view name) const {
    return p_.find(name).has_value() ||
           std::any_of(p_.declarations.begin(), p_.declarations.end(),
                       [&](const asset_declaration& declaration) { return declaration.name == name; });
  }

  void useless(const declared_trigger& one, std::string_view key, const std::string& why) {
    if (one.has(key))
      out_.warning(one.at(std::string(key)), "useless_key",
                   in_quotes(key) + " means nothing for the trigger " + in_quotes(one.what.name) + ": " + why);
  }

  void useless_keys(const declared_trigger& one) {
    const auto& t = one.what;
    if (t.kind() != "schedule")
      for (const auto* key : {"catch_up", "catch_up_window", "catch_up_max", "late_after"})
        useless(one, key, "only schedules have ticks to catch up with");
    else if (t.catch_up == catch_up_rule::none)
      for (const auto* key : {"catch_up_window", "catch_up_max"})
        useless(one, key, "\"catch_up\" is \"none\"");
    else if (t.catch_up == catch_up_rule::latest)
      useless(one, "catch_up_max", "\"catch_up\" is \"latest\", so one tick is caught up with");
    if (t.overlap != overlap_rule::queue && t.overlap != overlap_rule::cancel)
      useless(one, "queue", "\"overlap\" keeps its runs out of the queue");
  }

  void ticks(const declared_trigger& one) {
    const auto* schedule = one.what.schedule();
    if (schedule == nullptr)
      return;
    const bool bound_to_tick = std::any_of(one.what.params.begin(), one.what.params.end(),
                                           [](const auto& param) { return param.second.of_tick(); });
    if (one.what.catch_up == catch_up_rule::all && !bound_to_tick)
      out_.warning(one.at("catch_up"), "catch_up_without_tick",
                   "\"catch_up\" is \"all\", but no param is bound to the tick: the second run would find all as the "
                   "first has made it; bind one, such as \"day\": \"{{ tick.date }}\", or write \"latest\"");
    const auto* interval = std::get_if<interval_schedule>(&schedule->ticks);
    if (interval != nullptr && interval->every >= std::chrono::hours(24) && schedule->zone->changes_after(rule_moment))
      out_.warning(one.at("schedule.every"), "interval_of_days",
                   "\"every\" counts elapsed time, so in " + in_quotes(schedule->zone->name()) +
                       " the hour on the clock changes with daylight saving time; for a time of day use \"cron\"");
  }

  /// Of what is not written the default follows from the rest.
  void queue(declared_trigger& one) {
    // Each report of a sensor may give other params.
    const auto standard =
        default_queue(!one.what.params.empty() || std::holds_alternative<sensor_source>(one.what.source));
    auto& queue = one.what.queue;
    if (!one.has_bound && !one.has_keep)
      queue = standard;
    else if (!one.has_bound)
      queue.bound = default_queue(queue.keep_all).bound;
    else if (!one.has_keep)
      queue.keep_all = standard.keep_all || queue.bound > 1;
  }

  void uses_in_paths(trigger_set& set) const {
    for (const auto text : d_.templates) {
      std::vector<template_problem> problems; // reported where the path was filled in
      std::vector<std::string_view> noted;
      for (const auto& piece : parse_template(text, problems)) {
        const auto use = piece.name == template_name::param ? set.uses.find(piece.text) : set.uses.end();
        if (use == set.uses.end() || std::find(noted.begin(), noted.end(), piece.text) != noted.end())
          continue;
        use->second.paths.emplace_back(text);
        noted.push_back(piece.text);
      }
    }
  }

  void uses_in_commands(trigger_set& set) const {
    for (const auto& declaration : p_.declarations)
      for (const auto text : declaration.command) {
        if (!has_template(text))
          continue;
        std::vector<template_problem> problems; // reported by check_templates()
        shell_scanner scanner;
        bool begins = true; // of an element of a command without a shell
        for (const auto& piece : parse_template(text, problems)) {
          bool at_beginning = begins;
          if (declaration.kind == command_kind::shell) {
            if (piece.name == template_name::literal) {
              scanner.text(piece.text);
              continue;
            }
            at_beginning = scanner.slot().begins;
            scanner.inserted("x");
          }
          begins = false;
          if (piece.name != template_name::param || !at_beginning)
            continue;
          if (const auto use = set.uses.find(piece.text); use != set.uses.end())
            use->second.begins_argument = true;
        }
      }
  }

  // Whether a zone saves daylight is asked from here on: its rule of today, whenever the file is read.
  static constexpr unix_seconds rule_moment = 1'767'225'600; // 2026-01-01

  declared_pipeline& d_;
  pipeline& p_;
  findings& out_;
};

} // namespace

trigger_set checked_triggers(declared_pipeline& d, findings& out) {
  return trigger_checker(d, out).run();
}

void check_selections(const trigger_set& set, const pipeline& p, const asset_graph& graph, diagnostics& out) {
  for (const auto& one : set.triggers)
    for (const auto& [list, where] : {std::pair{&one.select, one.select_where}, {&one.exclude, one.exclude_where}})
      for (const auto& text : *list)
        if (const auto found = select_assets(p, graph, {text}); !found)
          out.error(where, "bad_selection", "the trigger " + in_quotes(one.name) + ": " + found.error().message);
}

} // namespace troupe_internal::config
