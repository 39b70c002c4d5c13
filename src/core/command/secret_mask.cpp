// Aho and Corasick's automaton: a trie of all texts in which every node knows where to go on when a byte does not fit.
#include "core/command/secret_mask.hpp"

#include <algorithm>

namespace troupe_internal {

namespace {

std::string_view without_line_ends(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.remove_suffix(1);
  return text;
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const auto first = text.find_first_not_of(blanks);
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

} // namespace

std::vector<std::string> masked_texts_of(std::string_view value) {
  std::vector<std::string> texts;
  const auto add = [&](std::string_view text) {
    if (text.size() >= least_masked_bytes)
      texts.emplace_back(text);
  };
  const auto whole = without_line_ends(value);
  add(whole);
  if (whole.find('\n') == std::string_view::npos)
    return texts;
  for (std::size_t at = 0; at <= whole.size();) {
    const auto end = std::min(whole.find('\n', at), whole.size());
    add(without_blanks(whole.substr(at, end - at)));
    at = end + 1;
  }
  return texts;
}

secret_mask::secret_mask(std::span<const std::string> texts) : nodes_(1) {
  for (const auto& text : texts)
    add(text);
  link();
}

void secret_mask::add(std::string_view text) {
  node_index at = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    auto to = child_of(at, byte);
    if (to == 0) {
      to = static_cast<node_index>(nodes_.size());
      node added;
      added.last = byte;
      added.length = nodes_[at].length + 1;
      added.sibling = std::exchange(nodes_[at].child, to);
      nodes_.push_back(added);
      if (at == 0)
        first_[byte] = to;
    }
    at = to;
  }
  nodes_[at].match = nodes_[at].length;
}

/// In order of length, since a node's longest end is shorter than it.
void secret_mask::link() {
  std::vector<node_index> order{0};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto parent = order[i];
    for (auto child = nodes_[parent].child; child != 0; child = nodes_[child].sibling) {
      auto& one = nodes_[child];
      one.longest_end = parent == 0 ? 0 : next(nodes_[parent].longest_end, one.last);
      one.match = std::max(one.match, nodes_[one.longest_end].match);
      order.push_back(child);
    }
  }
}

secret_mask::node_index secret_mask::child_of(node_index parent, unsigned char byte) const {
  if (parent == 0)
    return first_[byte];
  auto child = nodes_[parent].child;
  while (child != 0 && nodes_[child].last != byte)
    child = nodes_[child].sibling;
  return child;
}

secret_mask::node_index secret_mask::next(node_index from, unsigned char byte) const {
  for (;; from = nodes_[from].longest_end)
    if (const auto to = child_of(from, byte); to != 0 || from == 0)
      return to;
}

std::string secret_mask::masked(std::string_view text) const {
  // Not owned: it outlives the stream.
  mask_stream stream(std::shared_ptr<const secret_mask>(std::shared_ptr<const secret_mask>(), this));
  std::string out;
  stream.write(text, out);
  stream.finish(out);
  return out;
}

void mask_stream::write(std::string_view bytes, std::string& out) {
  const auto& mask = *mask_;
  while (!bytes.empty()) {
    if (at_ == 0 && sent_ == taken_) { // mostly: what no secret begins with goes through as it is
      const auto end = std::find_if(bytes.begin(), bytes.end(),
                                    [&](char c) { return mask.first_[static_cast<unsigned char>(c)] != 0; });
      const auto plain = static_cast<std::size_t>(end - bytes.begin());
      out.append(bytes.substr(0, plain));
      bytes.remove_prefix(plain);
      taken_ += plain;
      sent_ = taken_;
      marked_ = marked_ && plain == 0;
      if (bytes.empty())
        return;
    }
    held_ += bytes.front();
    ++taken_;
    at_ = mask.next(at_, static_cast<unsigned char>(bytes.front()));
    bytes.remove_prefix(1);
    if (const auto length = mask.nodes_[at_].match; length != 0)
      found(taken_ - length);
    send(undecided(), out);
  }
}

void mask_stream::found(std::uint64_t first) {
  while (!found_.empty() && found_.back().end >= first) {
    first = std::min(first, found_.back().first);
    found_.pop_back();
  }
  found_.push_back({first, taken_});
}

void mask_stream::send(std::uint64_t until, std::string& out) {
  std::size_t done = 0; // of found_
  for (;;) {
    const bool more = done < found_.size();
    std::uint64_t to = 0;
    if (more && found_[done].first <= sent_) {
      to = found_[done++].end;
      if (to <= sent_)
        continue;
      if (!marked_)
        out += secret_mark;
      marked_ = true;
    } else {
      to = more ? std::min(until, found_[done].first) : until;
      if (to <= sent_)
        break;
      out.append(held_, held_from_, static_cast<std::size_t>(to - sent_));
      marked_ = false;
    }
    held_from_ += static_cast<std::size_t>(to - sent_);
    sent_ = to;
  }
  found_.erase(found_.begin(), found_.begin() + static_cast<std::ptrdiff_t>(done));
  if (sent_ == taken_) {
    held_.clear();
    held_from_ = 0;
  } else if (held_from_ > held_.size() / 2 && held_from_ > 4096) {
    held_.erase(0, held_from_);
    held_from_ = 0;
  }
}

void mask_stream::pause(std::string& out) {
  send(std::min(taken_, undecided() + shown_of_secret), out);
}

void mask_stream::finish(std::string& out) {
  send(taken_, out);
  at_ = 0;
  marked_ = false;
}

} // namespace troupe_internal
