// One thread, and what it has found so far.
#include "adapters/journal/early_inspection.hpp"

#include "adapters/journal/lmdb_inspect.hpp"
#include "adapters/journal/lmdb_open.hpp"
#include "adapters/state/state_dir.hpp"
#include "adapters/system/start_thread.hpp"

#include <system_error>

namespace troupe_internal {

std::shared_ptr<early_inspection> early_inspection::begin(std::string folder) {
  std::shared_ptr<early_inspection> made(new early_inspection);
  try {
    made->worker_ = start_thread([it = made.get(), in = std::move(folder)] {
      it->look(in);
      const std::lock_guard lock(it->mutex_);
      it->over_ = true;
      it->changed_.notify_all();
    });
  } catch (const std::system_error&) { // who opens the journal looks at it
    return nullptr;
  }
  return made;
}

early_inspection::~early_inspection() {
  enough_ = true;
  stand_still(false);
  worker_.join();
}

void early_inspection::look(const std::string& folder) {
  const auto dir = state_dir::open(folder);
  if (!dir || !(*dir)->ours() || !may_read_journal(**dir))
    return;
  auto file = lmdb_file::open(**dir, journal_file);
  if (!file || file->bytes() <= small_journal_bytes)
    return;
  std::optional<lmdb_meta> newest;
  for (const auto& version : file->metas())
    if (version && (!newest || version->txn_id > newest->txn_id))
      newest = version;
  if (!newest)
    return;
  {
    const std::lock_guard lock(mutex_);
    looks_at_ = {file->id(), newest->txn_id};
  }
  const auto problem = inspect_for_writing(
      *file, *newest, [this] { return still_.wait(true), enough_.load(); },
      [this] {
        const std::lock_guard lock(mutex_);
        projections_sound_ = true;
        changed_.notify_all();
      });
  const std::lock_guard lock(mutex_);
  sound_ = problem.empty() && !enough_;
}

void early_inspection::stand_still(bool still) {
  const std::lock_guard lock(mutex_);
  still_ = still && !wanted_;
  still_.notify_all();
}

bool early_inspection::found_sound(file_id file, std::uint64_t transaction) {
  return wait_for(file, transaction, sound_);
}

bool early_inspection::found_projections_sound(file_id file, std::uint64_t transaction) {
  return wait_for(file, transaction, projections_sound_);
}

bool early_inspection::wait_for(file_id file, std::uint64_t transaction, const bool& sound) {
  std::unique_lock lock(mutex_);
  if (looks_at_ != std::pair(file, transaction))
    return false;
  wanted_ = true;
  still_ = false;
  still_.notify_all();
  changed_.wait(lock, [&] { return sound || over_; });
  return sound;
}

} // namespace troupe_internal
