// The process around the program: its streams, and what becomes of errors in writing them.
#include "app/cli/cli_main.hpp"
#include "app/cli/fd_stream.hpp"
#include "app/cli/signals.hpp"

#include <cstring>
#include <unistd.h>

int main(int argc, char** argv) {
  using namespace troupe::cli;
  survive_closed_pipes();
  fd_stream out(STDOUT_FILENO), err(STDERR_FILENO);
  console io(out, err, STDOUT_FILENO, STDERR_FILENO);
  const int status = troupe::cli_main(argc, argv, io);
  out.flush();
  // Nobody reading any more (head, a pager) is no error; output lost otherwise is one.
  if (const int error = out.write_error(); error != 0 && error != EPIPE) {
    err << "error: cannot write to standard output: " << std::strerror(error) << "\n";
    err.flush();
    return status == exit_ok ? static_cast<int>(exit_failed) : status;
  }
  err.flush();
  return status;
}
