// Errors as the C interface hands them out, and what every function of it does around its work. Knows nothing of what
// fails.
#pragma once

#include "base/result.hpp"
#include "troupe/abi.h"

#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal::lib {

/// A mistake in a pipeline, or an asset that failed.
struct finding {
  std::string code, message, asset, file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

} // namespace troupe_internal::lib

struct troupe_error {
  std::int32_t code = TROUPE_ERROR_INTERNAL;
  std::string message;
  std::vector<troupe_internal::lib::finding> found;
};

namespace troupe_internal::lib {

[[nodiscard]] inline troupe_error* make_error(std::int32_t code, std::string message) {
  return new troupe_error{code, std::move(message), {}};
}
[[nodiscard]] troupe_error* make_error(const error& why);

[[nodiscard]] inline troupe_text text_of(std::string_view from) {
  return {from.data(), from.size()};
}

/// Does the work of a function of the C interface: no exception leaves it.
template <class Work>
[[nodiscard]] troupe_error* guarded(Work&& work) noexcept {
  try {
    return std::forward<Work>(work)();
  } catch (const std::bad_alloc&) {
    return new (std::nothrow) troupe_error{TROUPE_ERROR_INTERNAL, "no memory is left", {}};
  } catch (const std::exception& why) {
    return make_error(TROUPE_ERROR_INTERNAL, why.what());
  }
}

/// Refuses a struct of another size than a caller of this interface can mean.
[[nodiscard]] inline troupe_error* refused_struct(std::string_view name) {
  return make_error(TROUPE_ERROR_INVALID_ARGUMENT,
                    "the struct " + std::string(name) + " is NULL or its size is not set: set it to sizeof the struct");
}

} // namespace troupe_internal::lib
