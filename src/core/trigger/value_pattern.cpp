// Thompson's construction: a pattern becomes states, and all states that a prefix leads to are followed at the same
// time. A repetition with numbers becomes as many copies.
#include "core/trigger/value_pattern.hpp"

#include "base/shown_text.hpp"

#include <optional>
#include <utility>

namespace troupe_internal {

/// Recursive descent; each method returns a piece whose ends are joined by its caller. The first mistake ends it.
class pattern_compiler {
public:
  explicit pattern_compiler(std::string_view text) : text_(text) { out_.text_ = std::string(text); }

  result<value_pattern> run() {
    if (text_.size() > value_pattern::max_pattern_bytes)
      return fail(error_code::invalid_input, "a pattern has at most 1000 bytes");
    if (text_.starts_with('^'))
      at_ = 1;
    const auto whole = alternatives(0);
    if (problem_.empty() && at_ < text_.size())
      wrong(text_[at_] == ')' ? "a ) closes nothing" : "something follows its end");
    if (!problem_.empty())
      return fail(error_code::invalid_input, problem_ + " (at byte " + std::to_string(at_ + 1) + " of the pattern)");
    const auto accept = add({});
    if (out_.states_.size() > value_pattern::max_states)
      return fail(error_code::invalid_input, "the pattern's repetitions are too many");
    out_.states_[whole.last].next = out_.states_[whole.last].other = accept;
    out_.first_ = whole.first;
    return std::move(out_);
  }

private:
  using byte_set = value_pattern::byte_set;
  /// From its first state on it leads to its last one, which takes nothing and leads nowhere yet.
  struct piece {
    std::uint32_t first = 0, last = 0;
  };
  static constexpr int deepest = 50;

  void wrong(std::string why) {
    if (problem_.empty())
      problem_ = std::move(why);
  }
  [[nodiscard]] bool going() const { return problem_.empty() && at_ < text_.size(); }

  std::uint32_t add(value_pattern::state one) {
    if (out_.states_.size() > value_pattern::max_states) {
      wrong("the pattern's repetitions are too many");
      return 0;
    }
    out_.states_.push_back(one);
    return static_cast<std::uint32_t>(out_.states_.size() - 1);
  }
  void lead(std::uint32_t from, std::uint32_t to) { out_.states_[from].next = out_.states_[from].other = to; }
  piece nothing() {
    const auto state = add({});
    return {state, state};
  }

  piece alternatives(int depth) {
    auto all = branch(depth);
    while (going() && text_[at_] == '|') {
      ++at_;
      const auto more = branch(depth);
      const auto last = add({});
      const auto first = add({false, 0, all.first, more.first});
      lead(all.last, last);
      lead(more.last, last);
      all = {first, last};
    }
    return all;
  }

  piece branch(int depth) {
    auto all = nothing();
    while (going() && text_[at_] != '|' && text_[at_] != ')') {
      if (text_[at_] == '$' && at_ + 1 == text_.size()) {
        ++at_;
        break;
      }
      const auto from = at_;
      auto one = atom(depth);
      one = repeated(one, from, depth);
      lead(all.last, one.first);
      all.last = one.last;
    }
    return all;
  }

  /// Reads the atom at a place once more: for copies.
  piece copy(std::size_t from, int depth) {
    const auto kept = std::exchange(at_, from);
    const auto one = atom(depth);
    at_ = kept;
    return one;
  }

  piece repeated(piece one, std::size_t from, int depth) {
    if (!going())
      return one;
    std::uint32_t least = 1;
    std::optional<std::uint32_t> most = 1;
    switch (text_[at_]) {
    case '*':
      least = 0;
      most.reset();
      ++at_;
      break;
    case '+':
      most.reset();
      ++at_;
      break;
    case '?':
      least = 0;
      ++at_;
      break;
    case '{':
      if (!bounds(least, most))
        return one;
      break;
    default:
      return one;
    }
    if (going() && std::string_view("*+?{").find(text_[at_]) != std::string_view::npos)
      wrong("a repetition follows a repetition; put the first into ( )");
    // `one` is the first copy; of a piece that is not needed it may be left out.
    auto all = nothing();
    auto add_piece = [&](piece more, bool optional, bool again) {
      const auto last = add({});
      const auto first = add({false, 0, more.first, optional ? last : more.first});
      out_.states_[more.last].next = again ? more.first : last;
      out_.states_[more.last].other = last;
      lead(all.last, first);
      all.last = last;
    };
    const auto copies = most ? *most : std::max<std::uint32_t>(least, 1);
    for (std::uint32_t i = 0; i < copies && problem_.empty(); ++i)
      add_piece(i == 0 ? one : copy(from, depth), i >= least, !most && i + 1 == copies);
    return all;
  }

  /// {n}, {n,} or {n,m}
  bool bounds(std::uint32_t& least, std::optional<std::uint32_t>& most) {
    const auto end = text_.find('}', at_);
    const auto inside = end == std::string_view::npos ? std::string_view() : text_.substr(at_ + 1, end - at_ - 1);
    const auto comma = inside.find(',');
    const auto low = number(inside.substr(0, comma));
    auto high = low;
    bool good = low.has_value();
    if (comma != std::string_view::npos) {
      high = inside.size() == comma + 1 ? std::nullopt : number(inside.substr(comma + 1));
      good = good && (high ? *high >= *low : inside.size() == comma + 1);
    }
    if (!good) {
      wrong("{ has to begin {n}, {n,} or {n,m} with numbers up to 1000; write \\{ for a brace");
      return false;
    }
    least = *low;
    most = high;
    at_ = end + 1;
    return true;
  }

  static std::optional<std::uint32_t> number(std::string_view text) {
    if (text.empty() || text.size() > 4)
      return std::nullopt;
    std::uint32_t value = 0;
    for (const char c : text) {
      if (c < '0' || c > '9')
        return std::nullopt;
      value = value * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return value <= value_pattern::max_repetitions ? std::optional(value) : std::nullopt;
  }

  piece atom(int depth) {
    const char c = text_[at_];
    if (c == '(') {
      if (depth == deepest) {
        wrong("its parentheses are nested too deep");
        return nothing();
      }
      ++at_;
      if (text_.substr(at_).starts_with("?:"))
        at_ += 2;
      else if (text_.substr(at_).starts_with("?"))
        wrong("of groups with ? only (?: ) is known");
      const auto inside = alternatives(depth + 1);
      if (going() && text_[at_] == ')')
        ++at_;
      else
        wrong("a ( is not closed");
      return inside;
    }
    if (c == '[')
      return one_of(characters());
    if (c == '\\')
      return one_of(escaped());
    if (std::string_view("*+?{").find(c) != std::string_view::npos) {
      wrong("there is nothing to repeat; write \\" + std::string(1, c) + " for the character");
      return nothing();
    }
    if (c == '^' || c == '$') {
      wrong(std::string(1, c) + " stands inside; the whole value has to match anyway; write \\" + std::string(1, c) +
            " for the character");
      return nothing();
    }
    ++at_;
    byte_set set;
    if (c == '.')
      set.set();
    else
      set.set(static_cast<unsigned char>(c));
    return one_of(set);
  }

  piece one_of(const byte_set& set) {
    const auto last = add({});
    out_.sets_.push_back(set);
    const auto first = add({true, static_cast<std::uint32_t>(out_.sets_.size() - 1), last, last});
    return {first, last};
  }

  static byte_set span(unsigned char from, unsigned char to) {
    byte_set set;
    for (unsigned c = from; c <= to; ++c)
      set.set(c);
    return set;
  }

  /// What a backslash and the character after it stand for.
  byte_set escaped() {
    byte_set set;
    ++at_;
    if (at_ == text_.size()) {
      wrong("a \\ stands at the end");
      return set;
    }
    const char c = text_[at_++];
    const auto either = [](char letter) { return static_cast<char>(letter | 0x20); };
    switch (either(c)) {
    case 'd':
      set = span('0', '9');
      break;
    case 'w':
      set = span('0', '9') | span('a', 'z') | span('A', 'Z') | span('_', '_');
      break;
    case 's':
      set = span('\t', '\r') | span(' ', ' ');
      break;
    default:
      if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        wrong("\\" + std::string(1, c) + " has no meaning; there are \\d, \\w, \\s, \\D, \\W and \\S");
      set.set(static_cast<unsigned char>(c));
      return set;
    }
    return c >= 'A' && c <= 'Z' ? ~set : set;
  }

  byte_set characters() {
    byte_set set;
    ++at_;
    const bool negated = going() && text_[at_] == '^';
    at_ += negated ? 1 : 0;
    bool first = true;
    while (going() && (text_[at_] != ']' || first)) {
      first = false;
      if (static_cast<unsigned char>(text_[at_]) >= 0x80) {
        wrong("in [ ] only ASCII characters may stand");
        break;
      }
      if (text_[at_] == '\\') {
        set |= escaped();
        continue;
      }
      const char from = text_[at_++];
      if (text_.size() - at_ >= 2 && text_[at_] == '-' && text_[at_ + 1] != ']') {
        const char to = text_[at_ + 1];
        at_ += 2;
        if (to < from || to == '\\')
          wrong("a range in [ ] runs backwards or ends in \\");
        else
          set |= span(static_cast<unsigned char>(from), static_cast<unsigned char>(to));
      } else {
        set.set(static_cast<unsigned char>(from));
      }
    }
    if (going())
      ++at_;
    else
      wrong("a [ is not closed");
    return negated ? ~set : set;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string problem_;
  value_pattern out_;
};

result<value_pattern> value_pattern::compile(std::string_view text) {
  return pattern_compiler(text).run();
}

bool value_pattern::matches(std::string_view value) const {
  const auto accept = static_cast<std::uint32_t>(states_.size() - 1);
  std::vector<std::uint32_t> now, then, open;
  std::vector<std::size_t> reached(states_.size(), 0); // at which step
  std::size_t step = 0;
  const auto reach = [&](std::uint32_t from, std::vector<std::uint32_t>& into) {
    open.push_back(from);
    while (!open.empty()) {
      const auto at = open.back();
      open.pop_back();
      if (std::exchange(reached[at], step) == step)
        continue;
      if (states_[at].takes || at == accept) {
        into.push_back(at);
      } else {
        open.push_back(states_[at].next);
        open.push_back(states_[at].other);
      }
    }
  };
  ++step;
  reach(first_, now);
  for (const char c : value) {
    ++step;
    then.clear();
    for (const auto at : now)
      if (at != accept && sets_[states_[at].set].test(static_cast<unsigned char>(c)))
        reach(states_[at].next, then);
    std::swap(now, then);
  }
  for (const auto at : now)
    if (at == accept)
      return true;
  return false;
}

} // namespace troupe_internal
