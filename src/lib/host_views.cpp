// What a program asks to see: plans, standings, values, the assets of a run.
#include "engine/run_history.hpp"
#include "engine/value_stream.hpp"
#include "lib/host_engine.hpp"
#include "views/reason_text.hpp"

#include <algorithm>
#include <cstring>

namespace troupe_internal::lib {

namespace {

/// One report, with what its views are of.
class asset_lines {
public:
  asset_lines(troupe_each_asset each, void* state) : each_(each), state_(state) {}

  /// False: enough.
  bool tell(std::string_view name, std::string_view status, std::string_view error, const std::string& version,
            std::uint32_t attempts, duration took, const std::vector<reason>& reasons) {
    sentences_.clear();
    views_.clear();
    for (const auto& why : reasons)
      sentences_.push_back(cli::reason_sentence(why));
    for (const auto& sentence : sentences_)
      views_.push_back(text_of(sentence));
    const troupe_asset_report one{sizeof one,       attempts,     text_of(name), text_of(status), text_of(error),
                                  text_of(version), took.count(), views_.data(), views_.size()};
    return each_(state_, &one) == 0;
  }

private:
  const troupe_each_asset each_;
  void* const state_;
  std::vector<std::string> sentences_;
  std::vector<troupe_text> views_;
};

std::string version_text(const std::optional<materialization>& last) {
  if (!last)
    return {};
  return last->made.reported_version.empty() ? to_hex(last->made.data_version) : last->made.reported_version;
}

} // namespace

troupe_error* host_engine::plan(std::string_view pipeline, const host_request& what, troupe_each_asset each,
                                void* state) {
  auto built = project_of(pipeline, what.options.params);
  if (built.wrong)
    return built.wrong.release();
  const auto planned = plan_pipeline(built.on, what.options);
  if (!planned)
    return make_error(planned.error());
  asset_lines lines(each, state);
  for (std::size_t i = 0; i < planned->order.size(); ++i) {
    const auto& one = planned->assets[i];
    if (one.action == plan_action::fresh)
      continue;
    if (!lines.tell(built.on.p->asset(planned->order[i]).name, one.action == plan_action::run ? "run" : "maybe", {}, {},
                    0, duration::zero(), one.reasons))
      break;
  }
  return nullptr;
}

troupe_error* host_engine::status(std::string_view pipeline, troupe_each_asset each, void* state) {
  auto built = project_of(pipeline, {});
  if (built.wrong)
    return built.wrong.release();
  const auto all = asset_statuses(built.on, {});
  if (!all)
    return make_error(all.error());
  asset_lines lines(each, state);
  for (const auto& one : *all) {
    const auto& last = one.record.last;
    if (!lines.tell(built.on.p->asset(one.asset).name, cli::standing_word(standing_of(one.record.attempt, one.action)),
                    {}, version_text(last), one.record.attempt_number, last ? last->took : duration::zero(),
                    one.reasons))
      break;
  }
  return nullptr;
}

troupe_error* host_engine::assets_of(run_number number, troupe_each_asset each, void* state) {
  if (const auto flushed = engine_->flush(); !flushed)
    return make_error(flushed.error());
  const auto report = read_run_report(state_, number);
  if (!report)
    return make_error(report.error());
  asset_lines lines(each, state);
  for (const auto& one : report->assets)
    if (!lines.tell(one.name, to_string(one.status), one.error,
                    !one.reported_version.empty() ? one.reported_version
                    : one.data_version            ? to_hex(*one.data_version)
                                                  : std::string(),
                    one.attempts, one.took, one.reasons))
      break;
  return nullptr;
}

troupe_error* host_engine::latest(const troupe_asset& asset, const troupe_type& as, troupe_value& value,
                                  troupe_value_info* info) {
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    const auto known = by_id_.find(asset.pipeline);
    if (known == by_id_.end() || known->second->asset_name(asset.index).empty())
      return make_error(TROUPE_ERROR_NOT_FOUND, "the asset is of no pipeline that was added to this engine");
    name = known->second->name() + "/" + std::string(known->second->asset_name(asset.index));
  }
  const auto snapshot = engine_->snapshot_of_now();
  if (!snapshot)
    return make_error(snapshot.error());
  std::optional<asset_id> id;
  const auto named = (*snapshot)->visit_asset_names([&](asset_id one, std::string_view its) {
    if (its == name)
      id = one;
    return !id;
  });
  if (!named)
    return make_error(named.error());
  asset_record record;
  if (id)
    if (const auto read = (*snapshot)->read_asset(*id, record); !read)
      return make_error(read.error());
  if (!record.last)
    return make_error(TROUPE_ERROR_NOT_MATERIALIZED, "the asset " + name + " has not been made yet");
  const auto& made = record.last->made;
  if (made.value.is_none())
    return make_error(TROUPE_ERROR_NOT_MATERIALIZED, "no value of the asset " + name + " was kept");
  auto& room = *engine_->functions();
  auto found = room.cache().find(*id, made.data_version, as);
  if (!found) {
    auto read = read_value(made.value, as, room.values());
    if (!read)
      return make_error(TROUPE_ERROR_VALUE_UNREADABLE, "the value of " + name + ": " + read.error().message);
    found = std::move(*read);
    room.cache().put(*id, made.data_version, found, made.value.size);
  }
  value = std::move(found).take();
  if (info != nullptr) {
    troupe_value_info all{};
    all.size = info->size;
    all.attempt = record.last->attempt;
    all.run = record.last->run.value;
    all.made_at = to_unix_ns(record.last->finished_at);
    all.bytes = made.value.size;
    std::memcpy(all.version, to_hex(made.data_version).data(), 32);
    std::memcpy(info, &all, std::min<std::size_t>(info->size, sizeof all));
  }
  return nullptr;
}

} // namespace troupe_internal::lib
