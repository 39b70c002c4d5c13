// Values that assets hand on, and how they become bytes: the codecs of plain types, and what a codec of one's own has
// to have. Knows nothing of where bytes are kept.
#pragma once

#include "troupe/error.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <tuple>

#if defined(__cpp_exceptions) && defined(__GLIBCXX__)
#include <cxxabi.h>
#define TROUPE_LET_FORCED_UNWIND_PASS                                                                                  \
  catch (abi::__forced_unwind&) {                                                                                      \
    throw;                                                                                                             \
  }
#else
#define TROUPE_LET_FORCED_UNWIND_PASS
#endif

namespace troupe {
inline namespace v1 {

/// Specialise it for a type of your own:
///   template <> struct troupe::codec<order> : troupe::fields<order> {
///     static constexpr std::string_view name = "order";  // stable: it is recorded
///     template <class O, class V> static void each(O& o, V&& visit) { visit(o.id, o.amount); }
///   };
/// or write all of it: name, version, write(sink&, const T&), T read(source&, std::uint32_t version). Equal values have
/// to give equal bytes: by them Troupe knows that nothing has changed. A codec that reads older versions says so with
/// `oldest_readable`.
template <class T>
struct codec;

/// Takes the bytes of a value.
class sink {
public:
  explicit sink(troupe_sink* to) noexcept : to_(to) {}
  sink(const sink&) = delete;
  sink& operator=(const sink&) = delete;

  void put(const void* bytes, std::size_t size) noexcept {
    if (size > sizeof buffer_ - used_) {
      flush();
      if (size > sizeof buffer_) {
        failed_ |= troupe_sink_put(to_, bytes, size) != 0;
        return;
      }
    }
    if (size != 0)
      std::memcpy(buffer_ + used_, bytes, size);
    used_ += size;
  }
  void put(std::span<const std::byte> bytes) noexcept { put(bytes.data(), bytes.size()); }
  /// The value is not kept.
  void fail(std::string_view why) noexcept {
    troupe_sink_fail(to_, detail::text(why));
    failed_ = true;
  }
  void flush() noexcept {
    failed_ |= troupe_sink_put(to_, buffer_, used_) != 0;
    used_ = 0;
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

private:
  troupe_sink* to_;
  std::size_t used_ = 0;
  bool failed_ = false;
  char buffer_[512];
};

/// Immutable bytes, counted: handed on and read without a copy.
class blob {
public:
  blob() noexcept = default;
  blob(const blob& from) noexcept : in_(from.in_) { troupe_bytes_retain(in_); }
  blob(blob&& from) noexcept : in_(std::exchange(from.in_, nullptr)) {}
  blob& operator=(blob from) noexcept {
    std::swap(in_, from.in_);
    return *this;
  }
  ~blob() { troupe_bytes_release(in_); }

  /// Moved, never copied.
  [[nodiscard]] static blob take(std::string bytes) { return take_any(std::move(bytes)); }
  [[nodiscard]] static blob take(std::vector<std::byte> bytes) { return take_any(std::move(bytes)); }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {static_cast<const std::byte*>(troupe_bytes_data(in_)), troupe_bytes_size(in_)};
  }
  [[nodiscard]] std::size_t size() const noexcept { return troupe_bytes_size(in_); }
  [[nodiscard]] std::string_view text() const noexcept {
    return {static_cast<const char*>(troupe_bytes_data(in_)), troupe_bytes_size(in_)};
  }
  friend bool operator==(const blob& a, const blob& b) noexcept { return a.text() == b.text(); }

private:
  friend class source;
  explicit blob(troupe_bytes* in) noexcept : in_(in) {}
  template <class C>
  static blob take_any(C&& bytes) {
    auto* const kept = new C(std::move(bytes));
    return blob(troupe_bytes_of(
        kept->data(), kept->size(), [](void* state) { delete static_cast<C*>(state); }, kept));
  }
  troupe_bytes* in_ = nullptr;
};

/// Gives the bytes of a value back. Once it has failed, everything is zero and empty.
class source {
public:
  explicit source(troupe_source* from) noexcept : from_(from) {}
  source(const source&) = delete;
  source& operator=(const source&) = delete;

  void take(void* to, std::size_t size) noexcept {
    const void* const here = failed_ ? nullptr : troupe_source_take(from_, size);
    if (here != nullptr && size != 0)
      std::memcpy(to, here, size);
    else if (size != 0)
      std::memset(to, 0, size);
    failed_ |= here == nullptr;
  }
  /// Good while the source is; empty if there are fewer.
  [[nodiscard]] std::string_view take(std::size_t size) noexcept {
    const void* const here = failed_ ? nullptr : troupe_source_take(from_, size);
    failed_ |= here == nullptr;
    return here == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(here), size);
  }
  [[nodiscard]] std::size_t left() const noexcept { return failed_ ? 0 : troupe_source_left(from_); }
  [[nodiscard]] blob rest() noexcept { return blob(troupe_source_rest(from_)); }
  void fail(std::string_view why) noexcept {
    troupe_source_fail(from_, detail::text(why));
    failed_ = true;
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

private:
  troupe_source* from_;
  bool failed_ = false;
};

/// Whether values of the type can be kept.
template <class T>
concept storable = requires(sink& to, source& from, const T& v) {
  { codec<T>::name } -> std::convertible_to<std::string_view>;
  { codec<T>::version } -> std::convertible_to<std::uint32_t>;
  codec<T>::write(to, v);
  { codec<T>::read(from, std::uint32_t{}) } -> std::same_as<T>;
};

template <class T>
void write(sink& to, const T& value) {
  codec<T>::write(to, value);
}
/// Parts of a value are read as the version of their own codec that is compiled now.
template <class T>
[[nodiscard]] T read(source& from) {
  return codec<T>::read(from, codec<T>::version);
}

/// The base of a codec for a type of fields: see codec.
template <class T, std::uint32_t Version = 1>
struct fields {
  static constexpr std::uint32_t version = Version;
  static void write(sink& to, const T& value) {
    codec<T>::each(value, [&](const auto&... field) { (troupe::write(to, field), ...); });
  }
  static T read(source& from, std::uint32_t) {
    T value{};
    codec<T>::each(value,
                   [&](auto&... field) { ((field = troupe::read<std::remove_cvref_t<decltype(field)>>(from)), ...); });
    return value;
  }
};

namespace detail {

/// "list<", "i32", ">" as one text, at compile time.
template <const std::string_view&... Parts>
struct joined {
  static constexpr auto make() {
    std::array<char, (Parts.size() + ... + 0)> text_of_parts{};
    std::size_t at = 0;
    const auto add = [&](std::string_view part) {
      for (const char c : part)
        text_of_parts[at++] = c;
    };
    (add(Parts), ...);
    return text_of_parts;
  }
  static constexpr auto all = make();
  static constexpr std::string_view text{all.data(), all.size()};
};
/// A number as text, at compile time.
template <std::size_t N>
struct number_text {
  static constexpr std::size_t digits = [] {
    std::size_t count = 1;
    for (auto rest = N; rest >= 10; rest /= 10)
      ++count;
    return count;
  }();
  static constexpr auto make() {
    std::array<char, digits> text_of_number{};
    auto rest = N;
    for (auto at = digits; at-- > 0; rest /= 10)
      text_of_number[at] = static_cast<char>('0' + rest % 10);
    return text_of_number;
  }
  static constexpr auto all = make();
  static constexpr std::string_view text{all.data(), all.size()};
};
inline constexpr std::string_view comma = ",";
inline constexpr std::string_view close = ">";

/// Whether an array of them is its own encoding.
template <class T>
inline constexpr bool is_plain = (std::is_arithmetic_v<T> || std::is_enum_v<T>)&&!std::is_same_v<T, bool> &&
                                 !std::is_same_v<T, long double> && std::endian::native == std::endian::little;

/// The names of codecs with commas between them.
template <class... C>
struct separated {
  static constexpr std::string_view text{};
};
template <class C>
struct separated<C> {
  static constexpr std::string_view text = C::name;
};
template <class C, class D, class... R>
struct separated<C, D, R...> {
  static constexpr std::string_view first = C::name;
  static constexpr std::string_view text = joined<first, comma, separated<D, R...>::text>::text;
};

template <class C>
void write_all(sink& to, const C& items) {
  using T = typename C::value_type;
  write(to, std::uint64_t{items.size()});
  if constexpr (is_plain<T> && requires { items.data(); })
    to.put(items.data(), items.size() * sizeof(T));
  else
    for (const auto& item : items)
      troupe::write<T>(to, item);
}
/// How many items there are: no more than there are bytes left, where each takes one.
[[nodiscard]] inline std::size_t read_count(source& from) {
  const auto count = read<std::uint64_t>(from);
  if (count > from.left() && count > 0) {
    from.fail("it says that it has more items than there are bytes");
    return 0;
  }
  return static_cast<std::size_t>(count);
}

} // namespace detail

template <class T>
requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) struct codec<T> {
  static constexpr std::string_view names[2][4] = {{"u8", "u16", "u32", "u64"}, {"i8", "i16", "i32", "i64"}};
  static constexpr std::string_view name = names[std::is_signed_v<T> ? 1 : 0][std::countr_zero(sizeof(T))];
  static constexpr std::uint32_t version = 1;
  static void write(sink& to, T value) {
    unsigned char bytes[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i)
      bytes[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(value) >> 8U * i);
    to.put(bytes, sizeof bytes);
  }
  static T read(source& from, std::uint32_t) {
    unsigned char bytes[sizeof(T)];
    from.take(bytes, sizeof bytes);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
      value |= std::uint64_t{bytes[i]} << 8U * i;
    return static_cast<T>(value);
  }
};

template <>
struct codec<bool> {
  static constexpr std::string_view name = "bool";
  static constexpr std::uint32_t version = 1;
  static void write(sink& to, bool value) { codec<std::uint8_t>::write(to, value ? 1 : 0); }
  static bool read(source& from, std::uint32_t) { return codec<std::uint8_t>::read(from, 1) != 0; }
};

template <class T>
requires(std::is_enum_v<T>) struct codec<T> {
  using number = std::underlying_type_t<T>;
  static constexpr std::string_view name = codec<number>::name;
  static constexpr std::uint32_t version = 1;
  static void write(sink& to, T value) { codec<number>::write(to, static_cast<number>(value)); }
  static T read(source& from, std::uint32_t) { return static_cast<T>(codec<number>::read(from, 1)); }
};

template <class T>
requires(std::is_same_v<T, float> || std::is_same_v<T, double>) struct codec<T> {
  using bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  static constexpr std::string_view name = sizeof(T) == 4 ? "f32" : "f64";
  static constexpr std::uint32_t version = 1;
  static void write(sink& to, T value) { codec<bits>::write(to, std::bit_cast<bits>(value)); }
  static T read(source& from, std::uint32_t) { return std::bit_cast<T>(codec<bits>::read(from, 1)); }
};

template <>
struct codec<std::string> {
  static constexpr std::string_view name = "string";
  static constexpr std::uint32_t version = 1;
  static void write(sink& to, const std::string& value) {
    troupe::write(to, std::uint64_t{value.size()});
    to.put(value.data(), value.size());
  }
  static std::string read(source& from, std::uint32_t) { return std::string(from.take(detail::read_count(from))); }
};

/// All bytes there are: a blob is a value of its own, or the last part of one.
template <>
struct codec<blob> {
  static constexpr std::string_view name = "blob";
  static constexpr std::uint32_t version = 1;
  static void write(sink& to, const blob& value) { to.put(value.bytes()); }
  static blob read(source& from, std::uint32_t) { return from.rest(); }
};

template <storable T>
struct codec<std::vector<T>> {
  static constexpr std::string_view open = "list<";
  static constexpr std::string_view inner = codec<T>::name;
  static constexpr std::string_view name = detail::joined<open, inner, detail::close>::text;
  static constexpr std::uint32_t version = codec<T>::version;
  static void write(sink& to, const std::vector<T>& value) { detail::write_all(to, value); }
  static std::vector<T> read(source& from, std::uint32_t) {
    const auto count = detail::read_count(from);
    std::vector<T> value;
    if constexpr (detail::is_plain<T>) {
      const auto bytes = count > from.left() / sizeof(T) ? std::string_view() : from.take(count * sizeof(T));
      value.resize(bytes.size() / sizeof(T));
      if (!bytes.empty())
        std::memcpy(value.data(), bytes.data(), bytes.size());
      if (value.size() != count)
        from.fail("it ends too early");
    } else {
      value.reserve(count);
      for (std::size_t i = 0; i < count && !from.failed(); ++i)
        value.push_back(troupe::read<T>(from));
    }
    return value;
  }
};

template <storable T, std::size_t N>
struct codec<std::array<T, N>> {
  static constexpr std::string_view open = "array<";
  static constexpr std::string_view inner = codec<T>::name;
  static constexpr std::string_view size = detail::number_text<N>::text;
  static constexpr std::string_view name = detail::joined<open, inner, detail::comma, size, detail::close>::text;
  static constexpr std::uint32_t version = codec<T>::version;
  static void write(sink& to, const std::array<T, N>& value) { detail::write_all(to, value); }
  static std::array<T, N> read(source& from, std::uint32_t) {
    std::array<T, N> value{};
    if (read_size(from) != N)
      from.fail("it is an array of another length");
    for (auto& item : value)
      item = troupe::read<T>(from);
    return value;
  }

private:
  static std::uint64_t read_size(source& from) { return troupe::read<std::uint64_t>(from); }
};

template <storable T>
struct codec<std::optional<T>> {
  static constexpr std::string_view open = "optional<";
  static constexpr std::string_view inner = codec<T>::name;
  static constexpr std::string_view name = detail::joined<open, inner, detail::close>::text;
  static constexpr std::uint32_t version = codec<T>::version;
  static void write(sink& to, const std::optional<T>& value) {
    troupe::write(to, value.has_value());
    if (value)
      troupe::write(to, *value);
  }
  static std::optional<T> read(source& from, std::uint32_t) {
    if (!troupe::read<bool>(from))
      return std::nullopt;
    return troupe::read<T>(from);
  }
};

template <storable A, storable B>
struct codec<std::pair<A, B>> {
  static constexpr std::string_view open = "pair<";
  static constexpr std::string_view first = codec<A>::name;
  static constexpr std::string_view second = codec<B>::name;
  static constexpr std::string_view name = detail::joined<open, first, detail::comma, second, detail::close>::text;
  static constexpr std::uint32_t version = 1;
  static void write(sink& to, const std::pair<A, B>& value) {
    troupe::write(to, value.first);
    troupe::write(to, value.second);
  }
  static std::pair<A, B> read(source& from, std::uint32_t) {
    auto a = troupe::read<A>(from);
    auto b = troupe::read<B>(from);
    return {std::move(a), std::move(b)};
  }
};

template <storable... T>
struct codec<std::tuple<T...>> {
  static constexpr std::string_view open = "tuple<";
  static constexpr std::string_view name =
      detail::joined<open, detail::separated<codec<T>...>::text, detail::close>::text;
  static constexpr std::uint32_t version = 1;
  static void write(sink& to, const std::tuple<T...>& value) {
    std::apply([&](const auto&... item) { (troupe::write(to, item), ...); }, value);
  }
  static std::tuple<T...> read(source& from, std::uint32_t) {
    std::tuple<T...> value{troupe::read<T>(from)...}; // braces: from left to right
    return value;
  }
};

/// A value that an asset has handed on: shared, immutable. Where it came from.
struct value_info {
  std::uint64_t run = 0; ///< its number
  std::uint32_t attempt = 0;
  std::chrono::sys_time<std::chrono::nanoseconds> made_at{};
  std::string data_version{};
  std::uint64_t bytes = 0; ///< as it is kept
};

namespace detail {

/// A value and who holds it.
template <class T>
struct held {
  std::atomic<std::uint32_t> holders{1};
  T it;
  explicit held(T&& from) : it(std::move(from)) {}
};
template <class T>
void retain(const void* object) {
  static_cast<held<T>*>(const_cast<void*>(object))->holders.fetch_add(1, std::memory_order_relaxed);
}
template <class T>
void release(const void* object) {
  auto* const one = static_cast<held<T>*>(const_cast<void*>(object));
  if (one->holders.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete one;
}

template <class T>
void write_to(troupe_sink* to, const T& value) {
  sink out(to);
  codec<T>::write(out, value);
  out.flush();
}
template <class T>
std::int32_t write_object(const void* object, troupe_sink* to) {
  const auto& value = static_cast<const held<T>*>(object)->it;
#if defined(__cpp_exceptions)
  try {
    write_to(to, value);
    return 0;
  }
  TROUPE_LET_FORCED_UNWIND_PASS
  catch (const std::exception& why) {
    troupe_sink_fail(to, text(why.what()));
  }
  catch (...) {
    troupe_sink_fail(to, text("its codec threw something that is no std::exception"));
  }
  return 1;
#else
  write_to(to, value);
  return 0;
#endif
}
template <class T>
const void* read_from(troupe_source* from, std::uint32_t version) {
  source in(from);
  T value = codec<T>::read(in, version);
  return in.failed() ? nullptr : new held<T>(std::move(value));
}
template <class T>
const void* read_object(troupe_source* from, std::uint32_t version) {
#if defined(__cpp_exceptions)
  try {
    return read_from<T>(from, version);
  }
  TROUPE_LET_FORCED_UNWIND_PASS
  catch (const std::exception& why) {
    troupe_source_fail(from, text(why.what()));
  }
  catch (...) {
    troupe_source_fail(from, text("its codec threw something that is no std::exception"));
  }
  return nullptr;
#else
  return read_from<T>(from, version);
#endif
}

template <class T>
constexpr std::uint32_t oldest_readable() {
  if constexpr (requires { codec<T>::oldest_readable; })
    return codec<T>::oldest_readable;
  else
    return codec<T>::version;
}
/// By its address the library tells types apart.
template <class T>
inline constexpr troupe_type type_of{
    sizeof(troupe_type), codec<T>::version, oldest_readable<T>(), {codec<T>::name.data(), codec<T>::name.size()},
    &write_object<T>,    &read_object<T>,   &retain<T>,           &release<T>};

} // namespace detail

template <class T>
class value {
public:
  [[nodiscard]] const T& operator*() const noexcept { return in_->it; }
  [[nodiscard]] const T* operator->() const noexcept { return &in_->it; }
  [[nodiscard]] const value_info& info() const noexcept { return info_; }

  value(const value& from) : in_(from.in_), info_(from.info_) { detail::retain<T>(in_); }
  value(value&& from) noexcept : in_(std::exchange(from.in_, nullptr)), info_(std::move(from.info_)) {}
  value& operator=(value from) noexcept {
    std::swap(in_, from.in_);
    std::swap(info_, from.info_);
    return *this;
  }
  ~value() {
    if (in_ != nullptr)
      detail::release<T>(in_);
  }

private:
  friend class engine;
  value(const detail::held<T>* in, value_info info) : in_(in), info_(std::move(info)) {}
  const detail::held<T>* in_;
  value_info info_;
};

} // namespace v1
} // namespace troupe
