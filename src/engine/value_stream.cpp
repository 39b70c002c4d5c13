// Into the store once there are too many bytes for a record.
#include "engine/value_stream.hpp"

#include <utility>

using troupe_internal::error_code;

troupe_sink::troupe_sink(const troupe_type& type, troupe_internal::value_store& store, std::uint64_t limit)
    : store_(store), limit_(limit),
      hasher_(troupe_internal::value_hasher(troupe_internal::view(type.name), type.version)) {
  value_.type = troupe_internal::view(type.name);
  value_.version = type.version;
}

bool troupe_sink::put(std::string_view bytes) {
  if (!why_.empty())
    return false;
  if (bytes.size() > limit_ - value_.size) {
    fail("the value is larger than the " + std::to_string(limit_) + " bytes that one value may have (value_limit)");
    return false;
  }
  hasher_.update(bytes);
  value_.size += bytes.size();
  if (!draft_ && value_.size <= troupe_internal::max_inline_value) {
    value_.bytes.data.append(bytes);
    return true;
  }
  if (!draft_) {
    auto begun = store_.begin();
    if (!begun) {
      fail(begun.error().message);
      return false;
    }
    draft_ = std::move(*begun);
    if (const auto done = draft_->put(value_.bytes.data); !done) {
      fail(done.error().message);
      return false;
    }
    value_.bytes.data.clear();
  }
  if (const auto done = draft_->put(bytes); !done) {
    fail(done.error().message);
    return false;
  }
  return true;
}

void troupe_sink::fail(std::string why) {
  if (why_.empty())
    why_ = why.empty() ? "its codec says that it cannot be written" : std::move(why);
}

troupe_internal::result<troupe_internal::made_value> troupe_sink::keep() {
  if (!why_.empty())
    return troupe_internal::fail(error_code::invalid_input, why_);
  troupe_internal::made_value made{std::move(value_), hasher_.finish()};
  if (draft_) {
    made.kept.file = made.version;
    if (const auto kept = draft_->keep(made.version); !kept)
      return kept.error();
  }
  return made;
}

const void* troupe_source::take(std::size_t size) {
  if (size > left()) {
    fail("it ends too early");
    return nullptr;
  }
  const void* const here = bytes_->data() + at_;
  at_ += size;
  return here;
}

void troupe_source::fail(std::string why) {
  if (why_.empty())
    why_ = why.empty() ? "its codec does not read it" : std::move(why);
}

troupe_bytes* troupe_source::rest() {
  using owner = std::shared_ptr<const std::string>;
  auto* const mine = new owner(bytes_);
  const void* const here = bytes_->data() + at_;
  const auto size = left();
  at_ = bytes_->size();
  return new troupe_bytes(
      here, size, [](void* state) { delete static_cast<owner*>(state); }, mine);
}

namespace troupe_internal {

result<held_value> read_value(const stored_value& kept, const troupe_type& as, const value_store& store) {
  const auto name = view(as.name);
  if (kept.type != name || kept.version > as.version || kept.version < as.oldest_readable)
    return fail(error_code::invalid_input, "it is " + kept.type + " v" + std::to_string(kept.version) +
                                               ", and the code reads " + std::string(name) + " v" +
                                               std::to_string(as.version));
  auto bytes = kept.in_file() ? store.read(kept) : result<std::string>(kept.bytes.data);
  if (!bytes)
    return bytes.error();
  troupe_source source(std::move(*bytes));
  held_value value(as.read(&source, kept.version), &as);
  if (value && source.why().empty() && source.left() == 0)
    return value;
  const auto why = !source.why().empty() ? source.why()
                   : !value              ? std::string("its codec does not read it")
                                         : std::to_string(source.left()) + " bytes are left of it";
  return fail(error_code::invalid_input, kept.type + " v" + std::to_string(kept.version) + " cannot be read: " + why);
}

} // namespace troupe_internal
