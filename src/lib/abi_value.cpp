// The part of the C interface that is about values and calls of functions.
#include "engine/function_call.hpp"
#include "engine/value_stream.hpp"
#include "lib/abi_error.hpp"

using namespace troupe_internal;
using lib::text_of;

extern "C" {

int32_t troupe_sink_put(troupe_sink* sink, const void* bytes, size_t size) {
  return sink->put({static_cast<const char*>(bytes), size}) ? 0 : 1;
}

void troupe_sink_fail(troupe_sink* sink, troupe_text why) {
  sink->fail(std::string(view(why)));
}

const void* troupe_source_take(troupe_source* source, size_t size) {
  return source->take(size);
}

size_t troupe_source_left(const troupe_source* source) {
  return source->left();
}

void troupe_source_fail(troupe_source* source, troupe_text why) {
  source->fail(std::string(view(why)));
}

troupe_bytes* troupe_source_rest(troupe_source* source) {
  return source->rest();
}

troupe_bytes* troupe_bytes_of(const void* bytes, size_t size, void (*release)(void*), void* state) {
  return new troupe_bytes(bytes, size, release, state);
}

void troupe_bytes_retain(troupe_bytes* bytes) {
  if (bytes != nullptr)
    bytes->retain();
}

void troupe_bytes_release(troupe_bytes* bytes) {
  if (bytes != nullptr)
    bytes->release();
}

const void* troupe_bytes_data(const troupe_bytes* bytes) {
  return bytes == nullptr ? nullptr : bytes->data();
}

size_t troupe_bytes_size(const troupe_bytes* bytes) {
  return bytes == nullptr ? 0 : bytes->size();
}

troupe_text troupe_call_word(const troupe_call* call, int32_t which) {
  switch (which) {
  case TROUPE_CALL_PIPELINE:
    return text_of(call->pipeline());
  case TROUPE_CALL_ASSET:
    return text_of(call->asset());
  case TROUPE_CALL_RUN:
    return text_of(call->run());
  case TROUPE_CALL_KEY:
    return text_of(call->key());
  case TROUPE_CALL_EVENTS:
    return text_of(call->events_file());
  default:
    return {};
  }
}

uint64_t troupe_call_run_number(const troupe_call* call) {
  return call->run_number();
}

uint32_t troupe_call_attempt(const troupe_call* call) {
  return call->attempt();
}

int32_t troupe_call_deadline(const troupe_call* call, int64_t* at) {
  const auto deadline = call->deadline();
  if (!deadline)
    return 0;
  *at = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline->time_since_epoch()).count();
  return 1;
}

troupe_stop* troupe_call_stop(const troupe_call* call) {
  call->stop().retain();
  return &call->stop();
}

int32_t troupe_call_param(const troupe_call* call, troupe_text name, troupe_text* value) {
  const auto found = call->param(view(name));
  if (!found)
    return 0;
  *value = text_of(*found);
  return 1;
}

int32_t troupe_call_value(troupe_call* call, size_t argument, const troupe_type* as, troupe_value* value) {
  auto found = call->value(argument, *as);
  if (!found)
    return 1;
  *value = std::move(found).take();
  return 0;
}

size_t troupe_call_files(troupe_call* call, size_t argument) {
  return call->files(argument).size();
}

troupe_text troupe_call_file(troupe_call* call, size_t argument, size_t file) {
  const auto& paths = call->files(argument);
  return file < paths.size() ? text_of(paths[file]) : troupe_text{};
}

troupe_text troupe_call_scratch(troupe_call* call) {
  return text_of(call->scratch());
}

void troupe_call_progress(troupe_call* call, double done, troupe_text words) {
  call->progress(done, view(words));
}

void troupe_call_log(troupe_call* call, troupe_text line) {
  call->log(view(line));
}

void troupe_call_metadata(troupe_call* call, troupe_text key, troupe_text json) {
  call->metadata(view(key), view(json));
}

void troupe_call_also_read(troupe_call* call, troupe_text path) {
  call->also_read(view(path));
}

int32_t troupe_call_return(troupe_call* call, const troupe_value* value, troupe_text version) {
  return call->hand_on(value == nullptr ? troupe_value{} : *value, view(version)) ? 0 : 1;
}

void troupe_call_fail(troupe_call* call, int32_t code, troupe_text why) {
  const auto how = code == TROUPE_ERROR_PERMANENT ? outcome_kind::permanent : outcome_kind::failed;
  call->fail(how, view(why).empty() ? std::string("it failed, and does not say why") : std::string(view(why)));
}

void troupe_stop_retain(troupe_stop* stop) {
  if (stop != nullptr)
    stop->retain();
}

void troupe_stop_release(troupe_stop* stop) {
  if (stop != nullptr)
    stop->release();
}

int32_t troupe_stop_requested(const troupe_stop* stop) {
  return stop != nullptr && stop->requested() ? 1 : 0;
}

uint64_t troupe_stop_tell(troupe_stop* stop, void (*then)(void*), void* state) {
  return stop->tell(then, state);
}

void troupe_stop_forget(troupe_stop* stop, uint64_t number) {
  stop->forget(number);
}

} // extern "C"
