// All names first, then what refers to them. An asset's lists are collected in vectors that are reused from asset to
// asset, then kept in the pipeline's arena.
#include "app/config/expand.hpp"

#include "app/config/path_text.hpp"
#include "app/config/settings_reader.hpp"
#include "app/config/value_text.hpp"
#include "base/check.hpp"
#include "core/command.hpp"
#include "core/nearest_name.hpp"
#include "core/template_text.hpp"

#include <algorithm>
#include <utility>

namespace troupe::config {
namespace {

// How many names may be compared for suggestions in all, so that a huge file with many mistakes is answered quickly.
constexpr std::size_t suggestion_budget = 3'000'000;

constexpr std::size_t no_size = static_cast<std::size_t>(-1);

class expander {
public:
  expander(declared_pipeline& d, findings& out) : d_(d), p_(*d.p), out_(out) {}

  void run() {
    settings();
    pool_sizes();
    if (!assets())
      return;
    dependencies();
    templates();
  }

private:
  void settings() {
    const asset_settings base = applied(d_.defaults, {});
    p_.settings.push_back(base);
    for (const auto& patch : d_.patches)
      p_.settings.push_back(applied(patch, base));
  }

  void pool_sizes() {
    for (const auto& request : d_.pool_requests) {
      const auto pool = p_.engine.pools.find(request.name);
      if (pool == p_.engine.pools.end()) {
        nearest_name nearest(request.name);
        for (const auto& [name, size] : p_.engine.pools)
          nearest.consider(name);
        out_.error(request.where, "unknown_pool",
                   "there is no pool " + quoted(request.name) +
                       (p_.engine.pools.empty() ? "; declare it under \"engine\": { \"pools\": … }" : nearest.hint()));
      } else if (request.slots > pool->second) {
        out_.error(request.where, "pool_too_small",
                   std::to_string(request.slots) + " slots of the pool " + quoted(request.name) + ", which has " +
                       std::to_string(pool->second) + ": the asset could never start");
      }
    }
  }

  // The number of combinations; no_size if there are too many.
  [[nodiscard]] std::size_t combinations(const declared_asset& a) const {
    if (a.matrix == declared_asset::none)
      return 1;
    std::uint64_t count = 1;
    for (const auto& variable : d_.matrices[a.matrix]) {
      count *= variable.values.size();
      if (count > max_assets)
        return no_size;
    }
    return static_cast<std::size_t>(count);
  }

  // Declarations, names and paths. False if there are too many assets.
  bool assets() {
    std::uint64_t total = 0;
    for (const auto& a : d_.assets) {
      const auto count = combinations(a);
      total = count == no_size ? max_assets + 1 : total + count;
      if (total > max_assets) {
        out_.error(a.where, "too_many_assets",
                   quoted(a.name) + (a.matrix == declared_asset::none ? "" : ", with the combinations of its matrix,") +
                       " makes more than " + std::to_string(max_assets) + " assets");
        return false;
      }
    }
    p_.declarations.reserve(d_.assets.size());
    p_.assets.reserve(static_cast<std::size_t>(total));
    p_.names.reserve(static_cast<std::size_t>(total));
    first_asset_.reserve(d_.assets.size() + 1);
    for (auto& a : d_.assets) {
      first_asset_.push_back(static_cast<std::uint32_t>(p_.assets.size()));
      declare(a);
      combination_.assign(a.matrix == declared_asset::none ? 0 : d_.matrices[a.matrix].size(), 0);
      const std::size_t count = combinations(a);
      for (std::size_t i = 0; i < count; ++i) {
        asset(a, count);
        next_combination(a);
      }
    }
    first_asset_.push_back(static_cast<std::uint32_t>(p_.assets.size()));
    return true;
  }

  void declare(const declared_asset& a) {
    asset_declaration& declaration = p_.declarations.emplace_back();
    declaration.name = a.name; // replaced by text of the pipeline once there is some
    declaration.where = a.where;
    declaration.description =
        a.description.empty() && !d_.default_description.empty() ? p_.text.keep(d_.default_description) : a.description;
    declaration.kind = a.kind;
    declaration.command_where = a.command_where;
    declaration.command = a.command;
    declaration.settings = &p_.settings[a.patch == declared_asset::none ? 0 : a.patch + 1];
    if (a.matrix != declared_asset::none)
      declaration.name = p_.text.keep(a.name);
  }

  // The last variable turns fastest.
  void next_combination(const declared_asset& a) {
    for (std::size_t i = combination_.size(); i-- > 0;) {
      if (++combination_[i] < d_.matrices[a.matrix][i].values.size())
        return;
      combination_[i] = 0;
    }
  }

  void asset(declared_asset& a, std::size_t count) {
    const auto index = static_cast<std::uint32_t>(p_.assets.size());
    asset_spec& spec = p_.assets.emplace_back();
    spec.declaration = static_cast<std::uint32_t>(p_.declarations.size() - 1);
    if (a.matrix == declared_asset::none) {
      TROUPE_CHECK(p_.names.intern(a.name) == index, "names of assets are distinct");
      spec.name = p_.declarations.back().name = p_.names.text(index);
    } else {
      matrix_.clear();
      name_.assign(a.name);
      for (std::size_t i = 0; i < combination_.size(); ++i) {
        const auto& variable = d_.matrices[a.matrix][i];
        matrix_.push_back({variable.name, variable.values[combination_[i]]});
        name_ += i == 0 ? '[' : ',';
        name_ += matrix_.back().value;
      }
      if (!combination_.empty())
        name_ += ']';
      spec.matrix = p_.text.keep(matrix_);
      TROUPE_CHECK(p_.names.intern(name_) == index, "names of assets are distinct");
      spec.name = p_.names.text(index);
    }
    inputs(a, spec);
    outputs(a, spec, count);
  }

  // The number of the item's path with templates filled in; nullopt if it has none, which was reported.
  std::optional<std::uint32_t> filled_in(declared_asset& a, const path_item& item, const asset_spec& spec, bool output,
                                         bool& glob) {
    glob = item.glob;
    if (!item.is_template)
      return item.text;
    if (a.broken)
      return std::nullopt;
    const auto written = d_.templates[item.text];
    const std::string what = output ? "output " : "input ";
    auto text = render_path(p_, spec.matrix, written);
    if (!text) {
      out_.error(item.where,
                 text.error().message.find(" is no template") != std::string::npos ? "bad_template"
                                                                                   : "unknown_template",
                 text.error().message + " (in the " + what + quoted(written) + ")");
      a.broken = true;
      return std::nullopt;
    }
    read_path(*text, path_);
    if (output && path_.glob && path_.problem.empty())
      path_.problem = "holds a wildcard: outputs are files and folders by name (\\\\* is a plain *)";
    if (!path_.problem.empty()) {
      out_.error(item.where, "bad_path",
                 "the " + what + quoted(written) + ", which is " + quoted(*text) + " here, " +
                     std::string(path_.problem));
      a.broken = true;
      return std::nullopt;
    }
    glob = path_.glob;
    return p_.paths.intern(path_.text);
  }

  void inputs(declared_asset& a, asset_spec& spec) {
    refs_.clear();
    places_.clear();
    for (const auto& item : items(d_.inputs, a.inputs)) {
      bool glob = false;
      const auto path = filled_in(a, item, spec, false, glob);
      if (!path)
        continue;
      if (!is_new(*path, 2 * index_of(spec) + 1)) {
        if (is_first(spec))
          out_.warning(item.where, "duplicate_input",
                       "the input " + quoted(p_.paths.text(*path)) + " stands here again");
        continue;
      }
      refs_.push_back({path_index(*path), glob});
      places_.push_back(item.where);
    }
    spec.inputs = p_.text.keep(refs_);
    spec.input_places = p_.text.keep(places_);
  }

  void outputs(declared_asset& a, asset_spec& spec, std::size_t count) {
    paths_.clear();
    places_.clear();
    for (const auto& item : items(d_.outputs, a.outputs)) {
      bool glob = false;
      const auto path = filled_in(a, item, spec, true, glob);
      if (!path || (is_first(spec) && !good_output(a, item, *path, count)))
        continue;
      paths_.push_back(path_index(*path));
      places_.push_back(item.where);
    }
    spec.outputs = p_.text.keep(paths_);
    spec.output_places = p_.text.keep(places_);
  }

  bool good_output(declared_asset& a, const path_item& item, std::uint32_t path, std::size_t count) {
    const auto text = p_.paths.text(path);
    const auto wrong = [&](std::string_view code, std::string message) {
      out_.error(item.where, code, std::move(message));
      a.broken = true;
      return false;
    };
    const std::string_view state = p_.engine.state_dir;
    if (text.starts_with(state) ? is_at_or_beneath(text, state) : is_at_or_beneath(state, text))
      return wrong("output_in_state", "the output " + quoted(text) + " and Troupe's own state in " + quoted(state) +
                                          " would be in each other's way");
    if (!p_.file.empty() && text == std::string_view(p_.file).substr(p_.file.rfind('/') + 1))
      return wrong("output_is_pipeline", "the output " + quoted(text) + " is this pipeline file");
    if (!is_new(path, 2 * first_asset_.back() + 2))
      return wrong("duplicate_output", "the output " + quoted(text) + " stands here again");
    if (count > 1 && !item.is_template)
      return wrong("duplicate_output", "every combination of the matrix would write the output " + quoted(text) +
                                           "; put {{ matrix." + std::string(d_.matrices[a.matrix].front().name) +
                                           " }} into it");
    return true;
  }

  [[nodiscard]] std::uint32_t index_of(const asset_spec& spec) const {
    return static_cast<std::uint32_t>(&spec - p_.assets.data());
  }
  [[nodiscard]] bool is_first(const asset_spec& spec) const { return first_asset_.back() == index_of(spec); }

  // Whether the path was not yet seen in this list.
  bool is_new(std::uint32_t path, std::uint32_t list) {
    if (path >= last_list_.size())
      last_list_.resize(p_.paths.size());
    return std::exchange(last_list_[path], list) != list;
  }

  template <class T>
  static std::span<const T> items(const std::vector<T>& all, item_range range) {
    return std::span(all).subspan(range.first, range.count);
  }

  // Every name written in "deps" is looked up once; the combinations of one declaration share one list.
  void dependencies() {
    std::vector<item_range> meant(d_.dependency_names.size());
    for (std::uint32_t i = 0; i < meant.size(); ++i) {
      const auto name = d_.dependency_names.text(i);
      if (const auto declared = d_.asset_names.find(name))
        meant[i] = {first_asset_[*declared], first_asset_[*declared + 1] - first_asset_[*declared]};
      else if (const auto expanded = p_.names.find(name))
        meant[i] = {*expanded, 1};
    }
    std::uint64_t total = 0;
    std::vector<asset_index> list;
    for (std::uint32_t number = 0; number < d_.assets.size(); ++number) {
      const auto& a = d_.assets[number];
      if (a.deps.count == 0)
        continue;
      list.clear();
      for (const auto& item : items(d_.deps, a.deps)) {
        const auto range = meant[item.name];
        const auto name = d_.dependency_names.text(item.name);
        if (range.count == 0 && d_.asset_names.find(name))
          continue; // a matrix without values, reported
        if (range.count == 0)
          unknown_dependency(name, item.where);
        else if (range.first < first_asset_[number + 1] && first_asset_[number] < range.first + range.count)
          out_.error(item.where, "self_dependency",
                     quoted(a.name) + " depends on itself" +
                         (range.first + range.count - range.first > 1 || name != a.name
                              ? ": the combinations of one matrix cannot need each other"
                              : ""));
        total += range.count;
        if (total > max_named_dependencies) {
          out_.error(item.where, "too_many_dependencies",
                     "more than " + std::to_string(max_named_dependencies) + " dependencies by name");
          return;
        }
        for (std::uint32_t i = 0; i < range.count; ++i)
          list.push_back(asset_index(range.first + i));
      }
      remove_duplicates(list);
      const auto kept = p_.text.keep(list);
      total += kept.size() * (first_asset_[number + 1] - first_asset_[number]);
      for (std::uint32_t i = first_asset_[number]; i < first_asset_[number + 1]; ++i)
        p_.assets[i].deps = kept;
    }
  }

  void remove_duplicates(std::vector<asset_index>& list) {
    if (list.size() < 2)
      return;
    if (seen_.size() < p_.assets.size())
      seen_.resize(p_.assets.size());
    std::erase_if(list, [&](asset_index i) { return seen_[i.value] ? true : (seen_[i.value] = true, false); });
    for (const auto i : list)
      seen_[i.value] = false;
  }

  void unknown_dependency(std::string_view name, place where) {
    nearest_name nearest(name);
    const bool expanded = name.find('[') != std::string_view::npos;
    const std::size_t candidates = expanded ? p_.assets.size() : d_.assets.size();
    if (compared_ + candidates <= suggestion_budget) {
      compared_ += candidates;
      if (expanded)
        for (const auto& spec : p_.assets)
          nearest.consider(spec.name);
      else
        for (const auto& a : d_.assets)
          nearest.consider(a.name);
    }
    out_.error(where, "unknown_dependency",
               "there is no asset " + quoted(name) +
                   (has_template(name) ? "; \"deps\" takes no templates: an input that is its output makes a dependency"
                                       : nearest.hint()));
  }

  // Once for each declaration: its combinations differ in values only.
  void templates() {
    for (std::uint32_t number = 0; number < d_.assets.size() && !out_.full(); ++number) {
      if (d_.assets[number].broken || first_asset_[number] == first_asset_[number + 1])
        continue;
      const auto& declaration = p_.declarations[number];
      const bool needed = std::any_of(declaration.command.begin(), declaration.command.end(), has_template) ||
                          std::any_of(declaration.settings->env.begin(), declaration.settings->env.end(),
                                      [](const env_entry& e) { return has_template(e.text); });
      if (!needed)
        continue;
      check_templates(p_, asset_index(first_asset_[number]), out_.list());
      out_.recount();
    }
  }

  declared_pipeline& d_;
  pipeline& p_;
  findings& out_;
  std::vector<std::uint32_t> first_asset_; // of each declaration, and one behind the last
  std::vector<std::size_t> combination_;   // an index into the values of each variable
  std::vector<matrix_value> matrix_;
  std::string name_;
  declared_path path_;
  std::vector<input_ref> refs_;
  std::vector<path_index> paths_;
  std::vector<place> places_;
  std::vector<bool> seen_;
  std::vector<std::uint32_t> last_list_; // by path: the list that named it last
  std::size_t compared_ = 0;
};

} // namespace

void override_params(declared_pipeline& d, const std::vector<std::pair<std::string, std::string>>& overrides,
                     findings& out) {
  using type = param_value::type;
  auto& params = d.p->params;
  for (const auto& given_param : overrides) {
    const auto& name = given_param.first;
    const auto& text = given_param.second;
    const auto param = params.find(name);
    if (param == params.end()) {
      nearest_name nearest(name);
      for (const auto& [known, value] : params)
        nearest.consider(known);
      out.error({}, "unknown_param",
                "--param " + name + ": the pipeline has no param " + quoted(name) +
                    (params.empty() ? "; it declares none under \"params\"" : nearest.hint()));
      continue;
    }
    const auto where = d.param_places.find(name);
    const std::string given = "--param " + name + "=" + text;
    const auto wrong = [&](std::string_view expected) {
      out.error(where->second, "wrong_type", given + ": " + quoted(name) + " is declared as " + std::string(expected));
    };
    if (text.find('\0') != std::string::npos)
      out.error(where->second, "nul_byte", "--param " + name + ": the value holds a NUL");
    else if (param->second.kind == type::number && !number_problem(text).empty())
      wrong("a number");
    else if (param->second.kind == type::boolean && text != "true" && text != "false")
      wrong("true or false");
    else
      param->second.text = text;
  }
}

void expand(declared_pipeline& d, findings& out) {
  expander(d, out).run();
}

} // namespace troupe::config
