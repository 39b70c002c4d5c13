// One sentence a mistake.
#include "core/pipeline/graph_findings.hpp"

#include "core/pipeline/glob.hpp"

namespace troupe_internal {
namespace {

constexpr std::size_t most_graph_findings = 100; // mistakes that are told; one more word says that there are more

place at_or(std::span<const place> places, std::size_t k, place fallback) {
  return k < places.size() ? places[k] : fallback;
}

} // namespace

graph_findings::graph_findings(const pipeline& p, diagnostics& out) : p_(p), out_(out) {
  for (const auto& item : out.items)
    if (item.level == severity::error) {
      wrong_already_.emplace(item.where.line, item.where.column);
      ++reported_count_;
    }
}

place graph_findings::input_place(asset_index asset, std::size_t k) const {
  return at_or(p_.asset(asset).input_places, k, declared(asset));
}

place graph_findings::output_place(asset_index asset, std::size_t k) const {
  return at_or(p_.asset(asset).output_places, k, declared(asset));
}

std::string graph_findings::input(asset_index asset, std::size_t k) const {
  return std::string(p_.path(p_.asset(asset).inputs[k].path));
}

std::string graph_findings::output(asset_index asset, std::size_t k) const {
  return std::string(p_.path(p_.asset(asset).outputs[k]));
}

void graph_findings::duplicate_output(asset_index asset, std::size_t k, asset_index maker) {
  std::string message = output(asset, k);
  if (maker == asset) {
    message += " stands twice among the outputs of " + name(asset);
    return report(output_place(asset, k), "duplicate_output", std::move(message));
  }
  message += " is an output of " + name(asset) + " and of " + name(maker) + ": a file has one maker";
  const auto& matrix = p_.asset(asset).matrix;
  if (p_.asset(maker).declaration == p_.asset(asset).declaration)
    message += "; name the matrix variables in the output, as in out/{{ matrix." +
               std::string(matrix.empty() ? "x" : matrix.front().variable) + " }}";
  else if (const place first = declared(maker); first.line != 0)
    message += " (" + name(maker) + " is declared at line " + std::to_string(first.line) + ")";
  report(output_place(asset, k), "duplicate_output", std::move(message));
}

void graph_findings::output_prefix(asset_index asset, std::size_t k, file_number above, asset_index maker,
                                   const path_identities& same) {
  report(output_place(asset, k), "output_prefix",
         output(asset, k) + ", an output of " + name(asset) + ", lies in " + text(same, above) + ", an output of " +
             (maker == asset ? "the same asset" : name(maker)) + ": one output cannot be part of another");
}

void graph_findings::names_itself(asset_index asset) {
  report(declared(asset), "self_dependency", name(asset) + " names itself in its deps");
}

void graph_findings::reads_own(asset_index asset, std::size_t k, const std::string& finding) {
  report(input_place(asset, k), "self_dependency",
         input(asset, k) + finding +
             ": every run would change what it reads, so it would never be fresh; leave it out of the inputs");
}

void graph_findings::excluded_input(asset_index asset, std::size_t k, std::string_view pattern) {
  report(input_place(asset, k), "excluded_input",
         input(asset, k) + ", an input of " + name(asset) + ", is taken out by " +
             (pattern.empty() ? "a \"!\" pattern" : "\"!" + std::string(pattern) + "\"") +
             " of the same list: leave one of the two out");
}

void graph_findings::too_many_comparisons(asset_index asset, std::size_t k) {
  report(input_place(asset, k), "too_many_comparisons",
         "comparing the globs with the outputs would take too long; let globs begin with the folder they look into");
}

void graph_findings::cycle(asset_index first, std::string message) {
  report(declared(first), "cycle", std::move(message));
}

void graph_findings::folder_left_out(asset_index reader, std::size_t k, file_number folder, asset_index maker,
                                     const path_identities& same) {
  const place where = input_place(reader, k);
  if (where.line != 0 && !reported_.emplace(where.line, where.column, "folder_left_out").second)
    return;
  const auto path = text(same, folder);
  out_.warning(where, "folder_left_out",
               "the glob " + input(reader, k) + " of " + name(reader) + " leaves out " + path + ", an output of " +
                   name(maker) + ", which needs " + name(reader) + "; write \"!" + glob_of_path(path) +
                   "\" in the inputs of " + name(reader) + " to say so");
}

void graph_findings::report(place where, std::string_view code, std::string message) {
  failed_ = true;
  if (reported_count_ > most_graph_findings ||
      (where.line != 0 && !reported_.emplace(where.line, where.column, code).second) ||
      (where.line != 0 && code != "cycle" && wrong_already_.contains({where.line, where.column})))
    return;
  if (reported_count_++ == most_graph_findings)
    return out_.error(where, "too_many_errors",
                      "more than " + std::to_string(most_graph_findings) + " mistakes; the rest is not shown");
  out_.error(where, code, std::move(message));
}

} // namespace troupe_internal
