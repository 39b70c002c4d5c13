// Declarations are kept as they come; config judges them.
#include "lib/pipeline_draft.hpp"

#include "config/value_text.hpp"
#include "core/pipeline/selection.hpp"
#include "engine/state_layout.hpp"
#include "engine/value_stream.hpp"
#include "lib/build_id.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>

using namespace troupe_internal;
using config::program_asset;
using lib::finding;

namespace {

std::atomic<std::uint32_t> last_pipeline_id{0};

std::vector<std::string> strings(const troupe_text* texts, std::size_t count) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i)
    all.emplace_back(view(texts[i]));
  return all;
}

/// Keeps nothing: for who only wants to know a value's version.
class no_store final : public value_store {
public:
  class no_draft final : public draft {
  public:
    result<void> put(std::string_view) override { return {}; }
    result<void> keep(const digest&) override { return {}; }
  };
  result<std::unique_ptr<draft>> begin() override { return std::unique_ptr<draft>(std::make_unique<no_draft>()); }
  bool has(const stored_value&) const override { return false; }
  result<std::string> read(const stored_value&) const override {
    return fail(error_code::not_found, "nothing is kept");
  }
  void drop(const stored_value&) override {}
  result<void> sweep(const std::function<bool(const digest&)>&) override { return {}; }
};

/// Of a constant.
void hand_on_constant(void* state, troupe_call* call) {
  const auto& value = *static_cast<const held_value*>(state);
  const troupe_value handed{value.object(), value.type()};
  static_cast<void>(troupe_call_return(call, &handed, {})); // what is wrong is the call's
}

} // namespace

troupe_pipeline::troupe_pipeline(std::string name, troupe_place where) : id_(++last_pipeline_id), where_(where) {
  what_.name = std::move(name);
  std::error_code unknown;
  what_.folder = std::filesystem::current_path(unknown).string();
  if (unknown)
    wrong(where, {}, "no_folder", "the working folder is gone, and relative paths begin there: call folder()");
}

troupe_pipeline::troupe_pipeline(const troupe_pipeline& from)
    : id_(++last_pipeline_id), where_(from.where_), what_(from.what_), functions_(from.functions_),
      products_(from.products_), places_(from.places_), wrong_(from.wrong_), settings_(from.settings_),
      events_(from.events_) {}

std::string_view troupe_pipeline::asset_name(std::uint32_t index) const {
  return index < what_.assets.size() ? std::string_view(what_.assets[index].name) : std::string_view();
}

void troupe_pipeline::wrong(troupe_place where, std::string_view asset, std::string_view code, std::string message) {
  constexpr std::size_t most = 100;
  if (wrong_.size() < most)
    wrong_.push_back({std::string(code), std::move(message), std::string(asset),
                      where.file == nullptr ? std::string() : std::string(where.file), where.line, 0});
}

void troupe_pipeline::folder(std::string_view path, troupe_place where) {
  std::error_code unknown;
  auto absolute = std::filesystem::absolute(std::string(path), unknown).lexically_normal().string();
  if (unknown || path.empty())
    return wrong(where, {}, "no_folder", "this is no folder to begin relative paths in: \"" + std::string(path) + "\"");
  if (absolute.size() > 1 && absolute.ends_with('/'))
    absolute.pop_back();
  what_.folder = std::move(absolute);
}

void troupe_pipeline::param(std::string_view name, std::string_view value, troupe_place where) {
  const auto known =
      std::any_of(what_.params.begin(), what_.params.end(), [&](const auto& p) { return p.first == name; });
  if (known)
    return wrong(where, {}, "duplicate_param", "a param \"" + std::string(name) + "\" was declared before");
  what_.params.emplace_back(name, value);
}

void troupe_pipeline::pool(std::string_view name, std::uint32_t slots, troupe_place where) {
  if (!what_.engine.pools.emplace(name, slots).second)
    wrong(where, {}, "duplicate_pool", "a pool \"" + std::string(name) + "\" was declared before");
}

void troupe_pipeline::strategy(std::uint8_t which) {
  if (which <= TROUPE_ABORT)
    what_.engine.error_strategy = static_cast<error_strategy>(which);
}

void troupe_pipeline::on_event(std::string_view name, std::vector<std::string> select, troupe_place where) {
  if (!config::is_name(name))
    return wrong(where, {}, "bad_name", config::name_problem(name, "event"));
  if (!events_.emplace(name, wanted_event{std::move(select), where}).second)
    wrong(where, {}, "duplicate_event", "an event \"" + std::string(name) + "\" was declared before");
}

troupe_asset troupe_pipeline::add(program_asset asset, product hands_on, troupe_place where) {
  const auto index = static_cast<std::uint32_t>(what_.assets.size());
  asset.where = {index + 1, 0};
  what_.assets.push_back(std::move(asset));
  products_.push_back(hands_on);
  places_.push_back(where);
  return {id_, index};
}

troupe_asset troupe_pipeline::add_files(std::string_view name, std::vector<std::string> files, troupe_place where) {
  program_asset asset;
  asset.name = name;
  asset.outputs = std::move(files);
  return add(std::move(asset), {true, nullptr}, where);
}

bool troupe_pipeline::is_own(const troupe_asset& asset, std::string_view by, std::string_view as, troupe_place where) {
  if (asset.pipeline == id_ && asset.index < what_.assets.size())
    return true;
  wrong(where, by, "foreign_asset",
        "\"" + std::string(by) + "\" " + std::string(as) +
            (asset.pipeline == 0 ? " a handle that is of no asset: was it never assigned?"
                                 : " an asset of another pipeline: handles are good in the pipeline that gave them"));
  return false;
}

void troupe_pipeline::take(const troupe_asset_options& from, program_asset& to, troupe_place where) {
  to.description = view(from.description);
  to.inputs = strings(from.inputs, from.input_count);
  to.outputs = strings(from.outputs, from.output_count);
  for (std::size_t i = 0; i < from.after_count; ++i)
    if (is_own(from.after[i], to.name, "comes after", where))
      to.after.push_back(from.after[i].index);
  config::settings_patch patch;
  std::string written;
  const auto note = [&](std::string_view key, std::string_view value) {
    written.append(key).append(std::to_string(value.size())).append(":").append(value);
  };
  const auto span = [&](std::string_view key, std::int64_t ns) {
    note(key, std::to_string(ns));
    if (ns < 0)
      wrong(where, to.name, "bad_duration", "a duration of \"" + to.name + "\" is below zero");
    return duration(std::max<std::int64_t>(ns, 0));
  };
  if (from.version.size != 0) {
    patch.version = std::string(view(from.version));
    note("version", *patch.version);
  }
  if (from.timeout != 0)
    patch.timeout = span("timeout", from.timeout);
  if (from.max_age != 0)
    patch.max_age = span("max_age", from.max_age);
  if (from.retry_attempts > 1) {
    patch.retry.attempts = from.retry_attempts;
    note("attempts", std::to_string(from.retry_attempts));
    patch.retry.delay = span("delay", from.retry_delay);
    patch.retry.max_delay = std::max(span("max_delay", from.retry_max_delay), *patch.retry.delay);
    patch.retry.backoff = static_cast<backoff>(std::min<std::uint8_t>(from.retry_backoff, TROUPE_BACKOFF_EXPONENTIAL));
    patch.retry.jitter = static_cast<jitter>(std::min<std::uint8_t>(from.retry_jitter, TROUPE_JITTER_DECORRELATED));
    note("how", std::to_string(from.retry_backoff) + "," + std::to_string(from.retry_jitter));
  }
  if (from.priority != 0) {
    patch.priority = from.priority;
    note("priority", std::to_string(from.priority));
  }
  if (from.allow_failure != 0) {
    patch.allow_failure = true;
    note("allow_failure", {});
  }
  if (from.always != 0) {
    patch.always = true;
    note("always", {});
  }
  if (from.group.size != 0) {
    patch.group = std::string(view(from.group));
    note("group", *patch.group);
  }
  if (from.tag_count != 0) {
    patch.tags = strings(from.tags, from.tag_count);
    for (const auto& tag : *patch.tags)
      note("tag", tag);
  }
  for (std::size_t i = 0; i < from.pool_count; ++i) {
    patch.pools[std::string(view(from.pools[i].pool))] = from.pools[i].slots;
    note("pool", view(from.pools[i].pool));
    note("slots", std::to_string(from.pools[i].slots));
  }
  if (written.empty())
    return;
  const auto [known, is_new] = settings_.emplace(written, static_cast<std::uint32_t>(what_.settings.size()));
  if (is_new)
    what_.settings.push_back(std::move(patch));
  to.settings = known->second;
}

troupe_asset troupe_pipeline::add_command(std::string_view name, const troupe_command& command,
                                          const troupe_asset_options* options, troupe_place where) {
  program_asset asset;
  asset.name = name;
  const bool shell = command.shell.size != 0;
  asset.kind = shell ? command_kind::shell : command_kind::argv;
  asset.command =
      shell ? std::vector<std::string>{std::string(view(command.shell))} : strings(command.argv, command.argv_count);
  if (shell && command.argv_count != 0)
    wrong(where, name, "bad_command", "\"" + asset.name + "\" has both a shell text and an argument list: give one");
  if (options != nullptr)
    take(*options, asset, where);
  if (command.env_count != 0) {
    config::settings_patch patch =
        asset.settings == config::declared_asset::none ? config::settings_patch() : what_.settings[asset.settings];
    for (std::size_t i = 0; i < command.env_count; ++i)
      patch.env.push_back({std::string(view(command.env[i].name)), env_source::literal,
                           std::string(view(command.env[i].value)), false});
    asset.settings = static_cast<std::uint32_t>(what_.settings.size());
    what_.settings.push_back(std::move(patch));
  }
  return add(std::move(asset), {true, nullptr}, where);
}

std::string troupe_pipeline::version_of(std::string_view name, const troupe_made_by& by,
                                        const troupe_asset_options* options, troupe_place where) {
  const auto given = options == nullptr ? std::string_view() : view(options->version);
  if (!given.empty())
    return std::string(given);
  const auto captures = options == nullptr ? std::string_view() : view(options->captures);
  const auto quoted = "\"" + std::string(name) + "\"";
  if (by.captures != 0 && captures.empty())
    wrong(where, name, "captures_without_version",
          "the function of " + quoted +
              " captures values, and nothing tells whether they have changed: give it a "
              ".version, or .captures with a text that changes with them");
  const auto id = lib::build_id_of(reinterpret_cast<const void*>(by.function.call));
  if (id.empty())
    wrong(where, name, "no_build_id",
          "the function of " + quoted +
              " has no .version, and the module that it lies in has no build-id, by which "
              "other code could be told: give it a .version, or link with -Wl,--build-id");
  return "build " + id + (captures.empty() ? "" : ", captures " + std::string(captures));
}

troupe_asset troupe_pipeline::add_function(std::string_view name, const troupe_made_by& by,
                                           const troupe_asset_options* options, troupe_place where) {
  std::vector<const troupe_type*> types(by.argument_types, by.argument_types + by.argument_count);
  functions_.push_back(std::make_shared<const host_function>(by.function, by.type, std::move(types)));
  program_asset asset;
  asset.name = name;
  asset.kind = command_kind::function;
  config::program_function function;
  function.number = static_cast<std::uint32_t>(functions_.size() - 1);
  if (by.type != nullptr) {
    function.value_type = view(by.type->name);
    function.value_version = by.type->version;
    function.oldest_readable = by.type->oldest_readable;
  }
  for (std::size_t i = 0; i < by.argument_count; ++i) {
    const auto& handle = by.arguments[i];
    if (!is_own(handle, name, "takes", where))
      continue;
    const auto& made = products_[handle.index];
    const auto* const wanted = by.argument_types[i];
    const auto& needed = what_.assets[handle.index].name;
    if (wanted == nullptr ? !made.files : made.type == nullptr || view(made.type->name) != view(wanted->name))
      wrong(where, name, "wrong_argument",
            "argument " + std::to_string(i + 1) + " of the function of \"" + std::string(name) + "\" is " +
                (wanted == nullptr ? std::string("files") : std::string(view(wanted->name))) + ", and \"" + needed +
                "\" hands on " +
                (made.files             ? std::string("files")
                 : made.type == nullptr ? std::string("nothing")
                                        : std::string(view(made.type->name))));
    function.arguments.push_back(handle.index);
  }
  auto how = options == nullptr ? troupe_asset_options{} : *options;
  const auto version = version_of(name, by, options, where);
  how.version = lib::text_of(version);
  function.params = strings(how.params, how.param_count);
  for (const auto& param : function.params)
    if (std::none_of(what_.params.begin(), what_.params.end(), [&](const auto& p) { return p.first == param; }))
      wrong(where, name, "unknown_param",
            "the function of \"" + std::string(name) + "\" asks for the param \"" + param +
                "\", which the pipeline does not have: declare it before, with param()");
  take(how, asset, where);
  asset.function = std::move(function);
  return add(std::move(asset), {false, by.type}, where);
}

troupe_asset troupe_pipeline::add_value(std::string_view name, const troupe_value& value, troupe_place where) {
  auto* const kept = new held_value(held_value::share(value));
  troupe_made_by by{};
  by.size = sizeof by;
  by.function = {sizeof(troupe_function), &hand_on_constant, kept,
                 [](void* state) { delete static_cast<held_value*>(state); }};
  by.type = value.type;
  no_store nowhere;
  troupe_sink sink(*value.type, nowhere, ~std::uint64_t{0});
  if (value.type->write(value.object, &sink) != 0)
    sink.fail({});
  const auto made = sink.keep();
  if (!made)
    wrong(where, name, "bad_value",
          "the value of \"" + std::string(name) + "\" cannot be kept: " + made.error().message);
  const auto version = made ? "value " + to_hex(made->version) : std::string("no value");
  troupe_asset_options how{};
  how.size = sizeof how;
  how.version = lib::text_of(version);
  return add_function(name, by, &how, where);
}

bool troupe_pipeline::script(std::string_view name, const troupe_function& function) {
  const auto made = std::make_shared<host_function>(function, nullptr, std::vector<const troupe_type*>());
  const auto found =
      std::find_if(what_.assets.begin(), what_.assets.end(), [&](const auto& asset) { return asset.name == name; });
  if (found == what_.assets.end() || !runs_command(found->kind))
    return false;
  auto patch =
      found->settings == config::declared_asset::none ? config::settings_patch() : what_.settings[found->settings];
  patch.version = "script";
  found->settings = static_cast<std::uint32_t>(what_.settings.size());
  what_.settings.push_back(std::move(patch));
  found->kind = command_kind::function;
  found->command.clear();
  found->function.emplace().number = static_cast<std::uint32_t>(functions_.size());
  functions_.push_back(made);
  return true;
}

std::vector<std::string> troupe_pipeline::commands() const {
  std::vector<std::string> names;
  for (const auto& asset : what_.assets)
    if (runs_command(asset.kind))
      names.push_back(asset.name);
  return names;
}

troupe_pipeline::outcome troupe_pipeline::build(const std::string& state,
                                                const std::vector<std::pair<std::string, std::string>>& params,
                                                const engine_part& engine) const {
  outcome out;
  auto found = wrong_;
  if (found.empty()) {
    auto declared = what_;
    declared.engine.durability = engine.durability;
    declared.engine.keep_runs = engine.keep_runs;
    if (!state.empty())
      declared.engine.state_dir = relative_to(declared.folder, state);
    auto loaded = config::declare_pipeline(declared, params);
    for (auto& item : loaded.findings.items) {
      if (item.level != severity::error)
        continue;
      const auto line = item.where.line;
      const auto place = line >= 1 && line <= places_.size() ? places_[line - 1] : where_;
      found.push_back({item.code, std::move(item.message),
                       line >= 1 && line <= places_.size() ? what_.assets[line - 1].name : std::string(),
                       place.file == nullptr ? std::string() : std::string(place.file), place.line, 0});
    }
    if (loaded.p && loaded.graph)
      for (const auto& [name, event] : events_)
        if (const auto selected = select_assets(*loaded.p, *loaded.graph, event.select); !selected)
          found.push_back({"bad_selection",
                           "the event \"" + name + "\": " + selected.error().message,
                           {},
                           event.where.file == nullptr ? std::string() : std::string(event.where.file),
                           event.where.line,
                           0});
    out.on.p = std::move(loaded.p);
    out.on.graph = std::move(loaded.graph);
    out.on.triggers = std::move(loaded.triggers);
    out.on.state_folder = state;
    out.on.functions = std::make_shared<const function_set>(functions_);
  }
  if (!found.empty())
    out.wrong = std::unique_ptr<troupe_error>(new troupe_error{
        TROUPE_ERROR_INVALID_PIPELINE,
        "the pipeline \"" + what_.name + "\" has " +
            (found.size() == 1 ? std::string("a mistake") : std::to_string(found.size()) + " mistakes"),
        std::move(found)});
  return out;
}
