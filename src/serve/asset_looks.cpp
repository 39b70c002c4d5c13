// A look is a plan of everything, which reads what it needs of every file; so one serves many requests.
#include "serve/asset_looks.hpp"

#include "config/load_pipeline.hpp"
#include "views/documents.hpp"

#include <sstream>

namespace troupe_internal::serve {

namespace {

constexpr std::size_t most_kept = 64; ///< pipelines
constexpr int attempts = 5;           ///< at a look without an event meanwhile

} // namespace

std::string status_text(const asset_look& look, const std::vector<asset_status_report>& assets) {
  std::ostringstream text;
  {
    json_writer json(text);
    cli::write_statuses(json, *look.on.p, assets, [&](run_number run) {
      const auto at = look.run_ids.find(run);
      return at == look.run_ids.end() ? std::string() : at->second;
    });
  }
  auto body = text.str();
  body.insert(body.rfind('}'), ",\"looked_at\":\"" + to_rfc3339(look.at) + "\"");
  return body;
}

result<project> open_served(const std::string& file, const std::string& state,
                            std::vector<std::pair<std::string, std::string>> params) {
  project_options how;
  how.file = file;
  how.state = state;
  how.params = std::move(params);
  how.only_regular = true;
  diagnostics findings;
  auto opened = open_project(how, findings);
  if (opened)
    return opened;
  std::string text = opened.error().message;
  for (const auto& item : findings.items)
    if (item.level == severity::error)
      text += "; line " + std::to_string(item.where.line) + ": " + item.message;
  return fail(error_code::invalid_input, std::move(text));
}

result<std::uint64_t> asset_looks::last_event() const {
  const auto snapshot = engine_.history();
  if (!snapshot)
    return snapshot.error();
  return (*snapshot)->info().last_seq;
}

result<std::shared_ptr<const asset_look>> asset_looks::look(const std::string& file, std::uint64_t seq) const {
  auto made = std::make_shared<asset_look>();
  made->seq = seq;
  made->file = identity_of(file);
  made->at = time_.now();
  const auto on = open_served(file, state_->path());
  if (!on)
    return on.error();
  auto recorded = with_recorded_edges(*on);
  if (!recorded)
    return recorded.error();
  made->on = std::move(*recorded);
  auto assets = asset_statuses(*on, {});
  if (!assets)
    return assets.error();
  made->assets = std::move(*assets);
  const auto runs = list_runs(state_->path(), 0);
  if (!runs)
    return runs.error();
  for (const auto& run : *runs)
    made->run_ids.emplace(run.run, to_string(run.id));
  made->document = status_text(*made, made->assets);
  return std::shared_ptr<const asset_look>(std::move(made));
}

result<std::shared_ptr<const asset_look>> asset_looks::at(const std::string& file, bool now) {
  std::shared_ptr<kept_look> kept;
  {
    const std::lock_guard lock(mutex_);
    if (kept_.size() >= most_kept && !kept_.contains(file))
      kept_.clear(); // who looks meanwhile keeps its own
    auto& place = kept_[file];
    if (!place)
      place = std::make_shared<kept_look>();
    kept = place;
  }
  const std::lock_guard one_at_a_time(kept->mutex);
  auto seq = last_event();
  if (!seq)
    return seq.error();
  if (!now && kept->last && kept->last->seq == *seq && kept->last->file && kept->last->file == identity_of(file))
    return kept->last;
  for (int attempt = 1;; ++attempt) {
    auto found = look(file, *seq);
    if (!found)
      return found.error();
    const auto after = last_event();
    // Where events come faster than this, what it says is at least as new as `seq`.
    if (attempt == attempts || (after && *after == *seq)) {
      kept->last = *found;
      return *found;
    }
    if (!after)
      return after.error();
    seq = after;
  }
}

} // namespace troupe_internal::serve
