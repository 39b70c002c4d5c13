// Codecs of std::map and std::set. Knows nothing of unordered containers: equal ones may give other bytes.
#pragma once

#include "troupe/value.hpp"

#include <map>
#include <set>

namespace troupe {
inline namespace v1 {

template <storable K, storable T>
struct codec<std::map<K, T>> {
  static constexpr std::string_view open = "map<";
  static constexpr std::string_view key = codec<K>::name;
  static constexpr std::string_view inner = codec<T>::name;
  static constexpr std::string_view name = detail::joined<open, key, detail::comma, inner, detail::close>::text;
  static constexpr std::uint32_t version = 1;
  static void write(sink& to, const std::map<K, T>& value) {
    troupe::write(to, std::uint64_t{value.size()});
    for (const auto& [k, v] : value) {
      troupe::write(to, k);
      troupe::write(to, v);
    }
  }
  static std::map<K, T> read(source& from, std::uint32_t) {
    const auto count = detail::read_count(from);
    std::map<K, T> value;
    for (std::size_t i = 0; i < count && !from.failed(); ++i) {
      auto k = troupe::read<K>(from);
      value.emplace_hint(value.end(), std::move(k), troupe::read<T>(from));
    }
    return value;
  }
};

template <storable T>
struct codec<std::set<T>> {
  static constexpr std::string_view open = "set<";
  static constexpr std::string_view inner = codec<T>::name;
  static constexpr std::string_view name = detail::joined<open, inner, detail::close>::text;
  static constexpr std::uint32_t version = 1;
  static void write(sink& to, const std::set<T>& value) { detail::write_all(to, value); }
  static std::set<T> read(source& from, std::uint32_t) {
    const auto count = detail::read_count(from);
    std::set<T> value;
    for (std::size_t i = 0; i < count && !from.failed(); ++i)
      value.insert(value.end(), troupe::read<T>(from));
    return value;
  }
};

} // namespace v1
} // namespace troupe
