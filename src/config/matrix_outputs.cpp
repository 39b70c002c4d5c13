// Outputs are sorted once; each glob is compared with those that begin as it does.
#include "config/matrix_outputs.hpp"

#include "config/path_text.hpp"
#include "core/pipeline/exclusion.hpp"
#include "core/pipeline/glob.hpp"

#include <algorithm>

namespace troupe_internal::config {
namespace {

// In all; as many as take about a second.
constexpr std::size_t most_comparisons = 20'000'000;

struct made_output {
  std::string_view path;
  std::string_view asset;
};

/// Whether the last component is a file's name, as far as names tell: with an extension.
bool looks_like_file(std::string_view path) {
  const auto name = path.substr(path.rfind('/') + 1);
  const auto dot = name.rfind('.');
  return dot != std::string_view::npos && dot != 0 && dot + 1 != name.size();
}

class output_checker {
public:
  output_checker(const declared_pipeline& d, findings& out) : d_(d), p_(*d.p), out_(out) {
    for (const auto& spec : p_.assets)
      if (p_.declarations[spec.declaration].kind != command_kind::none)
        for (const auto output : spec.outputs)
          outputs_.push_back({p_.path(output), spec.name});
    for (const auto& [asset, depfile] : p_.depfiles)
      outputs_.push_back({p_.path(depfile), p_.asset(asset).name});
    std::sort(outputs_.begin(), outputs_.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  }

  void globs() {
    for (const auto& glob : d_.values.globs)
      for (const auto& pattern : glob.patterns) {
        exclusions_ = glob.exclusions;
        if (const auto* found = reached(pattern.text))
          return report(pattern, *found); // the first: there may be thousands
        if (compared_ > most_comparisons)
          return out_.error(pattern.where, "too_many_comparisons",
                            "comparing the globs of matrices with the outputs would take too long; let globs begin "
                            "with the folder they look into");
      }
  }

  void files() {
    for (const auto& [path, where] : d_.values.files)
      for (const auto& one : outputs_)
        if (is_at_or_beneath(path, one.path))
          return out_.error(where, "matrix_of_outputs",
                            in_quotes(path) + " is made by " + std::string(one.asset) +
                                ", but values are read before anything runs: have it made by another pipeline, or keep "
                                "it as a file of yours");
  }

private:
  [[nodiscard]] bool left_out(std::string_view path, bool beneath) const {
    return std::any_of(exclusions_.begin(), exclusions_.end(), [&](std::string_view pattern) {
      return takes_out(pattern, path) || (beneath && takes_out_all_beneath(pattern, path));
    });
  }

  const made_output* reached(std::string_view glob) {
    const auto root = glob_root(glob);
    for (const auto* one : at_or_above(root))
      if (!left_out(one->path, true))
        return one;
    const auto pattern = without_slash(glob);
    const auto prefix = glob_prefix(glob);
    auto at = std::lower_bound(outputs_.begin(), outputs_.end(), prefix,
                               [](const made_output& one, const std::string& text) { return one.path < text; });
    for (; at != outputs_.end() && at->path.starts_with(prefix); ++at) {
      if (++compared_ > most_comparisons)
        return nullptr;
      const auto relation = relate_to_glob(pattern, at->path);
      const bool into = relation.reaches && (relation.by_name || !looks_like_file(at->path));
      const bool inside = relation.beneath && asks_for_folders(glob);
      if ((relation.matches || into || inside) && !left_out(at->path, into && !relation.matches))
        return &*at;
    }
    return nullptr;
  }

  [[nodiscard]] std::vector<const made_output*> at_or_above(std::string_view folder) const {
    std::vector<const made_output*> found;
    for (auto rest = folder; !rest.empty() && rest != "/";) {
      const auto at = std::lower_bound(outputs_.begin(), outputs_.end(), rest,
                                       [](const made_output& one, std::string_view text) { return one.path < text; });
      if (at != outputs_.end() && at->path == rest)
        found.push_back(&*at);
      const auto slash = rest.rfind('/');
      rest = slash == std::string_view::npos ? std::string_view() : rest.substr(0, slash);
    }
    return found;
  }

  void report(const declared_pattern& glob, const made_output& one) {
    out_.error(glob.where, "matrix_of_outputs",
               "the glob " + in_quotes(glob.text) + " of a matrix can match what " + std::string(one.asset) +
                   " makes, " + in_quotes(one.path) +
                   ", but it is searched before anything runs: let it match sources only, or write \"!" +
                   glob_of_path(one.path) + "\" beside it");
  }

  const declared_pipeline& d_;
  const pipeline& p_;
  findings& out_;
  std::vector<made_output> outputs_; // sorted
  std::span<const std::string_view> exclusions_;
  std::size_t compared_ = 0;
};

} // namespace

void check_matrix_outputs(const declared_pipeline& d, findings& out) {
  if (d.values.globs.empty() && d.values.files.empty())
    return;
  output_checker check(d, out);
  check.globs();
  check.files();
}

} // namespace troupe_internal::config
