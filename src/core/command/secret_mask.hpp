// Replaces secret values in a text, whole or as it comes in pieces. Knows the values; does not know where they are
// from.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal {

/// What stands for a secret value, everywhere.
inline constexpr std::string_view secret_mark = "***";
/// A shorter value is not looked for in texts: too much that is no secret looks the same.
inline constexpr std::size_t least_masked_bytes = 8;

/// The texts that are looked for because of one secret value, in any order: the value without line ends at its end,
/// and, if it has several lines, each of them without blanks around it. None is shorter than least_masked_bytes.
[[nodiscard]] std::vector<std::string> masked_texts_of(std::string_view value);

/// The texts to replace, arranged so that all of them are found in one pass. Immutable: any thread.
class secret_mask {
public:
  /// No text may be empty.
  explicit secret_mask(std::span<const std::string> texts);

  [[nodiscard]] bool empty() const { return nodes_.size() == 1; }
  /// The text with secret_mark for each run of bytes that belong to one of the texts or to several that overlap or
  /// touch.
  [[nodiscard]] std::string masked(std::string_view text) const;

private:
  friend class mask_stream;
  using node_index = std::uint32_t;
  /// A beginning of one or more of the texts. Node 0 is the empty one.
  struct node {
    node_index longest_end = 0; ///< the longest proper end of it that is a node too
    node_index child = 0;       ///< the first of those that are one byte longer; 0: none
    node_index sibling = 0;
    std::uint32_t length = 0;
    std::uint32_t match = 0; ///< the length of the longest of the texts that it ends with
    unsigned char last = 0;
  };

  void add(std::string_view text);
  void link();
  [[nodiscard]] node_index child_of(node_index parent, unsigned char byte) const;
  [[nodiscard]] node_index next(node_index from, unsigned char byte) const;

  std::vector<node> nodes_;
  std::array<node_index, 256> first_{}; ///< children of node 0, by byte
};

/// The same for a text that comes in pieces: what is handed on is masked() of the whole. It holds back what may be the
/// beginning of a secret, less than the longest of them. One thread at a time.
class mask_stream {
public:
  explicit mask_stream(std::shared_ptr<const secret_mask> mask) : mask_(std::move(mask)) {}

  /// Appends what can be told of the text so far.
  void write(std::string_view bytes, std::string& out);
  /// Nothing has come for a while, and somebody may wait for the end of the line: of what is held back, the first few
  /// bytes go out, at most shown_of_secret of any secret. Should it turn out to be one, the mark stands for the rest.
  void pause(std::string& out);
  /// Whether pause() would hand out anything.
  [[nodiscard]] bool would_show() const { return sent_ < undecided() + shown_of_secret && sent_ < taken_; }
  /// The text has ended. What follows is another text.
  void finish(std::string& out);

  static constexpr std::uint64_t shown_of_secret = 3;

private:
  struct range {
    std::uint64_t first = 0, end = 0;
  };
  /// Where the bytes begin that may yet turn out to be part of a secret.
  [[nodiscard]] std::uint64_t undecided() const { return taken_ - mask_->nodes_[at_].length; }
  void found(std::uint64_t first);
  void send(std::uint64_t until, std::string& out);

  std::shared_ptr<const secret_mask> mask_;
  secret_mask::node_index at_ = 0;
  std::uint64_t taken_ = 0; // bytes of the text so far
  std::uint64_t sent_ = 0;  // of them, those that were handed on or masked
  bool marked_ = false;     // the last of those was masked
  std::string held_;        // the bytes from sent_ on, behind held_from_
  std::size_t held_from_ = 0;
  std::vector<range> found_; // not yet sent; in order, apart from each other
};

} // namespace troupe_internal
