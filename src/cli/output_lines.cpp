// Files that grow, read from where the last look ended.
#include "cli/output_lines.hpp"

#include "core/pipeline/matrix_identity.hpp"
#include "views/text.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace troupe_internal::cli {

namespace {

constexpr std::size_t bytes_of_a_read = 64UL * 1024;

} // namespace

output_lines::reading& output_lines::start(asset_index asset, std::uint32_t attempt) {
  open_.erase(asset);
  auto& of = open_[asset];
  of.attempt = attempt;
  of.view.emplace([&of, prefix = printable(p_.asset(asset).name) + " | "](std::string_view line) {
    if (!line.empty()) // after the last line end
      of.lines.append(prefix).append(line).append(line.ends_with('\n') ? "" : "\n");
  });
  return of;
}

void output_lines::attempt_began(asset_index asset, std::uint32_t attempt) {
  if (live_)
    start(asset, attempt);
}

void output_lines::read(asset_index asset, reading& of) {
  if (!of.file && logs_)
    if (auto opened = logs_->open(log_name(p_, asset), of.attempt))
      of.file = std::move(*opened);
  struct stat info {};
  if (!of.file || ::fstat(of.file.get(), &info) != 0)
    return; // it has written nothing yet
  const auto most = static_cast<off_t>(most_bytes_at_a_time);
  if (info.st_size - of.at > most) {
    const auto left_out = info.st_size - most - of.at;
    of.view->finish();
    of.lines += printable(p_.asset(asset).name) + " | … " + bytes_text(static_cast<std::uint64_t>(left_out)) +
                " are left out: troupe logs\n";
    of.at += left_out;
  }
  std::array<char, bytes_of_a_read> buffer;
  while (of.at < info.st_size) {
    const auto got = ::pread(of.file.get(), buffer.data(), buffer.size(), of.at);
    if (got <= 0)
      return;
    of.view->add({buffer.data(), static_cast<std::size_t>(got)});
    of.at += got;
  }
}

std::string output_lines::attempt_ended(asset_index asset, std::uint32_t attempt) {
  const auto found = open_.find(asset);
  auto& of = found == open_.end() || found->second.attempt != attempt ? start(asset, attempt) : found->second;
  read(asset, of);
  of.view->finish();
  auto lines = std::move(of.lines);
  open_.erase(asset);
  return lines;
}

std::string output_lines::news() {
  std::string lines;
  for (auto& [asset, of] : open_) {
    read(asset, of);
    lines += std::exchange(of.lines, std::string());
  }
  return lines;
}

} // namespace troupe_internal::cli
