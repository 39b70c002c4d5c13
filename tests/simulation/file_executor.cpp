// Examinations and attempts.
#include "file_executor.hpp"
#include "require.hpp"

#include "core/model/delta.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal::test {

asset_look look_at(const case_pipeline& on, const catalog& names, const file_world& files, asset_index asset,
                   std::uint32_t mode, const std::function<digest(asset_index)>& version_of) {
  const auto& spec = on.p->asset(asset);
  asset_look seen;
  seen.now.rule = 1;
  seen.now.command = command_of(on, asset, mode);
  if (on.uses_param[asset.value])
    seen.now.params.push_back({"mode", quick_digest(std::to_string(mode))});
  for (std::size_t k = 0; k < spec.inputs.size(); ++k) {
    file_version input;
    input.path = names.id_of(names.input_slot(asset, k));
    input.content = files.content(on.p->path(spec.inputs[k].path));
    seen.now.inputs.push_back(input);
  }
  std::sort(seen.now.inputs.begin(), seen.now.inputs.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  for (const auto needed : spec.deps)
    seen.now.upstreams.push_back({names.id_of(needed), version_of(needed)});
  std::sort(seen.now.upstreams.begin(), seen.now.upstreams.end(),
            [](const auto& a, const auto& b) { return a.asset < b.asset; });
  file_version output;
  output.path = names.id_of(path_slot(spec.outputs[0].value));
  output.content = files.content(output_of(on, asset));
  seen.outputs.push_back(output);
  return seen;
}

file_executor::file_executor(file_executor_setup setup, std::vector<std::unique_ptr<asset_record>> records)
    : setup_(std::move(setup)), on_(setup_.all.pipelines[setup_.wish.pipeline]), records_(std::move(records)),
      found_(records_.size()), busy_(records_.size(), false) {}

duration file_executor::within(duration longest) {
  return longest > duration::zero() ? duration(setup_.random.bits() % static_cast<std::uint64_t>(longest.count()))
                                    : duration::zero();
}

void file_executor::use_record(asset_index asset, asset_record record) {
  records_[asset.value] = std::make_unique<asset_record>(std::move(record));
}

asset_look file_executor::look(asset_index asset, const upstream_view& upstreams) {
  setup_.check([&] {
    if (on_look)
      on_look(asset);
  });
  const auto& deps = on_.p->asset(asset).deps;
  return look_at(on_, setup_.names, setup_.files, asset, setup_.wish.mode, [&](asset_index needed) {
    const auto at = std::find(deps.begin(), deps.end(), needed);
    return upstreams.versions[static_cast<std::size_t>(at - deps.begin())];
  });
}

void file_executor::examine(asset_index asset, upstream_view upstreams, std::function<void(examination)> done) {
  if (dead_)
    return;
  setup_.check([&] { require(!busy_[asset.value], name(asset) + " is examined while it is examined or made"); });
  busy_[asset.value] = true;
  ++examining_;
  item one;
  one.asset = asset;
  one.due = setup_.now() + (setup_.random.once_in(4) ? within(std::chrono::seconds(2)) : duration::zero());
  if (setup_.random.once_in(2))
    one.seen = look(asset, upstreams);
  one.upstreams = std::move(upstreams);
  one.examined = std::move(done);
  items_.push_back(std::move(one));
}

void file_executor::finish_examination(const item& one) {
  busy_[one.asset.value] = false;
  --examining_;
  auto seen = one.seen ? *one.seen : look(one.asset, one.upstreams);
  examination found;
  const auto& record = records_[one.asset.value];
  setup_.check([&] { require(record != nullptr, name(one.asset) + " is judged without its record"); });
  for (const auto& input : seen.now.inputs)
    if (input.content == absent_file && one.upstreams.failed.empty())
      found.impossible = "an input is missing";
  judge_freshness(record ? *record : asset_record(), seen.now, seen.outputs, setup_.plan.policy_of(one.asset),
                  setup_.names, found.reasons);
  found_[one.asset.value] = std::make_unique<fingerprint>(std::move(seen.now));
  one.examined(std::move(found));
}

void file_executor::execute(asset_index asset, std::uint32_t attempt, std::function<void(process_spawned)> spawned,
                            std::function<void(execution)> done) {
  if (dead_)
    return;
  static constexpr outcome_kind failures[] = {
      outcome_kind::exited,         outcome_kind::signalled,  outcome_kind::timed_out, outcome_kind::not_started,
      outcome_kind::output_missing, outcome_kind::bad_result, outcome_kind::internal};
  setup_.check([&] {
    require(!busy_[asset.value], name(asset) + " is made while it is examined or made");
    require(found_[asset.value] != nullptr, name(asset) + " is made and was not examined");
    on_execute(asset, attempt);
  });
  busy_[asset.value] = true;
  const auto& settings = on_.p->settings_of(asset);
  const bool calm = setup_.wish.calm || setup_.all.trouble == 0;
  auto longest = on_.longest[asset.value];
  if (setup_.wish.calm && settings.timeout)
    longest = std::min<duration>(longest, *settings.timeout / 2);
  item end;
  end.kind = what::ended;
  end.asset = asset;
  end.attempt = attempt;
  end.due = setup_.now() + within(longest);
  end.done = std::move(done);
  end.how.outcome = ending_                                              ? outcome_kind::cancelled
                    : !calm && setup_.random.once_in(setup_.all.trouble) ? failures[setup_.random.below(7)]
                                                                         : outcome_kind::succeeded;
  if (end.how.outcome == outcome_kind::cancelled || end.how.outcome == outcome_kind::not_started) {
    end.due = setup_.now();
    items_.push_back(std::move(end));
    return;
  }
  setup_.check([&] { end.process = setup_.files.start(setup_.run, setup_.wish.pipeline, asset, setup_.wish.mode); });
  if (on_.hangs[asset.value] && !setup_.wish.calm && setup_.may_hang)
    end.due.reset();
  if (settings.timeout && (!end.due || *end.due > setup_.now() + *settings.timeout)) {
    end.how.outcome = outcome_kind::timed_out;
    end.due =
        setup_.now() + *settings.timeout + (on_.stubborn[asset.value] ? on_.p->engine.grace_period : duration::zero());
  }
  item found;
  found.kind = what::spawned;
  found.asset = asset;
  found.attempt = attempt;
  found.process = end.process;
  found.due = setup_.now() + (setup_.random.once_in(8) ? within(std::chrono::seconds(9)) : duration::zero());
  found.spawned = std::move(spawned);
  items_.push_back(std::move(found));
  items_.push_back(std::move(end));
}

void file_executor::finish_attempt(item one) {
  busy_[one.asset.value] = false;
  const bool well = one.how.outcome == outcome_kind::succeeded;
  setup_.check([&] {
    require(one.process == 0 || setup_.files.runs(one.process),
            "(6) a process of " + name(one.asset) + " was ended, and not by its own run");
  });
  if (setup_.files.runs(one.process)) {
    const auto read = setup_.files.read(one.process);
    setup_.files.end(one.process, well);
    if (well) {
      const auto& now = *found_[one.asset.value];
      file_version output;
      output.path = setup_.names.id_of(path_slot(on_.p->asset(one.asset).outputs[0].value));
      output.content = setup_.files.content(output_of(on_, one.asset));
      one.how.made.emplace().outputs.push_back(output);
      one.how.made->data_version = version_of_outputs(one.how.made->outputs, setup_.names);
      setup_.check([&] {
        const auto paths = read_by(on_, one.asset);
        for (const auto& input : now.inputs) {
          const auto path = setup_.names.path_text(input.path);
          const auto at = std::find(paths.begin(), paths.end(), path) - paths.begin();
          require(path.starts_with("src/") || input.content == read[static_cast<std::size_t>(at)],
                  "(10) " + name(one.asset) + " is recorded as made from another " + std::string(path) +
                      " than it read");
        }
        for (const auto needed : on_.p->asset(one.asset).deps) {
          const auto at = std::find(paths.begin(), paths.end(), output_of(on_, needed)) - paths.begin();
          file_version output_read;
          output_read.path = setup_.names.id_of(path_slot(on_.p->asset(needed).outputs[0].value));
          output_read.content = read[static_cast<std::size_t>(at)];
          const auto known = std::find_if(now.upstreams.begin(), now.upstreams.end(),
                                          [&](const auto& seen) { return seen.asset == setup_.names.id_of(needed); });
          require(known->version == version_of_allowed_failure() || is_lost(needed) ||
                      known->version == version_of_outputs(std::span(&output_read, 1), setup_.names),
                  "(10) " + name(one.asset) + " is recorded as made from another version of " + name(needed) +
                      " than it read");
        }
        on_made(one.asset, one.attempt, now, *one.how.made);
      });
    }
  }
  if (!well)
    one.how.message = "as it was drawn";
  if (one.how.outcome == outcome_kind::exited)
    one.how.exit_code = 1;
  if (one.how.outcome == outcome_kind::signalled)
    one.how.signal = 9;
  one.done(one.how);
}

void file_executor::check_discovered(asset_index, std::uint32_t, std::function<void(bool)> done) {
  if (!dead_)
    done(true); // nothing is discovered here
}

void file_executor::settle(std::function<void()> done) {
  if (dead_)
    return;
  item one;
  one.kind = what::settled;
  one.due = setup_.now() + (setup_.random.once_in(4) ? within(std::chrono::seconds(1)) : duration::zero());
  one.settled = std::move(done);
  items_.push_back(std::move(one));
}

void file_executor::end_all(urgency how) {
  if (dead_)
    return;
  ending_ = true;
  for (auto& one : items_) {
    if (one.kind != what::ended || one.process == 0)
      continue;
    const auto grace = how == urgency::at_once         ? duration::zero()
                       : on_.stubborn[one.asset.value] ? duration(on_.p->engine.grace_period)
                                                       : within(std::chrono::seconds(1));
    if (one.due && *one.due <= setup_.now() + grace)
      continue; // ends by itself before
    one.due = setup_.now() + grace;
    one.how.outcome = outcome_kind::cancelled;
  }
}

materialized file_executor::changes_made(asset_index asset, const execution& done) const {
  const auto& record = records_[asset.value];
  auto changes =
      make_delta(record && record->last ? &*record->last : nullptr, *found_[asset.value], *done.made, done.took);
  changes.since = setup_.since;
  return changes;
}

std::optional<duration> file_executor::next_due() const {
  std::optional<duration> next;
  for (const auto& one : items_)
    if (one.due && (!next || *one.due < *next))
      next = one.due;
  return next;
}

std::vector<std::size_t> file_executor::due() const {
  std::vector<std::size_t> found;
  const auto now = setup_.now();
  for (std::size_t i = 0; i < items_.size(); ++i)
    if (items_[i].due && *items_[i].due <= now)
      found.push_back(i);
  return found;
}

std::string file_executor::answer(std::size_t at) {
  item one = std::move(items_[at]);
  items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(at));
  switch (one.kind) {
  case what::examined: {
    const auto words = name(one.asset) + " is examined";
    finish_examination(one);
    return words;
  }
  case what::spawned:
    one.spawned({one.process, 1});
    return "the process of " + name(one.asset) + " is reported";
  case what::ended: {
    const auto words = name(one.asset) + " ends: " + std::to_string(static_cast<int>(one.how.outcome));
    finish_attempt(std::move(one));
    return words;
  }
  case what::settled:
    break;
  }
  one.settled();
  return "files are settled";
}

} // namespace troupe_internal::test
