// Webhooks: from a request to an event of its trigger, and from what became of it to the answer. Verifies the raw bytes
// before anything in them is read. Knows no socket, no token and no table of requests.
#pragma once

#include "adapters/http/http_server.hpp"
#include "adapters/system/system_clock.hpp"
#include "serve/access.hpp"
#include "serve/hook_secrets.hpp"
#include "serve/trigger_desk.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace troupe_internal::serve {

/// Requests to webhooks that became no event, by why.
struct refused_hooks {
  std::uint64_t unknown = 0, signature = 0, unreadable = 0, values = 0, busy = 0;
};

/// Any thread.
class hook_desk {
public:
  /// All outlive it. `log`: a line, any thread.
  hook_desk(trigger_desk& desk, system_clock& time, access_rules rules, std::function<void(const std::string&)> log)
      : desk_(desk), time_(time), rules_(std::move(rules)), log_(std::move(log)) {}

  /// Takes a request in, and answers it once that is on disk, perhaps on another thread.
  void take(const http_request& request, const std::string& pipeline, const std::string& name,
            std::shared_ptr<http_answer> answer);
  /// Reads all secrets again; what cannot be read is logged.
  void reload();
  /// What keeps a webhook from taking requests, for people; empty: nothing.
  [[nodiscard]] std::string problem_of(const trigger_desk::target& at) { return secrets_.problem_of(at); }
  [[nodiscard]] refused_hooks refused() const;

private:
  struct counters {
    std::atomic<std::uint64_t> unknown{0}, signature{0}, unreadable{0}, values{0}, busy{0};
  };
  /// The request as something to take in, once it may be; else what to answer.
  [[nodiscard]] std::optional<http_response> read(const http_request& request, const trigger_desk::target& at,
                                                  arrival& into);
  [[nodiscard]] std::optional<http_response> verify(const http_request& request, const trigger_desk::target& at,
                                                    const webhook_source& hook);
  [[nodiscard]] http_response answer_of(const result<std::vector<taken_event>>& taken);
  /// A line a minute for each trigger.
  void complain(const std::string& name, const std::string& why);

  trigger_desk& desk_;
  system_clock& time_;
  const access_rules rules_;
  std::function<void(const std::string&)> log_;
  hook_secrets secrets_;
  counters refused_;
  std::mutex mutex_; ///< guards what follows
  std::map<std::string, std::chrono::steady_clock::time_point> complained_;
};

/// The field "payload" of a form (application/x-www-form-urlencoded); nullopt if it is not there once, or the form is
/// badly written.
[[nodiscard]] std::optional<std::string> payload_of_form(std::string_view form);
/// What an answer about an event says: the same for all that take one in.
[[nodiscard]] std::string answer_text(const taken_event& taken);

} // namespace troupe_internal::serve
