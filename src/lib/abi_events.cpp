// The part of the C interface through which a program learns what goes on: explanations, history, events, functions
// that run; and tells what happened outside.
#include "lib/abi_handles.hpp"

using namespace troupe_internal;
using namespace troupe_internal::lib;

struct troupe_events {
  std::shared_ptr<host_feed> in;
  pid_t process = getpid();
  host_event last{}; ///< what the texts of the event that was handed out last are of
};

namespace {

/// An answer about an asset that is named by its handle.
template <class Ask>
troupe_error* of_asset(troupe_engine* engine, const troupe_asset& asset, Ask&& ask) {
  return with_engine(engine, [&](const auto& here) -> troupe_error* {
    std::string pipeline;
    std::string name;
    if (auto* const why = here->name_of(asset, pipeline, name))
      return why;
    return std::forward<Ask>(ask)(text_of(pipeline), text_of(name));
  });
}

troupe_event event_of(const host_event& from) {
  troupe_event to{};
  to.seq = from.what.seq;
  to.at = from.what.at ? to_unix_ns(*from.what.at) : 0;
  to.run = from.what.run ? from.what.run->value : 0;
  to.kind = text_of(from.what.kind);
  to.asset = text_of(from.what.asset);
  to.json = text_of(from.what.line);
  to.done = from.done;
  to.words = text_of(from.words);
  return to;
}

std::int32_t code_of(feed_end how) {
  switch (how) {
  case feed_end::dropped:
    return TROUPE_ERROR_HISTORY_DROPPED;
  case feed_end::shut_down:
    return TROUPE_ERROR_SHUTTING_DOWN;
  default:
    return TROUPE_ERROR_STATE_UNUSABLE;
  }
}

} // namespace

extern "C" {

troupe_error* troupe_engine_explain(troupe_engine* engine, troupe_text pipeline, troupe_text asset,
                                    troupe_each_explanation each, void* state) {
  return with_engine(engine, [&](const auto& here) { return here->explain(view(pipeline), view(asset), each, state); });
}

troupe_error* troupe_engine_explain_asset(troupe_engine* engine, troupe_asset asset, troupe_each_explanation each,
                                          void* state) {
  return of_asset(engine, asset, [&](troupe_text pipeline, troupe_text name) {
    return troupe_engine_explain(engine, pipeline, name, each, state);
  });
}

troupe_error* troupe_engine_history(troupe_engine* engine, troupe_text pipeline, troupe_text asset, uint64_t before,
                                    uint32_t limit, troupe_each_execution each, void* state) {
  constexpr uint32_t usual = 100;
  return with_engine(engine, [&](const auto& here) {
    return here->history(view(pipeline), view(asset), before, limit == 0 ? usual : limit, each, state);
  });
}

troupe_error* troupe_engine_history_asset(troupe_engine* engine, troupe_asset asset, uint64_t before, uint32_t limit,
                                          troupe_each_execution each, void* state) {
  return of_asset(engine, asset, [&](troupe_text pipeline, troupe_text name) {
    return troupe_engine_history(engine, pipeline, name, before, limit, each, state);
  });
}

troupe_error* troupe_engine_calls(troupe_engine* engine, troupe_each_call each, void* state) {
  return with_engine(engine, [&](const auto& here) -> troupe_error* {
    for (const auto& one : here->calls()) {
      troupe_call_report to{};
      to.size = sizeof to;
      to.attempt = one.attempt;
      to.run = one.run.value;
      to.asset = text_of(one.asset);
      to.running = one.running.count();
      to.done = one.done.value_or(-1);
      to.words = text_of(one.words);
      to.stopping = one.stopping ? 1 : 0;
      each(state, &to);
    }
    return nullptr;
  });
}

troupe_error* troupe_engine_verify(troupe_engine* engine, troupe_each_line each, void* state) {
  return with_engine(engine, [&](const auto& here) -> troupe_error* {
    std::vector<std::string> problems;
    if (auto* const why = here->verify(problems))
      return why;
    for (const auto& one : problems)
      if (each != nullptr)
        each(state, text_of(one));
    return nullptr;
  });
}

troupe_error* troupe_engine_notify(troupe_engine* engine, const troupe_notice* notice, troupe_receipt* receipt) {
  return with_engine(engine, [&](const auto& here) -> troupe_error* {
    if (notice == nullptr || notice->size < sizeof(std::uint32_t))
      return refused_struct("troupe_notice");
    const auto all = known_part(notice);
    host_notice what{std::string(view(all.name)), std::string(view(all.key)), std::string(view(all.json)), {}};
    for (std::size_t i = 0; i < all.param_count; ++i)
      what.params.emplace_back(view(all.params[i].name), view(all.params[i].value));
    host_receipt got;
    if (auto* const why = here->notify(what, got))
      return why;
    if (receipt != nullptr) {
      troupe_receipt to{};
      to.event = got.event;
      to.duplicate_of = got.duplicate_of;
      to.run = got.run ? handle_of(std::move(got.run)) : nullptr;
      hand_out(to, receipt);
    }
    return nullptr;
  });
}

troupe_error* troupe_engine_events(troupe_engine* engine, const troupe_events_options* options,
                                   troupe_events** events) {
  return with_engine(engine, [&](const auto& here) -> troupe_error* {
    auto all = known_part(options);
    if (options == nullptr)
      all.from = TROUPE_EVENTS_NEW;
    std::shared_ptr<host_feed> feed;
    const auto run = all.run == 0 ? std::nullopt : std::optional(run_number(static_cast<std::uint32_t>(all.run)));
    if (auto* const why = here->events(all.from, run, all.no_progress == 0, feed))
      return why;
    *events = new troupe_events{std::move(feed)};
    return nullptr;
  });
}

void troupe_events_release(troupe_events* events) {
  if (events != nullptr && events->process == getpid()) // else what it refers to is the parent's
    delete events;
}

troupe_error* troupe_events_next(troupe_events* events, int64_t at_most, troupe_event* event, int32_t* found) {
  return with(events, [&]() -> troupe_error* {
    std::string why;
    const auto how = events->in->next(std::chrono::nanoseconds(at_most), events->last, why);
    *found = how == feed_end::event ? 1 : 0;
    if (how == feed_end::event)
      hand_out(event_of(events->last), event);
    return how == feed_end::event || how == feed_end::time_is_up ? nullptr : make_error(code_of(how), std::move(why));
  });
}

int32_t troupe_events_descriptor(const troupe_events* events) {
  return events == nullptr ? -1 : events->in->descriptor();
}

uint64_t troupe_events_position(const troupe_events* events) {
  return events == nullptr ? 0 : events->in->position();
}

uint64_t troupe_events_lost(const troupe_events* events) {
  return events == nullptr ? 0 : events->in->lost();
}

} // extern "C"
