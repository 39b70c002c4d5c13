// A memory file in, a pipe out, a memory file for messages.
#include "serve/own_commands.hpp"

#include "adapters/system/event_wake.hpp"
#include "adapters/system/posix_error.hpp"
#include "adapters/system/start_thread.hpp"
#include "engine/planning.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace troupe_internal::serve {

namespace {

constexpr std::size_t most_messages = 64UL * 1024;
constexpr std::size_t most_told = 1000; ///< bytes of messages that are part of a problem

bool write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return lseek(fd, 0, SEEK_SET) == 0;
}

std::string last_words(int fd) {
  std::string text(most_messages + most_told, '\0');
  const auto count = pread(fd, text.data(), text.size(), 0);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  text.erase(text.find_last_not_of(" \n\r\t") + 1);
  return text.size() > most_told ? "…" + text.substr(text.size() - most_told) : text;
}

} // namespace

struct own_commands::job {
  unique_fd input, output, output_end, messages;
  process_key key = 0;
  std::size_t most_output = 0;
  std::string read;
  bool too_much = false;
  duration timeout{0};
  std::function<void(command_end)> done;
};

own_commands::own_commands(serving_engine& engine) : engine_(engine), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!wake_)
    throw std::system_error(errno, std::generic_category(), "an eventfd");
  thread_ = start_thread([this] { run(); });
}

own_commands::~own_commands() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  end_all();
  wake(wake_.get());
  thread_.join();
}

void own_commands::end_all() {
  std::vector<process_key> keys;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, one] : jobs_)
      keys.push_back(one->key);
  }
  for (const auto key : keys)
    engine_.end_command(key, urgency::graceful);
}

void own_commands::start(own_command what, std::function<void(command_end)> done) {
  const auto refuse = [&](const std::string& why) { done({why, {}, false}); };
  auto made = std::make_shared<job>();
  made->input = unique_fd(memfd_create("troupe input", MFD_CLOEXEC));
  made->messages = unique_fd(memfd_create("troupe messages", MFD_CLOEXEC));
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) == 0) {
    made->output = unique_fd(ends[0]);
    made->output_end = unique_fd(ends[1]);
  }
  for (auto* const fd : {&made->input, &made->output, &made->output_end, &made->messages})
    if (!*fd || !fd->lift_above_standard())
      return refuse("cannot start its command: " + errno_text(errno));
  if (!write_whole(made->input.get(), what.input) || fcntl(made->output.get(), F_SETFL, O_NONBLOCK) != 0)
    return refuse("cannot start its command: " + errno_text(errno));
  made->most_output = what.most_output;
  made->timeout = what.timeout;
  made->done = std::move(done);
  process_request request;
  request.argv = std::move(what.argv);
  request.environment = std::move(what.environment);
  request.cwd = std::move(what.cwd);
  request.log_file = "its messages";
  request.open_log = [made]() -> result<int> {
    const int fd = fcntl(made->messages.get(), F_DUPFD_CLOEXEC, 3);
    return fd >= 0 ? result<int>(fd) : posix_error("keep", "its messages", errno);
  };
  request.max_log = most_messages;
  request.mask = std::move(what.mask);
  request.input = made->input.get();
  request.answer = made->output_end.get();
  request.timeout = what.timeout;
  request.grace = what.grace;
  std::uint64_t number = 0;
  result<void> started;
  {
    const std::lock_guard lock(mutex_); // its end is not taken before its key is known
    if (ending_)
      started = fail(error_code::stopped, "the supervisor ends");
    number = ++last_;
    if (started)
      started = engine_.start_command(std::move(request), made->key, [this, number, made](process_exit exit) {
        const std::lock_guard again(mutex_);
        ended_.emplace_back(number, std::move(exit));
        wake(wake_.get());
      });
    if (started)
      jobs_.emplace(number, made);
  }
  if (!started)
    return made->done({started.error().message, {}, true});
  wake(wake_.get());
}

void own_commands::read_from(job& of) {
  std::array<char, 16UL * 1024> buffer;
  for (;;) {
    const auto count = read(of.output.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return;
    const auto room = of.most_output - std::min(of.most_output, of.read.size());
    of.read.append(buffer.data(), std::min(room, static_cast<std::size_t>(count)));
    if (static_cast<std::size_t>(count) > room && !std::exchange(of.too_much, true))
      engine_.end_command(of.key, urgency::at_once);
  }
}

void own_commands::finish(job& of, const process_exit& exit) {
  command_end end;
  using how = process_exit::kind;
  if (of.too_much)
    end.problem = "it prints more than " + std::to_string(of.most_output) + " bytes";
  else if (exit.how == how::timed_out)
    end.problem = "it took longer than " + to_human(of.timeout) + " and was ended";
  else if (exit.how == how::ended_by_us)
    end.problem = "it was ended, because the supervisor ends or its journal failed";
  else if (exit.how != how::ended)
    end.problem = exit.message;
  else if (exit.signal != 0)
    end.problem = "signal " + std::to_string(exit.signal) + " ended it";
  else if (exit.exit_code != 0)
    end.problem = "exit status " + std::to_string(exit.exit_code);
  end.ended_by_us = exit.how == how::ended_by_us && !of.too_much;
  if (!end.problem.empty())
    if (const auto said = last_words(of.messages.get()); !said.empty())
      end.problem += ": " + said;
  end.output = std::move(of.read);
  of.done(std::move(end));
}

void own_commands::run() {
  for (;;) {
    std::vector<std::pair<std::uint64_t, process_exit>> ended;
    std::vector<std::shared_ptr<job>> live;
    {
      const std::lock_guard lock(mutex_);
      ended.swap(ended_);
      for (const auto& [number, one] : jobs_)
        live.push_back(one);
      if (ending_ && jobs_.empty())
        return;
    }
    for (const auto& one : live)
      read_from(*one);
    for (const auto& [number, exit] : ended) {
      std::shared_ptr<job> one;
      {
        const std::lock_guard lock(mutex_);
        const auto at = jobs_.find(number);
        one = std::move(at->second);
        jobs_.erase(at);
      }
      finish(*one, exit);
    }
    if (!ended.empty())
      continue;
    std::vector<pollfd> waits{{wake_.get(), POLLIN, 0}};
    for (const auto& one : live)
      waits.push_back({one->output.get(), POLLIN, 0});
    static_cast<void>(poll(waits.data(), waits.size(), -1));
    std::uint64_t times = 0;
    [[maybe_unused]] const auto count = read(wake_.get(), &times, sizeof times);
  }
}

std::vector<std::string> environment_with(const std::vector<std::string>& more) {
  auto all = own_environment();
  std::erase_if(all, [&](const std::string& entry) {
    for (const std::string_view name :
         {"TROUPE_PIPELINE=", "TROUPE_RUN_ID=", "TROUPE_ASSET=", "TROUPE_ATTEMPT=", "TROUPE_STATE_ID=",
          "TROUPE_SUPERVISOR=", "TROUPE_RESULT=", "TROUPE_EVENT=", "TROUPE_CURSOR=", "TROUPE_TRIGGER="})
      if (entry.starts_with(name))
        return true;
    return false;
  });
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

} // namespace troupe_internal::serve
