// Random events and records from a seed: a visitor of the field lists that fills every field, so that a new field is
// tested without anybody thinking of it.
#pragma once

#include "core/journal/fields.hpp"

#include <random>

namespace troupe_internal::test {

class random_filler {
public:
  explicit random_filler(std::uint64_t seed) : random_(seed) {}

  template <class T>
  void operator()(const char*, T& value) {
    fill(value);
  }
  void time(const char*, std::int64_t& ns) { ns = static_cast<std::int64_t>(random_()); }
  template <class... T>
  void sparse(named_field<T>... fields) {
    (fill_half(fields.value), ...);
  }

  event any_event() {
    event e = make(std::make_index_sequence<std::variant_size_v<event>>{}, random_() % std::variant_size_v<event>);
    std::visit([&](auto& body) { visit_fields(*this, body); }, e);
    return e;
  }
  template <class T>
  T any() {
    T value{};
    visit_fields(*this, value);
    return value;
  }
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

private:
  template <std::size_t... I>
  event make(std::index_sequence<I...>, std::size_t index) {
    event e;
    (void)((I == index && (e.emplace<I>(), true)) || ...);
    return e;
  }
  /// Small values often, every magnitude sometimes.
  std::uint64_t number() { return random_() >> random_() % 64; }

  void fill(std::uint64_t& v) { v = number(); }
  void fill(std::uint32_t& v) { v = static_cast<std::uint32_t>(number()); }
  void fill(std::uint8_t& v) { v = static_cast<std::uint8_t>(number()); }
  void fill(std::int32_t& v) { v = static_cast<std::int32_t>(number()); }
  void fill(bool& v) { v = random_() % 2 == 0; }
  /// Within what the wire takes.
  void fill(duration& d) { d = duration(static_cast<std::int64_t>(number() >> 3U) * (random_() % 4 == 0 ? -1 : 1)); }
  void fill(timestamp& t) { t = from_unix_ns(static_cast<std::int64_t>(number() >> 2U)); }
  void fill(digest& d) {
    for (auto& b : d.bytes)
      b = static_cast<std::uint8_t>(random_());
  }
  void fill(uuid& d) {
    for (auto& b : d.bytes)
      b = static_cast<std::uint8_t>(random_());
  }
  void fill(std::string& s) {
    s.resize(random_() % 20);
    for (auto& c : s)
      c = static_cast<char>(random_());
  }
  template <class Tag>
  void fill(strong_id<Tag>& id) {
    fill(id.value);
  }
  template <class T>
  void fill(std::vector<T>& items) {
    items.resize(random_() % 4);
    for (auto& item : items)
      fill(item);
  }
  template <class T>
  void fill(std::optional<T>& value) {
    value.reset();
    if (random_() % 2 == 0)
      fill(value.emplace());
  }
  template <class A, class B>
  void fill(std::pair<A, B>& p) {
    fill(p.first);
    fill(p.second);
  }
  void fill(status_counts& counts) {
    for (auto& c : counts)
      fill_half(c);
  }
  template <class T>
  void fill(T& value) {
    if constexpr (std::is_enum_v<T>)
      value = static_cast<T>(random_() % enum_count(T{}));
    else
      visit_fields(*this, value);
  }
  template <class T>
  void fill_half(T& value) {
    value = T{};
    if (random_() % 2 == 0)
      fill(value);
  }

  std::mt19937_64 random_;
};

} // namespace troupe_internal::test
