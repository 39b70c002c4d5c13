// Which planted bug this program has, by TROUPE_PLANTED_BUG. Only for a program that is built from sources with bugs in
// them.
#include <cstdlib>

namespace troupe_internal::test {

int planted_bug = [] {
  const char* number = std::getenv("TROUPE_PLANTED_BUG");
  return number == nullptr ? 0 : std::atoi(number);
}();

} // namespace troupe_internal::test
