// Opens the file and reads it in chunks; everything else is asked of parse_pipeline() and asset_graph.
#include "config/load_pipeline.hpp"

#include "adapters/system/core_dumps.hpp"
#include "config/command_files.hpp"
#include "config/look_at_paths.hpp"
#include "config/outside_link.hpp"
#include "config/trigger_checks.hpp"
#include "config/trigger_circles.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe_internal::config {
namespace {

/// The descriptor of this process that a name means.
std::optional<int> descriptor_named(std::string_view name) {
  if (name == "-" || name == "/dev/stdin")
    return STDIN_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!name.starts_with(folder))
      continue;
    const auto number = name.substr(folder.size());
    int descriptor = -1;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), descriptor);
    if (parsed.ec == std::errc() && parsed.ptr == number.data() + number.size() && descriptor >= 0)
      return descriptor;
  }
  return std::nullopt;
}

/// What a descriptor of ours leads to (standard input, what the shell makes of <(…)) is there once, and `resume` asks
/// twice (for the state, then with the params of the run): what was read of it is kept in memory and takes its place.
class open_file {
public:
  open_file(const std::string& name, bool only_regular) : ours_(descriptor_named(name)) {
    if (ours_ && only_regular) {
      problem_ = not_regular; // what is there once is for who needs it
      return;
    }
    descriptor_ = ours_ ? *ours_ : ::open(name.c_str(), O_RDONLY | O_CLOEXEC | (only_regular ? no_waiting : 0));
    if (descriptor_ < 0)
      problem_ = errno;
    else if (only_regular && !is_regular())
      problem_ = not_regular;
    if (!ours_)
      return;
    if (::fcntl(descriptor_, F_GET_SEALS) >= 0) // only what is kept in memory has seals
      ::lseek(descriptor_, 0, SEEK_SET);
    else if (::fcntl(descriptor_, F_GETFD) >= 0)
      kept_ = ::memfd_create("pipeline", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  }
  ~open_file() {
    if (!ours_ && descriptor_ >= 0)
      ::close(descriptor_);
    if (kept_ < 0)
      return;
    ::dup2(kept_, descriptor_);
    ::close(kept_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  /// Not the number of an error of the system: it is something else than a file.
  static constexpr int not_regular = -1;
  /// 0: it can be read.
  [[nodiscard]] int problem() const { return problem_; }
  /// Whether it lies in a folder that its paths are relative to: not what was handed over by a descriptor or a FIFO.
  [[nodiscard]] bool has_folder() const {
    struct stat status {};
    return !ours_ && (::fstat(descriptor_, &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
  }
  /// 0 for what is no regular file.
  [[nodiscard]] std::uint64_t size() const {
    struct stat status {};
    return ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size)
                                                                         : 0;
  }
  [[nodiscard]] std::ptrdiff_t read(char* into, std::size_t capacity) const {
    ssize_t count = 0;
    do
      count = ::read(descriptor_, into, capacity);
    while (count < 0 && errno == EINTR);
    for (ssize_t kept = 0; kept_ >= 0 && kept < count;) {
      const auto more = ::write(kept_, into + kept, static_cast<std::size_t>(count - kept));
      if (more < 0 && errno != EINTR)
        return -1; // no memory is left
      kept += std::max<ssize_t>(more, 0);
    }
    return count;
  }

private:
  /// Opening a FIFO or a terminal then has no effect on it.
  static constexpr int no_waiting = O_NONBLOCK | O_NOCTTY;
  [[nodiscard]] bool is_regular() const {
    struct stat status {};
    return ::fstat(descriptor_, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
  }

  std::optional<int> ours_;
  int descriptor_ = -1;
  int problem_ = 0;
  int kept_ = -1;
};

std::string why(int error, const std::string& file) {
  const std::string start = file == "-" ? "cannot read standard input: " : "cannot read " + file + ": ";
  if (error == ENOENT)
    return start + "there is no such file; -f FILE names another, troupe init writes one";
  if (error == open_file::not_regular || error == ENXIO)
    return start + "it is not a file, but a FIFO, a socket or a device; -f " + file + " reads it all the same";
  if (error == EISDIR)
    return start + "it is a folder; name the pipeline file in it";
  return start + std::strerror(error);
}

/// The folder of a pipeline, opened when somebody asks for a value in it.
class values_on_disk {
public:
  values_on_disk(const load_options& options, std::string folder, const std::string& working)
      : made_here_(options.made_here), folder_(std::move(folder)), bounded_(!options.with_graph) {
    if (!options.state.empty())
      state_ = (std::filesystem::path(working) / options.state).lexically_normal().string();
  }

  [[nodiscard]] value_sources sources() {
    value_sources all;
    all.glob = [this](const std::string& pattern, std::vector<std::string> skip) {
      if (!state_.empty())
        skip.push_back(state_);
      const auto files = open();
      return files ? (*files)->glob(pattern, skip, nullptr) : files.error();
    };
    all.read_text = [this](const std::string& path, std::uint64_t limit) {
      const auto files = open();
      return files ? (*files)->read_text(path, limit) : files.error();
    };
    if (made_here_)
      all.made_here = [this](const pipeline& p,
                             std::span<const std::string> paths) -> result<std::vector<std::string>> {
        const auto files = open();
        return files ? made_here_(p, **files, paths) : files.error();
      };
    return all;
  }

private:
  [[nodiscard]] result<const posix_file_system*> open() {
    if (files_)
      return files_.get();
    look_bounds bounds;
    if (bounded_) // who asks by the way does not wait for a large tree
      bounds.enough = [this] { return ++looks_ > most_looks; };
    auto opened = posix_file_system::open(folder_, std::move(bounds));
    if (!opened)
      return opened.error();
    files_ = std::move(*opened);
    return files_.get();
  }

  static constexpr std::size_t most_looks = 20'000;
  std::function<result<std::vector<std::string>>(const pipeline&, const posix_file_system&,
                                                 std::span<const std::string>)>
      made_here_;
  std::string folder_, state_;
  bool bounded_;
  std::size_t looks_ = 0;
  std::unique_ptr<posix_file_system> files_;
};

/// With what the disk says of the paths. A folder that cannot be opened hinders nothing here: who runs something in it
/// says what is wrong.
void build_graph(loaded_pipeline& loaded, const load_options& options) {
  auto& found = loaded.findings;
  const auto files = posix_file_system::open(loaded.p->folder);
  disk_facts facts;
  if (files) {
    facts = look_at_paths(*loaded.p, **files, options.find_links ? options.find_links() : links_seen{});
    check_reserved(*loaded.p, facts.same, **files, options.state, found);
    warn_of_raised_paths(loaded.raised, **files, found);
  }
  auto graph = asset_graph::build(*loaded.p, found, std::move(facts));
  if (graph)
    check_selections(*loaded.triggers, *loaded.p, *graph, found);
  if (graph && !found.has_errors())
    warn_of_circles(*loaded.triggers, *loaded.p, *graph, found);
  if (graph && !found.has_errors()) {
    findings out(found);
    warn_of_undeclared_files(
        *loaded.p, *graph,
        [&](std::string_view path) {
          const auto seen = files ? (*files)->glance(path) : result<file_stat>(file_stat{});
          return seen && seen->kind == file_kind::file;
        },
        options.thorough, out);
    if (options.thorough && files)
      warn_of_missing_inputs(
          *loaded.p, *graph,
          [&](std::string_view path) {
            const auto seen = (*files)->glance(path);
            return !seen || seen->kind != file_kind::absent;
          },
          out);
    loaded.graph = std::make_shared<const asset_graph>(std::move(*graph));
  } else {
    loaded.p = nullptr;
    loaded.triggers = nullptr;
  }
}

/// Drops the warnings that the asset they are about ignores: the one whose text they have their place in. Those about
/// triggers stay.
void drop_ignored(const pipeline& p, const trigger_set& triggers, diagnostics& found) {
  const auto before = [](place a, place b) { return std::pair(a.line, a.column) < std::pair(b.line, b.column); };
  if (found.items.empty())
    return;
  std::vector<const asset_declaration*> declared;
  for (std::uint32_t i = 0; i < p.assets.size(); ++i)
    if (const auto& one = p.declaration(asset_index(i)); declared.empty() || declared.back() != &one)
      declared.push_back(&one);
  std::sort(declared.begin(), declared.end(), [&](const auto* a, const auto* b) { return before(a->where, b->where); });
  std::erase_if(found.items, [&](const diagnostic& item) {
    if (before(triggers.begin, item.where) && before(item.where, triggers.end))
      return false;
    const auto after = std::upper_bound(declared.begin(), declared.end(), item.where,
                                        [&](place at, const auto* one) { return before(at, one->where); });
    return item.level == severity::warning && after != declared.begin() &&
           (*std::prev(after))->settings->ignores(item.code);
  });
}

/// Whoever wrote the folder may have linked the file to any file of the user's, whose text must not be told: of a file
/// with mistakes only their places and codes remain. What is in a pipeline that is valid is shown elsewhere too.
void withhold_text(diagnostics& found) {
  found.of_outside_link = true;
  if (found.has_errors())
    for (auto& item : found.items)
      item.message = "what is wrong is not shown, because a link out of its folder leads to this file; name the file "
                     "itself with -f";
}

} // namespace

bool names_descriptor(std::string_view file) {
  return descriptor_named(file).has_value();
}

loaded_pipeline load_pipeline(const load_options& options) {
  loaded_pipeline loaded;
  loaded.findings.file = options.file;
  std::error_code failed;
  const std::filesystem::path working = std::filesystem::current_path(failed);
  const open_file file(options.file, options.only_regular);
  if (failed || file.problem() != 0) {
    const int error = failed ? failed.value() : file.problem();
    loaded.findings.error({}, "cannot_read",
                          failed ? "the working folder is gone: " + failed.message() : why(error, options.file));
    return loaded;
  }
  if (file.size() > options.limits.text_bytes) {
    loaded.findings.error({}, "too_large",
                          "the file is larger than " + std::to_string(options.limits.text_bytes) + " bytes");
    return loaded;
  }
  parse_options parse;
  parse.limits = options.limits;
  parse.file = file.has_folder() ? options.file : "-";
  parse.folder =
      file.has_folder() ? (working / options.file).lexically_normal().parent_path().string() : working.string();
  parse.params = options.params;
  parse.paths_read = options.paths_read;
  parse.expected_bytes = file.size();
  values_on_disk values(options, parse.folder, working.string());
  parse.values = values.sources();
  if (!options.with_graph) { // the disk is not looked at
    parse.triggers.find_zone = [](const std::string&) { return time_zone::utc(); };
    parse.triggers.read_text = [](const std::string&) { return std::string(); };
  }
  int read_error = 0;
  loaded = parse_pipeline(
      [&](char* into, std::size_t capacity) {
        const auto count = file.read(into, capacity);
        if (count < 0)
          read_error = errno;
        return count;
      },
      parse);
  loaded.findings.file = options.file; // as the user knows it
  const bool readable = read_error == 0;
  if (!readable)
    loaded.findings.error({}, "cannot_read", why(read_error, options.file));
  if (loaded.p && loaded.p->declares_secrets)
    forbid_core_dumps();
  if (loaded.p && options.with_graph)
    build_graph(loaded, options);
  if (loaded.p)
    drop_ignored(*loaded.p, *loaded.triggers, loaded.findings);
  if (readable && !loaded.findings.items.empty() && !names_descriptor(options.file) &&
      passes_outside_link(options.file))
    withhold_text(loaded.findings);
  sort_by_place(loaded.findings);
  return loaded;
}

} // namespace troupe_internal::config
