// A file has the name of a UUID of version 7, so its name says when it was made.
#include "engine/payload_store.hpp"

#include <set>
#include <utility>

namespace troupe_internal {

namespace {

constexpr std::uint64_t longest_text = std::uint64_t{64} << 20U;

} // namespace

timestamp made_at(const uuid& name) {
  std::int64_t ms = 0;
  for (unsigned i = 0; i < 6; ++i)
    ms = ms << 8U | name.bytes[i];
  return from_unix_ns(ms * 1'000'000);
}

result<std::shared_ptr<const kept_folder>> payload_store::folder() {
  const std::lock_guard lock(mutex_);
  if (!folder_) {
    auto made = dir_->part(payloads_folder);
    if (!made)
      return made.error();
    if (const auto synced = dir_->sync(); !synced)
      return synced.error();
    folder_ = std::move(*made);
  }
  return folder_;
}

result<kept_text> payload_store::keep(std::string_view text, const uuid& name) {
  kept_text kept;
  if (text.size() <= kept_text::most_inline_bytes) {
    kept.text = text;
    return kept;
  }
  const auto in = folder();
  if (!in)
    return in.error();
  if (const auto written = (*in)->write(to_string(name), text); !written)
    return written.error();
  if (const auto synced = (*in)->sync(); !synced)
    return synced.error();
  kept.file = text_file{name, text.size(), content_digest(text)};
  return kept;
}

void payload_store::drop(const kept_text& text) noexcept {
  if (!text.file)
    return;
  if (const auto in = folder())
    static_cast<void>((*in)->remove(to_string(text.file->name))); // else tidy() does
}

result<std::string> payload_store::read(const kept_text& text) const {
  if (!text.file)
    return text.text;
  const auto in = dir_->open_folder(payloads_folder, entry_use::read);
  if (!in)
    return in.error();
  auto read = in->read(to_string(text.file->name), longest_text);
  if (!read)
    return read;
  if (content_digest(*read) != text.file->content)
    return fail(error_code::state_unusable, path_of(*text.file) + " is not what came with the event: it was changed");
  return read;
}

std::string payload_store::path_of(const text_file& file) const {
  return dir_->path_of(payloads_folder) + "/" + to_string(file.name);
}

result<std::uint64_t> payload_store::tidy(const journal_snapshot& history, timestamp oldest) {
  if (const auto there = dir_->look(payloads_folder); !there)
    return std::uint64_t{0};
  // Events come in the order of their times, but for a clock that was set back: then a text goes early.
  std::optional<timestamp> first;
  auto read = history.visit_events(history.info().first_seq, [&](std::uint64_t, const event& e) {
    if (const auto* const taken = std::get_if<event_taken>(&e))
      first = taken->at;
    return !first;
  });
  std::set<uuid> needed;
  if (read)
    read = history.visit_pending([&](const event_taken& one) {
      for (const auto* text : {&one.body, &one.details})
        if (text->file)
          needed.insert(text->file->name);
      return true;
    });
  if (!read)
    return read.error();
  constexpr auto being_taken_in = std::chrono::minutes(10); // a text is written before its event
  const auto until = first ? std::max(oldest, *first - being_taken_in) : oldest;
  const auto in = folder();
  if (!in)
    return in.error();
  const auto names = (*in)->names();
  if (!names)
    return names.error();
  std::uint64_t gone = 0;
  for (const auto& name : *names)
    if (const auto id = uuid_from_string(name); id && made_at(*id) < until && !needed.contains(*id))
      gone += (*in)->remove(name).has_value() ? 1U : 0U; // else the next time
  return gone;
}

} // namespace troupe_internal
