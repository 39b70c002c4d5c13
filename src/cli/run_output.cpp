// One log after the other, in the order of the run.
#include "cli/run_output.hpp"

#include "cli/log_text.hpp"
#include "cli/run_text.hpp"
#include "engine/run_logs.hpp"
#include "views/text.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>

namespace troupe_internal::cli {

namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

bool is_called(std::string_view asset, std::string_view name) {
  return name.empty() || asset == name ||
         (asset.size() > name.size() && asset.starts_with(name) && asset[name.size()] == '[');
}

/// Prints lines that pass the filter, the last ones at the end if only so many are wanted.
class line_printer {
public:
  line_printer(const output& to, std::string prefix, const output_filter& filter)
      : to_(to), prefix_(std::move(prefix)), filter_(filter) {}

  void take(std::string_view line) {
    if (line.empty()) // behind the last line end
      return;
    if (!filter_.grep.empty() && line.find(filter_.grep) == std::string_view::npos)
      return;
    if (!filter_.tail)
      return print(line);
    last_.emplace_back(line);
    if (last_.size() > *filter_.tail)
      last_.pop_front();
  }
  void finish() {
    for (const auto& line : last_)
      print(line);
  }

private:
  void print(std::string_view line) { to_.stream << prefix_ << line << (line.ends_with('\n') ? "" : "\n"); }

  const output& to_;
  std::string prefix_;
  const output_filter& filter_;
  std::deque<std::string> last_;
};

} // namespace

result<std::size_t> print_outputs(const output& to, const std::string& state_folder, const run_report& report,
                                  std::string_view name, const output_filter& filter) {
  const run_logs logs(state_folder, report.run.run);
  std::size_t count = 0;
  std::array<char, piece_bytes> buffer;
  for (const auto& asset : report.assets) {
    const bool failed = asset.status == asset_status::failed || was_given_up(asset, report.run.status);
    if (!is_called(asset.name, name) || asset.last_log_attempt == 0 || (filter.failed && !failed))
      continue;
    const auto file = logs.open(log_name_of(logs, asset, asset.last_log_attempt), asset.last_log_attempt);
    if (!file && file.error().code == error_code::not_found)
      continue; // it has been let go
    if (!file)
      return file.error();
    ++count;
    line_printer lines(to, asset.name == name ? "" : printable(asset.name) + " | ", filter);
    log_view view([&](std::string_view line) { lines.take(line); });
    off_t at = 0;
    for (ssize_t got = 0; to.stream.good() && (got = pread(file->get(), buffer.data(), buffer.size(), at)) > 0;
         at += got)
      view.add({buffer.data(), static_cast<std::size_t>(got)});
    view.finish();
    lines.finish();
  }
  to.stream << std::flush;
  return count;
}

} // namespace troupe_internal::cli
