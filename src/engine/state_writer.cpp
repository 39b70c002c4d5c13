// Opening a state for writing, and recovery.
#include "engine/state_writer.hpp"

#include "adapters/files/remove_tree.hpp"
#include "adapters/journal/lmdb_origin.hpp"
#include "adapters/journal/state_lock.hpp"
#include "adapters/process/leftovers.hpp"
#include "adapters/process/process_place.hpp"
#include "adapters/state/state_key.hpp"
#include "adapters/state/state_socket.hpp"
#include "base/shown_text.hpp"
#include "engine/control_protocol.hpp"
#include "engine/state_layout.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace troupe_internal {

std::vector<event> interrupted_attempts(const std::vector<open_attempt>& open, timestamp now) {
  std::vector<event> events;
  for (const auto& attempt : open) {
    attempt_finished finished;
    finished.run = attempt.run;
    finished.asset = attempt.asset;
    finished.attempt = attempt.attempt;
    finished.at = now;
    finished.outcome = outcome_kind::interrupted;
    finished.message = "the supervisor died while this attempt ran";
    events.emplace_back(std::move(finished));
  }
  return events;
}

namespace {

/// The process that wrote last; 0 if unknown.
result<std::int32_t> last_writer(const journal_snapshot& snapshot, const std::string& lock_words) {
  std::int32_t pid = 0;
  const auto visited = snapshot.visit_events(snapshot.info().writer_seq, [&pid](std::uint64_t, const event& e) {
    if (const auto* opened = std::get_if<writer_opened>(&e))
      pid = opened->pid;
    return false;
  });
  if (!visited)
    return visited.error();
  return pid != 0 ? pid : holder_before(lock_words).pid; // where retention has dropped its coming
}

/// What the dead writer may have left running in a PID namespace that cannot be seen from here; nullopt if nothing.
result<std::optional<std::string>> left_out_of_sight(const journal_snapshot& snapshot,
                                                     const std::vector<open_attempt>& open, const lock_holder& writer,
                                                     const state_opening& how) {
  const auto& info = snapshot.info();
  if (!is_another_namespace({info.writer_boot_id, info.writer_pid_namespace, 0}))
    return std::nullopt;
  if (info.writer_process_one) {
    // It held the lock that is ours now, so it has ended, and the kernel kills all of its namespace: first it lets go
    // of the lock.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return std::nullopt;
  }
  const auto last = snapshot.read_run(info.last_run);
  if (!last)
    return last.error();
  if (open.empty() && !(*last && !(*last)->finished_at && (*last)->segment_seq > info.writer_seq))
    return std::nullopt;
  std::string text = "a run that did not come to its end was made in another PID namespace of this machine (a "
                     "container; pid:[" +
                     std::to_string(info.writer_pid_namespace) + "]";
  const auto where = parse_place(writer.where);
  const bool known = where && where->pid_namespace == info.writer_pid_namespace; // else another used the state since
  if (known && !writer.host.empty())
    text += ", host " + visible(writer.host);
  if (known && !writer.command.empty())
    text += ", by " + visible(writer.command);
  text += "). What it started may still run there, where it can be neither seen nor ended from here:";
  std::size_t told = 0;
  constexpr std::size_t most = 10;
  const auto named = snapshot.visit_asset_names([&](asset_id id, std::string_view name) {
    for (const auto& attempt : open)
      if (attempt.asset == id && told++ < most) {
        const auto command = how.command_of ? how.command_of(name) : std::string();
        text += "\n  asset " + visible(name.substr(name.find('/') + 1)) + ", attempt " +
                std::to_string(attempt.attempt) + (command.empty() ? "" : ": " + visible(command));
      }
    return told < open.size();
  });
  if (!named)
    return named.error();
  if (told > most)
    text += "\n  and " + std::to_string(open.size() - most) + " more";
  if (open.empty())
    text += "\n  a command that it was about to record";
  return text +
         "\nNothing was started. End that container, or wait until its commands have ended; then add --assume-dead";
}

/// What still runs in groups that the journal has recorded, where nothing else says that it is this state's.
result<std::string> still_running(const journal_snapshot& snapshot, const std::vector<open_attempt>& open,
                                  const std::vector<unproved_process>& unproved) {
  constexpr std::size_t most = 10;
  std::string text = "the journal says that a run which did not come to its end had started what still runs here, but "
                     "nothing in the environment of these processes shows it. So they were not ended:";
  for (std::size_t i = 0; i < unproved.size() && i < most; ++i) {
    const auto& one = unproved[i];
    text += "\n  process " + std::to_string(one.pid) + " (" + visible(one.name) + ")" +
            (one.other_user ? " of another user" : "");
    const auto attempt = std::find_if(open.begin(), open.end(), [&](const open_attempt& candidate) {
      return candidate.process_group == one.process_group;
    });
    if (attempt == open.end())
      continue;
    const auto named = snapshot.visit_asset_names([&](asset_id id, std::string_view name) {
      if (id == attempt->asset)
        text +=
            ", of asset " + visible(name.substr(name.find('/') + 1)) + ", attempt " + std::to_string(attempt->attempt);
      return id != attempt->asset;
    });
    if (!named)
      return named.error();
  }
  if (unproved.size() > most)
    text += "\n  and " + std::to_string(unproved.size() - most) + " more";
  return text;
}

std::string way_out(const std::vector<unproved_process>& unproved) {
  constexpr std::size_t most = 10;
  std::string numbers;
  for (std::size_t i = 0; i < unproved.size() && i < most; ++i)
    numbers += " " + std::to_string(unproved[i].pid);
  return "See what they are, and end them if they are this pipeline's: kill" + numbers +
         ". Or wait until they have ended. If they are not this pipeline's, add --assume-dead";
}

/// Removes what a dead writer's commands have reported: nobody reads it any more, and secrets in it are not masked.
/// What cannot be removed now stays for the next recovery.
void remove_reports(const state_dir& dir) {
  const auto results = dir.open_folder(results_folder, entry_use::write);
  if (!results || !results->check(part_mark, entry_use::write))
    return; // there is none, or it is not Troupe's
  const auto names = results->names();
  if (!names)
    return;
  for (const auto& name : *names)
    if (is_result_file_name(name))
      static_cast<void>(remove_tree(results->descriptor(), name));
}

} // namespace

result<std::unique_ptr<state_writer>> state_writer::open(const std::string& folder, const state_opening& how,
                                                         clock& time, const stop_request& stop) {
  auto lock = how.lock;
  if (!lock) {
    lock_patience patience;
    patience.enough = [&stop] { return stop.count() > 0; };
    auto taken = lock_own_state(folder, patience);
    if (!taken)
      return taken.error();
    lock = std::make_shared<const state_lock>(std::move(*taken));
  }
  if (how.still_here)
    if (auto here = how.still_here(); !here)
      return here.error();
  const auto words = lock->words_before();
  remove_left_over(*lock->dir(), old_control_name, S_IFIFO);
  auto store = open_journal(lock, {how.durability, 0, false, how.early}, time);
  if (!store)
    return store.error();
  std::unique_ptr<state_writer> writer(new state_writer(lock, std::move(*store), time));
  if (const auto recovered = writer->recover(words, how, stop); !recovered) {
    if (!how.lock)
      put_back_words(*lock->dir(), words); // who comes next is to be told the same
    return recovered.error();
  }
  if (how.reads_secret_files)
    if (const auto made = make_state_key(folder); !made)
      return made.error();
  return writer;
}

result<void> state_writer::recover(const std::string& lock_words, const state_opening& how, const stop_request& stop) {
  const auto snapshot = store_->snapshot();
  if (!snapshot)
    return snapshot.error();
  if ((*snapshot)->info().closed_cleanly)
    return {};
  recovered_ = true;
  const auto open = (*snapshot)->open_attempts();
  if (!open)
    return open.error();
  if (!how.assume_dead) {
    const auto unseen = left_out_of_sight(**snapshot, *open, holder_before(lock_words), how);
    if (!unseen)
      return unseen.error();
    if (*unseen)
      return fail_in_lines(error_code::state_locked, **unseen);
  }
  std::vector<event> ended;
  if (const auto done = end_what_is_left(**snapshot, *open, lock_words, how, stop, ended); !done) {
    static_cast<void>(store_->append(ended)); // what is wrong with the journal is not the error to be reported
    return done;
  }
  remove_reports(*dir_);
  auto events = take_opening();
  events.insert(events.end(), ended.begin(), ended.end());
  for (auto& e : interrupted_attempts(*open, time_.now()))
    events.push_back(std::move(e));
  if (const auto appended = store_->append(events); !appended)
    return appended.error();
  return {};
}

result<void> state_writer::end_what_is_left(const journal_snapshot& snapshot, const std::vector<open_attempt>& open,
                                            const std::string& lock_words, const state_opening& how,
                                            const stop_request& stop, std::vector<event>& events) {
  const auto supervisor = last_writer(snapshot, lock_words);
  if (!supervisor)
    return supervisor.error();
  std::vector<recorded_process> recorded;
  for (const auto& attempt : open)
    if (attempt.process_group != 0)
      recorded.push_back(
          {attempt.process_group, attempt.start_ticks, attempt.boot_id, attempt.pid_namespace, *supervisor});
  leftover_tally tally;
  const auto hurried = [&stop] { return stop.count() > 1; };
  const auto done = end_leftovers(to_string(snapshot.info().id), recorded, how.grace, tally, hurried);
  if (!tally.ended.empty()) {
    leftovers_ended ended{time_.now(), {}};
    for (const auto& one : tally.ended)
      ended.processes.push_back({one.pid, one.name, one.why});
    if (how.ended)
      how.ended(ended.processes);
    events.emplace_back(std::move(ended));
  }
  if (!done)
    return fail(error_code::state_unusable, done.error().message);
  if (tally.unproved.empty())
    return {};
  const auto text = still_running(snapshot, open, tally.unproved);
  if (!text)
    return text.error();
  if (!how.assume_dead)
    return fail_in_lines(error_code::state_locked, *text + "\nNothing was started. " + way_out(tally.unproved));
  if (how.note)
    how.note(*text);
  return {};
}

std::vector<event> state_writer::take_opening() {
  if (!std::exchange(opening_due_, false))
    return {};
  const auto here = own_place();
  writer_opened opened;
  opened.at = time_.now();
  opened.boot_id = here ? here->boot_id : boot_id();
  opened.pid = static_cast<std::int32_t>(getpid());
  opened.pid_namespace = here ? here->pid_namespace : 0;
  opened.process_one = here && getpid() == 1;
  return {opened};
}

std::vector<event> state_writer::closing() const {
  return {writer_closed{time_.now()}};
}

} // namespace troupe_internal
