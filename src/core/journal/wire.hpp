// Values to compact bytes and back, driven by the field lists of core/journal/fields.hpp. Knows no event and no
// storage.
//
//   unsigned      LEB128 varint                    signed, duration   zigzag, then varint; a duration within 73 years
//   bool, enum    one byte                         uuid               16 bytes
//   string, list  count, then the items            optional           0, or 1 and the value
//   digest        0, then 16 bytes; or k: the k-th last one written out in this record, at most 8 back
//   id            varint; inside a list: zigzag difference from the id before it in that list (0 at first)
//   time          the first of a record: 8 bytes, little-endian nanoseconds; later ones: zigzag difference from the
//                 one before; moments of 1970 to 2189 (a file's times may be any)
//   sparse group  a varint mask of which fields are not default; then those, a bool or optional without its flag
#pragma once

#include "base/digest.hpp"
#include "base/strong_id.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"
#include "core/journal/fields.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe_internal {

namespace wire {

[[nodiscard]] constexpr std::uint64_t zigzag(std::int64_t v) {
  return static_cast<std::uint64_t>(v) << 1U ^ static_cast<std::uint64_t>(v >> 63);
}
[[nodiscard]] constexpr std::int64_t unzigzag(std::uint64_t v) {
  return static_cast<std::int64_t>(v >> 1U ^ (~(v & 1U) + 1U));
}
/// a - b and b + d without overflow: differences wrap around, and back.
[[nodiscard]] constexpr std::int64_t difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
[[nodiscard]] constexpr std::int64_t sum(std::int64_t b, std::int64_t d) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(b) + static_cast<std::uint64_t>(d));
}

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// Whether a sparse group leaves the value out.
template <class T>
[[nodiscard]] bool is_default(const T& value) {
  if constexpr (is_optional<T>)
    return !value.has_value();
  else if constexpr (requires { value.empty(); })
    return value.empty();
  else
    return value == T{};
}

/// The digests last written out, newest first: content often stands in a record twice (observed, then produced).
class recent_digests {
public:
  static constexpr unsigned capacity = 8;
  /// 1 for the newest … capacity; 0: it is not among them.
  [[nodiscard]] unsigned find(const digest& d) const {
    for (unsigned back = 1; back <= capacity && back <= count_; ++back)
      if (at(back) == d)
        return back;
    return 0;
  }
  [[nodiscard]] bool has(unsigned back) const { return back >= 1 && back <= capacity && back <= count_; }
  [[nodiscard]] const digest& at(unsigned back) const { return ring_[(count_ - back) % capacity]; }
  void add(const digest& d) { ring_[count_++ % capacity] = d; }

private:
  std::array<digest, capacity> ring_;
  unsigned count_ = 0;
};

} // namespace wire

/// Appends to a string of the caller's. One writer a record.
class wire_writer {
public:
  explicit wire_writer(std::string& out) : out_(out) {}

  template <class T>
  void operator()(const char*, const T& value) {
    put(value);
  }
  void time(const char*, std::int64_t unix_ns) { put_time(unix_ns); }

  template <class... T>
  void sparse(named_field<T>... fields) {
    std::uint64_t mask = 0;
    unsigned bit = 0;
    ((mask |= static_cast<std::uint64_t>(!wire::is_default(fields.value)) << bit++), ...);
    put(mask);
    (put_present(fields.value), ...);
  }

  void put(std::uint64_t v) {
    char bytes[10];
    std::size_t n = 0;
    for (; v >= 0x80; v >>= 7U)
      bytes[n++] = static_cast<char>(v | 0x80U);
    bytes[n++] = static_cast<char>(v);
    out_.append(bytes, n);
  }

  /// Forgets what relative values are relative to: a new record begins.
  void restart() {
    last_time_.reset();
    recent_ = {};
  }

private:
  void put(std::uint32_t v) { put(std::uint64_t{v}); }
  void put(std::uint8_t v) { out_ += static_cast<char>(v); }
  void put(std::int64_t v) { put(wire::zigzag(v)); }
  void put(std::int32_t v) { put(wire::zigzag(v)); }
  void put(bool v) { out_ += v ? '\1' : '\0'; }
  void put(duration d) { put(wire::zigzag(d.count())); }
  void put(timestamp t) { put_time(to_unix_ns(t)); }
  void put(const digest& d) {
    const auto back = recent_.find(d);
    out_ += static_cast<char>(back);
    if (back == 0) {
      put_raw(d.bytes);
      recent_.add(d);
    }
  }
  void put(const uuid& d) { put_raw(d.bytes); }
  void put(const std::string& s) {
    put(std::uint64_t{s.size()});
    out_ += s;
  }
  template <class Tag>
  void put(strong_id<Tag> id) {
    if (!in_list_)
      return put(id.value);
    put(wire::zigzag(std::int64_t{id.value} - last_id_));
    last_id_ = id.value;
  }
  template <class T>
  void put(const std::vector<T>& items) {
    put(std::uint64_t{items.size()});
    const auto outer_id = std::exchange(last_id_, 0);
    const auto outer = std::exchange(in_list_, true);
    for (const auto& item : items)
      put(item);
    in_list_ = outer;
    last_id_ = outer_id;
  }
  template <class T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value)
      put(*value);
  }
  template <class A, class B>
  void put(const std::pair<A, B>& p) {
    put(p.first);
    put(p.second);
  }
  template <class T, std::size_t N>
  void put(const std::array<T, N>& items) {
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < N; ++i)
      mask |= static_cast<std::uint64_t>(items[i] != T{}) << i;
    put(mask);
    for (const auto& item : items)
      if (item != T{})
        put(item);
  }
  template <class T>
  void put(const T& value) {
    if constexpr (std::is_enum_v<T>)
      out_ += static_cast<char>(value);
    else
      visit_fields(*this, value);
  }
  template <class T>
  void put_present(const T& value) {
    if (wire::is_default(value))
      return;
    if constexpr (wire::is_optional<T>)
      put(*value);
    else if constexpr (!std::is_same_v<T, bool>)
      put(value);
  }
  void put_raw(const std::array<std::uint8_t, 16>& bytes) {
    char raw[16];
    std::memcpy(raw, bytes.data(), sizeof raw);
    out_.append(raw, sizeof raw);
  }
  void put_time(std::int64_t ns) {
    if (last_time_) {
      put(wire::zigzag(wire::difference(ns, *last_time_)));
    } else {
      char raw[8];
      for (unsigned i = 0; i < 8; ++i)
        raw[i] = static_cast<char>(static_cast<std::uint64_t>(ns) >> 8U * i);
      out_.append(raw, sizeof raw);
    }
    last_time_ = ns;
  }

  std::string& out_;
  std::optional<std::int64_t> last_time_;
  std::int64_t last_id_ = 0;
  bool in_list_ = false;
  wire::recent_digests recent_;
};

/// Reads what wire_writer wrote, into values whose memory is reused. Total: whatever the bytes, it stops with a problem
/// or with values; it never allocates more than a small multiple of the bytes it was given.
class wire_reader {
public:
  explicit wire_reader(std::string_view bytes, unsigned layout = newest_layout)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()), layout_(layout) {}

  /// Of what is read next (see core/journal/fields.hpp).
  [[nodiscard]] unsigned layout() const { return layout_; }
  void set_layout(unsigned layout) { layout_ = layout; }

  /// Null while all is well; else the first finding.
  [[nodiscard]] const char* problem() const { return problem_; }
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  template <class T>
  void operator()(const char*, T& value) {
    get(value);
  }
  void time(const char*, std::int64_t& unix_ns) { unix_ns = get_time(); }

  template <class... T>
  void sparse(named_field<T>... fields) {
    std::uint64_t mask = 0;
    get(mask);
    if (sizeof...(T) < 64 && mask >> sizeof...(T) != 0)
      fail("it has fields this version does not know");
    unsigned bit = 0;
    (get_present((mask >> bit++ & 1U) != 0 && problem_ == nullptr, fields.value), ...);
  }

  void get(std::uint64_t& v) {
    if (at_ != end_ && (static_cast<unsigned char>(*at_) & 0x80U) == 0) { // nearly always
      v = static_cast<unsigned char>(*at_++);
      return;
    }
    v = get_long();
  }
  void get(std::uint8_t& v) {
    if (at_ == end_) {
      v = 0;
      return fail(too_short);
    }
    v = static_cast<std::uint8_t>(*at_++);
  }

private:
  static constexpr const char* too_short = "it ends too early";
  /// 73 years, and moments from 1970 to 2189: so that no difference, and no sum of two of them, can overflow.
  static constexpr std::int64_t longest_span_ns = std::int64_t{1} << 61U;
  static constexpr std::int64_t latest_ns = std::numeric_limits<std::int64_t>::max() - longest_span_ns;

  void fail(const char* why) {
    if (problem_ == nullptr)
      problem_ = why;
    at_ = end_; // every later read then ends at once
  }

  std::uint64_t get_long() {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      std::uint8_t byte = 0;
      get(byte);
      if (problem_ != nullptr)
        return 0;
      if (shift == 63 && byte > 1)
        break;
      v |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if ((byte & 0x80U) == 0)
        return v;
    }
    fail("a number in it is too large");
    return 0;
  }
  void get(std::uint32_t& v) {
    std::uint64_t wide = 0;
    get(wide);
    v = static_cast<std::uint32_t>(wide);
    if (v != wide)
      fail("a number in it is too large");
  }
  void get(std::int64_t& v) {
    std::uint64_t wide = 0;
    get(wide);
    v = wire::unzigzag(wide);
  }
  void get(std::int32_t& v) {
    std::int64_t wide = 0;
    get(wide);
    v = static_cast<std::int32_t>(wide);
    if (v != wide)
      fail("a number in it is too large");
  }
  void get(bool& v) {
    std::uint8_t byte = 0;
    get(byte);
    if (byte > 1)
      fail("a flag in it is neither 0 nor 1");
    v = byte == 1;
  }
  void get(duration& d) {
    std::int64_t ns = 0;
    get(ns);
    d = duration(ns);
    if (ns > longest_span_ns || ns < -longest_span_ns)
      fail("a span of time in it is out of range");
  }
  void get(timestamp& t) {
    t = from_unix_ns(get_time());
    if (to_unix_ns(t) < 0 || to_unix_ns(t) > latest_ns)
      fail("a time in it is out of range");
  }
  void get(digest& d) {
    std::uint8_t back = 0;
    get(back);
    if (back == 0) {
      get_raw(d.bytes);
      recent_.add(d);
    } else if (recent_.has(back)) {
      d = recent_.at(back);
    } else {
      fail("it refers to a digest that is not there");
    }
  }
  void get(uuid& d) { get_raw(d.bytes); }
  void get(std::string& s) {
    const auto n = get_count();
    s.assign(at_, n);
    at_ += n;
  }
  template <class Tag>
  void get(strong_id<Tag>& id) {
    if (!in_list_)
      return get(id.value);
    std::int64_t step = 0;
    get(step);
    last_id_ = wire::sum(last_id_, step);
    id.value = static_cast<std::uint32_t>(last_id_);
    if (std::int64_t{id.value} != last_id_)
      fail("an id in it is out of range");
  }
  template <class T>
  void get(std::vector<T>& items) {
    const auto n = get_count(); // an item takes a byte or more, so n is bounded by the bytes there are
    const auto outer_id = std::exchange(last_id_, 0);
    const auto outer = std::exchange(in_list_, true);
    std::size_t i = 0;
    for (; i < n && problem_ == nullptr; ++i) {
      if (i == items.size())
        items.emplace_back();
      get(items[i]);
    }
    items.resize(i);
    in_list_ = outer;
    last_id_ = outer_id;
  }
  template <class T>
  void get(std::optional<T>& value) {
    bool has = false;
    get(has);
    get_present(has, value);
  }
  template <class A, class B>
  void get(std::pair<A, B>& p) {
    get(p.first);
    get(p.second);
  }
  template <class T, std::size_t N>
  void get(std::array<T, N>& items) {
    std::uint64_t mask = 0;
    get(mask);
    if (mask >> N != 0)
      fail("it has fields this version does not know");
    for (std::size_t i = 0; i < N; ++i)
      get_present((mask >> i & 1U) != 0, items[i]);
  }
  template <class T>
  void get(T& value) {
    if constexpr (std::is_enum_v<T>) {
      std::uint8_t byte = 0;
      get(byte);
      if (byte >= enum_count(T{}))
        return fail("it has a kind this version does not know");
      value = static_cast<T>(byte);
    } else {
      visit_fields(*this, value);
    }
  }
  template <class T>
  void get_present(bool present, T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      value = present;
    } else if constexpr (wire::is_optional<T>) {
      if (!present)
        return value.reset();
      if (!value)
        value.emplace();
      get(*value);
    } else if (present) {
      get(value);
    } else if constexpr (requires { value.clear(); }) {
      value.clear(); // keeps its memory
    } else {
      value = T{};
    }
  }
  std::size_t get_count() {
    std::uint64_t n = 0;
    get(n);
    if (n > left()) {
      fail(too_short);
      n = 0;
    }
    return static_cast<std::size_t>(n);
  }
  void get_raw(std::array<std::uint8_t, 16>& bytes) {
    if (left() < bytes.size()) {
      bytes = {};
      return fail(too_short);
    }
    std::memcpy(bytes.data(), at_, bytes.size());
    at_ += bytes.size();
  }
  std::int64_t get_time() {
    std::int64_t ns = 0;
    if (last_time_) {
      get(ns);
      ns = wire::sum(*last_time_, ns);
    } else if (left() < 8) {
      fail(too_short);
    } else {
      std::uint64_t raw = 0;
      for (unsigned i = 0; i < 8; ++i)
        raw |= std::uint64_t{static_cast<unsigned char>(at_[i])} << 8U * i;
      at_ += 8;
      ns = static_cast<std::int64_t>(raw);
    }
    last_time_ = ns;
    return ns;
  }

  const char* at_;
  const char* end_;
  unsigned layout_;
  const char* problem_ = nullptr;
  std::optional<std::int64_t> last_time_;
  std::int64_t last_id_ = 0;
  bool in_list_ = false;
  wire::recent_digests recent_;
};

} // namespace troupe_internal
