// Times of files against the time of an attempt.
#include "engine/own_writes.hpp"

#include "adapters/files/folder_walk.hpp"
#include "engine/state_layout.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>

namespace troupe_internal {

namespace {

/// Clocks of file systems lag behind by a tick: a file with such a time may have been written a little later.
constexpr duration tick = std::chrono::milliseconds(20);
constexpr std::size_t most_files_named = 3;

std::string listed(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names)
    all += (all.empty() ? "" : ", ") + name;
  return all;
}

} // namespace

class own_writes::attempt_time {
public:
  explicit attempt_time(const materialization& last)
      : from_(to_unix_ns(last.finished_at - last.took)), to_(to_unix_ns(last.finished_at)) {}

  [[nodiscard]] bool holds(const struct stat& info, duration lag = {}) const {
    return holds(info.st_mtim, lag) || holds(info.st_ctim, lag);
  }

private:
  [[nodiscard]] bool holds(const timespec& t, duration lag) const {
    const auto ns = t.tv_sec * 1'000'000'000LL + t.tv_nsec;
    return ns >= from_ - lag.count() && ns <= to_;
  }

  std::int64_t from_;
  std::int64_t to_;
};

std::vector<std::string> own_writes::changed_files(const std::string& path, const attempt_time& during) {
  struct stat info {};
  const auto whole = join_path(folder_, path);
  if (looks_left_ == 0 || (--looks_left_, ::stat(whole.c_str(), &info) != 0))
    return {};
  if (!S_ISDIR(info.st_mode))
    return during.holds(info, tick) ? std::vector{path} : std::vector<std::string>();
  // What made the folder another is not known: a file that was there just before is named only for want of any other.
  std::vector<std::string> found, perhaps;
  const auto ended = walk_folder(AT_FDCWD, whole, [&](const folder_member& member) -> result<void> {
    if (looks_left_ == 0 || found.size() == most_files_named)
      return fail(error_code::io, "enough");
    --looks_left_;
    if (!S_ISDIR(member.info.st_mode) && during.holds(member.info, tick)) {
      auto& to = during.holds(member.info) ? found : perhaps;
      if (to.size() < most_files_named)
        to.push_back(path + "/" + std::string(member.path));
    }
    return {};
  });
  // A folder that cannot be read is an error elsewhere; of one that is too large, what was seen counts.
  static_cast<void>(ended);
  return found.empty() ? perhaps : found;
}

std::optional<std::string> own_writes::note(const materialization& last, std::vector<reason>& reasons) {
  const attempt_time during(last);
  std::vector<std::string> written;
  for (auto& why : reasons) {
    if (why.kind != reason_kind::input_changed && why.kind != reason_kind::input_added)
      continue;
    const auto files = changed_files(why.detail, during);
    if (files.empty())
      continue;
    why.note = (files.front() == why.detail ? "it" : listed(files)) + " changed while its own command ran";
    written.insert(written.end(), files.begin(), files.end());
    if (written.size() >= most_files_named)
      break;
  }
  if (written.empty())
    return std::nullopt;
  return listed(written) + " changed while its own command ran (run #" + std::to_string(last.run.value) +
         "). If the command writes it, the asset is stale after every run: write it elsewhere, or leave it out of "
         "\"inputs\" (\"!" +
         written.front() + "\")";
}

} // namespace troupe_internal
