// Changes one field of an event or a record, as whoever forges it would: to the ends of its range, to what is next to
// it, lists that are longer, shorter or out of order. A visitor of the field lists; knows nothing of storage.
#pragma once

#include "core/journal/fields.hpp"
#include "fuzz/fuzz.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace troupe_internal::fuzz {

class field_changer {
public:
  /// Changes the field with this number, counted through the whole of the value; `choices` says to what.
  field_changer(std::size_t number, input& choices) : number_(number), choices_(choices) {}

  template <class T>
  void operator()(const char*, T& value) {
    visit(value);
  }
  void time(const char*, std::int64_t& ns) { visit(ns); }
  template <class... T>
  void sparse(named_field<T>... fields) {
    (visit(fields.value), ...);
  }
  /// How many fields there are.
  [[nodiscard]] std::size_t seen() const { return at_; }

private:
  bool mine() { return at_++ == number_; }

  template <class T>
  T number_from(T value) {
    switch (choices_.byte() % 10) {
    case 0:
      return T{0};
    case 1:
      return T{1};
    case 2:
      return std::numeric_limits<T>::max();
    case 3:
      return std::numeric_limits<T>::min();
    case 4:
      return static_cast<T>(std::numeric_limits<T>::max() / 2);
    case 5:
      return value == std::numeric_limits<T>::max() ? value : static_cast<T>(value + 1);
    case 6:
      return value == std::numeric_limits<T>::min() ? value : static_cast<T>(value - 1);
    case 7:
      return static_cast<T>(choices_.byte() % 16);
    default:
      return static_cast<T>(std::uint64_t{choices_.number()} << 32U | choices_.number());
    }
  }
  void visit(std::uint64_t& v) { change_number(v); }
  void visit(std::uint32_t& v) { change_number(v); }
  void visit(std::uint8_t& v) { change_number(v); }
  void visit(std::int64_t& v) { change_number(v); }
  void visit(std::int32_t& v) { change_number(v); }
  template <class T>
  void change_number(T& v) {
    if (mine())
      v = number_from(v);
  }
  void visit(bool& v) {
    if (mine())
      v = !v;
  }
  void visit(duration& d) {
    if (mine())
      d = duration(number_from(d.count()));
  }
  void visit(timestamp& t) {
    if (mine())
      t = from_unix_ns(number_from(to_unix_ns(t)));
  }
  void visit(digest& d) { change_bytes(d.bytes); }
  void visit(uuid& d) { change_bytes(d.bytes); }
  template <class Bytes>
  void change_bytes(Bytes& bytes) {
    if (mine())
      bytes[choices_.byte() % bytes.size()] = choices_.byte();
  }
  void visit(std::string& s) {
    static constexpr std::string_view odd[] = {"",        "/",      "..",         "../../etc/passwd", "demo/asset_1",
                                               "a/b/c/d", "\n",     "\x1b]0;x\a", "\xff\xfe",         "demo/",
                                               "*",       "{{ x }}"};
    if (!mine())
      return;
    switch (choices_.byte() % 4) {
    case 0:
      s = odd[choices_.byte() % std::size(odd)];
      break;
    case 1:
      s += std::string(1, '\0') + "behind";
      break;
    case 2:
      s.assign(5'000, 'x');
      break;
    default:
      s.insert(s.size() / 2, 1, static_cast<char>(choices_.byte()));
      break;
    }
  }
  template <class Tag>
  void visit(strong_id<Tag>& id) {
    change_number(id.value);
  }
  template <class T>
  void visit(std::vector<T>& items) {
    if (mine()) {
      const auto at = items.empty() ? 0 : choices_.byte() % items.size();
      switch (choices_.byte() % 5) {
      case 0:
        items.clear();
        break;
      case 1:
        items.insert(items.begin() + static_cast<std::ptrdiff_t>(at), items.empty() ? T{} : T(items[at]));
        break;
      case 2:
        std::reverse(items.begin(), items.end());
        break;
      case 3:
        items.resize(items.size() + 1 + choices_.byte(), items.empty() ? T{} : T(items[at]));
        break;
      default:
        if (!items.empty())
          items.erase(items.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      }
    }
    for (auto& item : items)
      visit(item);
  }
  template <class T>
  void visit(std::optional<T>& value) {
    if (mine()) {
      if (value)
        value.reset();
      else
        value.emplace();
    }
    if (value)
      visit(*value);
  }
  template <class A, class B>
  void visit(std::pair<A, B>& p) {
    visit(p.first);
    visit(p.second);
  }
  template <class T, std::size_t N>
  void visit(std::array<T, N>& items) {
    for (auto& item : items)
      visit(item);
  }
  template <class T>
  void visit(T& value) {
    if constexpr (std::is_enum_v<T>) {
      if (mine())
        value = static_cast<T>((static_cast<unsigned>(value) + 1 + choices_.byte()) % enum_count(T{}));
    } else {
      visit_fields(*this, value);
    }
  }

  std::size_t number_;
  input& choices_;
  std::size_t at_ = 0;
};

/// One field of a record.
template <class T>
void change_a_field(T& value, input& choices) {
  input none{std::string_view()};
  field_changer count(std::numeric_limits<std::size_t>::max(), none);
  visit_fields(count, value);
  const std::size_t number = choices.byte() << 8U | choices.byte();
  if (count.seen() == 0)
    return;
  field_changer change(number % count.seen(), choices);
  visit_fields(change, value);
}
inline void change_a_field(event& e, input& choices) {
  std::visit([&](auto& body) { change_a_field(body, choices); }, e);
}

} // namespace troupe_internal::fuzz
