// Follows the text in one pass; what an asset shares with others (settings, paths, names) is stored once as it is read.
#include "config/pipeline_reader.hpp"

#include "config/asset_maker.hpp"
#include "config/expand.hpp"
#include "config/matrix_reader.hpp"
#include "config/param_list.hpp"
#include "config/path_text.hpp"
#include "config/paths_reader.hpp"
#include "config/rare_keys_reader.hpp"
#include "config/settings_reader.hpp"
#include "config/trigger_reader.hpp"
#include "core/command/template_text.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal::config {
namespace {

// MAX_ARG_STRLEN of Linux: exec takes no argument that is longer, and a shell gets its text as one.
constexpr std::size_t max_command_bytes = 128 * 1024 - 1;
// How many paths are told of at a time.
constexpr std::uint32_t paths_at_a_time = 512;

class reader {
public:
  reader(json_reader& json, findings& out, declared_pipeline& into)
      : json_(json), out_(out), d_(into), p_(*into.p), values_(json, out), settings_(values_, into.pool_requests),
        matrices_(values_, into), maker_(into, out), paths_(values_, into, maker_), rare_(values_, into) {
    p_.settings.emplace_back();
  }

  bool file() {
    bool has_name = false;
    bool has_assets = false;
    const auto v = values_.next();
    const place root = v.where;
    if (v.kind != json_kind::object) {
      values_.wrong_type(v, "a pipeline file", "an object { … }");
      return false;
    }
    values_.members("the pipeline file", file_keys, [&](std::size_t key) {
      switch (key) {
      case 0:
        static_cast<void>(values_.string("$schema"));
        return;
      case 1:
        has_name = true;
        if (const auto text = values_.name("a pipeline"))
          p_.name = *text;
        return;
      case 2:
        if (const auto text = values_.string("description"))
          p_.description = *text;
        return;
      case 3:
        return params();
      case 4:
        return engine();
      case 5:
        return defaults();
      case 6:
        return read_triggers(values_, d_.triggers);
      case 8:
        return matrices_.named_values();
      default:
        has_assets = true;
        return assets();
      }
    });
    json_.finish();
    if (json_.failed())
      return false;
    if (!has_name)
      out_.error(root, "missing_key", "the pipeline has no \"name\"; it tells pipelines in one state apart");
    if (!has_assets)
      out_.error(root, "no_assets", "the pipeline has no \"assets\"");
    return true;
  }

private:
  void params() {
    if (!values_.expect(json_kind::object, "params", "an object of names and values"))
      return;
    std::string_view key;
    place where;
    while (json_.next_member(key, where)) {
      const std::string name(key);
      const auto [first, is_new] = d_.param_places.emplace(name, where);
      if (!is_new)
        values_.duplicate(name, where, first->second);
      else if (!is_name(name))
        out_.error(where, "bad_name", name_problem(name, "a param"));
      auto& param = p_.params[name];
      param = {}; // known even if its value is wrong
      const auto v = values_.next();
      if (v.kind == json_kind::object)
        param_object(name, param);
      else
        param_value_of(v, "the param " + in_quotes(name),
                       "a string, a number, true, false, a list of strings or an object with \"default\"", param);
    }
  }

  void param_value_of(const json_value& v, const std::string& what, std::string_view expected, param_value& param) {
    using type = param_value::type;
    if (v.kind == json_kind::array)
      return param_list(what, param);
    if (v.kind != json_kind::string && v.kind != json_kind::number && v.kind != json_kind::boolean)
      return values_.wrong_type(v, what, expected);
    param.kind = v.kind == json_kind::string   ? type::string
                 : v.kind == json_kind::number ? type::number
                                               : type::boolean;
    param.text = v.text;
  }

  void param_list(const std::string& what, param_value& param) {
    std::vector<std::string_view> items;
    while (json_.next_element()) {
      const auto text = values_.string("an element of " + what);
      items.push_back(text ? p_.text.keep(*text) : std::string_view());
    }
    param.kind = param_value::type::list;
    param.items = p_.text.keep(items);
    param.text = list_text(param.items);
  }

  void param_object(const std::string& name, param_value& param) {
    static constexpr std::array<std::string_view, 2> keys = {"default", "secret"};
    const place opened = values_.where();
    const std::string what = "the param " + in_quotes(name);
    bool has_default = false;
    values_.members(what, keys, [&](std::size_t key) {
      const auto v = values_.next();
      if (key == 0) {
        has_default = true;
        param_value_of(v, "\"default\" of " + what, "a string, a number, true, false or a list of strings", param);
      } else if (v.kind == json_kind::boolean) {
        param.secret = v.text == "true";
      } else if (v.kind != json_kind::none) { // not what was found: it may be the secret
        out_.error(v.where, "wrong_type", "\"secret\" of " + what + " has to be true or false");
        json_.skip(v);
        param.secret = true;
      }
    });
    // Behind a mistake may stand that it is one.
    if (param.secret || json_.failed())
      out_.list().secret_lines.emplace_back(opened.line, json_.line());
    if (json_.failed())
      return;
    if (param.secret && param.kind == param_value::type::list)
      out_.error(opened, "wrong_type", what + " is a secret, and a secret is one text: no list can be one");
    if (!has_default)
      out_.error(opened, "missing_key", what + " has no \"default\", the value it has where --param gives no other");
  }

  void engine() {
    static constexpr std::array<std::string_view, 3> strategies = {"fail_fast", "continue", "abort"};
    static constexpr std::array<std::string_view, 3> orphan_rules = {"refuse", "remove", "warn"};
    auto& e = p_.engine;
    const auto number = [&](std::uint32_t& into, std::string_view what, std::int64_t most) {
      if (const auto n = values_.whole_number(what, 1, most))
        into = static_cast<std::uint32_t>(*n);
    };
    const auto span = [&](duration& into, std::string_view what) {
      if (const auto d = values_.time_span(what, duration(0)))
        into = *d;
    };
    values_.object("engine", engine_keys, [&](std::size_t key) {
      switch (key) {
      case 0:
        return number(e.workers, "workers", max_workers);
      case 1:
        if (const auto i = values_.one_of("error_strategy", strategies))
          e.error_strategy = static_cast<error_strategy>(*i);
        return;
      case 2:
        return state_dir();
      case 3:
        if (const auto d = read_durability(values_))
          e.durability = *d;
        return;
      case 4:
        return read_pools(values_, "pools", [&](std::string_view name, std::uint32_t slots, place) {
          e.pools[std::string(name)] = slots;
        });
      case 5:
        return span(e.grace_period, "grace_period");
      case 6:
        return number(e.keep_runs, "keep_runs", 100'000'000);
      case 7:
        return span(e.keep_logs, "keep_logs");
      default:
        if (const auto i = values_.one_of("orphans", orphan_rules))
          e.orphans = static_cast<orphan_rule>(*i);
      }
    });
  }

  void state_dir() {
    const auto text = values_.string("state_dir", "the path of a folder");
    if (!text)
      return;
    declared_path path;
    read_path(*text, path);
    if (path.glob && path.problem.empty())
      path.problem = "holds a wildcard";
    if (path.problem.empty())
      p_.engine.state_dir = path.text;
    else
      out_.error(values_.where(), "bad_path",
                 "\"state_dir\" " + std::string(path.problem) + "; name a folder of its own");
  }

  void defaults() {
    d_.defaults_where = values_.key_place();
    settings_.start();
    values_.object("defaults", asset_keys, [&](std::size_t key) {
      if (key >= first_settings_key)
        return settings_.read(key);
      if (key != description_key) {
        values_.skip_value();
        return out_.error(values_.key_place(), "unknown_key",
                          in_quotes(asset_keys[key]) + " is each asset's own and cannot stand in \"defaults\"");
      }
      if (const auto text = values_.string("description"))
        d_.default_description = *text;
    });
    d_.defaults = settings_.patch();
  }

  void assets() {
    if (!values_.expect(json_kind::object, "assets", "an object of names and assets"))
      return;
    const place opened = values_.where();
    std::string_view key;
    place where;
    while (json_.next_member(key, where)) {
      if (const auto first = first_place(key)) {
        values_.duplicate(key, where, *first);
        values_.skip_value();
        continue;
      }
      if (p_.assets.size() + d_.waiting.size() == d_.limits.assets) {
        out_.error(where, "too_many_assets", "more than " + std::to_string(d_.limits.assets) + " assets");
        return json_.stop();
      }
      name_ = key;
      declared_asset a;
      a.name = name_;
      a.where = where;
      if (!is_name(name_)) {
        out_.error(where, "bad_name", name_problem(name_, "an asset"));
        a.broken = true;
      }
      asset(a);
      if (d_.waiting.empty() && can_be_made(a)) {
        maker_.make(a);
        d_.inputs.clear();
        d_.outputs.clear();
      } else {
        a.name = d_.waiting_names.text(d_.waiting_names.intern(name_));
        d_.waiting.push_back(a);
      }
      if (d_.paths_read && p_.paths.size() - told_ >= paths_at_a_time)
        d_.paths_read(d_.p, p_.paths.texts(std::exchange(told_, static_cast<std::uint32_t>(p_.paths.size()))));
    }
    if (p_.assets.empty() && d_.waiting.empty() && !json_.failed())
      out_.error(opened, "no_assets", "the pipeline has no assets");
  }

  // Whether nothing behind it in the file can matter for the asset (but its dependencies and the defaults).
  [[nodiscard]] bool can_be_made(const declared_asset& a) const {
    const auto is_template = [](const auto& item) { return item.is_template; };
    const auto deps = std::span(d_.deps).subspan(a.deps.first, a.deps.count);
    return !a.broken && !a.takes_outputs && a.matrix == declared_asset::none &&
           !(a.rare != nullptr && has_template(a.rare->depfile)) &&
           std::none_of(deps.begin(), deps.end(), is_template) &&
           std::none_of(d_.inputs.begin(), d_.inputs.end(), is_template) &&
           std::none_of(d_.outputs.begin(), d_.outputs.end(), is_template);
  }

  [[nodiscard]] std::optional<place> first_place(std::string_view name) const {
    if (const auto built = p_.names.find(name))
      return p_.declarations[*built].where;
    if (const auto waiting = d_.waiting_names.find(name))
      return d_.waiting[*waiting].where;
    return std::nullopt;
  }

  void asset(declared_asset& a) {
    settings_.start();
    rare_.start();
    std::size_t useless = 0; // the first key that says nothing about a source
    bool has_command = false;
    const std::size_t errors = out_.errors();
    const bool opened = values_.object("an asset", asset_keys, [&](std::size_t key) {
      switch (key) {
      case 0:
        commanded(a, has_command);
        return command(a);
      case script_key:
        commanded(a, has_command);
        return script(a);
      case 1:
        return paths_.inputs(a);
      case 2:
        return paths_.outputs(a);
      case 3:
        return deps(a);
      case 4:
        a.broken |= !matrices_.matrix(a);
        return;
      case description_key:
        if (const auto text = values_.string("description"))
          a.description = p_.text.keep(*text);
        return;
      default:
        if (useless == 0 && key < first_source_key)
          useless = key;
        return key < first_settings_key ? rare_.read(a, key) : settings_.read(key);
      }
    });
    if (!settings_.signature().empty())
      a.patch = patch_number();
    rare_.end(a);
    a.broken |= !opened || json_.failed();
    // Where a key is unknown it may have been meant to be the command.
    if (!has_command && out_.errors() == errors)
      source(a, useless);
  }

  // An asset without a command is made elsewhere and only observed.
  void source(declared_asset& a, std::size_t useless) {
    const std::string name = in_quotes(a.name);
    if (a.inputs.count != 0 || a.deps.count != 0)
      out_.error(a.where, "source_with_inputs",
                 name + " has no command, so it is a source, made elsewhere: it cannot have " +
                     (a.inputs.count != 0 ? "\"inputs\"" : "\"deps\"") + "; add a \"command\"");
    else if (a.outputs.count == 0)
      out_.error(a.where, "empty_asset",
                 name +
                     " has neither a command nor outputs: add a \"command\", or for a source the files to observe as "
                     "\"outputs\"");
    else if (useless != 0)
      out_.warning(a.where, "useless_key",
                   in_quotes(asset_keys[useless]) + " means nothing for " + name +
                       ": without a command it is a source, only observed");
  }

  std::uint32_t patch_number() {
    const auto [at, is_new] =
        d_.patch_numbers.emplace(settings_.signature(), static_cast<std::uint32_t>(d_.patches.size()));
    if (is_new) {
      d_.patches.push_back(settings_.patch());
      p_.settings.emplace_back();
    }
    return at->second;
  }

  // Of "command" and "script" there is one.
  void commanded(declared_asset& a, bool& has_command) {
    if (std::exchange(has_command, true))
      bad_command(a, values_.key_place(), "bad_value", "an asset has a \"command\" or a \"script\", and not both");
  }

  void script(declared_asset& a) {
    a.kind = command_kind::shell;
    a.script = true;
    std::string text;
    std::size_t lines = 0;
    a.command_broken |= !values_.array("script", "a list of lines for the shell", [&](std::size_t) {
      const auto line = values_.string("a line of \"script\"");
      a.command_broken |= !line;
      text += (lines++ == 0 ? "" : "\n") + std::string(line.value_or(std::string_view()));
    });
    a.command_where = values_.key_place();
    if (!a.command_broken && text.find_first_not_of(" \t\n") == std::string::npos)
      bad_command(a, a.command_where, "empty_command", "the script is empty; leave the key out for a source");
    else if (text.size() > max_command_bytes)
      bad_command(a, a.command_where, "too_large",
                  "the script is longer than 128 KiB, the most a shell can be handed; put it into a file");
    words_.assign(1, p_.text.keep(text));
    a.command = p_.text.keep(words_);
    a.broken |= a.command_broken;
  }

  void command(declared_asset& a) {
    const auto v = values_.next();
    a.command_where = v.where;
    words_.clear();
    if (v.kind == json_kind::string) {
      a.kind = command_kind::shell;
      if (v.text.find_first_not_of(" \t\n") == std::string_view::npos)
        bad_command(a, v.where, "empty_command", "the command is empty; leave the key out for a source");
      else if (v.text.size() > max_command_bytes)
        bad_command(a, v.where, "too_large",
                    "the command is longer than 128 KiB, the most a shell can be handed; put it into a script");
      words_.push_back(p_.text.keep(v.text));
    } else if (v.kind == json_kind::array) {
      a.kind = command_kind::argv;
      while (json_.next_element()) {
        const auto word = values_.string("an element of \"command\"");
        if (word && word->size() > max_command_bytes)
          bad_command(a, values_.where(), "too_large",
                      "an element of the command is longer than 128 KiB, the most a program can be handed");
        a.command_broken |= !word;
        words_.push_back(word ? p_.text.keep(*word) : std::string_view());
      }
      if (!a.command_broken && (words_.empty() || words_.front().empty()))
        bad_command(a, v.where, "empty_command", "the command names no program to run");
    } else {
      a.kind = command_kind::shell; // whatever was meant, it is no source
      a.command_broken = true;
      values_.wrong_type(v, "command", "text for the shell, or a list of strings to be executed directly");
    }
    a.command = p_.text.keep(words_);
    a.broken |= a.command_broken;
  }

  void bad_command(declared_asset& a, place where, std::string_view code, std::string message) {
    out_.error(where, code, std::move(message));
    a.command_broken = true;
  }

  void deps(declared_asset& a) {
    a.deps.first = static_cast<std::uint32_t>(d_.deps.size());
    a.broken |= !values_.array("deps", "a list of asset names", [&](std::size_t) {
      if (const auto text = values_.string("a dependency", "the name of an asset"))
        d_.deps.push_back({d_.dependency_names.intern(*text), values_.where(), has_template(*text)});
      else
        a.broken = true;
    });
    a.deps.count = static_cast<std::uint32_t>(d_.deps.size()) - a.deps.first;
    d_.dependency_lists.push_back({static_cast<std::uint32_t>(p_.declarations.size() + d_.waiting.size()), a.deps});
  }

  json_reader& json_;
  findings& out_;
  declared_pipeline& d_;
  pipeline& p_;
  value_reader values_;
  settings_reader settings_;
  matrix_reader matrices_;
  asset_maker maker_;
  paths_reader paths_;
  rare_keys_reader rare_;
  std::string name_;
  std::vector<std::string_view> words_;
  std::uint32_t told_ = 0; // paths
};

} // namespace

bool read_pipeline(json_reader& json, findings& out, declared_pipeline& into) {
  return reader(json, out, into).file();
}

} // namespace troupe_internal::config
