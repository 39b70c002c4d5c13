// For LD_PRELOAD: a wall clock that is off by the seconds that the file named by TROUPE_TEST_CLOCK holds at the moment
// it is asked. Knows the three calls that tell wall-clock time; all other clocks, and what the kernel writes into
// files' times, stay as they are.
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

namespace {

time_t seconds_off() {
  const char* path = std::getenv("TROUPE_TEST_CLOCK");
  const int fd = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return 0;
  char text[32] = {};
  const auto got = read(fd, text, sizeof text - 1);
  close(fd);
  return got > 0 ? std::strtol(text, nullptr, 10) : 0;
}

} // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* to) noexcept {
  const int done = static_cast<int>(syscall(SYS_clock_gettime, clock, to));
  if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    to->tv_sec += seconds_off();
  return done;
}

int gettimeofday(timeval* to, void*) noexcept {
  timespec now{};
  const int done = clock_gettime(CLOCK_REALTIME, &now);
  to->tv_sec = now.tv_sec;
  to->tv_usec = now.tv_nsec / 1000;
  return done;
}

time_t time(time_t* to) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (to != nullptr)
    *to = now.tv_sec;
  return now.tv_sec;
}
}
