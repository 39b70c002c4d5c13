// Pipelines as a program declares them: assets made by its functions and by commands. Mistakes gather, each with the
// line of its call, and are told all at once. Knows nothing of running.
#pragma once

#include "troupe/context.hpp"
#include "troupe/value.hpp"

#include <chrono>
#include <utility>

namespace troupe {
inline namespace v1 {

using duration = std::chrono::nanoseconds;

/// A name, and the line of the call that gives it. Made from any text.
struct declared {
  std::string_view name;
  troupe_place where;
  template <std::convertible_to<std::string_view> S>
  declared(const S& text, const char* file = __builtin_FILE(), std::uint32_t line = __builtin_LINE())
      : name(text), where{file, line} {}
};

/// An asset of a pipeline, whatever it hands on.
class any_asset {
public:
  any_asset() = default;
  [[nodiscard]] const troupe_asset& handle() const noexcept { return handle_; }

protected:
  explicit any_asset(troupe_asset handle) noexcept : handle_(handle) {}

private:
  friend class pipeline;
  troupe_asset handle_{};
};

/// An asset that hands on a T; asset<void> hands on nothing, asset<files> files.
template <class T>
class asset : public any_asset {
public:
  using type = T;
  asset() = default;

private:
  friend class pipeline;
  explicit asset(troupe_asset handle) noexcept : any_asset(handle) {}
};

/// What sources and commands hand on: absolute paths.
struct files {
  std::vector<std::string> paths{};
};

/// A value with more than itself to say. A function may return T, result<T>, made<T> or result<made<T>>.
template <class T>
struct made {
  T it;
  std::string data_version{}; ///< empty: that of the value's bytes
};

enum class backoff : std::uint8_t {
  fixed = TROUPE_BACKOFF_FIXED,
  linear = TROUPE_BACKOFF_LINEAR,
  exponential = TROUPE_BACKOFF_EXPONENTIAL
};
enum class jitter : std::uint8_t {
  none = TROUPE_JITTER_NONE,
  full = TROUPE_JITTER_FULL,
  equal = TROUPE_JITTER_EQUAL,
  decorrelated = TROUPE_JITTER_DECORRELATED
};
enum class error_strategy : std::uint8_t {
  fail_fast = TROUPE_FAIL_FAST,
  go_on = TROUPE_CONTINUE,
  abort = TROUPE_ABORT
};

struct retry_policy {
  std::uint32_t attempts = 1; ///< in all
  duration delay = std::chrono::seconds(1);
  troupe::backoff backoff = backoff::fixed;
  duration max_delay = std::chrono::minutes(10);
  troupe::jitter jitter = jitter::none;
};

struct options {
  /// Of a function: what tells its code from other code. Empty: the build-id of the module it lies in, so that each
  /// new build runs it again. Given: it alone counts.
  std::string version{};
  /// Of a function with captures and no version: a text that tells what it captured from other values.
  std::string captures{};
  retry_policy retry{};
  std::optional<duration> timeout{}, max_age{};
  std::vector<std::pair<std::string, std::uint32_t>> pools{};
  std::int32_t priority = 0;
  bool allow_failure = false, always = false;
  std::vector<any_asset> after{};               ///< what it needs and takes no value from
  std::vector<std::string> inputs{}, outputs{}; ///< files, as in a pipeline file
  std::vector<std::string> params{};            ///< of a function: the params that it asks for; they count
  std::vector<std::string> tags{};
  std::string group{}, description{};
};

struct command {
  std::vector<std::string> argv{}; ///< executed as it is, or:
  std::string shell{};             ///< a text for /bin/sh
  std::vector<std::pair<std::string, std::string>> env{};
};

namespace detail {

template <class... T>
struct types {};

/// The types of a function's arguments: of what hands on nothing there is none.
template <class Taken, class... D>
struct taken_types {
  using type = Taken;
};
template <class... T, class D, class... R>
struct taken_types<types<T...>, D, R...> : taken_types<types<T..., D>, R...> {};
template <class... T, class... R>
struct taken_types<types<T...>, void, R...> : taken_types<types<T...>, R...> {};

/// What a function's result hands on.
template <class R>
struct plain {
  using type = R;
};
template <class R>
struct plain<result<R>> : plain<R> {};
template <class R>
struct plain<made<R>> : plain<R> {};

template <class F, class Taken>
struct signature;
template <class F, class... T>
struct signature<F, types<T...>> {
  static constexpr bool with_context = std::is_invocable_v<const F&, context&, const T&...>;
  static constexpr bool without = std::is_invocable_v<const F&, const T&...>;
  static constexpr bool fits = with_context || without;
  static auto returned() {
    if constexpr (with_context)
      return std::type_identity<std::invoke_result_t<const F&, context&, const T&...>>{};
    else if constexpr (without)
      return std::type_identity<std::invoke_result_t<const F&, const T&...>>{};
    else
      return std::type_identity<void>{};
  }
  using result = typename decltype(returned())::type;
  using type = typename plain<std::remove_cvref_t<result>>::type;
};

template <class T>
constexpr bool can_be_handed_on() {
  if constexpr (std::is_void_v<T>)
    return true;
  else
    return storable<T>;
}
template <class T>
constexpr const troupe_type* type_or_none() {
  if constexpr (std::is_void_v<T> || std::is_same_v<T, files>)
    return nullptr;
  else if constexpr (storable<T>)
    return &type_of<T>;
  else
    return nullptr;
}

/// One argument of one call.
template <class T>
class argument {
public:
  argument() = default;
  argument(const argument&) = delete;
  argument& operator=(const argument&) = delete;
  ~argument() {
    if (value_.object != nullptr)
      value_.type->release(value_.object);
  }
  [[nodiscard]] bool get(troupe_call* call, std::size_t number) {
    return troupe_call_value(call, number, &type_of<T>, &value_) == 0;
  }
  [[nodiscard]] const T& operator*() const { return static_cast<const held<T>*>(value_.object)->it; }

private:
  troupe_value value_{};
};
template <>
class argument<files> {
public:
  [[nodiscard]] bool get(troupe_call* call, std::size_t number) {
    const auto count = troupe_call_files(call, number);
    for (std::size_t i = 0; i < count; ++i)
      files_.paths.push_back(string(troupe_call_file(call, number, i)));
    return true;
  }
  [[nodiscard]] const files& operator*() const { return files_; }

private:
  files files_;
};

inline void fail_call(troupe_call* call, const error& why) {
  troupe_call_fail(call, static_cast<std::int32_t>(why.code), text(why.text()));
}
template <class T>
void hand_on(troupe_call* call, T&& value, std::string_view version = {}) {
  using plain_type = std::remove_cvref_t<T>;
  auto* const kept = new held<plain_type>(std::forward<T>(value));
  const troupe_value handed{kept, &type_of<plain_type>};
  static_cast<void>(troupe_call_return(call, &handed, text(version))); // what is wrong is the call's
  release<plain_type>(kept);
}
template <class T>
void hand_on(troupe_call* call, made<T>&& value) {
  hand_on(call, std::move(value.it), value.data_version);
}
template <class T>
void hand_on(troupe_call* call, result<T>&& value) {
  if (!value)
    fail_call(call, value.error());
  else if constexpr (!std::is_void_v<T>)
    hand_on(call, *std::move(value));
}

/// A function, and how it is called from the other side.
template <class F, class Taken>
struct callee;
template <class F, class... T>
struct callee<F, types<T...>> {
  F f;

  static void release(void* state) { delete static_cast<callee*>(state); }
  static void call(void* state, troupe_call* with) {
    const F& f = static_cast<const callee*>(state)->f;
#if defined(__cpp_exceptions)
    try {
      run(f, with, std::index_sequence_for<T...>{});
    }
    TROUPE_LET_FORCED_UNWIND_PASS
    catch (const permanent_error& why) {
      troupe_call_fail(with, TROUPE_ERROR_PERMANENT, text(why.what()));
    }
    catch (const std::exception& why) {
      troupe_call_fail(with, TROUPE_ERROR_INTERNAL, text(why.what()));
    }
    catch (...) {
      troupe_call_fail(with, TROUPE_ERROR_INTERNAL, text("it threw something that is no std::exception"));
    }
#else
    run(f, with, std::index_sequence_for<T...>{});
#endif
  }

private:
  template <std::size_t... I>
  static void run(const F& f, troupe_call* with, std::index_sequence<I...>) {
    std::tuple<argument<T>...> arguments;
    if (!(std::get<I>(arguments).get(with, I) && ...))
      return;
    const auto invoke = [&]() -> decltype(auto) {
      if constexpr (signature<F, types<T...>>::with_context) {
        context told(with);
        return f(told, *std::get<I>(arguments)...);
      } else {
        return f(*std::get<I>(arguments)...);
      }
    };
    if constexpr (std::is_void_v<decltype(invoke())>)
      invoke();
    else
      hand_on(with, invoke());
  }
};

/// The options as the C interface takes them; views of them.
class option_views {
public:
  explicit option_views(const options& from) {
    to.size = sizeof to;
    to.priority = from.priority;
    to.version = text(from.version);
    to.captures = text(from.captures);
    to.description = text(from.description);
    to.group = text(from.group);
    to.timeout = from.timeout ? from.timeout->count() : 0;
    to.max_age = from.max_age ? from.max_age->count() : 0;
    to.retry_delay = from.retry.delay.count();
    to.retry_max_delay = from.retry.max_delay.count();
    to.retry_attempts = from.retry.attempts;
    to.retry_backoff = static_cast<std::uint8_t>(from.retry.backoff);
    to.retry_jitter = static_cast<std::uint8_t>(from.retry.jitter);
    to.allow_failure = from.allow_failure ? 1 : 0;
    to.always = from.always ? 1 : 0;
    add(from.inputs, inputs_, to.inputs, to.input_count);
    add(from.outputs, outputs_, to.outputs, to.output_count);
    add(from.tags, tags_, to.tags, to.tag_count);
    add(from.params, params_, to.params, to.param_count);
    for (const auto& one : from.after)
      after.push_back(one.handle());
    for (const auto& [pool, slots] : from.pools)
      pools_.push_back({text(pool), slots});
    to.pools = pools_.data();
    to.pool_count = pools_.size();
  }
  option_views(const option_views&) = delete;
  option_views& operator=(const option_views&) = delete;

  [[nodiscard]] const troupe_asset_options* get() {
    to.after = after.data();
    to.after_count = after.size();
    return &to;
  }
  std::vector<troupe_asset> after{};

private:
  static void add(const std::vector<std::string>& from, std::vector<troupe_text>& views, const troupe_text*& at,
                  std::size_t& count) {
    for (const auto& one : from)
      views.push_back(text(one));
    at = views.data();
    count = views.size();
  }
  troupe_asset_options to{};
  std::vector<troupe_text> inputs_{}, outputs_{}, tags_{}, params_{};
  std::vector<troupe_slots> pools_{};
};

} // namespace detail

/// A value: an engine takes a copy of it. One thread. What functions capture by reference has to outlive the engine.
class pipeline {
public:
  explicit pipeline(declared name) : in_(troupe_pipeline_new(detail::text(name.name), name.where)) {}
  ~pipeline() { troupe_pipeline_release(in_); }
  pipeline(pipeline&& from) noexcept : in_(std::exchange(from.in_, nullptr)) {}
  pipeline& operator=(pipeline&& from) noexcept {
    std::swap(in_, from.in_);
    return *this;
  }
  pipeline(const pipeline&) = delete;
  pipeline& operator=(const pipeline&) = delete;
  /// The same assets; handles of the one are not handles of the other.
  [[nodiscard]] pipeline clone() const { return pipeline(troupe_pipeline_clone(in_)); }

  /// Where relative paths begin, and commands run. Without a call: the working folder of when it was made.
  void folder(std::string_view path, const char* file = __builtin_FILE(), std::uint32_t line = __builtin_LINE()) {
    troupe_pipeline_folder(in_, detail::text(path), {file, line});
  }
  void param(declared name, std::string_view value) {
    troupe_pipeline_param(in_, detail::text(name.name), detail::text(value), name.where);
  }
  void pool(declared name, std::uint32_t slots) {
    troupe_pipeline_pool(in_, detail::text(name.name), slots, name.where);
  }
  void set(error_strategy strategy) { troupe_pipeline_error_strategy(in_, static_cast<std::uint8_t>(strategy)); }

  /// An event of this name, which engine::notify() takes in, starts a run of the selected assets; none: of all.
  void on(declared name, const std::vector<std::string>& select = {}) {
    std::vector<troupe_text> views;
    for (const auto& one : select)
      views.push_back(detail::text(one));
    troupe_pipeline_on(in_, detail::text(name.name), views.data(), views.size(), name.where);
  }
  /// Files that are made elsewhere.
  asset<files> source(declared name, const std::vector<std::string>& paths) {
    std::vector<troupe_text> views;
    for (const auto& path : paths)
      views.push_back(detail::text(path));
    return asset<files>(
        troupe_pipeline_add_files(in_, detail::text(name.name), views.data(), views.size(), name.where));
  }
  /// A value that the program knows: what needs it is stale once it is another.
  template <class T>
  asset<T> constant(declared name, T value) {
    static_assert(detail::can_be_handed_on<T>(),
                  "troupe: values of this type cannot be kept; specialise troupe::codec for it");
    if constexpr (storable<T>) {
      auto* const kept = new detail::held<T>(std::move(value));
      const troupe_value given{kept, &detail::type_of<T>};
      const auto handle = troupe_pipeline_add_value(in_, detail::text(name.name), &given, name.where);
      detail::release<T>(kept);
      return asset<T>(handle);
    } else {
      return {};
    }
  }
  /// Made by a command; it hands on its outputs.
  asset<files> run(declared name, const command& what, const options& how = {}) {
    std::vector<troupe_text> words;
    for (const auto& word : what.argv)
      words.push_back(detail::text(word));
    std::vector<troupe_pair> env;
    for (const auto& [variable, value] : what.env)
      env.push_back({detail::text(variable), detail::text(value)});
    const troupe_command by{sizeof by, words.data(), words.size(), detail::text(what.shell), env.data(), env.size()};
    detail::option_views views(how);
    return asset<files>(troupe_pipeline_add_command(in_, detail::text(name.name), &by, views.get(), name.where));
  }
  /// Made by `f`, which is called as `const F&`, by any number of threads at a time, with what `needs` hand on:
  /// f([context&,] const T&...). It hands on what it returns.
  template <class F, class... D>
  auto make(declared name, const options& how, F f, asset<D>... needs) {
    using taken = typename detail::taken_types<detail::types<>, D...>::type;
    using signature = detail::signature<F, taken>;
    static_assert(signature::fits, "troupe: the function does not take what these assets hand on, in this order, as "
                                   "const T&; a troupe::context& may come first, and it is called as const");
    if constexpr (signature::fits) {
      using type = typename signature::type;
      static_assert(detail::can_be_handed_on<type>(),
                    "troupe: values of the type that the function returns cannot be kept; specialise troupe::codec");
      if constexpr (detail::can_be_handed_on<type>())
        return asset<type>(add<type>(name, how, std::move(f), taken{}, needs...));
    }
  }
  template <class F, class... D>
  auto make(declared name, F f, asset<D>... needs) {
    return make(name, options{}, std::move(f), needs...);
  }
  /// What is wrong with it, all at once. engine::add() checks, too.
  [[nodiscard]] result<void> check() const { return detail::done(troupe_pipeline_check(in_)); }
  [[nodiscard]] const troupe_pipeline* handle() const noexcept { return in_; }
  [[nodiscard]] troupe_pipeline* handle() noexcept { return in_; }

private:
  explicit pipeline(troupe_pipeline* in) noexcept : in_(in) {}

  template <class T, class F, class... Taken, class... D>
  troupe_asset add(const declared& name, const options& how, F f, detail::types<Taken...>, asset<D>... needs) {
    using callee = detail::callee<F, detail::types<Taken...>>;
    detail::option_views views(how);
    std::vector<troupe_asset> arguments;
    [[maybe_unused]] const auto take = [&](const any_asset& need, bool hands_on) {
      (hands_on ? arguments : views.after).push_back(need.handle());
    };
    (take(needs, !std::is_void_v<D>), ...);
    const std::array<const troupe_type*, sizeof...(Taken) + 1> types{detail::type_or_none<Taken>()..., nullptr};
    troupe_made_by by{};
    by.size = sizeof by;
    by.captures = std::is_empty_v<F> || std::is_function_v<std::remove_pointer_t<F>> ? 0 : 1;
    by.function = {sizeof(troupe_function), &callee::call, new callee{std::move(f)}, &callee::release};
    by.type = detail::type_or_none<T>();
    by.arguments = arguments.data();
    by.argument_types = types.data();
    by.argument_count = arguments.size();
    return troupe_pipeline_add_function(in_, detail::text(name.name), &by, views.get(), name.where);
  }

  troupe_pipeline* in_;
};

} // namespace v1
} // namespace troupe
