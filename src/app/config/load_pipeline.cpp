// Opens the file and reads it in chunks; everything else is asked of parse_pipeline() and asset_graph.
#include "app/config/load_pipeline.hpp"

#include "app/config/command_files.hpp"
#include "app/config/look_at_paths.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::config {
namespace {

/// Standard input is there once, and `resume` asks twice (for the state, then with the params of the run): what was
/// read of it is kept in memory and takes its place.
class open_file {
public:
  explicit open_file(const std::string& name)
      : descriptor_(name == "-" ? STDIN_FILENO : ::open(name.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ != STDIN_FILENO)
      return;
    if (::fcntl(STDIN_FILENO, F_GET_SEALS) >= 0) // only what is kept in memory has seals
      ::lseek(STDIN_FILENO, 0, SEEK_SET);
    else
      kept_ = ::memfd_create("pipeline", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  }
  ~open_file() {
    if (descriptor_ > STDIN_FILENO)
      ::close(descriptor_);
    if (kept_ < 0)
      return;
    ::dup2(kept_, STDIN_FILENO);
    ::close(kept_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  [[nodiscard]] bool good() const { return descriptor_ >= 0; }
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
  int descriptor_;
  int kept_ = -1;
};

std::string why(int error, const std::string& file) {
  const std::string start = file == "-" ? "cannot read standard input: " : "cannot read " + file + ": ";
  if (error == ENOENT)
    return start + "there is no such file; -f FILE names another, troupe init writes one";
  if (error == EISDIR)
    return start + "it is a folder; name the pipeline file in it";
  return start + std::strerror(error);
}

/// With what the disk says of the paths. A folder that cannot be opened hinders nothing here: who runs something in it
/// says what is wrong.
void build_graph(loaded_pipeline& loaded, const load_options& options) {
  auto& found = loaded.findings;
  const auto files = posix_file_system::open(loaded.p->folder);
  disk_facts facts;
  if (files) {
    facts = look_at_paths(*loaded.p, **files);
    check_reserved(*loaded.p, facts.same, **files, options.state, found);
    warn_of_raised_paths(loaded.raised, **files, found);
  }
  auto graph = asset_graph::build(*loaded.p, found, std::move(facts));
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
  }
}

} // namespace

loaded_pipeline load_pipeline(const load_options& options) {
  loaded_pipeline loaded;
  loaded.findings.file = options.file;
  std::error_code failed;
  const std::filesystem::path working = std::filesystem::current_path(failed);
  const open_file file(options.file);
  if (failed || !file.good()) {
    const int error = failed ? failed.value() : errno;
    loaded.findings.error({}, "cannot_read",
                          failed ? "the working folder is gone: " + failed.message() : why(error, options.file));
    return loaded;
  }
  parse_options parse;
  parse.file = options.file;
  parse.folder =
      options.file == "-" ? working.string() : (working / options.file).lexically_normal().parent_path().string();
  parse.params = options.params;
  parse.paths_read = options.paths_read;
  parse.expected_bytes = file.size();
  int read_error = 0;
  loaded = parse_pipeline(
      [&](char* into, std::size_t capacity) {
        const auto count = file.read(into, capacity);
        if (count < 0)
          read_error = errno;
        return count;
      },
      parse);
  if (read_error != 0)
    loaded.findings.error({}, "cannot_read", why(read_error, options.file));
  if (loaded.p)
    build_graph(loaded, options);
  sort_by_place(loaded.findings);
  return loaded;
}

} // namespace troupe::config
