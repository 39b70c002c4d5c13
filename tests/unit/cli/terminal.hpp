// A pseudo-terminal to write to, for tests of what is painted on terminals.
#pragma once

#include <cstdlib>
#include <fcntl.h>
#include <pty.h>
#include <string>
#include <unistd.h>

namespace troupe_internal::test {

/// Both ends of a terminal; what is written to `slave` is read back with text().
class pseudo_terminal {
public:
  pseudo_terminal(unsigned short columns, unsigned short rows) {
    winsize size{};
    size.ws_col = columns;
    size.ws_row = rows;
    if (::openpty(&master_, &slave_, nullptr, nullptr, &size) != 0)
      std::abort();
    ::fcntl(master_, F_SETFL, O_NONBLOCK);
  }
  ~pseudo_terminal() {
    ::close(master_);
    ::close(slave_);
  }
  pseudo_terminal(const pseudo_terminal&) = delete;
  pseudo_terminal& operator=(const pseudo_terminal&) = delete;

  [[nodiscard]] int slave() const { return slave_; }
  /// All that was written since the last call.
  [[nodiscard]] std::string text() const {
    std::string all;
    char buffer[4096];
    for (ssize_t n; (n = ::read(master_, buffer, sizeof buffer)) > 0;)
      all.append(buffer, static_cast<std::size_t>(n));
    return all;
  }

private:
  int master_ = -1, slave_ = -1;
};

/// Sets an environment variable for a scope.
class scoped_environment {
public:
  scoped_environment(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name))
      before_ = before, had_ = true;
    ::setenv(name, value, 1);
  }
  ~scoped_environment() {
    if (had_)
      ::setenv(name_, before_.c_str(), 1);
    else
      ::unsetenv(name_);
  }
  scoped_environment(const scoped_environment&) = delete;
  scoped_environment& operator=(const scoped_environment&) = delete;

private:
  const char* name_;
  std::string before_;
  bool had_ = false;
};

} // namespace troupe_internal::test
