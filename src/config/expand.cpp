// All names first, then what refers to them.
#include "config/expand.hpp"

#include "config/asset_maker.hpp"
#include "config/matrix_outputs.hpp"
#include "config/matrix_source.hpp"
#include "config/param_list.hpp"
#include "config/path_text.hpp"
#include "config/rare_keys_reader.hpp"
#include "config/settings_reader.hpp"
#include "config/value_text.hpp"
#include "core/command/command.hpp"
#include "core/command/secret_mask.hpp"
#include "core/command/template_text.hpp"
#include "core/pipeline/nearest_name.hpp"

#include <algorithm>
#include <array>

namespace troupe_internal::config {
namespace {

// How many names may be compared for suggestions in all, so that a huge file with many mistakes is answered quickly.
constexpr std::size_t suggestion_budget = 3'000'000;

std::string in_words(std::uint64_t bytes) {
  return bytes >> 30U != 0 ? std::to_string(bytes >> 30U) + " GiB" : std::to_string(bytes >> 20U) + " MiB";
}

class expander {
public:
  expander(declared_pipeline& d, findings& out) : d_(d), p_(*d.p), out_(out) {}

  bool run() {
    if (!settings())
      return false;
    pool_sizes();
    read_matrices(d_, out_);
    if (!assets())
      return false;
    taken_outputs();
    outputs();
    check_depfiles(p_, out_);
    check_matrix_outputs(d_, out_);
    dependencies();
    skipping();
    templates();
    shell_syntax();
    return true;
  }

private:
  // Each patch over the defaults, lists and all. False if that is too much.
  bool settings() {
    const asset_settings base = applied(d_.defaults, {});
    const auto is_secret = [](const auto& entry) { return entry.secret; };
    p_.settings.front() = base;
    p_.declares_secrets =
        std::any_of(base.env.begin(), base.env.end(), is_secret) ||
        std::any_of(p_.params.begin(), p_.params.end(), [](const auto& param) { return param.second.secret; });
    if (listed_entries(base) * d_.patches.size() > d_.limits.setting_entries) {
      out_.error(d_.defaults_where, "too_large",
                 "\"defaults\" has " + std::to_string(listed_entries(base)) + " entries in its lists, and " +
                     std::to_string(d_.patches.size()) +
                     " assets with settings of their own take them over: more than " +
                     std::to_string(d_.limits.setting_entries) + " in all");
      return false;
    }
    for (std::size_t i = 0; i < d_.patches.size(); ++i) {
      const auto& env = d_.patches[i].env;
      p_.declares_secrets = p_.declares_secrets || std::any_of(env.begin(), env.end(), is_secret);
      p_.settings[i + 1] = applied(d_.patches[i], base);
    }
    return true;
  }

  void pool_sizes() {
    for (const auto& request : d_.pool_requests) {
      if (out_.full())
        return;
      const auto pool = p_.engine.pools.find(request.name);
      if (pool == p_.engine.pools.end()) {
        nearest_name nearest(request.name);
        for (const auto& [name, size] : p_.engine.pools)
          nearest.consider(name);
        out_.error(request.where, "unknown_pool",
                   "there is no pool " + in_quotes(request.name) +
                       (p_.engine.pools.empty() ? "; declare it under \"engine\": { \"pools\": … }" : nearest.hint()));
      } else if (request.slots > pool->second) {
        out_.error(request.where, "pool_too_small",
                   std::to_string(request.slots) + " slots of the pool " + in_quotes(request.name) + ", which has " +
                       std::to_string(pool->second) + ": the asset could never start");
      }
    }
  }

  // Makes the assets that waited. False if there are too many.
  bool assets() {
    std::size_t total = p_.assets.size();
    std::uint64_t bytes = 0;
    for (auto& a : d_.waiting) {
      a.broken |= a.matrix != declared_asset::none && d_.values.matrices[a.matrix].broken;
      const auto count = combinations(d_, a, d_.limits.assets);
      total = count ? total + *count : d_.limits.assets + 1;
      if (total > d_.limits.assets)
        return too_many(a.where, a.name);
      if (a.matrix != declared_asset::none && (bytes += *count * expanded_bytes(d_, a)) > d_.limits.expanded_bytes) {
        out_.error(a.where, "too_large",
                   "with " + in_quotes(a.name) + " the names and paths of expanded assets take more than " +
                       in_words(d_.limits.expanded_bytes));
        return false;
      }
    }
    const auto built = static_cast<std::uint32_t>(p_.assets.size());
    p_.declarations.reserve(built + d_.waiting.size());
    p_.assets.reserve(total);
    p_.names.reserve(total);
    first_asset_.reserve(built + d_.waiting.size() + 1);
    for (std::uint32_t i = 0; i < built; ++i)
      first_asset_.push_back(i);
    asset_maker maker(d_, out_);
    for (auto& a : d_.waiting) {
      first_asset_.push_back(static_cast<std::uint32_t>(p_.assets.size()));
      maker.make(a);
    }
    first_asset_.push_back(static_cast<std::uint32_t>(p_.assets.size()));
    if (!d_.default_description.empty()) {
      const auto text = p_.text.keep(d_.default_description);
      for (auto& declaration : p_.declarations)
        if (declaration.description.empty())
          declaration.description = text;
    }
    return true;
  }

  // Inputs that are outputs of others, now that all assets are there.
  void taken_outputs() {
    const auto built = p_.declarations.size() - d_.waiting.size();
    asset_maker maker(d_, out_);
    const asset_maker::find_assets find = [this](std::string_view name, place where) {
      const auto range = assets_called(name);
      if (range.count == 0)
        unknown_dependency(name, where);
      std::vector<asset_index> found;
      for (std::uint32_t i = 0; i < range.count; ++i)
        found.push_back(asset_index(range.first + i));
      return found;
    };
    for (std::size_t i = 0; i < d_.waiting.size(); ++i)
      if (d_.waiting[i].takes_outputs)
        maker.take_outputs(d_.waiting[i], first_asset_[built + i], first_asset_[built + i + 1], find);
  }

  bool too_many(place where, std::string_view name) {
    out_.error(where, "too_many_assets",
               "with " + in_quotes(name) + " there are more than " + std::to_string(d_.limits.assets) + " assets");
    return false;
  }

  [[nodiscard]] bool command_broken(std::uint32_t declaration) const {
    const std::size_t built = p_.declarations.size() - d_.waiting.size();
    return declaration >= built && d_.waiting[declaration - built].command_broken;
  }

  // What no asset may write: Troupe's state, and the file that says so.
  void outputs() {
    const std::string_view state = p_.engine.state_dir;
    const std::string_view file = std::string_view(p_.file).substr(p_.file.rfind('/') + 1);
    std::uint32_t reported = static_cast<std::uint32_t>(-1);
    for (const auto& spec : p_.assets)
      for (std::size_t i = 0; i < spec.outputs.size() && spec.declaration != reported; ++i) {
        const auto text = p_.path(spec.outputs[i]);
        if (text.starts_with(state) ? is_at_or_beneath(text, state) : is_at_or_beneath(state, text))
          out_.error(spec.output_places[i], "output_in_state",
                     "the output " + in_quotes(text) + " and Troupe's own state in " + in_quotes(state) +
                         " would be in each other's way");
        else if (text == file)
          out_.error(spec.output_places[i], "output_is_pipeline",
                     "the output " + in_quotes(text) + " is this pipeline file");
        else
          continue;
        reported = spec.declaration;
      }
  }

  // Every name written in "deps" is looked up once; the combinations of one declaration share one list, unless a
  // template is in it.
  void dependencies() {
    std::vector<item_range> meant(d_.dependency_names.size());
    for (std::uint32_t i = 0; i < meant.size(); ++i)
      meant[i] = assets_called(d_.dependency_names.text(i));
    for (const auto& [declaration, items] : d_.dependency_lists) {
      const auto deps = std::span(d_.deps).subspan(items.first, items.count);
      const std::uint32_t first = first_asset_[declaration];
      const std::uint32_t end = first_asset_[declaration + 1];
      const bool templated =
          std::any_of(deps.begin(), deps.end(), [](const dependency_item& item) { return item.is_template; });
      const bool good = templated ? own_dependencies(deps, first, end) : shared_dependencies(deps, meant, declaration);
      if (!good)
        return;
    }
  }

  // False if there are too many in all.
  bool shared_dependencies(std::span<const dependency_item> deps, const std::vector<item_range>& meant,
                           std::uint32_t declaration) {
    const std::uint32_t first = first_asset_[declaration];
    const std::uint32_t end = first_asset_[declaration + 1];
    std::vector<asset_index> list;
    for (const auto& item : deps) {
      const auto range = meant[item.name];
      if (range.count == 0) {
        unknown_dependency(d_.dependency_names.text(item.name), item.where);
      } else if (range.first < end && first < range.first + range.count) {
        out_.error(item.where, "self_dependency",
                   in_quotes(p_.declarations[declaration].name) + " depends on itself" +
                       (end - first > 1 ? ": combinations of one matrix cannot need each other by name" : ""));
        continue; // told once: the graph would find it as well
      }
      if (!count_dependencies(range.count * std::uint64_t(std::max(end - first, 1U)), item.where))
        return false;
      for (std::uint32_t i = 0; i < range.count; ++i)
        list.push_back(asset_index(range.first + i));
    }
    remove_duplicates(list);
    const auto kept = p_.text.keep(list);
    for (std::uint32_t i = first; i < end; ++i)
      p_.assets[i].deps = kept;
    return true;
  }

  // A mistake is reported for the first combination that has it.
  bool own_dependencies(std::span<const dependency_item> deps, std::uint32_t first, std::uint32_t end) {
    const auto errors = out_.errors();
    std::vector<asset_index> list;
    for (std::uint32_t i = first; i < end; ++i) {
      list.clear();
      for (const auto& item : deps) {
        const auto written = d_.dependency_names.text(item.name);
        const auto names = render_names(p_, p_.assets[i].matrix, written);
        if (!names)
          out_.error(item.where, "unknown_template",
                     names.error().message + " (in the dependency " + in_quotes(written) + ")");
        for (const auto& name : names ? *names : std::vector<std::string>()) {
          const auto range = assets_called(name);
          if (range.count == 0)
            unknown_dependency(name, item.where);
          else if (range.first <= i && i < range.first + range.count)
            out_.error(item.where, "self_dependency", in_quotes(p_.assets[i].name) + " depends on itself");
          if (!count_dependencies(range.count, item.where))
            return false;
          for (std::uint32_t k = 0; k < range.count; ++k)
            list.push_back(asset_index(range.first + k));
        }
      }
      if (out_.errors() != errors)
        return true;
      remove_duplicates(list);
      p_.assets[i].deps = p_.text.keep(list);
    }
    return true;
  }

  bool count_dependencies(std::uint64_t more, place where) {
    named_dependencies_ += more;
    if (named_dependencies_ <= d_.limits.named_dependencies)
      return true;
    out_.error(where, "too_many_dependencies",
               "more than " + std::to_string(d_.limits.named_dependencies) + " dependencies by name");
    return false;
  }

  // All assets of a declared name, or the one of an expanded name; none if there is no such.
  [[nodiscard]] item_range assets_called(std::string_view name) const {
    if (const auto waiting = d_.waiting_names.find(name)) {
      const std::size_t declaration = p_.declarations.size() - d_.waiting.size() + *waiting;
      return {first_asset_[declaration], first_asset_[declaration + 1] - first_asset_[declaration]};
    }
    const auto index = p_.names.find(name);
    return index ? item_range{*index, 1} : item_range{};
  }

  [[nodiscard]] bool looks_like_file(std::string_view name) const {
    const auto base = name.substr(0, name.find('['));
    return base.find('/') != std::string_view::npos || p_.paths.find(name) ||
           (base.find('.') != std::string_view::npos && !is_known_start(base));
  }
  /// Names of assets may have dots, too.
  [[nodiscard]] bool is_known_start(std::string_view name) const {
    const auto start = name.substr(0, name.find('.') + 1);
    return std::any_of(p_.declarations.begin(), p_.declarations.end(),
                       [&](const auto& one) { return one.name.starts_with(start); });
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
    if (d_.waiting_names.find(name))
      return; // it has a matrix without values, which was reported
    nearest_name nearest(name);
    const bool expanded = name.find('[') != std::string_view::npos;
    const std::size_t candidates = expanded ? p_.assets.size() : p_.declarations.size();
    if (compared_ + candidates <= suggestion_budget) {
      compared_ += candidates;
      if (expanded)
        for (const auto& spec : p_.assets)
          nearest.consider(spec.name);
      else
        for (const auto& declaration : p_.declarations)
          nearest.consider(declaration.name);
    }
    out_.error(where, "unknown_dependency",
               "there is no asset " + in_quotes(name) +
                   (looks_like_file(name)
                        ? "; \"deps\" names assets: a file stands in \"inputs\", and what makes it is "
                          "then a dependency"
                        : nearest.hint()));
  }

  // An asset that was skipped keeps what it made before: nothing may have removed it.
  void skipping() {
    for (const auto& one : p_.declarations)
      if (!one.settings->skip_exit_codes.empty() && one.settings->clear_outputs && one.kind != command_kind::none)
        out_.error(one.where, "contradiction",
                   in_quotes(one.name) +
                       " has \"skip_exit_codes\" and \"clear_outputs\": what it made before is to be kept where it "
                       "is skipped, and would be removed before each attempt; leave one of the two out");
  }

  // In a list nothing is read by a shell.
  void shell_syntax() {
    static constexpr std::array<std::string_view, 9> operators = {"|", "||", "&", "&&", ";", ">", ">>", "<", "2>&1"};
    const auto is_variable = [](std::string_view word) {
      const bool braced = word.starts_with("${") && word.ends_with('}');
      const auto name = braced ? word.substr(2, word.size() - 3) : word.starts_with('$') ? word.substr(1) : "";
      return is_variable_name(name) && name.find_first_of("abcdefghijklmnopqrstuvwxyz") == std::string_view::npos;
    };
    for (const auto& one : p_.declarations) {
      if (one.kind != command_kind::argv || one.command.empty() || one.command.front().ends_with("sh"))
        continue;
      const auto found = std::find_if(one.command.begin() + 1, one.command.end(), [&](std::string_view word) {
        return std::find(operators.begin(), operators.end(), word) != operators.end() || is_variable(word) ||
               word.starts_with("~/");
      });
      if (found != one.command.end())
        out_.warning(one.command_where, "shell_syntax",
                     in_quotes(*found) + " in the list command of " + in_quotes(one.name) +
                         " is handed to the program as it is: write the command as one string where a shell is meant");
    }
  }

  // Once for each declaration: its combinations differ in values only.
  void templates() {
    for (std::uint32_t number = 0; number < p_.declarations.size() && !out_.full(); ++number) {
      if (command_broken(number) || first_asset_[number] == first_asset_[number + 1])
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
  std::vector<bool> seen_;
  std::size_t compared_ = 0;
  std::uint64_t named_dependencies_ = 0; // in all
};

} // namespace

namespace {

/// A JSON list, or a text that is the only one.
void set_list(declared_pipeline& d, std::string_view text, param_value& param, const std::function<void()>& wrong) {
  std::vector<std::string> items{std::string(text)};
  if (text.find_first_not_of(" \t\r\n") != std::string_view::npos && text[text.find_first_not_of(" \t\r\n")] == '[') {
    auto list = read_list(text);
    if (!list)
      return wrong();
    items = std::move(*list);
  }
  std::vector<std::string_view> kept;
  for (const auto& item : items)
    kept.push_back(d.p->text.keep(item));
  param.items = d.p->text.keep(kept);
  param.text = list_text(param.items);
}

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
                "--param " + name + ": the pipeline has no param " + in_quotes(name) +
                    (params.empty() ? "; it declares none under \"params\"" : nearest.hint()));
      continue;
    }
    const auto where = d.param_places.find(name);
    const bool secret = param->second.secret;
    const std::string given = "--param " + name + "=" + (secret ? std::string(secret_mark) : text);
    const auto wrong = [&](std::string_view expected) {
      out.error(where->second, "wrong_type",
                given + ": " + in_quotes(name) + " is declared as " + std::string(expected));
    };
    if (text.find('\0') != std::string::npos)
      out.error(where->second, "nul_byte", "--param " + name + ": the value holds a NUL");
    else if (param->second.kind == type::number && !number_problem(text).empty())
      wrong("a number");
    else if (param->second.kind == type::boolean && text != "true" && text != "false")
      wrong("true or false");
    else if (param->second.kind == type::list)
      set_list(d, text, param->second, [&] {
        wrong("a list of strings: write a JSON list such as [\"a\", \"b\"], or a text that does not begin with \"[\", "
              "which is a list of one");
      });
    else if (secret && text == secret_mark)
      out.error(where->second, "bad_value",
                given + ": the mark stands for a secret value where that is not shown; give the value itself");
    else
      param->second.text = text;
  }
}

bool expand(declared_pipeline& d, findings& out) {
  return expander(d, out).run();
}

} // namespace troupe_internal::config
