// The steps for one asset: its declaration, then for each combination its name, inputs and outputs.
#include "config/asset_maker.hpp"

#include "base/check.hpp"
#include "core/command/command.hpp"
#include "core/command/template_text.hpp"
#include "core/pipeline/glob.hpp"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

namespace troupe_internal::config {
namespace {

result<std::vector<std::string>> one_path(const pipeline& p, std::span<const matrix_value> matrix,
                                          std::string_view text) {
  auto path = render_path(p, matrix, text);
  if (!path)
    return path.error();
  return std::vector{std::move(*path)};
}

} // namespace

std::optional<std::size_t> combinations(const declared_pipeline& d, const declared_asset& a, std::size_t most) {
  if (a.matrix == declared_asset::none)
    return 1;
  std::size_t count = 1;
  for (const auto& variable : d.values.matrices[a.matrix].variables) {
    if (variable.values->size() > most / std::max<std::size_t>(count, 1))
      return std::nullopt;
    count *= variable.values->size();
  }
  return count;
}

std::uint64_t expanded_bytes(const declared_pipeline& d, const declared_asset& a) {
  std::uint64_t bytes = sizeof(asset_spec) + a.name.size();
  for (const auto& variable : d.values.matrices[a.matrix].variables) {
    std::size_t longest = 0;
    for (const auto& value : *variable.values)
      longest = std::max({longest, value.value.size(), value.id().size()});
    bytes += sizeof(matrix_value) + longest + 1;
  }
  for (const auto& items : {std::span(d.inputs).subspan(a.inputs.first, a.inputs.count),
                            std::span(d.outputs).subspan(a.outputs.first, a.outputs.count)})
    for (const auto& item : items)
      bytes += sizeof(input_ref) + sizeof(place) + (item.is_template ? d.templates[item.text].size() + 64 : 0);
  return bytes;
}

void asset_maker::make(declared_asset& a) {
  declare(a);
  combination_.assign(a.matrix == declared_asset::none ? 0 : d_.values.matrices[a.matrix].variables.size(), 0);
  const auto count = combinations(d_, a, std::numeric_limits<std::uint32_t>::max());
  TROUPE_CHECK(count, "the caller bounds matrices");
  const auto before = p_.assets.size();
  const bool may_be_more =
      a.matrix != declared_asset::none && std::ranges::any_of(d_.values.matrices[a.matrix].variables,
                                                              [](const auto& variable) { return variable.from_files; });
  for (std::size_t i = 0; i < *count; ++i) {
    if (!excluded(a))
      add(a, p_.assets.size() == before, *count == 1 && !may_be_more);
    next_combination(a);
  }
}

bool asset_maker::excluded(const declared_asset& a) const {
  if (a.matrix == declared_asset::none)
    return false;
  const auto& matrix = d_.values.matrices[a.matrix];
  return std::ranges::any_of(matrix.exclude, [&](const declared_exclusion& one) {
    return !one.by_number.empty() && std::ranges::all_of(one.by_number, [&](const auto& wanted) {
      return (*matrix.variables[wanted.first].values)[combination_[wanted.first]].id() == wanted.second;
    });
  });
}

void asset_maker::declare(const declared_asset& a) {
  asset_declaration& declaration = p_.declarations.emplace_back();
  declaration.where = a.where;
  declaration.description = a.description;
  declaration.kind = a.kind;
  declaration.script = a.script;
  declaration.command_where = a.command_where;
  declaration.command = a.command;
  declaration.function = a.function;
  declaration.rare = a.rare;
  const auto outputs = std::span(d_.outputs).subspan(a.outputs.first, a.outputs.count);
  if (std::any_of(outputs.begin(), outputs.end(), [](const path_item& item) { return item.is_template; })) {
    std::vector<std::string_view> templates;
    templates.reserve(outputs.size());
    for (const auto& item : outputs)
      templates.push_back(item.is_template ? p_.text.keep(d_.templates[item.text]) : std::string_view());
    declaration.output_templates = p_.text.keep(templates);
  }
  declaration.input_names = a.input_names;
  declaration.output_names = a.output_names;
  const auto inputs = std::span(d_.inputs).subspan(a.inputs.first, a.inputs.count);
  if (std::any_of(inputs.begin(), inputs.end(), [](const path_item& item) {
        return item.is_template || item.optional || item.outputs_of != path_item::no_name;
      })) {
    std::vector<std::string_view> templates;
    templates.reserve(inputs.size());
    for (const auto& item : inputs)
      templates.push_back(p_.text.keep(written(item)));
    declaration.input_templates = p_.text.keep(templates);
  }
  const auto deps = std::span(d_.deps).subspan(a.deps.first, a.deps.count);
  if (std::any_of(deps.begin(), deps.end(), [](const dependency_item& item) { return item.is_template; })) {
    std::vector<std::string_view> templates;
    templates.reserve(deps.size());
    for (const auto& item : deps)
      templates.push_back(p_.text.keep(d_.dependency_names.text(item.name)));
    declaration.dep_templates = p_.text.keep(templates);
  }
  declaration.settings = &p_.settings[a.patch == declared_asset::none ? 0 : a.patch + 1];
  // Without a matrix the one asset's name is the declaration's as well.
  if (a.matrix != declared_asset::none)
    declaration.name = p_.text.keep(a.name);
}

std::string asset_maker::written(const path_item& item) const {
  if (item.outputs_of != path_item::no_name)
    return std::string(d_.outputs_of[item.outputs_of].written);
  const std::string text(item.is_template ? d_.templates[item.text] : p_.paths.text(item.text));
  return item.optional ? "{\"optional\": \"" + text + "\"}" : (item.exclusion ? "!" : "") + text;
}

// The last variable turns fastest.
void asset_maker::next_combination(const declared_asset& a) {
  for (std::size_t i = combination_.size(); i-- > 0;) {
    if (++combination_[i] < d_.values.matrices[a.matrix].variables[i].values->size())
      return;
    combination_[i] = 0;
  }
}

void asset_maker::add(declared_asset& a, bool first, bool only) {
  const auto index = static_cast<std::uint32_t>(p_.assets.size());
  asset_spec& spec = p_.assets.emplace_back();
  spec.declaration = static_cast<std::uint32_t>(p_.declarations.size() - 1);
  name(a, spec, index);
  if (!a.takes_outputs)
    inputs(a, spec, first);
  outputs(a, spec, first, only);
  if (a.rare != nullptr && !a.rare->depfile.empty())
    depfile(a, asset_index(index), first);
}

void asset_maker::name(const declared_asset& a, asset_spec& spec, std::uint32_t index) {
  std::string_view full = a.name;
  if (a.matrix != declared_asset::none) {
    matrix_.clear();
    name_.assign(a.name);
    for (std::size_t i = 0; i < combination_.size(); ++i) {
      const auto& variable = d_.values.matrices[a.matrix].variables[i];
      const auto& value = (*variable.values)[combination_[i]];
      matrix_.push_back({variable.name, value.value, value.more});
      name_ += i == 0 ? '[' : ',';
      name_ += value.id();
    }
    name_ += ']';
    spec.matrix = p_.text.keep(matrix_);
    full = name_;
  }
  const auto number = p_.names.intern(full);
  TROUPE_CHECK(number == index, "names of assets are distinct");
  spec.name = p_.names.text(index);
  if (a.matrix == declared_asset::none)
    p_.declarations.back().name = spec.name;
}

std::optional<path_item> asset_maker::read(std::string_view text, std::string_view written, kind what, place where) {
  const bool excludes = what == kind::exclusion;
  if (is_plain_path(text))
    return path_item{p_.paths.intern(text), false, false, excludes, where};
  read_path(text, path_);
  if (what == kind::output && path_.glob && path_.problem.empty())
    path_.problem = "holds a wildcard, but outputs are files and folders by name (\\\\* is a plain *)";
  if (what == kind::optional && path_.glob && path_.problem.empty())
    path_.problem = "holds a wildcard, but an optional input is one path (a glob may match nothing anyway)";
  if (what == kind::depfile && path_.glob && path_.problem.empty())
    path_.problem = "holds a wildcard, but a depfile is one file by name (\\\\* is a plain *)";
  if (path_.problem.empty()) {
    constexpr std::size_t most_raised = 1000;
    if (path_.went_up && d_.raised.size() < most_raised)
      d_.raised.push_back({std::string(text), path_.text, where});
    if (excludes) // a pattern among patterns; what it takes out may be of any kind
      path_.text = path_.glob ? std::string(without_slash(path_.text)) : glob_of_path(path_.text);
    return path_item{p_.paths.intern(path_.text), false, path_.glob, excludes, where};
  }
  std::string message = what == kind::output    ? "the output "
                        : what == kind::depfile ? "the depfile "
                        : excludes              ? "the pattern after \"!\" "
                                                : "the input ";
  message += in_quotes(written);
  if (text != written)
    message += ", here " + in_quotes(text) + ",";
  out_.error(where, "bad_path", message + " " + std::string(path_.problem));
  return std::nullopt;
}

// The item with its path's templates filled in: one, or as many as a list among the inputs has. Where that makes no
// path (reported, once for all combinations) it keeps its place with the text as written.
const std::vector<path_item>& asset_maker::filled_in(declared_asset& a, path_item item, const asset_spec& spec,
                                                     kind what, bool first) {
  items_.clear();
  if (!item.is_template) {
    items_.push_back(item);
    return items_;
  }
  const auto written = d_.templates[item.text];
  if (first || !a.broken) {
    const auto in_what = [&] {
      return (what == kind::output ? " (in the output " : " (in the input ") + in_quotes(written) + ")";
    };
    auto texts = what == kind::output ? one_path(p_, spec.matrix, written) : render_paths(p_, spec.matrix, written);
    if (!texts && inserts_secret(p_, written))
      out_.error(item.where, "secret_in_path", texts.error().message + "; hand it over in \"env\"" + in_what());
    else if (!texts)
      out_.error(item.where, "unknown_template", texts.error().message + in_what());
    else if (read_all(*texts, written, item, what))
      return items_;
    a.broken = true;
  }
  item.text = p_.paths.intern(written);
  item.is_template = false;
  items_.assign(1, item);
  return items_;
}

bool asset_maker::read_all(const std::vector<std::string>& texts, std::string_view written, path_item item, kind what) {
  if (item.exclusion)
    what = kind::exclusion;
  else if (item.optional)
    what = kind::optional;
  for (const auto& text : texts) {
    const auto path = read(text, written, what, item.where);
    if (!path)
      return false;
    items_.push_back(*path);
    items_.back().optional = item.optional;
    items_.back().name = item.name;
  }
  return true;
}

void asset_maker::inputs(declared_asset& a, asset_spec& spec, bool first) {
  refs_.clear();
  named_.clear();
  exclusions_.clear();
  places_.clear();
  ++lists_;
  for (const auto& declared : std::span(d_.inputs).subspan(a.inputs.first, a.inputs.count)) {
    if (declared.outputs_of != path_item::no_name)
      a.broken |= !outputs_of(a, declared, spec, first);
    else
      for (const auto& item : filled_in(a, declared, spec, kind::input, first))
        input(item, first);
  }
  spec.inputs = p_.text.keep(refs_);
  spec.named = p_.text.keep(named_);
  spec.exclusions = p_.text.keep(exclusions_);
  spec.input_places = p_.text.keep(places_);
}

void asset_maker::input(const path_item& item, bool first) {
  if (item.exclusion) {
    exclusions_.push_back(path_index(item.text));
    return;
  }
  if (is_new(item.text, lists_)) {
    if (number_.size() < last_list_.size())
      number_.resize(last_list_.size());
    number_[item.text] = static_cast<std::uint32_t>(refs_.size());
    refs_.push_back({path_index(item.text), item.glob, item.optional});
    places_.push_back(item.where);
  } else if (item.name == path_item::no_name && first && item.outputs_of == path_item::no_name) {
    out_.warning(item.where, "duplicate_input",
                 "the input " + in_quotes(p_.paths.text(item.text)) + " stands here again");
  }
  const auto number = number_[item.text];
  if (!item.optional) // it is named as one that has to be there, too
    refs_[number].optional = false;
  if (item.name != path_item::no_name)
    named_.push_back({item.name, number});
}

// False if something was wrong, which is reported.
bool asset_maker::outputs_of(const declared_asset& a, const path_item& item, const asset_spec& spec, bool first) {
  const auto& wanted = d_.outputs_of[item.outputs_of];
  if (a.broken && !first)
    return false;
  const auto wrong = [&](std::string_view code, std::string message) {
    out_.error(item.where, code, std::move(message));
    return false;
  };
  for (const auto asset_name : wanted.assets) {
    const auto names = render_names(p_, spec.matrix, asset_name);
    if (!names)
      return wrong("unknown_template", names.error().message + " (in \"outputs_of\": " + in_quotes(asset_name) + ")");
    for (const auto& one : *names)
      for (const auto asset : (*find_)(one, item.where)) {
        const auto& other = p_.asset(asset);
        const auto& own_names = p_.declaration(asset).output_names;
        if (&other == &spec)
          return wrong("self_dependency", in_quotes(other.name) + " takes its own outputs");
        if (other.outputs.empty())
          return wrong("no_outputs", in_quotes(other.name) + " has no outputs to take; use \"deps\"");
        bool any = false;
        for (std::size_t i = 0; i < other.outputs.size(); ++i) {
          if (!wanted.named.empty() && (i >= own_names.size() || own_names[i] != wanted.named))
            continue;
          any = true;
          auto taken = item;
          taken.text = other.outputs[i].value;
          input(taken, first);
        }
        if (!any)
          return wrong("unknown_output",
                       in_quotes(other.name) + " has no output with the name " + in_quotes(wanted.named));
      }
  }
  return true;
}

void asset_maker::take_outputs(declared_asset& a, std::uint32_t first, std::uint32_t end, const find_assets& find) {
  find_ = &find;
  for (auto i = first; i < end; ++i)
    inputs(a, p_.assets[i], i == first);
  find_ = nullptr;
}

void asset_maker::outputs(declared_asset& a, asset_spec& spec, bool first, bool only) {
  paths_.clear();
  places_.clear();
  ++lists_;
  for (const auto& declared : std::span(d_.outputs).subspan(a.outputs.first, a.outputs.count)) {
    const auto item = filled_in(a, declared, spec, kind::output, first).front();
    const bool again = !is_new(item.text, lists_);
    if (first && !good_output(a, declared, again, only))
      continue;
    paths_.push_back(path_index(item.text));
    places_.push_back(item.where);
  }
  spec.outputs = p_.text.keep(paths_);
  spec.output_places = p_.text.keep(places_);
}

void asset_maker::depfile(declared_asset& a, asset_index asset, bool first) {
  if (a.broken && !first)
    return;
  const auto written = a.rare->depfile;
  const auto where = a.rare->depfile_where;
  const auto text =
      has_template(written) ? render_depfile(p_, asset, written) : result<std::string>(std::string(written));
  if (!text)
    out_.error(where, inserts_secret(p_, written) ? "secret_in_path" : "unknown_template",
               text.error().message + " (in the depfile " + in_quotes(written) + ")");
  const auto item = text ? read(*text, written, kind::depfile, where) : std::nullopt;
  if (item)
    p_.depfiles.emplace_back(asset, path_index(item->text));
  else
    a.broken = true;
}

bool asset_maker::good_output(declared_asset& a, const path_item& item, bool again, bool only) {
  const auto written = item.is_template ? d_.templates[item.text] : p_.paths.text(item.text);
  if (!again && (only || item.is_template))
    return true;
  a.broken = true;
  out_.error(item.where, "duplicate_output",
             again
                 ? "the output " + in_quotes(written) + " stands here again"
                 : "every combination of the matrix would write the output " + in_quotes(written) + "; put {{ matrix." +
                       std::string(d_.values.matrices[a.matrix].variables.front().name) + " }} into it");
  return false;
}

// Whether the path was not yet seen in this list.
bool asset_maker::is_new(std::uint32_t path, std::uint32_t list) {
  if (path >= last_list_.size())
    last_list_.resize(std::max<std::size_t>(p_.paths.size(), last_list_.size() * 2));
  return std::exchange(last_list_[path], list) != list;
}

} // namespace troupe_internal::config
