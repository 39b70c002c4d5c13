// What is asked of a supervisor as a whole through the control socket, and what it answers. Knows no socket and no
// supervisor.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal {

struct supervisor_ask {
  enum class verb : std::uint8_t {
    look,   ///< who it is
    stop,   ///< it is to end
    reload, ///< it is to load all of its files anew
    load,   ///< it is to load one pipeline file as it is now
  };
  verb what = verb::look;
  std::optional<duration> drain;      ///< stop: live runs come to their end first, at most so long; whole milliseconds
  std::string file;                   ///< load: absolute
  std::vector<std::string> variables; ///< look: of its environment, whose values are asked for
  friend bool operator==(const supervisor_ask&, const supervisor_ask&) = default;
};

struct supervisor_answer {
  std::int32_t pid = 0;
  std::string user;                  ///< its name, or "uid N"
  std::vector<std::string> problems; ///< what is wrong with files; then what was loaded before stays
  std::vector<std::string> notes;    ///< what people should know
  std::vector<std::pair<std::string, std::string>> variables; ///< those asked for that are set
  friend bool operator==(const supervisor_answer&, const supervisor_answer&) = default;
};

/// Who has the engine. Any thread.
struct supervisor_port {
  virtual ~supervisor_port() = default;
  /// Blocks until it is done; a stop only until it is noted. not_found for a file that it does not serve.
  [[nodiscard]] virtual result<supervisor_answer> ask(const supervisor_ask& asked) = 0;
};

} // namespace troupe_internal
