// The JSON reader against Boost.JSON's parser: what is accepted and what it means, in pieces of any size.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "base/utf8.hpp"
#include "config/json_reader.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>

namespace troupe_internal::fuzz {
namespace {

using namespace config;

chunk_source pieces_of(std::string_view text, std::size_t piece) {
  return [text, piece](char* into, std::size_t capacity) mutable {
    const std::size_t count = std::min({piece, capacity, text.size()});
    std::memcpy(into, text.data(), count);
    text.remove_prefix(count);
    return static_cast<std::ptrdiff_t>(count);
  };
}

/// What the reader found, as a tree in words. Lengths keep one text from looking like another.
struct reading {
  std::string tree;
  diagnostics list;
  bool accepted = false;
  bool keys_repeat = false;
};

void put(std::string& out, char kind, std::string_view text) {
  out.append(1, kind).append(std::to_string(text.size())).append(":").append(text);
}

void tell(json_reader& json, reading& r) {
  const auto v = json.value();
  if (v.kind == json_kind::object) {
    r.tree += '{';
    std::set<std::string, std::less<>> keys;
    std::string_view key;
    place where;
    while (json.next_member(key, where)) {
      r.keys_repeat |= !keys.emplace(key).second;
      put(r.tree, 'k', key);
      tell(json, r);
    }
    r.tree += '}';
  } else if (v.kind == json_kind::array) {
    r.tree += '[';
    while (json.next_element())
      tell(json, r);
    r.tree += ']';
  } else if (v.kind != json_kind::none) {
    put(r.tree, v.kind == json_kind::string ? 's' : v.kind == json_kind::number ? 'n' : 'w', v.text);
  }
}

reading read(std::string_view text, std::size_t piece) {
  reading r;
  findings out(r.list);
  json_reader json(pieces_of(text, piece), out);
  tell(json, r);
  json.finish();
  r.accepted = !json.failed() && r.list.items.empty();
  return r;
}

std::string words(const reading& r) {
  std::string text = r.tree + "\n";
  for (const auto& item : r.list.items)
    text += std::to_string(item.where.line) + ":" + std::to_string(item.where.column) + " " + item.code + " " +
            item.message + "\n";
  return text;
}

/// Takes from the reader's tree what Boost.JSON has next; false where they differ.
class comparison {
public:
  explicit comparison(std::string_view tree) : rest_(tree) {}

  bool same(const boost::json::value& v) {
    if (const auto* object = v.if_object()) {
      if (!take("{"))
        return false;
      for (const auto& member : *object)
        if (!text('k', {member.key().data(), member.key().size()}) || !same(member.value()))
          return false;
      return take("}");
    }
    if (const auto* array = v.if_array()) {
      if (!take("["))
        return false;
      for (const auto& element : *array)
        if (!same(element))
          return false;
      return take("]");
    }
    if (const auto* string = v.if_string())
      return text('s', {string->data(), string->size()});
    if (!v.is_number())
      return text('w', boost::json::serialize(v));
    return number(v);
  }
  [[nodiscard]] bool done() const { return rest_.empty(); }

private:
  bool take(std::string_view expected) {
    if (!rest_.starts_with(expected))
      return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  bool text(char kind, std::string_view expected) {
    std::string whole;
    put(whole, kind, expected);
    return take(whole);
  }
  bool number(const boost::json::value& v) {
    const auto colon = rest_.find(':');
    if (rest_.empty() || rest_.front() != 'n' || colon == rest_.npos)
      return false;
    const auto size = std::strtoul(std::string(rest_.substr(1, colon - 1)).c_str(), nullptr, 10);
    const std::string written(rest_.substr(colon + 1, size));
    rest_.remove_prefix(colon + 1 + size);
    if (v.is_int64())
      return std::strtoll(written.c_str(), nullptr, 10) == v.get_int64();
    if (v.is_uint64())
      return std::strtoull(written.c_str(), nullptr, 10) == v.get_uint64();
    const double ours = std::strtod(written.c_str(), nullptr);
    const double theirs = v.get_double();
    if (std::isnan(theirs)) // theirs for 0e400: zero times infinity
      return ours == 0;
    return ours == theirs || std::fabs(ours - theirs) <= 1e-9 * std::fabs(ours) + 1e-300;
  }

  std::string_view rest_;
};

/// Where the two are meant to differ: what the reader refuses on purpose.
bool refused_on_purpose(const diagnostics& list) {
  return std::all_of(list.items.begin(), list.items.end(), [](const diagnostic& item) {
    return item.code == "nul_byte" || item.code == "too_deep" || item.code == "too_large" || item.code == "encoding" ||
           item.message.starts_with("a number of more than 400");
  });
}

bool is_limit_of_boost(const boost::system::error_code& ec) {
  return ec == boost::json::error::exponent_overflow || ec == boost::json::error::too_deep;
}

} // namespace

void fuzz_json(std::string_view bytes) {
  const auto ours = read(bytes, bytes.size() + 1);
  const auto in_pieces = read(bytes, 1 + number_of(bytes) % 11);
  FUZZ_CHECK(words(in_pieces) == words(ours), words(in_pieces));
  FUZZ_CHECK(!ours.accepted || is_utf8(bytes), words(ours));

  std::string_view text = bytes;
  if (text.starts_with("\xEF\xBB\xBF")) // a byte order mark, which Boost.JSON does not know
    text.remove_prefix(3);
  boost::json::parse_options options;
  options.allow_comments = options.allow_trailing_commas = true;
  options.max_depth = 64;
  boost::system::error_code wrong;
  // A comment at the end has to be closed by a newline for it.
  const auto theirs = boost::json::parse(std::string(text) + "\n", wrong, {}, options);
  // It does not see the end of a comment that a further * stands before.
  const bool end_unseen = text.find("**/") != std::string_view::npos;
  if (ours.accepted)
    FUZZ_CHECK(!wrong || end_unseen || is_limit_of_boost(wrong), wrong.message() + "\n" + words(ours));
  else
    FUZZ_CHECK(wrong || refused_on_purpose(ours.list), words(ours));
  if (wrong || !ours.accepted || ours.keys_repeat) // of equal keys Boost.JSON keeps one
    return;
  comparison compare(ours.tree);
  FUZZ_CHECK(compare.same(theirs) && compare.done(), words(ours));
}

} // namespace troupe_internal::fuzz
