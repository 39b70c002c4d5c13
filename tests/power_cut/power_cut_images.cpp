// Cuts of one history are played in the order of its operations, so that the disk is followed once.
#include "power_cut_images.hpp"

#include "base/check.hpp"
#include "image_check.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace troupe_internal::test {
namespace {

constexpr unsigned patience_s = 60; ///< with one image

struct cut {
  std::size_t op = 0; ///< the one under way when the power went
  std::uint64_t seed = 0;
};

/// Where a process that checks images says how far it has come.
struct shared_progress {
  image_totals totals;
  std::uint64_t next = 0; ///< index of the cut being checked
  bool wrong = false;
  char what[2'000] = {};
};

class shared_memory {
public:
  shared_memory()
      : at_(::mmap(nullptr, sizeof(shared_progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    TROUPE_CHECK(at_ != MAP_FAILED, "no memory to share");
    new (at_) shared_progress;
  }
  ~shared_memory() { ::munmap(at_, sizeof(shared_progress)); }
  shared_memory(const shared_memory&) = delete;
  shared_memory& operator=(const shared_memory&) = delete;
  shared_progress* operator->() { return static_cast<shared_progress*>(at_); }

private:
  void* at_;
};

/// Seeds that are near each other have nothing in common.
std::mt19937_64 random_of(std::uint64_t seed) {
  std::seed_seq mixed{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U)};
  return std::mt19937_64(mixed);
}

/// The notes up to an operation.
struct noted_so_far {
  promises made;
  std::size_t returned = 0;
  std::uint64_t life = 0;
  commit_kind kind = commit_kind::events;
  bool makes_journal = false;
  bool was_unsynced = false; ///< at some time
  bool marked = false;       ///< that commits are not forced to disk, or about to be

  void add(const disk_op& op) {
    if (op.what == disk_op::kind::make_file && op.path.ends_with("journal.mdb.new"))
      makes_journal = true;
    if (op.what == disk_op::kind::sync_folder && op.path.ends_with("state") && makes_journal)
      makes_journal = false;
    if (op.what == disk_op::kind::rename && op.to.ends_with("/unsynced"))
      marked = true;
    if (op.what != disk_op::kind::note)
      return;
    switch (static_cast<noted>(op.file)) {
    case noted::begun:
      made.begun = std::max<std::size_t>(made.begun, op.number);
      break;
    case noted::returned:
      returned = op.number;
      break;
    case noted::promised:
      made.promised = op.number;
      break;
    case noted::may_refuse:
      made.may_refuse = op.number == 1;
      was_unsynced = was_unsynced || made.may_refuse;
      marked = marked && made.may_refuse;
      break;
    case noted::life:
      life = op.number;
      break;
    case noted::made:
      kind = static_cast<commit_kind>(op.number);
      break;
    }
  }
};

class history_player {
public:
  history_player(const recorded_history& history, const image_options& options, std::string folder)
      : history_(history), options_(options), folder_(std::move(folder)), model_(options.lies) {}

  /// `cut`s come in order. Counts what the image is a case of; the words say what is wrong with it.
  std::string play(const cut& at, image_totals& totals, image_facts* facts_out = nullptr) {
    for (; done_ < at.op; ++done_) {
      model_.apply(history_.ops()[done_]);
      notes_.add(history_.ops()[done_]);
    }
    auto under_way = model_;
    under_way.begin(history_.ops()[at.op]);
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
    auto random = random_of(~at.seed);
    const auto facts = under_way.make_image(random, folder_);
    const auto state = folder_ + "/" + recorded_history::state_folder;
    auto notes = notes_;
    notes.add(history_.ops()[at.op]);
    auto made = notes_.made;
    made.begun = notes.made.begun;
    made.may_refuse = notes_.made.may_refuse && notes.marked; // before there is a mark nothing is at risk
    if (options_.without_mark) {
      std::filesystem::remove(state + "/unsynced");
      made.may_refuse = false;
      made.promised = std::max(made.promised, notes_.returned);
    }
    const bool was_whole = !made.may_refuse;
    const auto found = check_image(state, history_, made);
    if (facts_out != nullptr)
      *facts_out = facts;
    count(totals, facts, found, made, was_whole);
    return found.wrong;
  }

private:
  void count(image_totals& totals, const image_facts& facts, const verdict& found, const promises& made,
             bool was_whole) {
    const auto add = [&](image_case which, bool is) { totals.cases[static_cast<std::size_t>(which)] += is ? 1 : 0; };
    const bool in_commit = made.begun > made.promised && was_whole;
    ++totals.images;
    add(image_case::no_journal_yet, !found.there && !found.refused);
    add(image_case::journal_in_making, notes_.makes_journal);
    add(image_case::nothing_open, facts.sectors_open == 0 && facts.entries_open == 0);
    add(image_case::sectors_lost, facts.sectors_kept > 0 && facts.sectors_kept < facts.sectors_open);
    add(image_case::pages_torn, facts.pages_torn > 0);
    add(image_case::sectors_mixed, facts.sectors_mixed > 0);
    add(image_case::entries_lost, facts.entries_kept < facts.entries_open);
    add(image_case::length_uncertain, facts.length_open);
    add(image_case::commit_lost, found.there && in_commit && found.commits < made.begun);
    add(image_case::commit_kept, found.there && in_commit && found.commits == made.begun);
    add(image_case::retention_cut, in_commit && notes_.kind == commit_kind::retention);
    add(image_case::checkpoint_cut, in_commit && notes_.kind == commit_kind::checkpoint);
    add(image_case::after_killed_process, notes_.life > 0);
    add(image_case::unsynced_refused, found.refused);
    add(image_case::unsynced_whole, notes_.was_unsynced && !made.may_refuse && found.there);
  }

  const recorded_history& history_;
  const image_options& options_;
  std::string folder_;
  disk_model model_;
  noted_so_far notes_;
  std::size_t done_ = 0;
};

std::vector<cut> cuts_of(const recorded_history& history, std::uint64_t first, std::uint64_t last) {
  std::vector<cut> cuts;
  for (auto seed = first; seed < last; ++seed) {
    auto random = random_of(seed);
    cuts.push_back({random() % history.ops().size(), seed});
  }
  std::sort(cuts.begin(), cuts.end(),
            [](const cut& a, const cut& b) { return std::pair(a.op, a.seed) < std::pair(b.op, b.seed); });
  return cuts;
}

/// Checks the cuts from progress->next on; ends at the first wrong image, or when all are done.
[[noreturn]] void check_cuts(const recorded_history& history, const image_options& options, const std::string& folder,
                             const std::vector<cut>& cuts, shared_memory& progress) {
  // What LMDB and sanitizers say when they give up is of no use where that is what is looked for.
  if (const int nowhere = options.stops_at_first_wrong ? -1 : ::open("/dev/null", O_WRONLY); nowhere >= 0)
    ::dup2(nowhere, STDERR_FILENO);
  history_player player(history, options, folder);
  for (; progress->next < cuts.size(); ++progress->next) {
    ::alarm(patience_s);
    const auto wrong = player.play(cuts[progress->next], progress->totals);
    if (wrong.empty())
      continue;
    progress->wrong = true;
    std::strncpy(progress->what, wrong.c_str(), sizeof progress->what - 1);
    ::_exit(0);
  }
  ::_exit(0);
}

std::string death_of(int status) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    return "opening it takes for ever";
  if (WIFSIGNALED(status))
    return std::string("opening it ends the process: ") + strsignal(WTERMSIG(status));
  return "opening it ends the process with exit status " + std::to_string(WEXITSTATUS(status));
}

std::uint64_t history_of(std::uint64_t seed) {
  return seed / images_per_history;
}

} // namespace

void image_totals::add(const image_totals& other) {
  images += other.images;
  histories += other.histories;
  wrong += other.wrong;
  ops += other.ops;
  commits += other.commits;
  for (std::size_t i = 0; i < cases.size(); ++i)
    cases[i] += other.cases[i];
}

image_totals play_images(std::uint64_t first, std::uint64_t last, const image_options& options,
                         const std::string& scratch,
                         const std::function<void(std::uint64_t, const std::string&)>& told) {
  image_totals all;
  for (auto seed = first; seed < last;) {
    const auto end = std::min(last, (history_of(seed) + 1) * images_per_history);
    const recorded_history history(history_of(seed), scratch + "/recorded", options.history);
    const auto cuts = cuts_of(history, seed, end);
    seed = end;
    ++all.histories;
    all.ops += history.ops().size();
    all.commits += history.commits();
    for (std::uint64_t next = 0; next < cuts.size();) {
      shared_memory progress;
      progress->next = next;
      const auto child = ::fork();
      TROUPE_CHECK(child >= 0, "no process left");
      if (child == 0)
        check_cuts(history, options, scratch + "/image", cuts, progress);
      int status = 0;
      ::waitpid(child, &status, 0);
      const bool died = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
      all.add(progress->totals);
      if (died || progress->wrong) {
        ++all.wrong;
        all.images += died ? 1 : 0;
        told(cuts[progress->next].seed, died ? death_of(status) : progress->what);
        if (options.stops_at_first_wrong)
          return all;
      }
      next = progress->next + 1;
    }
  }
  return all;
}

namespace {

std::string words_of(const disk_op& op) {
  const auto file = "file " + std::to_string(op.file);
  switch (op.what) {
  case disk_op::kind::make_folder:
    return "make folder " + op.path;
  case disk_op::kind::make_file:
    return "make " + op.path + ", " + file;
  case disk_op::kind::write:
    return "write " + file + ", " + std::to_string(op.bytes.size()) + " bytes at " + std::to_string(op.number) +
           (op.through ? ", through to the disk" : "");
  case disk_op::kind::resize:
    return "resize " + file + " to " + std::to_string(op.number);
  case disk_op::kind::rename:
    return "rename " + op.path + " to " + op.to;
  case disk_op::kind::remove:
    return "remove " + op.path;
  case disk_op::kind::sync_file:
    return "sync " + file;
  case disk_op::kind::sync_folder:
    return "sync folder \"" + op.path + "\"";
  case disk_op::kind::note:
    break;
  }
  static constexpr std::array<const char*, 6> notes = {
      "commit begins:", "commit returned:", "promised up to commit", "may be refused:", "life", "kind of commit:"};
  return std::string("    ") + notes[op.file] + " " + std::to_string(op.number);
}

} // namespace

bool show_image(std::uint64_t seed, const std::string& scratch) {
  const recorded_history history(history_of(seed), scratch + "/recorded", {});
  const auto cuts = cuts_of(history, seed, seed + 1);
  const auto& at = cuts.front();
  for (std::size_t i = 0; i < at.op; ++i)
    std::printf("%s\n", words_of(history.ops()[i]).c_str());
  std::printf("THE POWER GOES during: %s\n", words_of(history.ops()[at.op]).c_str());
  std::fflush(stdout);
  image_totals totals;
  const image_options options;
  shared_memory progress;
  const auto child = ::fork();
  TROUPE_CHECK(child >= 0, "no process left");
  if (child == 0) {
    ::alarm(patience_s);
    image_facts facts;
    const auto wrong = history_player(history, options, scratch + "/image").play(at, totals, &facts);
    std::printf("kept: %zu of %zu unsynced sectors (%zu of them torn), %zu of %zu unsynced entries of folders; %zu "
                "pages torn\n",
                facts.sectors_kept, facts.sectors_open, facts.sectors_mixed, facts.entries_kept, facts.entries_open,
                facts.pages_torn);
    std::printf("image %llu: %s\n", static_cast<unsigned long long>(seed),
                wrong.empty() ? "all promises kept" : wrong.c_str());
    std::fflush(stdout);
    ::_exit(wrong.empty() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status))
    return WEXITSTATUS(status) == 0;
  std::printf("image %llu: %s\n", static_cast<unsigned long long>(seed), death_of(status).c_str());
  return false;
}

} // namespace troupe_internal::test
