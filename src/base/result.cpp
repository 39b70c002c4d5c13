// What happens when value() is taken of an error: the program is wrong, so it stops.
#include "base/result.hpp"

#include "base/check.hpp"

namespace troupe_internal {

void throw_exception_from_error(const error& e, const boost::source_location& where) {
  check_failed(e.message.c_str(), where.file_name(), static_cast<int>(where.line()),
               "the value of a failed result was taken");
}

} // namespace troupe_internal
