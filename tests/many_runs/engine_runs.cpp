// An engine that stays up on a state, for tests from outside: one order a line on standard input, one JSON line for
// each answer. Not installed.
//
//   usage: engine_runs STATE [--max-runs N] [--live-runs N] PIPELINE.json…
//   run FILE [force] [only] [cause=user|trigger|program|backfill] [priority=N] [ASSET…]
//                               FILE: the number of the pipeline, from 0. It is waited for
//   cancel RUN                  asks the run to stop, or takes it off the queue
//   priority RUN N              of a queued run
//   list                        what lives, and what waits, and why
//   idle                        answers when nothing lives or waits
//   retry                       looks at once at pipelines that did not load
//   quit                        waits for all runs that were submitted here, then ends; so does the end of the input
#include "base/json_writer.hpp"
#include "core/journal/event_json.hpp"
#include "engine/serving_engine.hpp"

#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using namespace troupe_internal;

namespace {

std::optional<std::string> after(const std::string& word, const std::string& prefix) {
  return word.starts_with(prefix) ? std::optional(word.substr(prefix.size())) : std::nullopt;
}

int number_in(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

class program {
public:
  program(serving_engine& all, std::vector<std::string> files) : all_(all), files_(std::move(files)) {}
  ~program() {
    for (auto& thread : threads_)
      thread.join();
  }
  program(const program&) = delete;
  program& operator=(const program&) = delete;

  void take(const std::string& line) {
    std::istringstream words(line);
    std::string what;
    words >> what;
    if (what == "run") {
      std::size_t file = 0;
      words >> file;
      run_ask ask;
      ask.file = files_.at(file);
      for (std::string word; words >> word;)
        if (word == "force")
          ask.force = true;
        else if (word == "only")
          ask.only = true;
        else if (const auto cause = after(word, "cause="))
          ask.cause = cause_of(*cause);
        else if (const auto priority = after(word, "priority="))
          ask.priority = number_in(*priority);
        else
          ask.selection.push_back(word);
      threads_.emplace_back([this, ask = std::move(ask)] { run(ask); });
    } else if (what == "cancel") {
      std::uint32_t number = 0;
      words >> number;
      const auto found = all_.cancel(run_number(number), false);
      say([&](json_writer& json) { json.key("cancelled").value(found.has_value()); });
    } else if (what == "priority") {
      std::uint32_t number = 0;
      std::int32_t priority = 0;
      words >> number >> priority;
      const auto asked = all_.prioritize(run_number(number), priority, [](const result<void>&) {});
      say([&](json_writer& json) { json.key("prioritized").value(asked.has_value()); });
    } else if (what == "list") {
      const auto live = all_.list();
      const auto queue = all_.queue();
      say([&](json_writer& json) {
        json.key("live").begin_array();
        for (const auto& one : live)
          json.value(std::uint64_t{one.run.value});
        json.end_array().key("queued").begin_array();
        for (const auto& one : queue)
          json.begin_object().member("run", one.run.value).member("reason", one.reason).end_object();
        json.end_array();
      });
    } else if (what == "idle") {
      while (!all_.list().empty() || !all_.queue().empty())
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      say([&](json_writer& json) { json.key("idle").value(true); });
    } else if (what == "retry") {
      all_.retry_loads();
    } else {
      say([&](json_writer& json) { json.key("error").value("no such order: " + what); });
    }
  }
  template <class Write>
  void say(Write write) {
    std::ostringstream text;
    {
      json_writer json(text);
      json.begin_object();
      write(json);
      json.end_object();
    }
    auto line = text.str();
    std::erase(line, '\n');
    const std::lock_guard lock(mutex_);
    std::cout << line << std::endl;
  }

private:
  static run_cause cause_of(const std::string& word) {
    run_cause cause;
    for (const auto kind : {cause_kind::user, cause_kind::trigger, cause_kind::program, cause_kind::backfill})
      if (word == to_string(kind))
        cause.kind = kind;
    if (cause.kind == cause_kind::trigger || cause.kind == cause_kind::backfill)
      cause.trigger = "t";
    return cause;
  }
  void run(const run_ask& ask) {
    const auto began = all_.submit(ask);
    if (!began)
      return refused(began.error());
    say([&](json_writer& json) {
      json.key("began").value(std::uint64_t{began->run.value});
      json.key("queued").value(began->queued);
    });
    const auto ended = all_.wait(began->run);
    if (!ended)
      return refused(ended.error());
    say([&](json_writer& json) {
      json.key("ended").value(std::uint64_t{began->run.value});
      json.key("status").value(to_string(*ended));
    });
  }
  void refused(const error& e) {
    say([&](json_writer& json) { json.key("error").value(e.message); });
  }

  serving_engine& all_;
  std::vector<std::string> files_;
  std::mutex mutex_;
  std::vector<std::thread> threads_;
};

} // namespace

int main(int count, char** words) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN); // a write that is refused is an error, as on a full disk
  system_clock time;
  stop_request stop;
  serving_options how;
  how.look_again = std::chrono::milliseconds(50);
  how.look_again_most = std::chrono::milliseconds(200);
  how.reopen_after = std::chrono::milliseconds(50);
  how.reopen_most = std::chrono::milliseconds(200);
  std::vector<std::string> names;
  for (int i = 1; i < count; ++i)
    if (words[i] == std::string("--max-runs") && i + 1 < count)
      how.limits.max_runs = static_cast<std::uint32_t>(number_in(words[++i]));
    else if (words[i] == std::string("--live-runs") && i + 1 < count)
      how.limits.live_runs = static_cast<std::uint32_t>(number_in(words[++i]));
    else
      names.emplace_back(words[i]);
  if (names.size() < 2) {
    std::cerr << "usage: engine_runs STATE [--max-runs N] [--live-runs N] PIPELINE.json…\n";
    return 2;
  }
  how.folder = names.front();
  auto opened = serving_engine::open(how, time, stop);
  if (!opened) {
    std::cerr << opened.error().message << "\n";
    return 3;
  }
  program all(**opened, std::vector<std::string>(names.begin() + 1, names.end()));
  all.say([](json_writer& json) { json.key("ready").value(true); });
  for (std::string line; std::getline(std::cin, line) && line != "quit";)
    all.take(line);
  return 0;
}
