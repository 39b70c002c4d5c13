// Names that are numbers, and a mark that says which of them are not ours.
#include "adapters/process/state_logs.hpp"

#include "adapters/files/remove_tree.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

namespace troupe_internal {
namespace {

constexpr const char* logs_folder = "logs";
constexpr std::uint64_t most_of_a_mark = std::uint64_t{16} << 20U;
constexpr std::string_view logs_mark_text = "Troupe keeps the logs of runs in this folder, and deletes old ones.\n";
/// Before the number of a folder that was there before the mark.
constexpr std::string_view keep_word = "keep ";

std::optional<std::uint32_t> run_number_of(std::string_view name) {
  std::uint32_t number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  if (parsed.ec != std::errc() || name != std::to_string(number)) // no 007, which Troupe does not make
    return std::nullopt;
  return number;
}

std::set<std::uint32_t> kept_numbers(std::string_view mark) {
  std::set<std::uint32_t> numbers;
  while (!mark.empty()) {
    const auto line = mark.substr(0, mark.find('\n'));
    mark.remove_prefix(std::min(mark.size(), line.size() + 1));
    if (line.starts_with(keep_word))
      if (const auto number = run_number_of(line.substr(keep_word.size())))
        numbers.insert(*number);
  }
  return numbers;
}

bool delete_run(const kept_folder& logs, const std::string& name) {
  const auto info = logs.look(name); // what cannot be deleted now is tried again when it has grown old
  return info && S_ISDIR(info->st_mode) && remove_tree(logs.descriptor(), name).has_value();
}

} // namespace

result<kept_folder> open_run_logs(const state_dir& dir, run_number run) {
  const auto logs = dir.open_folder(logs_folder, entry_use::read);
  if (!logs)
    return logs.error();
  return logs->open_folder(std::to_string(run.value), entry_use::read);
}

result<void> state_logs::claim(const std::function<result<std::set<std::uint32_t>>()>& runs) {
  const auto logs = dir_->open_folder(logs_folder, entry_use::write);
  if (!logs)
    return logs.error().code == error_code::not_found ? result<void>() : logs.error();
  const auto mark = logs->check(part_mark, entry_use::write);
  if (mark || mark.error().code != error_code::not_found)
    return mark;
  const auto ours = runs();
  if (!ours)
    return ours.error();
  const auto names = logs->names();
  if (!names)
    return names.error();
  std::string text(logs_mark_text);
  for (const auto& name : *names)
    if (const auto number = run_number_of(name); number && !ours->contains(*number))
      text.append(keep_word).append(std::to_string(*number)).append("\n");
  if (auto written = logs->replace(part_mark, text); !written)
    return written;
  return logs->sync();
}

std::shared_ptr<const state_logs::marked_folder> state_logs::marked() {
  const std::lock_guard lock(mutex_);
  if (marked_)
    return marked_;
  auto logs = dir_->open_folder(logs_folder, entry_use::write);
  if (!logs)
    return nullptr;
  const auto mark = logs->read(part_mark, most_of_a_mark, entry_use::write);
  if (!mark)
    return nullptr;
  marked_ = std::make_shared<const marked_folder>(
      marked_folder{std::make_shared<const kept_folder>(std::move(*logs)), kept_numbers(*mark)});
  return marked_;
}

result<std::shared_ptr<const kept_folder>> state_logs::run_folder(run_number run) {
  const std::lock_guard lock(mutex_);
  if (run_folder_ && run_ == run)
    return run_folder_;
  bool made = false;
  const auto logs = dir_->open_or_make_folder(logs_folder, made);
  if (!logs)
    return logs.error();
  if (made) // else claim() has seen to it
    if (auto marked = logs->write(part_mark, logs_mark_text); !marked)
      return marked.error();
  auto folder = logs->open_or_make_folder(std::to_string(run.value), made);
  if (!folder)
    return folder.error();
  run_ = run;
  run_folder_ = std::make_shared<const kept_folder>(std::move(*folder));
  return run_folder_;
}

result<unique_fd> state_logs::make(run_number run, const std::string& name) {
  for (bool again = false;; again = true) {
    const auto folder = run_folder(run);
    if (!folder)
      return folder.error();
    auto file = (*folder)->make(name);
    if (file || again || file.error().code != error_code::not_found)
      return file;
    const std::lock_guard lock(mutex_);
    run_folder_.reset(); // it was removed since the last log was made in it
  }
}

bool state_logs::remove(run_number run) {
  const auto logs = marked();
  return logs && !logs->others.contains(run.value) && delete_run(*logs->folder, std::to_string(run.value));
}

std::uint64_t state_logs::remove_old(timestamp oldest, run_number current, const std::function<bool()>& enough) {
  std::uint64_t deleted = 0;
  const auto logs = marked();
  const auto names = logs ? logs->folder->names() : std::vector<std::string>();
  if (!names)
    return 0;
  for (const auto& name : *names) {
    const auto number = run_number_of(name);
    if (!number || *number == current.value || logs->others.contains(*number) || enough())
      continue;
    const auto info = logs->folder->look(name);
    if (info && from_unix_ns(info->st_mtim.tv_sec * 1'000'000'000LL + info->st_mtim.tv_nsec) < oldest)
      deleted += delete_run(*logs->folder, name) ? 1U : 0U;
  }
  return deleted;
}

} // namespace troupe_internal
