// The process around the program: its streams, and what becomes of errors in writing them.
#include "adapters/system/system_clock.hpp"
#include "cli/cli_main.hpp"
#include "cli/fd_stream.hpp"
#include "cli/signals.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <system_error>
#include <time.h>
#include <unistd.h>

namespace {

/// When this process started, by system_clock::monotonic(): until main() it has loaded libraries, which takes as long
/// as it takes the processor.
troupe_internal::duration process_start() {
  timespec used{};
  const auto now = troupe_internal::system_clock().monotonic();
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0)
    return now;
  return now - std::chrono::seconds(used.tv_sec) - std::chrono::nanoseconds(used.tv_nsec);
}

/// For what cannot be undone: CAF that was given some of its threads and not the next, memory that ends in a thread.
/// The journal is as it was; the next command ends what may be left running, as after any other death.
[[noreturn]] void end_where_resources_end() {
  const char* what = nullptr;
  try {
    if (const auto thrown = std::current_exception())
      std::rethrow_exception(thrown);
  } catch (const std::system_error& refused) {
    what = refused.what();
  } catch (const std::bad_alloc&) {
    what = "no memory left";
  } catch (...) { // a bug: leave the traces of one
  }
  if (what == nullptr)
    std::abort();
  std::fprintf(stderr, "error: the system refuses what this needs: %s; nothing recorded was lost: run again\n", what);
  _exit(troupe_internal::cli::exit_state);
}

} // namespace

int main(int argc, char** argv) {
  using namespace troupe_internal::cli;
  const auto started = process_start();
  std::set_terminate(end_where_resources_end);
  take_signals_as_errors();
  fd_stream out(STDOUT_FILENO), err(STDERR_FILENO);
  console io(out, err, STDOUT_FILENO, STDERR_FILENO);
  io.started = started;
  if (isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0)
    io.ask = [&](const std::string& question) {
      io.out.stream << question << " [y/N] " << std::flush;
      std::string answer;
      return std::getline(std::cin, answer) && (answer == "y" || answer == "yes");
    };
  const int status = troupe_internal::cli_main(argc, argv, io);
  io.out.stream.flush();
  // Nobody reading any more (head, a pager) is no error; output lost otherwise is one.
  if (const int error = out.write_error(); error != 0 && error != EPIPE) {
    io.err.stream << "error: cannot write to standard output: " << std::strerror(error) << "\n" << std::flush;
    return status == exit_ok ? static_cast<int>(exit_failed) : status;
  }
  io.err.stream.flush();
  end_as_by_signal(status);
  return status;
}
