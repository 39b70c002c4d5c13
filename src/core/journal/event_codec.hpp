// Events and projection records as bytes, and back. Knows nothing of where they are stored.
//
// An event is one byte (layout << 5 | type), then its fields in the order of core/journal/fields.hpp, encoded as
// core/journal/wire.hpp says. Type 31 says that the type follows as a LEB128 number of 32 or more, and the layout as a
// byte. A changed layout of a type gets the next number; old ones stay readable.
#pragma once

#include "base/result.hpp"
#include "core/journal/wire.hpp"
#include "core/model/event.hpp"
#include "core/model/run_record.hpp"
#include "core/model/state_info.hpp"

#include <array>
#include <string>
#include <string_view>

namespace troupe_internal {

/// Makes one record of one or more events. Times and digests are written relative to the events before them in the
/// same record, so a record is read from its start. One thread at a time.
class event_encoder {
public:
  event_encoder() = default;
  event_encoder(const event_encoder&) = delete;
  event_encoder& operator=(const event_encoder&) = delete;

  void add(const event& e);
  /// What was added since construction or clear().
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  void clear();

private:
  std::string bytes_;
  wire_writer writer_{bytes_};
};

/// Reads a record's events one after the other. Total: any bytes give events or an error (state_unusable, saying what
/// is wrong), with memory bounded by a small multiple of their number.
class event_decoder {
public:
  explicit event_decoder(std::string_view bytes) : in_(bytes) {}
  [[nodiscard]] bool done() const { return failed_ || in_.left() == 0; }
  /// Bytes not read yet; after an error of no meaning.
  [[nodiscard]] std::size_t left() const { return in_.left(); }
  /// The next event; an error at the end, and after an error.
  [[nodiscard]] result<event> next();

private:
  wire_reader in_;
  bool failed_ = false;
};

/// The number of an event's type on disk.
[[nodiscard]] constexpr std::uint64_t event_type_number(std::size_t index_in_variant) {
  constexpr std::size_t first_wide_index = 14;    ///< those of format 1 have the numbers below 14
  constexpr std::size_t first_trigger_index = 21; ///< trigger_changed; the numbers before it are set aside
  /// From key_used on: each kind has a number that was set aside for it, in the order of the variant.
  constexpr std::size_t first_listed_index = 27;
  constexpr std::array<std::uint64_t, 9> listed = {47, 48, 52, 53, 57, 58, 59, 60, 61};
  if (index_in_variant >= first_listed_index)
    return listed.at(index_in_variant - first_listed_index);
  if (index_in_variant < first_wide_index)
    return index_in_variant;
  return index_in_variant < first_trigger_index ? index_in_variant - first_wide_index + 32
                                                : index_in_variant - first_trigger_index + 41;
}

/// The records of the projections. Decoders are as total as event_decoder, fill `out` reusing its memory, and return
/// null, or what is wrong with the bytes (then `out` holds rubbish). All bytes must be used. `layout`: the journal's
/// format less 1.
void encode(const asset_record& value, std::string& out);
void encode(const run_record& value, std::string& out);
void encode(const file_record& value, std::string& out);
void encode(const open_attempt& value, std::string& out);
void encode(const state_info& value, std::string& out);
void encode(const made_record& value, std::string& out);
void encode(const definition_record& value, std::string& out);
void encode(const run_queued& value, std::string& out);
void encode(const trigger_record& value, std::string& out);
void encode(const event_taken& value, std::string& out);
void encode(const watched_record& value, std::string& out);
void encode(const notice_taken& value, std::string& out);
void encode(const seen_key& value, std::string& out);
void encode(const event_details& value, std::string& out);
[[nodiscard]] const char* decode(std::string_view bytes, asset_record& out, unsigned layout = newest_layout);
[[nodiscard]] const char* decode(std::string_view bytes, run_record& out, unsigned layout = newest_layout);
[[nodiscard]] const char* decode(std::string_view bytes, file_record& out, unsigned layout = newest_layout);
[[nodiscard]] const char* decode(std::string_view bytes, open_attempt& out, unsigned layout = newest_layout);
[[nodiscard]] const char* decode(std::string_view bytes, state_info& out, unsigned layout = newest_layout);
[[nodiscard]] const char* decode(std::string_view bytes, made_record& out, unsigned layout = newest_layout);
[[nodiscard]] const char* decode(std::string_view bytes, definition_record& out, unsigned layout = newest_layout);
[[nodiscard]] const char* decode(std::string_view bytes, run_queued& out, unsigned layout = newest_layout);
[[nodiscard]] const char* decode(std::string_view bytes, trigger_record& out, unsigned layout = newest_layout);
[[nodiscard]] const char* decode(std::string_view bytes, event_taken& out, unsigned layout = newest_layout);
[[nodiscard]] const char* decode(std::string_view bytes, watched_record& out, unsigned layout = newest_layout);
[[nodiscard]] const char* decode(std::string_view bytes, notice_taken& out, unsigned layout = newest_layout);
[[nodiscard]] const char* decode(std::string_view bytes, seen_key& out, unsigned layout = newest_layout);
[[nodiscard]] const char* decode(std::string_view bytes, event_details& out, unsigned layout = newest_layout);

} // namespace troupe_internal
