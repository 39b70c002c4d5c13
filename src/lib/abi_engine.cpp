// The part of the C interface that is about engines and runs. Handles are checked here: a call with one that was moved
// from, or in a process that was forked off, is an error and never undefined.
#include "lib/abi_handles.hpp"

#include "engine/value_stream.hpp"

#include <algorithm>
#include <cstring>

using namespace troupe_internal;
using namespace troupe_internal::lib;

namespace {

host_request request_from(const troupe_run_options* from) {
  troupe_run_options all{};
  if (from != nullptr)
    std::memcpy(&all, from, std::min<std::size_t>(from->size, sizeof all));
  host_request request;
  for (std::size_t i = 0; i < all.select_count; ++i)
    request.options.selection.emplace_back(view(all.select[i]));
  for (std::size_t i = 0; i < all.exclude_count; ++i)
    request.options.exclude.emplace_back(view(all.exclude[i]));
  for (std::size_t i = 0; i < all.param_count; ++i)
    request.options.params.emplace_back(view(all.params[i].name), view(all.params[i].value));
  request.options.only = all.only != 0;
  request.options.force = all.force != 0;
  request.key = view(all.key);
  return request;
}

std::uint32_t status_number(run_status status) {
  switch (status) {
  case run_status::queued:
    return TROUPE_RUN_QUEUED;
  case run_status::running:
    return TROUPE_RUN_RUNNING;
  case run_status::succeeded:
    return TROUPE_RUN_SUCCEEDED;
  case run_status::failed:
    return TROUPE_RUN_FAILED;
  case run_status::cancelled:
    return TROUPE_RUN_CANCELLED;
  case run_status::interrupted:
    break;
  }
  return TROUPE_RUN_INTERRUPTED;
}

} // namespace

extern "C" {

troupe_error* troupe_engine_open(const troupe_engine_options* options, troupe_engine** engine) {
  return guarded([&]() -> troupe_error* {
    if (options == nullptr || options->size < sizeof(std::uint32_t) * 2 || engine == nullptr)
      return refused_struct("troupe_engine_options");
    troupe_engine_options all{};
    std::memcpy(&all, options, std::min<std::size_t>(options->size, sizeof all));
    auto opened = host_engine::open(all);
    if (opened.second)
      return opened.second.release();
    auto link = opened.first->link();
    *engine = new troupe_engine{std::move(opened.first), std::move(link)};
    return nullptr;
  });
}

troupe_engine* troupe_engine_share(troupe_engine* engine) {
  return engine == nullptr ? nullptr : new (std::nothrow) troupe_engine{nullptr, engine->link, engine->process};
}

void troupe_engine_release(troupe_engine* engine) {
  if (engine == nullptr || engine->process != getpid())
    return; // what a fork has copied is the parent's: it is left as it is
  if (engine->own && engine->own->is_in_function()) {
    engine->own->note("an engine was destroyed by one of its functions, which would wait for itself: it is kept");
    return;
  }
  delete engine;
}

troupe_error* troupe_engine_add(troupe_engine* engine, const troupe_pipeline* pipeline) {
  return with_engine(engine, [&](const auto& here) -> troupe_error* {
    if (pipeline == nullptr)
      return make_error(TROUPE_ERROR_INVALID_ARGUMENT, "there is no pipeline: it was moved from");
    return here->add(*pipeline);
  });
}

troupe_error* troupe_engine_recover(troupe_engine* engine, uint32_t policy, troupe_each_recovered each, void* state) {
  return with_engine(engine, [&](const auto& here) {
    return here->recover(policy, [&](run_number number, std::uint32_t what, const std::shared_ptr<host_run>& run,
                                     const std::string& reason) {
      auto* const handle = run ? handle_of(run) : nullptr;
      const troupe_recovered one{sizeof one, what, number.value, handle, text_of(reason)};
      if (each != nullptr)
        each(state, &one);
      troupe_run_release(handle);
    });
  });
}

troupe_error* troupe_engine_start(troupe_engine* engine, troupe_text pipeline, const troupe_run_options* options,
                                  troupe_run** run) {
  return with_engine(engine, [&](const auto& here) -> troupe_error* {
    std::shared_ptr<host_run> started;
    if (auto* const why = here->start(view(pipeline), request_from(options), started))
      return why;
    *run = handle_of(std::move(started));
    return nullptr;
  });
}

troupe_error* troupe_engine_resume(troupe_engine* engine, uint64_t number, troupe_run** run) {
  return with_engine(engine, [&](const auto& here) -> troupe_error* {
    std::shared_ptr<host_run> resumed;
    if (auto* const why = here->resume(run_number(static_cast<std::uint32_t>(number)), resumed))
      return why;
    *run = handle_of(std::move(resumed));
    return nullptr;
  });
}

troupe_error* troupe_engine_find(troupe_engine* engine, uint64_t number, troupe_run** run) {
  return with_engine(engine, [&](const auto& here) -> troupe_error* {
    std::shared_ptr<host_run> found;
    if (auto* const why = here->find(run_number(static_cast<std::uint32_t>(number)), found))
      return why;
    *run = handle_of(std::move(found));
    return nullptr;
  });
}

troupe_error* troupe_engine_plan(troupe_engine* engine, troupe_text pipeline, const troupe_run_options* options,
                                 troupe_each_asset each, void* state) {
  return with_engine(engine,
                     [&](const auto& here) { return here->plan(view(pipeline), request_from(options), each, state); });
}

troupe_error* troupe_engine_status(troupe_engine* engine, troupe_text pipeline, troupe_each_asset each, void* state) {
  return with_engine(engine, [&](const auto& here) { return here->status(view(pipeline), each, state); });
}

troupe_error* troupe_engine_latest(troupe_engine* engine, troupe_asset asset, const troupe_type* as,
                                   troupe_value* value, troupe_value_info* info) {
  return with_engine(engine, [&](const auto& here) { return here->latest(asset, *as, *value, info); });
}

troupe_error* troupe_engine_shutdown(troupe_engine* engine, int64_t grace) {
  return with_engine(engine, [&](const auto& here) -> troupe_error* {
    if (here->is_in_function())
      return make_error(TROUPE_ERROR_WOULD_DEADLOCK, "a function would wait for itself to end");
    return here->shutdown(std::chrono::nanoseconds(grace));
  });
}

void troupe_run_retain(troupe_run* run) {
  if (run != nullptr)
    run->holders.fetch_add(1, std::memory_order_relaxed);
}

void troupe_run_release(troupe_run* run) {
  if (run != nullptr && run->holders.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete run;
}

uint64_t troupe_run_number(const troupe_run* run) {
  return run == nullptr ? 0 : run->in->number().value;
}

troupe_text troupe_run_id(const troupe_run* run) {
  return run == nullptr ? troupe_text{} : text_of(run->in->id());
}

uint32_t troupe_run_status(const troupe_run* run) {
  return run == nullptr ? static_cast<uint32_t>(TROUPE_RUN_INTERRUPTED) : status_number(run->in->status());
}

troupe_error* troupe_run_wait(troupe_run* run, int64_t at_most, troupe_run_report* report) {
  return with(run, [&]() -> troupe_error* {
    if (const engine_link::use engine(run->in->engine()); engine && engine->is_in_function())
      return make_error(TROUPE_ERROR_WOULD_DEADLOCK,
                        "a function must not wait for a run of its engine, which may be waiting for the function");
    if (!run->in->wait(std::chrono::nanoseconds(at_most)))
      return make_error(TROUPE_ERROR_TIMED_OUT, "run #" + std::to_string(run->in->number().value) + " has not ended");
    if (report == nullptr)
      return nullptr;
    const auto how = run->in->ended();
    const auto count = [&](asset_status status) { return how.counts[static_cast<std::size_t>(status)]; };
    troupe_run_report all{};
    all.size = report->size;
    all.status = status_number(how.status);
    all.number = how.run.value;
    all.took = (how.finished_at - how.started_at).count();
    all.fresh = count(asset_status::fresh);
    all.succeeded = count(asset_status::succeeded);
    all.failed = count(asset_status::failed);
    all.blocked = count(asset_status::blocked);
    all.cancelled = count(asset_status::cancelled);
    std::memcpy(report, &all, std::min<std::size_t>(report->size, sizeof all));
    return nullptr;
  });
}

troupe_error* troupe_run_cancel(troupe_run* run, int32_t at_once) {
  return with(run, [&]() -> troupe_error* {
    const engine_link::use engine(run->in->engine());
    return engine ? engine->cancel(run->in->number(), at_once != 0)
                  : make_error(TROUPE_ERROR_NOT_FOUND, "the engine of the run is gone");
  });
}

troupe_error* troupe_run_assets(troupe_run* run, troupe_each_asset each, void* state) {
  return with(run, [&]() -> troupe_error* {
    const engine_link::use engine(run->in->engine());
    return engine ? engine->assets_of(run->in->number(), each, state)
                  : make_error(TROUPE_ERROR_NOT_FOUND, "the engine of the run is gone");
  });
}

} // extern "C"
