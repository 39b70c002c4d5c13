// An engine on a state, for tests from outside: one order a line on standard input, one JSON line for each answer. Not
// installed.
//
//   usage: engine_runs STATE PIPELINE.json…
//   run FILE [force] [only] [ASSET…]   FILE: the number of the pipeline, from 0; loaded anew each time
//   cancel RUN                  asks the run to stop
//   list                        what lives
//   quit                        waits for all runs, then ends; so does the end of the input
#include "base/json_writer.hpp"
#include "engine/engine.hpp"

#include <atomic>
#include <csignal>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using namespace troupe_internal;

namespace {

class silent_observer final : public run_observer {
public:
  void run_began(const run_outline&) override {}
  void attempt_began(asset_index, std::uint32_t, const std::vector<reason>&, duration) override {}
  void attempt_ended(asset_index, const attempt_end&) override {}
  void asset_settled(asset_index, asset_status, asset_index, std::string_view) override {}
  void run_stopping(stop_cause) override {}
  void warned(asset_index, const attempt_warning&) override {}
};

class program {
public:
  program(engine& all, std::string state, std::vector<std::string> files)
      : all_(all), state_(std::move(state)), files_(std::move(files)) {}
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
      run_options options;
      for (std::string word; words >> word;)
        if (word == "force")
          options.force = true;
        else if (word == "only")
          options.only = true;
        else
          options.selection.push_back(word);
      threads_.emplace_back([this, file, options = std::move(options)] { run(files_.at(file), options); });
    } else if (what == "cancel") {
      std::uint32_t number = 0;
      words >> number;
      const bool found = all_.stop(run_number(number), stop_cause::user, false);
      say([&](json_writer& json) { json.key("cancelled").value(found); });
    } else if (what == "list") {
      const auto live = all_.live();
      say([&](json_writer& json) {
        json.key("live").begin_array();
        for (const auto& one : live)
          json.value(std::uint64_t{one.run.value});
        json.end_array();
      });
    } else {
      say([&](json_writer& json) { json.key("error").value("no such order: " + what); });
    }
  }

private:
  void run(const std::string& file, const run_options& options) {
    project_options where;
    where.file = file;
    where.state = state_;
    diagnostics findings;
    const auto on = open_project(where, findings);
    if (!on)
      return refused(on.error());
    silent_observer observer;
    const auto began = all_.submit(*on, options, observer);
    if (!began)
      return refused(began.error());
    say([&](json_writer& json) { json.key("began").value(std::uint64_t{began->value}); });
    const auto ended = all_.wait(*began);
    if (!ended)
      return refused(ended.error());
    say([&](json_writer& json) {
      json.key("ended").value(std::uint64_t{began->value});
      json.key("status").value(to_string(ended->status));
    });
  }
  void refused(const error& e) {
    say([&](json_writer& json) { json.key("error").value(e.message); });
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

  engine& all_;
  std::string state_;
  std::vector<std::string> files_;
  std::mutex mutex_;
  std::vector<std::thread> threads_;
};

} // namespace

int main(int count, char** words) {
  if (count < 3) {
    std::cerr << "usage: engine_runs STATE PIPELINE.json…\n";
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  system_clock time;
  stop_request stop;
  engine_options how;
  how.folder = words[1];
  auto opened = engine::open(how, time, stop);
  if (!opened) {
    std::cerr << opened.error().message << "\n";
    return 3;
  }
  std::cout << "{\"ready\": true}" << std::endl;
  program all(**opened, words[1], std::vector<std::string>(words + 2, words + count));
  for (std::string line; std::getline(std::cin, line) && line != "quit";)
    all.take(line);
  return 0;
}
