// Values as streams of bytes: into a record or the value store, and back. Knows nothing of what the bytes mean; the
// structs are those that the C interface (include/troupe/abi.h) hands to codecs.
#pragma once

#include "base/result.hpp"
#include "core/model/stored_value.hpp"
#include "engine/attempt_maker.hpp"
#include "ports/value_store.hpp"
#include "troupe/abi.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

/// Takes the bytes of one value: a short one stays in memory, a longer one goes to the store as it comes. One thread.
struct troupe_sink {
public:
  troupe_sink(const troupe_type& type, troupe_internal::value_store& store, std::uint64_t limit);
  /// False: nothing more is taken; the first cause counts.
  [[nodiscard]] bool put(std::string_view bytes);
  void fail(std::string why);
  /// Once, at the end.
  [[nodiscard]] troupe_internal::result<troupe_internal::made_value> keep();

private:
  troupe_internal::value_store& store_;
  const std::uint64_t limit_;
  troupe_internal::content_hasher hasher_;
  troupe_internal::stored_value value_;
  std::unique_ptr<troupe_internal::value_store::draft> draft_; ///< null: it is short
  std::string why_;                                            ///< not empty: it has failed
};

/// Bytes that several hold. Any thread.
struct troupe_bytes {
public:
  troupe_bytes(const void* data, std::size_t size, void (*give_back)(void*), void* state)
      : data_(data), size_(size), release_(give_back), state_(state) {}
  troupe_bytes(const troupe_bytes&) = delete;
  troupe_bytes& operator=(const troupe_bytes&) = delete;

  void retain() { holders_.fetch_add(1, std::memory_order_relaxed); }
  void release() {
    if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }
  [[nodiscard]] const void* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

private:
  ~troupe_bytes() {
    if (release_ != nullptr)
      release_(state_);
  }
  std::atomic<std::uint32_t> holders_{1};
  const void* const data_;
  const std::size_t size_;
  void (*const release_)(void*);
  void* const state_;
};

/// Gives the bytes of one value to its codec. One thread.
struct troupe_source {
public:
  explicit troupe_source(std::string bytes) : bytes_(std::make_shared<const std::string>(std::move(bytes))) {}
  /// Null, and it has failed, if there are fewer.
  [[nodiscard]] const void* take(std::size_t size);
  [[nodiscard]] std::size_t left() const { return bytes_->size() - at_; }
  void fail(std::string why);
  /// All that is left. It lives as long as somebody holds it.
  [[nodiscard]] troupe_bytes* rest();
  /// Empty: it has not failed.
  [[nodiscard]] const std::string& why() const { return why_; }

private:
  std::shared_ptr<const std::string> bytes_;
  std::size_t at_ = 0;
  std::string why_;
};

namespace troupe_internal {

/// A value in memory, held. Copies hold it, too.
class held_value {
public:
  held_value() = default;
  /// Takes the reference over.
  held_value(const void* object, const troupe_type* type) : object_(object), type_(type) {}
  held_value(const held_value& from) : object_(from.object_), type_(from.type_) {
    if (object_ != nullptr)
      type_->retain(object_);
  }
  held_value(held_value&& from) noexcept
      : object_(std::exchange(from.object_, nullptr)), type_(std::exchange(from.type_, nullptr)) {}
  held_value& operator=(held_value from) noexcept {
    std::swap(object_, from.object_);
    std::swap(type_, from.type_);
    return *this;
  }
  ~held_value() {
    if (object_ != nullptr)
      type_->release(object_);
  }
  /// With a reference of its own.
  [[nodiscard]] static held_value share(const troupe_value& from) {
    if (from.object != nullptr)
      from.type->retain(from.object);
    return {from.object, from.type};
  }
  /// Hands the reference over.
  [[nodiscard]] troupe_value take() && { return {std::exchange(object_, nullptr), std::exchange(type_, nullptr)}; }
  [[nodiscard]] explicit operator bool() const { return object_ != nullptr; }
  [[nodiscard]] const void* object() const { return object_; }
  [[nodiscard]] const troupe_type* type() const { return type_; }

private:
  const void* object_ = nullptr;
  const troupe_type* type_ = nullptr;
};

[[nodiscard]] inline std::string_view view(const troupe_text& text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}

/// Reads a kept value as the codec of `as` does. Errors: not_found if the bytes are not there or are damaged,
/// invalid_input if the codec does not read them; in words for people.
[[nodiscard]] result<held_value> read_value(const stored_value& kept, const troupe_type& as, const value_store& store);

} // namespace troupe_internal
