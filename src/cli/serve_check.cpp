// `troupe serve --check`: all pipelines that a supervisor would serve, what is wrong with them, and when they run next.
#include "cli/served_files.hpp"

#include "adapters/system/system_clock.hpp"
#include "cli/verbs.hpp"
#include "config/load_pipeline.hpp"
#include "config/supervisor_reader.hpp"
#include "engine/recorded_outputs.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"
#include "views/trigger_view.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

namespace troupe_internal::cli {
namespace {

constexpr std::size_t ticks_of_each = 3;

/// All that a check has loaded.
struct checked {
  std::vector<diagnostics> findings; ///< the supervisor's file first, if there is one
  std::vector<config::loaded_pipeline> pipelines;
  bool supervised = false;
};

/// Pipelines in one state are told apart by name, and no two make the same file.
void check_together(checked& all) {
  std::map<std::string, std::string, std::less<>> names, makers;
  for (std::size_t i = 0; i < all.pipelines.size(); ++i) {
    const auto& on = all.pipelines[i];
    if (!on.p)
      continue;
    auto& found = all.findings[i + (all.supervised ? 1 : 0)];
    const auto [first, is_new] = names.emplace(on.p->name, found.file);
    if (!is_new)
      found.error({}, "duplicate_pipeline",
                  "the pipeline \"" + on.p->name + "\" has the name of the one in " + first->second + "; rename one");
    for (const auto& spec : on.p->assets)
      for (std::size_t output = 0; output < spec.outputs.size(); ++output) {
        const auto text = on.p->path(spec.outputs[output]);
        const auto path = (std::filesystem::path(on.p->folder) / text).lexically_normal().string();
        const auto [maker, is_first] = makers.emplace(path, on.p->name);
        if (!is_first && maker->second != on.p->name)
          found.error(spec.output_places[output], "duplicate_output",
                      "the output \"" + std::string(text) + "\" is one of the pipeline \"" + maker->second + "\" too");
      }
  }
}

bool has_asset(const pipeline& p, std::string_view name) {
  return p.find(name).has_value() || std::any_of(p.declarations.begin(), p.declarations.end(),
                                                 [&](const auto& declaration) { return declaration.name == name; });
}

/// References to assets of other pipelines; secrets that are not there.
void check_triggers(checked& all) {
  for (std::size_t i = 0; i < all.pipelines.size(); ++i) {
    const auto& on = all.pipelines[i];
    if (!on.p || !on.triggers)
      continue;
    auto& found = all.findings[i + (all.supervised ? 1 : 0)];
    for (const auto& one : on.triggers->triggers) {
      if (const auto* of = std::get_if<assets_source>(&one.source))
        for (const auto& wanted : of->assets) {
          if (wanted.pipeline.empty() || wanted.pipeline == on.p->name)
            continue;
          const auto other = std::find_if(all.pipelines.begin(), all.pipelines.end(),
                                          [&](const auto& each) { return each.p && each.p->name == wanted.pipeline; });
          if (other == all.pipelines.end())
            found.error(one.where, "unknown_asset",
                        "the trigger \"" + one.name + "\": there is no pipeline \"" + wanted.pipeline + "\" here");
          else if (!has_asset(*other->p, wanted.asset))
            found.error(one.where, "unknown_asset",
                        "the trigger \"" + one.name + "\": there is no asset \"" + wanted.asset + "\" in \"" +
                            wanted.pipeline + "\"");
        }
      const auto* hook = std::get_if<webhook_source>(&one.source);
      for (const auto& secret : hook == nullptr ? std::vector<secret_source>() : hook->secrets) {
        if (secret.from != secret_source::kind::file)
          continue;
        const auto path = secret.name.starts_with('/') ? secret.name : on.p->folder + "/" + secret.name;
        if (const auto text = config::settings_text(path); !text)
          found.error(one.where, "no_secret", "the trigger \"" + one.name + "\": " + text.error().message);
        else if (text->empty())
          found.error(one.where, "no_secret", "the trigger \"" + one.name + "\": the secret in " + path + " is empty");
      }
    }
  }
}

/// Unsigned hooks are for this machine alone.
void check_listening(checked& all, const config::supervisor_settings& settings) {
  const bool local =
      settings.hosts.empty() &&
      std::all_of(settings.listen.begin(), settings.listen.end(), [](const std::string& address) {
        return address.starts_with("127.") || address.starts_with("localhost:") || address.starts_with("[::1]:");
      });
  if (local)
    return;
  for (std::size_t i = 0; i < all.pipelines.size(); ++i)
    for (const auto& one : all.pipelines[i].triggers ? all.pipelines[i].triggers->triggers : std::vector<trigger>())
      if (const auto* hook = std::get_if<webhook_source>(&one.source);
          hook != nullptr && hook->scheme == webhook_scheme::unsigned_)
        all.findings[i + 1].error(one.where, "unsigned_hook",
                                  "the webhook \"" + one.name +
                                      "\" is unsigned, but the supervisor listens to more than this machine: sign it, "
                                      "or let \"listen\" name loopback addresses alone and leave out \"auth\"");
}

void load_checked(checked& all, const std::string& file) {
  auto on = config::load_pipeline({.file = file, .thorough = true, .made_here = recorded_in({})});
  all.findings.push_back(std::move(on.findings));
  all.pipelines.push_back(std::move(on));
}

result<checked> check_files(invocation& with, const std::vector<std::string>& pipelines) {
  auto named = find_served(with, pipelines);
  if (!named)
    return named.error();
  checked all;
  all.supervised = named->is_supervisor;
  if (all.supervised)
    all.findings.push_back(std::move(named->findings));
  for (const auto& one : named->files)
    load_checked(all, one);
  check_together(all);
  check_triggers(all);
  if (named->settings)
    check_listening(all, *named->settings);
  for (auto& one : all.findings)
    config::sort_by_place(one);
  return all;
}

} // namespace

int check_served(invocation& with, const std::vector<std::string>& pipelines) {
  const auto all = check_files(with, pipelines);
  if (!all)
    return with.report(all.error());
  const bool good = std::none_of(all->findings.begin(), all->findings.end(),
                                 [](const diagnostics& found) { return found.has_errors(); });
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    write_checked_files(json, all->findings);
    return good ? exit_ok : exit_usage;
  }
  auto& to = with.io.out;
  for (const auto& found : all->findings)
    if (!found.items.empty())
      to.stream << findings_text(found, to.colours) << "\n";
  const auto now = system_clock().now();
  for (std::size_t i = 0; i < all->pipelines.size(); ++i) {
    const auto& on = all->pipelines[i];
    const auto& found = all->findings[i + (all->supervised ? 1 : 0)];
    if (!on.p || found.has_errors())
      continue;
    to.stream << printable(found.file) << ": " << printable(on.p->name) << ", " << counted(on.p->assets.size(), "asset")
              << ", " << counted(on.triggers->triggers.size(), "trigger") << "\n";
    print_triggers(to, shown_triggers(on.p->name, *on.triggers, now, ticks_of_each), true);
    for (const auto& note : notes_on_schedules(*on.triggers, now))
      to.stream << to.colours.paint(tint::dim, "note: ") << printable(note) << "\n";
  }
  to.stream << (good ? to.colours.paint(tint::good, "all is well") : to.colours.paint(tint::bad, "there are mistakes"))
            << "\n";
  return good ? exit_ok : exit_usage;
}

} // namespace troupe_internal::cli
