// Retention steps and deleted folders.
#include "app/engine/housekeeping.hpp"

#include "adapters/start_thread.hpp"
#include "app/engine/member_lists.hpp"
#include "app/engine/state_layout.hpp"

#include <dirent.h>
#include <sys/stat.h>

#include <atomic>
#include <charconv>
#include <filesystem>
#include <system_error>

namespace troupe {

namespace {

constexpr std::uint64_t events_per_step = 5'000;
constexpr std::uint32_t fresh_runs_between_steps = 64;

} // namespace

bool delete_logs(const std::string& state_folder, run_number run) {
  std::error_code ignored; // what cannot be deleted now is tried again when it has grown old
  const auto deleted = std::filesystem::remove_all(run_log_folder(state_folder, run), ignored);
  return !ignored && deleted > 0;
}

std::uint64_t delete_old_logs(const std::string& state_folder, timestamp oldest, run_number current,
                              const std::function<bool()>& enough) {
  std::uint64_t deleted = 0;
  DIR* folder = opendir((state_folder + "/logs").c_str());
  if (folder == nullptr)
    return 0;
  while (const auto* entry = readdir(folder)) {
    const std::string_view name = entry->d_name;
    std::uint32_t number = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size() || number == current.value || enough())
      continue;
    struct stat info {};
    if (stat(run_log_folder(state_folder, run_number(number)).c_str(), &info) != 0)
      continue;
    const auto changed = from_unix_ns(info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec);
    if (changed < oldest)
      deleted += delete_logs(state_folder, run_number(number)) ? 1U : 0U;
  }
  closedir(folder);
  return deleted;
}

struct housekeeping::shared {
  std::string state_folder;
  retention_rule rule;
  std::atomic<bool> ending{false};

  /// One step, then, if there is more, another behind whatever was appended meanwhile.
  static void step(const std::shared_ptr<shared>& self, group_commit* log, journal_store& store) {
    if (self->ending)
      return;
    const auto done = store.retain(self->rule, events_per_step);
    if (!done)
      return; // a journal that cannot be written says so at the next append
    for (const auto run : done->runs_dropped)
      delete_logs(self->state_folder, run);
    if (done->more)
      log->submit([self, log](journal_store& again) { step(self, log, again); });
  }
};

housekeeping::housekeeping(group_commit& log, std::string state_folder, const pipeline& p, run_number current,
                           const clock& time, const std::set<digest>& folders)
    : shared_(std::make_shared<shared>()) {
  shared_->state_folder = std::move(state_folder);
  shared_->rule = {p.name, p.engine.keep_runs};
  log.submit([self = shared_, log = &log](journal_store& store) { shared::step(self, log, store); });
  const auto oldest = time.now() - p.engine.keep_logs;
  const auto clean = [self = shared_, oldest, current, folders] {
    const auto enough = [&] { return self->ending.load(); };
    delete_old_logs(self->state_folder, oldest, current, enough);
    delete_old_listings(self->state_folder, folders, oldest, enough);
  };
  try {
    cleaner_ = start_thread(clean);
  } catch (const std::system_error&) { // old logs stay for a later run
  }
}

housekeeping::~housekeeping() {
  shared_->ending = true;
  if (cleaner_.joinable())
    cleaner_.join();
}

void tidy_after_fresh_run(journal_store& store, const std::string& state_folder, const pipeline& p,
                          run_number current) {
  if (current.value % fresh_runs_between_steps != 0)
    return;
  const auto done = store.retain({p.name, p.engine.keep_runs}, events_per_step);
  if (!done)
    return;
  for (const auto run : done->runs_dropped)
    delete_logs(state_folder, run);
}

} // namespace troupe
