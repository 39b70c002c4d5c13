// Builds a pipeline in memory from a short description, for tests. Knows nothing of files: templates are not filled in,
// except {{ matrix.x }} in inputs and outputs, and nothing is validated beyond what building needs.
//
//   pipeline_builder b;
//   b.asset("raw").source().outputs({"raw/a.txt"});
//   b.asset("n").matrix("s", {"x", "y"}).inputs({"raw/*.txt"}).outputs({"out/{{ matrix.s }}.n"}).command("wc raw/*");
//   b.asset("all").deps({"n"}).tags({"report"}).with([](asset_settings& s) { s.retry.attempts = 3; });
//   const auto p = b.build(); // std::unique_ptr<pipeline>
//
// Places are made up, so that tests can name them: declaration number d (0-based) stands at {10 (d + 1), 5}, its
// command at {10 (d + 1) + 1, 7}, its input k at {10 (d + 1) + 2, 10 + k}, its output k at {10 (d + 1) + 3, 10 + k}.
#pragma once

#include "base/check.hpp"
#include "core/pipeline/glob.hpp"
#include "core/pipeline/pipeline.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace troupe_internal::test {

class pipeline_builder;

/// One declaration being described; every call returns itself. Stays valid as long as its pipeline_builder.
class asset_builder {
public:
  using texts = std::vector<std::string>;

  explicit asset_builder(std::string name) : name_(std::move(name)) {}

  asset_builder& description(std::string text) { return description_ = std::move(text), *this; }
  /// Added to those given before; a text with *, ? or [ is a glob, one that begins with ! an exclusion (which has no
  /// place).
  asset_builder& inputs(texts paths) { return append(inputs_, std::move(paths)); }
  /// An input that is taken literally whatever its text holds.
  asset_builder& literal_input(std::string path) { return literal_.push_back(std::move(path)), *this; }
  asset_builder& outputs(texts paths) { return append(outputs_, std::move(paths)); }
  /// Names of assets, expanded ("n[x]") or not ("n": all of them); they may be described later.
  asset_builder& deps(texts names) { return append(deps_, std::move(names)); }
  /// Shell text. An asset of which nothing is said has the command "true".
  asset_builder& command(std::string text) {
    kind_ = command_kind::shell;
    return command_ = {std::move(text)}, *this;
  }
  asset_builder& argv(texts words) {
    kind_ = command_kind::argv;
    return command_ = std::move(words), *this;
  }
  asset_builder& source() {
    kind_ = command_kind::none;
    return command_.clear(), *this;
  }
  /// One more variable; the asset expands to every combination, in the order written.
  asset_builder& matrix(std::string variable, texts values) {
    return matrix_.emplace_back(std::move(variable), std::move(values)), *this;
  }
  /// Changes the settings of this declaration.
  asset_builder& with(const std::function<void(asset_settings&)>& change) { return change(settings()), *this; }
  asset_builder& tags(texts names) { return settings().tags = std::move(names), *this; }
  asset_builder& group(std::string name) { return settings().group = std::move(name), *this; }
  asset_builder& priority(std::int32_t value) { return settings().priority = value, *this; }
  asset_builder& retry(retry_policy policy) { return settings().retry = std::move(policy), *this; }
  asset_builder& pool(std::string name, std::uint32_t slots = 1) {
    return settings().pools[std::move(name)] = slots, *this;
  }

private:
  friend class pipeline_builder;

  asset_builder& append(texts& to, texts more) {
    std::move(more.begin(), more.end(), std::back_inserter(to));
    return *this;
  }
  asset_settings& settings() {
    has_settings_ = true;
    return settings_;
  }

  std::string name_, description_;
  texts inputs_, literal_, outputs_, deps_;
  command_kind kind_ = command_kind::shell;
  texts command_{"true"};
  std::vector<std::pair<std::string, texts>> matrix_;
  bool has_settings_ = false;
  asset_settings settings_;
};

/// Collects declarations; build() may be called again and again.
class pipeline_builder {
public:
  explicit pipeline_builder(std::string name = "test", std::string folder = "/pipeline")
      : name_(std::move(name)), folder_(std::move(folder)) {}

  /// A new declaration; the reference stays valid.
  asset_builder& asset(std::string name) { return assets_.emplace_back(std::move(name)); }
  pipeline_builder& param(std::string name, std::string text, param_value::type kind = param_value::type::string) {
    return params_[std::move(name)] = {kind, std::move(text)}, *this;
  }
  pipeline_builder& engine(const std::function<void(engine_settings&)>& change) { return change(engine_), *this; }

  /// Aborts if a dependency names no asset or a name comes twice: mistakes of the test.
  [[nodiscard]] std::unique_ptr<pipeline> build() const {
    auto made = std::make_unique<pipeline>();
    pipeline& p = *made;
    p.name = name_;
    p.folder = folder_;
    p.file = "troupe.json";
    p.params = params_;
    p.engine = engine_;
    p.settings.emplace_back(); // what the assets share of which nothing special was said
    std::vector<std::pair<std::uint32_t, std::uint32_t>> expansions; // [first, last) of each declaration
    for (const auto& a : assets_) {
      const auto first = static_cast<std::uint32_t>(p.assets.size());
      declare(p, a);
      expand(p, a);
      expansions.emplace_back(first, static_cast<std::uint32_t>(p.assets.size()));
    }
    for (std::size_t d = 0; d < assets_.size(); ++d)
      resolve_deps(p, assets_[d], expansions, expansions[d]);
    return made;
  }

private:
  using texts = asset_builder::texts;

  static void declare(pipeline& p, const asset_builder& a) {
    const std::uint32_t line = line_of(p.declarations.size());
    asset_declaration& d = p.declarations.emplace_back();
    d.name = p.text.keep(a.name_);
    d.where = {line, 5};
    d.description = p.text.keep(a.description_);
    d.kind = a.kind_;
    d.command_where = {line + 1, 7};
    std::vector<std::string_view> words;
    for (const auto& word : a.command_)
      words.push_back(p.text.keep(word));
    d.command = p.text.keep(words);
    d.settings = a.has_settings_ ? &p.settings.emplace_back(a.settings_) : &p.settings.front();
  }

  static void expand(pipeline& p, const asset_builder& a) {
    std::vector<std::size_t> choice(a.matrix_.size(), 0); // an odometer, the last variable turning fastest
    for (bool more = true; more;) {
      std::vector<matrix_value> values;
      for (std::size_t v = 0; v < a.matrix_.size(); ++v)
        values.push_back({p.text.keep(a.matrix_[v].first), p.text.keep(a.matrix_[v].second[choice[v]])});
      add(p, a, values);
      more = false;
      for (std::size_t v = a.matrix_.size(); v-- > 0 && !more;) {
        more = ++choice[v] < a.matrix_[v].second.size();
        if (!more)
          choice[v] = 0;
      }
    }
  }

  static void add(pipeline& p, const asset_builder& a, const std::vector<matrix_value>& values) {
    const auto declaration = static_cast<std::uint32_t>(p.declarations.size() - 1);
    const std::uint32_t line = line_of(declaration);
    std::string name = a.name_;
    for (std::size_t v = 0; v < values.size(); ++v)
      name += (v == 0 ? "[" : ",") + std::string(values[v].value) + (v + 1 == values.size() ? "]" : "");
    TROUPE_CHECK(!p.names.find(name), "the test describes one asset twice");
    std::vector<input_ref> inputs;
    std::vector<path_index> exclusions;
    for (const auto& text : a.inputs_)
      if (text.starts_with('!'))
        exclusions.emplace_back(p.paths.intern(filled_in(text.substr(1), values)));
      else
        inputs.push_back({path_index(p.paths.intern(filled_in(text, values))), is_glob(text)});
    for (const auto& text : a.literal_)
      inputs.push_back({path_index(p.paths.intern(filled_in(text, values))), false});
    std::vector<path_index> outputs;
    for (const auto& text : a.outputs_)
      outputs.emplace_back(p.paths.intern(filled_in(text, values)));
    asset_spec spec;
    spec.name = p.names.text(p.names.intern(name));
    spec.declaration = declaration;
    spec.matrix = p.text.keep(values);
    spec.inputs = p.text.keep(inputs);
    spec.exclusions = p.text.keep(exclusions);
    spec.outputs = p.text.keep(outputs);
    spec.input_places = p.text.keep(places(line + 2, inputs.size()));
    spec.output_places = p.text.keep(places(line + 3, outputs.size()));
    p.assets.push_back(spec);
  }

  void resolve_deps(pipeline& p, const asset_builder& a,
                    const std::vector<std::pair<std::uint32_t, std::uint32_t>>& expansions,
                    std::pair<std::uint32_t, std::uint32_t> range) const {
    std::vector<asset_index> deps;
    std::unordered_set<std::uint32_t> seen;
    const auto add_once = [&](std::uint32_t i) {
      if (seen.insert(i).second)
        deps.emplace_back(i);
    };
    for (const auto& name : a.deps_) {
      if (const auto one = p.find(name)) {
        add_once(one->value);
        continue;
      }
      const auto of_name = [&](const asset_builder& other) { return other.name_ == name; };
      const auto declared = std::find_if(assets_.begin(), assets_.end(), of_name);
      TROUPE_CHECK(declared != assets_.end(), "the test names a dependency that it does not describe");
      const auto [first, last] = expansions[static_cast<std::size_t>(declared - assets_.begin())];
      for (std::uint32_t i = first; i < last; ++i)
        add_once(i);
    }
    const auto kept = p.text.keep(deps);
    for (std::uint32_t i = range.first; i < range.second; ++i)
      p.assets[i].deps = kept;
  }

  static std::string filled_in(std::string text, const std::vector<matrix_value>& values) {
    for (const auto& v : values) {
      const std::string wanted = "{{ matrix." + std::string(v.variable) + " }}";
      for (auto at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + v.value.size()))
        text.replace(at, wanted.size(), v.value);
    }
    return text;
  }

  static std::vector<place> places(std::uint32_t line, std::size_t count) {
    std::vector<place> all;
    for (std::size_t k = 0; k < count; ++k)
      all.push_back({line, static_cast<std::uint32_t>(10 + k)});
    return all;
  }

  static std::uint32_t line_of(std::size_t declaration) { return static_cast<std::uint32_t>(10 * (declaration + 1)); }

  std::string name_, folder_;
  std::map<std::string, param_value, std::less<>> params_;
  engine_settings engine_;
  std::deque<asset_builder> assets_;
};

} // namespace troupe_internal::test
