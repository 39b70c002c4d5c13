// The one file that knows spdlog in this room.
#include "cli/logging.hpp"

#include "views/console.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <mutex>

namespace troupe_internal::cli {

namespace {

class line_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
  void redirect(std::function<void(std::string_view)> print) {
    const std::lock_guard lock(mutex_);
    print_ = std::move(print);
  }

protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    std::string_view line(text.data(), text.size());
    while (!line.empty() && line.back() == '\n')
      line.remove_suffix(1);
    if (print_)
      print_(line);
    else
      write_line_to_stderr(line);
  }
  void flush_() override {}

private:
  std::function<void(std::string_view)> print_;
};

std::shared_ptr<line_sink> current_sink;

} // namespace

std::vector<std::string> log_level_names() {
  return {"trace", "debug", "info", "warn", "error", "off"};
}

void set_up_logging(std::string_view level) {
  current_sink = std::make_shared<line_sink>();
  auto logger = std::make_shared<spdlog::logger>("troupe", current_sink);
  logger->set_pattern("%H:%M:%S.%e %l: %v");
  logger->set_level(level == "warn"    ? spdlog::level::warn
                    : level == "error" ? spdlog::level::err
                                       : spdlog::level::from_str(std::string(level)));
  spdlog::set_default_logger(std::move(logger));
}

void log_line(std::string_view text) {
  spdlog::info("{}", text);
}

void redirect_logging(std::function<void(std::string_view)> print) {
  if (current_sink)
    current_sink->redirect(std::move(print));
}

} // namespace troupe_internal::cli
