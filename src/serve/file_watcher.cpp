// One turn: what was reported, what has settled, what is to be polled; then sleep.
#include "serve/file_watcher.hpp"

#include "adapters/system/event_wake.hpp"
#include "adapters/system/start_thread.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <system_error>
#include <utility>

namespace troupe_internal::serve {

namespace {

/// Files of one event; more make another one.
constexpr std::size_t most_files_an_event = 10'000;
constexpr std::size_t most_complaints = 100;
constexpr duration first_pause = std::chrono::milliseconds(200);
constexpr duration longest_pause = std::chrono::seconds(30);
/// After the state could not be read.
constexpr duration look_anew_again = std::chrono::seconds(1);
/// While an attempt that makes a file is open, and nobody says when it ends.
constexpr duration look_at_own_again = std::chrono::milliseconds(200);

/// Without inotify: nothing is reported, and everything is polled.
class no_events final : public folder_events {
public:
  folder_outcome watch(const std::string&, folder_interest) override { return folder_outcome::exhausted; }
  void unwatch(const std::string&) override {}
  void keep_only(const std::function<bool(const std::string&)>&) override {}
  bool read(std::vector<folder_event>&) override { return true; }
  int descriptor() const override { return -1; }
  std::size_t watches() const override { return 0; }
  std::string unreliable(const std::string&) const override { return {}; }
};

/// Of all that decides how it is watched.
digest definition_of_watch(const std::string& folder, const watch_source& of) {
  std::string text = folder + "\n" + std::to_string(of.settle.count()) + "\n" + std::to_string(of.max_settle.count()) +
                     "\n" + std::to_string(of.poll.count()) + (of.fire_for_existing ? "\nfire" : "\nignore");
  for (const auto* const list : {&of.paths, &of.ignore})
    for (const auto& one : *list)
      text += "\n" + std::to_string(one.size()) + " " + one;
  return quick_digest(text);
}

/// A stat that is taken so soon after a change says nothing about the content.
watched_file to_record(watched_file file, timestamp now) {
  auto& stat = file.record.stat;
  if (is_racy(stat, now, timestamp_granularity(stat)))
    stat.ctime_ns = 0; // no file has it: it is read again
  return file;
}

} // namespace

file_watcher::file_watcher(serving_engine& engine, trigger_desk& desk, system_clock& time,
                           std::function<void(const std::string&)> log, std::unique_ptr<folder_events> events)
    : engine_(engine), desk_(desk), time_(time), log_(std::move(log)), events_(std::move(events)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      mounts_(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (!wake_)
    throw std::system_error(errno, std::generic_category(), "an eventfd");
  auto root = posix_file_system::open("/");
  if (!root)
    throw std::system_error(errno, std::generic_category(), root.error().message);
  files_ = std::move(*root);
  own_ = std::make_unique<own_outputs>(engine_, *files_);
  if (!events_)
    events_ = std::make_unique<no_events>();
  thread_ = start_thread([this] { run(); });
  desk_.listen(this, [this] { look_anew(); });
}

file_watcher::~file_watcher() {
  desk_.listen(this, {});
  ending_ = true;
  wake(wake_.get());
  thread_.join();
}

void file_watcher::look_anew() {
  changed_ = true;
  wake(wake_.get());
}

watch_figures file_watcher::figures() const {
  const std::lock_guard lock(figures_mutex_);
  return figures_;
}

bool file_watcher::rebuild() {
  const auto records = desk_.known_triggers();
  if (!records)
    return false;
  std::vector<std::shared_ptr<const pipeline>> pipelines;
  std::vector<std::unique_ptr<watching>> all;
  std::map<std::string, watching*> fresh;
  for (const auto& of : desk_.pipelines()) {
    pipelines.push_back(of.p);
    for (const auto& what : of.set->triggers) {
      const auto* const source = std::get_if<watch_source>(&what.source);
      const auto name = of.pipeline + "/" + what.name;
      const auto record = records->find(name);
      if (source == nullptr || !what.enabled || record == records->end() || record->second.paused_at)
        continue;
      const auto definition = definition_of_watch(of.p->folder, *source);
      const auto old = std::find_if(all_.begin(), all_.end(), [&](const auto& one) {
        return one && one->files.name() == name && one->definition == definition;
      });
      if (old != all_.end() && record->second.watched == watch_base::taken) {
        all.push_back(std::move(*old));
        continue;
      }
      all.push_back(std::make_unique<watching>(watching{watched_trigger(name, of.p->folder, *source, *events_, *files_),
                                                        definition, record->second.watched}));
      fresh.emplace(name, all.back().get());
    }
  }
  if (!fresh.empty()) {
    const auto snapshot = engine_.history();
    if (!snapshot)
      return false;
    const auto visited = (*snapshot)->visit_watched([&](const watched_record& one) {
      if (const auto at = fresh.find(one.trigger); at != fresh.end())
        at->second->files.known()[one.file.path] = one.file.record;
      return true;
    });
    if (!visited)
      return false;
  }
  all_ = std::move(all);
  own_->set_pipelines(pipelines);
  for (auto& [name, one] : fresh)
    one->files.look_everywhere(time_.monotonic());
  drop_unwanted();
  return true;
}

void file_watcher::drop_unwanted() {
  events_->keep_only([this](const std::string& folder) {
    return std::any_of(all_.begin(), all_.end(),
                       [&](const auto& one) { return one->files.folders().contains(folder); });
  });
}

result<void> file_watcher::anchor(watching& of, duration now) {
  std::vector<watched_file> files;
  const bool absorbs =
      of.base == watch_base::stale || (of.base == watch_base::none && !of.files.source().fire_for_existing);
  if (absorbs)
    files = of.files.differences(now);
  if (absorbs || of.base == watch_base::none) {
    for (auto& file : files)
      file = to_record(std::move(file), time_.now());
    if (const auto done = engine_.record({files_watched{of.files.name(), time_.now(), files}}); !done)
      return done;
    of.files.accept(files);
  }
  of.base = watch_base::taken;
  of.anchored = true;
  return {};
}

void file_watcher::heed_all(duration now) {
  std::vector<folder_event> happened;
  const bool whole = events_->read(happened);
  for (const auto& event : happened)
    for (const auto& one : all_)
      if (event.what == folder_event::kind::folder_gone || one->files.folders().contains(event.folder))
        one->files.heed(event, now);
  if (whole) {
    if (std::any_of(happened.begin(), happened.end(),
                    [](const auto& event) { return event.what == folder_event::kind::folder_gone; }))
      drop_unwanted();
    return;
  }
  ++overflows_;
  log_("changes of watched files came faster than they were read: all watched folders are looked at");
  for (const auto& one : all_)
    one->files.look_everywhere(now);
  drop_unwanted();
}

result<void> file_watcher::take_in(watching& of, const std::vector<settling_files::due_file>& due, duration now) {
  auto& files = of.files;
  std::vector<watched_file> found;
  std::vector<watched_file> as_made; // what assets have made: known from now on, and no event
  for (const auto& one : due) {
    std::string problem;
    auto file = files.read(one.path, problem);
    if (!file) {
      if (of.complaints.size() < most_complaints && of.complaints.insert(one.path).second)
        log_("trigger " + files.name() + ": " + problem + ". The file counts when it can be read");
      continue;
    }
    of.complaints.erase(one.path);
    if (file_changes(files.known(), {*file}).empty()) {
      files.accept({*file}); // the same content: its stat is what it is now
      continue;
    }
    auto whose = own_outputs::whose::foreign;
    if (const auto path = files.absolute(one.path); own_->is_declared(path)) {
      const auto judged = own_->judge(path, file->record.content);
      if (!judged)
        return judged.error();
      whose = *judged;
    }
    if (whose == own_outputs::whose::unknown) {
      files.settling().look_again(one.path, now, now + look_at_own_again);
      continue;
    }
    if (one.unsettled && whose == own_outputs::whose::foreign)
      log_("trigger " + files.name() + ": " + one.path + " keeps changing. It counts as it is after " +
           to_human(files.source().max_settle));
    (whose == own_outputs::whose::own ? as_made : found).push_back(to_record(std::move(*file), time_.now()));
  }
  if (!as_made.empty()) {
    if (auto done = engine_.record({files_watched{files.name(), time_.now(), as_made}}); !done)
      return done;
    files.accept(as_made);
  }
  arrival what;
  what.source = event_source::watch;
  what.files = file_changes(files.known(), found);
  if (what.files.empty())
    return {};
  what.with.emplace_back(files_watched{files.name(), time_.now(), found});
  const auto at = desk_.find(files.name());
  if (!at)
    return at.error();
  if (const auto taken = desk_.take(*at, {std::move(what)}); !taken)
    return taken.error();
  files.accept(found);
  return {};
}

void file_watcher::report(watching& of, const std::string& trouble) {
  if (std::exchange(of.trouble, trouble) != trouble)
    desk_.set_trouble(of.files.name(), trouble);
}

void file_watcher::try_again(watching& of, duration now, const std::string& why) {
  of.pause = std::clamp(of.pause * 2, first_pause, longest_pause);
  of.retry_at = now + of.pause;
  report(of, "what changed waits: " + why);
}

void file_watcher::work_on(watching& of, duration now) {
  if (of.retry_at && *of.retry_at > now)
    return;
  of.retry_at.reset();
  if (!of.anchored)
    if (const auto done = anchor(of, now); !done)
      return try_again(of, now, done.error().message);
  auto& files = of.files;
  if (of.poll_at && *of.poll_at <= now)
    files.look_everywhere(now);
  const auto due =
      files.settling().take_due(now, most_files_an_event, [&](const std::string& file) { return files.stat(file); });
  if (const auto taken = due.empty() ? result<void>() : take_in(of, due, now); !taken) {
    for (const auto& one : due)
      files.settling().look_again(one.path, now, now);
    return try_again(of, now, taken.error().message);
  }
  of.pause = duration::zero();
  if (files.degraded().empty())
    of.poll_at.reset();
  else if (!of.poll_at || *of.poll_at <= now)
    of.poll_at = now + files.source().poll;
  report(of, files.degraded());
}

void file_watcher::show() {
  watch_figures shown;
  shown.folders = events_->watches();
  shown.overflows = overflows_;
  for (const auto& one : all_) {
    shown.files += one->files.known().size();
    shown.polling += one->files.degraded().empty() ? 0 : 1;
  }
  const std::lock_guard lock(figures_mutex_);
  figures_ = shown;
}

int file_watcher::wait_ms(duration now) const {
  constexpr std::int64_t longest = 1'000'000'000;
  std::optional<duration> due;
  const auto by = [&](duration when) {
    if (!due || when < *due)
      due = when;
  };
  if (rebuild_)
    by(now + look_anew_again);
  for (const auto& one : all_) {
    if (one->retry_at) {
      by(*one->retry_at);
      continue;
    }
    if (one->poll_at)
      by(*one->poll_at);
    if (const auto next = one->files.settling().next())
      by(*next);
  }
  if (!due)
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - now).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, longest));
}

void file_watcher::run() {
  bool mounts_changed = false;
  while (!ending_) {
    if (changed_.exchange(false))
      rebuild_ = true;
    if (rebuild_)
      rebuild_ = !rebuild();
    const auto now = time_.monotonic();
    heed_all(now);
    if (std::exchange(mounts_changed, false))
      for (const auto& one : all_)
        if (one->files.folders_changed())
          one->files.look_everywhere(now);
    for (const auto& one : all_)
      work_on(*one, now);
    show();
    std::array<pollfd, 3> waits{
        {{wake_.get(), POLLIN, 0}, {events_->descriptor(), POLLIN, 0}, {mounts_.get(), POLLPRI, 0}}};
    static_cast<void>(poll(waits.data(), waits.size(), wait_ms(time_.monotonic())));
    mounts_changed = (waits[2].revents & (POLLPRI | POLLERR)) != 0;
    std::uint64_t times = 0;
    [[maybe_unused]] const auto count = read(wake_.get(), &times, sizeof times);
  }
}

} // namespace troupe_internal::serve
