// The one file that knows spdlog in this room.
#include "cli/logging.hpp"

#include "base/json_writer.hpp"
#include "base/time.hpp"
#include "views/console.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <sys/stat.h>

#include <cstdlib>
#include <mutex>
#include <sstream>
#include <utility>

namespace troupe_internal::cli {

namespace {

constexpr auto repeats_are_told_after = std::chrono::minutes(1);
constexpr int standard_error = 2;

/// syslog's priorities, as journald reads them at the beginning of a line.
int priority_of(spdlog::level::level_enum level) {
  switch (level) {
  case spdlog::level::critical:
  case spdlog::level::err:
    return 3;
  case spdlog::level::warn:
    return 4;
  case spdlog::level::info:
    return 6;
  default:
    return 7;
  }
}

std::string_view word_of(spdlog::level::level_enum level) {
  return level == spdlog::level::warn   ? "warning"
         : level == spdlog::level::err  ? "error"
         : level == spdlog::level::info ? "info"
                                        : "debug";
}

/// What the message that is being logged by this thread is of.
thread_local const serve::log_entry* current_entry = nullptr;

class line_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
  line_sink(bool json, bool journald) : json_(json), journald_(journald) {}
  void redirect(std::function<void(std::string_view)> print) {
    const std::lock_guard lock(mutex_);
    print_ = std::move(print);
  }

protected:
  /// A line that says the same as the last one is counted, not written.
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view text(message.payload.data(), message.payload.size());
    if (text == last_ && message.level == last_level_ && message.time - last_time_ < repeats_are_told_after) {
      ++repeated_;
      return;
    }
    tell_repeats(message);
    last_ = text;
    last_level_ = message.level;
    last_time_ = message.time;
    write(json_ ? as_json(message, text) : as_text(message, text), message.level);
  }
  void flush_() override {}

private:
  void tell_repeats(const spdlog::details::log_msg& now) {
    if (const auto times = std::exchange(repeated_, 0); times > 0) {
      const auto text = "the last line came " + std::to_string(times) + (times == 1 ? " more time" : " more times");
      const auto* const entry = std::exchange(current_entry, nullptr);
      write(json_ ? as_json(now, text) : as_text(now, text), last_level_);
      current_entry = entry;
    }
  }
  std::string as_text(const spdlog::details::log_msg& message, std::string_view text) {
    std::string line;
    if (!journald_) { // which has the time and the level itself
      spdlog::memory_buf_t head;
      formatter_->format(message, head);
      line.assign(head.data(), head.size());
      while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
        line.pop_back();
    }
    return line + std::string(text);
  }
  static std::string as_json(const spdlog::details::log_msg& message, std::string_view text) {
    std::ostringstream out;
    {
      json_writer json(out);
      json.begin_object();
      json.member("at", to_rfc3339(timestamp(std::chrono::duration_cast<duration>(message.time.time_since_epoch()))));
      json.member("level", word_of(message.level)).member("text", text);
      if (const auto* const entry = current_entry) {
        if (entry->run != 0)
          json.member("run", entry->run);
        for (const auto& [name, value] : {std::pair("pipeline", &entry->pipeline),
                                          std::pair("trigger", &entry->trigger), std::pair("asset", &entry->asset)})
          if (!value->empty())
            json.member(name, *value);
      }
      json.end_object().finish();
    }
    auto line = std::move(out).str();
    while (!line.empty() && line.back() == '\n')
      line.pop_back();
    return line;
  }
  void write(const std::string& line, spdlog::level::level_enum level) {
    if (print_)
      print_(line);
    else
      write_line_to_stderr(journald_ ? "<" + std::to_string(priority_of(level)) + ">" + line : line);
  }

  const bool json_;
  const bool journald_;
  std::function<void(std::string_view)> print_;
  std::string last_;
  spdlog::level::level_enum last_level_ = spdlog::level::off;
  spdlog::log_clock::time_point last_time_;
  unsigned repeated_ = 0;
};

std::shared_ptr<line_sink> current_sink;

} // namespace

std::vector<std::string> log_level_names() {
  return {"trace", "debug", "info", "warn", "error", "off"};
}

std::vector<std::string> log_format_names() {
  return {"text", "json"};
}

bool is_journal_stream(const char* variable, int descriptor) {
  struct stat info {};
  if (variable == nullptr || fstat(descriptor, &info) != 0)
    return false;
  return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) == variable;
}

void set_up_logging(std::string_view level, std::string_view format) {
  current_sink =
      std::make_shared<line_sink>(format == "json", is_journal_stream(std::getenv("JOURNAL_STREAM"), standard_error));
  auto logger = std::make_shared<spdlog::logger>("troupe", current_sink);
  logger->set_pattern("%H:%M:%S.%e %l: ");
  logger->set_level(level == "warn"    ? spdlog::level::warn
                    : level == "error" ? spdlog::level::err
                                       : spdlog::level::from_str(std::string(level)));
  spdlog::set_default_logger(std::move(logger));
}

void log_line(std::string_view text) {
  spdlog::info("{}", text);
}

void log_entry(const serve::log_entry& entry) {
  current_entry = &entry;
  const auto level = entry.level == serve::log_level::error     ? spdlog::level::err
                     : entry.level == serve::log_level::warning ? spdlog::level::warn
                     : entry.level == serve::log_level::info    ? spdlog::level::info
                                                                : spdlog::level::debug;
  spdlog::log(level, "{}", entry.text);
  current_entry = nullptr;
}

void redirect_logging(std::function<void(std::string_view)> print) {
  if (current_sink)
    current_sink->redirect(std::move(print));
}

} // namespace troupe_internal::cli
