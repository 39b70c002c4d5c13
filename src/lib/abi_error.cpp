// The part of the C interface that is about errors.
#include "lib/abi_error.hpp"

namespace troupe_internal::lib {

troupe_error* make_error(const error& why) {
  switch (why.code) {
  case error_code::invalid_input:
    return make_error(TROUPE_ERROR_INVALID_ARGUMENT, why.message);
  case error_code::not_found:
    return make_error(TROUPE_ERROR_NOT_FOUND, why.message);
  case error_code::state_locked:
    return make_error(TROUPE_ERROR_STATE_LOCKED, why.message);
  case error_code::state_unusable:
  case error_code::io:
    return make_error(TROUPE_ERROR_STATE_UNUSABLE, why.message);
  case error_code::stopped:
    return make_error(TROUPE_ERROR_SHUTTING_DOWN, why.message);
  case error_code::key_conflict:
    return make_error(TROUPE_ERROR_KEY_CONFLICT, why.message);
  case error_code::busy:
    return make_error(TROUPE_ERROR_STATE_UNUSABLE, why.message);
  case error_code::internal:
    break;
  }
  return make_error(TROUPE_ERROR_INTERNAL, why.message);
}

} // namespace troupe_internal::lib

using namespace troupe_internal::lib;

extern "C" {

uint32_t troupe_version(void) {
  return TROUPE_HEADER_VERSION;
}

void troupe_error_release(troupe_error* error) {
  delete error;
}

int32_t troupe_error_code(const troupe_error* error) {
  return error == nullptr ? 0 : error->code;
}

troupe_text troupe_error_message(const troupe_error* error) {
  return error == nullptr ? troupe_text{} : text_of(error->message);
}

size_t troupe_error_findings(const troupe_error* error) {
  return error == nullptr ? 0 : error->found.size();
}

int32_t troupe_error_finding(const troupe_error* error, size_t index, troupe_finding* into) {
  if (error == nullptr || into == nullptr || into->size < sizeof(troupe_finding) || index >= error->found.size())
    return 0;
  const auto& one = error->found[index];
  *into = {into->size,         one.line,          one.column,          text_of(one.file),
           text_of(one.asset), text_of(one.code), text_of(one.message)};
  return 1;
}

} // extern "C"
