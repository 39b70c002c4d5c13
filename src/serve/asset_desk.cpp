// Triggers that follow assets: what has changed is in the records of assets, what each trigger has seen is in its own,
// so changes made while no supervisor was there count as others do, and none counts twice.
#include "serve/trigger_desk.hpp"

#include "base/json_writer.hpp"
#include "core/model/run_record.hpp"
#include "core/trigger/asset_rules.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

namespace troupe_internal::serve {

namespace {

bool changes_data(const event& e) {
  if (const auto* const finished = std::get_if<attempt_finished>(&e))
    return finished->made && finished->made->data_version;
  const auto* const adopted = std::get_if<asset_adopted>(&e);
  return adopted != nullptr && adopted->made.data_version;
}

std::string body_of(const std::vector<std::string>& names) {
  std::ostringstream text;
  json_writer json(text);
  json.begin_object().key("assets").begin_array();
  for (const auto& name : names)
    json.value(name);
  json.end_array().end_object();
  return text.str();
}

} // namespace

bool trigger_desk::assets_changed() {
  if (!follows_assets_)
    return false;
  const auto snapshot = engine_.history();
  if (!snapshot)
    return true; // a look says what is wrong
  bool found = false;
  const auto visited = (*snapshot)->visit_events(std::max(scanned_ + 1, (*snapshot)->info().first_seq),
                                                 [&](std::uint64_t seq, const event& e) {
                                                   scanned_ = seq;
                                                   found = found || changes_data(e);
                                                   return !found;
                                                 });
  return found || !visited;
}

result<void> trigger_desk::learn_names(const journal_snapshot& snapshot) {
  const auto count = snapshot.info().asset_count;
  if (count == names_known_)
    return {};
  asset_names_.clear();
  const auto visited = snapshot.visit_asset_names([&](asset_id asset, std::string_view name) {
    const auto declared = std::string(name.substr(0, name.find('[', name.find('/'))));
    asset_names_[declared].emplace_back(asset, std::string(name));
    if (declared.size() != name.size())
      asset_names_[std::string(name)].emplace_back(asset, std::string(name));
    return true;
  });
  if (!visited)
    return visited.error();
  names_known_ = count;
  return {};
}

result<void> trigger_desk::look_at_changes(const target& at, const trigger_record& record, timestamp now, turn& out) {
  const auto snapshot = engine_.history();
  if (!snapshot)
    return snapshot.error();
  if (const auto learned = learn_names(**snapshot); !learned)
    return learned;
  const auto& source = std::get<assets_source>(at.what->source);
  const auto name = at.name();
  std::vector<followed_asset> followed;
  std::map<asset_id, std::pair<std::string, run_number>> changes; // name, and the run that made it
  bool all_known = true;
  asset_record state;
  for (const auto& reference : source.assets) {
    const auto full = (reference.pipeline.empty() ? at.pipeline : reference.pipeline) + "/" + reference.asset;
    const auto known = asset_names_.find(full);
    if (known == asset_names_.end()) {
      all_known = false; // it was never in a run
      continue;
    }
    for (const auto& [asset, shown] : known->second) {
      if (changes.contains(asset))
        continue;
      const auto found = (*snapshot)->read_asset(asset, state);
      if (!found)
        return found.error();
      changes.emplace(asset, std::pair(shown, state.changed_run));
      followed_asset one{asset, state.changed_seq, state.changed_at, false};
      if (state.changed_seq > record.seen && state.changed_run.value != 0) {
        const auto run = (*snapshot)->read_run(state.changed_run);
        if (!run)
          return run.error();
        one.by_own_run = *run && trigger_of((*run)->pipeline, (*run)->cause) == name;
      }
      followed.push_back(one);
    }
  }
  auto look = look_at_assets(source, record.seen, record.flags, followed, now);
  if (!all_known && source.all && !look.fires.empty()) { // one of them has never been made
    for (const auto& one : followed)
      look.flags.push_back({one.asset, one.changed_seq, one.changed_at});
    look.fires.clear();
  }
  if (!look.moved)
    return {};
  const changes_seen seen{name, now, (*snapshot)->info().last_seq, look.flags, look.lapsed};
  if (!look.lapsed.empty())
    log_("trigger " + name + ": " + std::to_string(look.lapsed.size()) +
         (look.lapsed.size() == 1 ? " change has" : " changes have") +
         " waited longer than \"within\" and count no more");
  if (look.fires.empty())
    return engine_.record({seen});
  arrival what;
  what.source = event_source::assets;
  what.with.emplace_back(seen);
  std::vector<std::string> names;
  for (const auto asset : look.fires) {
    const auto& [shown, run] = changes.at(asset);
    names.push_back(shown);
    if (run.value == 0)
      continue;
    const auto made_by = (*snapshot)->read_run(run);
    if (!made_by)
      return made_by.error();
    if (!*made_by)
      continue;
    auto chain = (*made_by)->cause.chain;
    if (const auto caused = trigger_of((*made_by)->pipeline, (*made_by)->cause); chain.empty() && !caused.empty())
      chain.push_back(caused);
    if (chain.size() > what.chain.size())
      what.chain = std::move(chain); // the longest one: what has run in a circle is in it
  }
  what.chain = chain_after(what.chain, name);
  if (const auto circle = circle_in(what.chain)) {
    log_("trigger " + name + " is paused: " + *circle);
    return engine_.record({trigger_paused{name, now, *circle, {}}});
  }
  what.body = body_of(names);
  const auto taken = take(at, {std::move(what)});
  if (taken) {
    complaints_.erase(name);
    return {};
  }
  if (taken.error().code == error_code::state_unusable || taken.error().code == error_code::stopped)
    return taken.error();
  complain(name, "changes of assets wait: " + taken.error().message);
  out.again = true;
  return {};
}

} // namespace troupe_internal::serve
