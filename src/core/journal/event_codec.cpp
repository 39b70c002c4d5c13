// The table from type byte to layout; the rest is the field lists and the wire.
#include "core/journal/event_codec.hpp"

#include "core/journal/fields.hpp"

#include <array>
#include <utility>

namespace troupe_internal {
namespace {

constexpr unsigned type_bits = 5; // types 0 to 30, 8 layouts of each
constexpr std::uint8_t wide_type = 31;
constexpr std::size_t type_count = std::variant_size_v<event>;
constexpr std::uint64_t first_wide_number = 32;

/// The newest layout of each type, by index in troupe_internal::event: 1 where format 2 added fields, to the type or to
/// a part.
constexpr std::array<std::uint8_t, type_count> newest_layouts = {
    1, // names_interned
    0, // paths_interned
    1, // files_observed
    1, // run_started
    1, // run_resumed
    1, // asset_found_fresh
    1, // attempt_started
    0, // attempt_spawned
    1, // attempt_finished
    1, // assets_settled
    0, // run_stopping
    1, // run_finished
    1, // writer_opened
    0, // writer_closed
    1, // asset_renamed
    1, // record_restated
    1, // asset_adopted
    1, // leftovers_ended
    1, // run_queued
    1, // run_dequeued
    1, // definition_recorded
    1, // trigger_changed
    1, // trigger_paused
    1, // trigger_resumed
    1, // event_taken
    1, // event_settled
    1, // ticks_missed
    1, // key_used
    1, // keys_forgotten
    1, // changes_seen
    1, // clock_jumped
    1, // files_watched
    1, // cursor_moved
    1, // notice_taken
    1, // notice_settled
    1, // notices_read
};

/// The index in troupe_internal::event of a type's number; type_count if there is no such type.
constexpr std::size_t index_of_type(std::uint64_t number) {
  for (std::size_t index = 0; index < type_count; ++index)
    if (event_type_number(index) == number)
      return index;
  return type_count;
}

template <std::size_t I>
event read_as(wire_reader& in) {
  event e(std::in_place_index<I>);
  visit_fields(in, std::get<I>(e));
  return e;
}

template <std::size_t... I>
constexpr auto make_readers(std::index_sequence<I...>) {
  return std::array{&read_as<I>...};
}
constexpr auto readers = make_readers(std::make_index_sequence<type_count>{});

error bad_event(const char* finding) {
  return fail(error_code::state_unusable, std::string("an event cannot be read: ") + finding);
}

template <class T>
void encode_record(const T& value, std::string& out) {
  wire_writer writer(out);
  visit_fields(writer, value);
}

template <class T>
const char* decode_record(std::string_view bytes, T& out, unsigned layout) {
  wire_reader in(bytes, layout);
  visit_fields(in, out);
  if (in.problem() == nullptr && in.left() != 0)
    return "it is longer than its fields";
  return in.problem();
}

} // namespace

void event_encoder::add(const event& e) {
  const auto number = event_type_number(e.index());
  const auto layout = newest_layouts[e.index()];
  if (number < first_wide_number) {
    bytes_ += static_cast<char>(layout << type_bits | number);
  } else {
    bytes_ += static_cast<char>(wide_type);
    writer_.put(number);
    bytes_ += static_cast<char>(layout);
  }
  std::visit([&](const auto& body) { visit_fields(writer_, body); }, e);
}

void event_encoder::clear() {
  bytes_.clear();
  writer_.restart();
}

result<event> event_decoder::next() {
  if (failed_)
    return bad_event("nothing can be read behind one that could not");
  std::uint8_t first = 0;
  in_.get(first);
  std::uint64_t number = first & ((1U << type_bits) - 1);
  std::uint8_t layout = first >> type_bits;
  if (number == wide_type) {
    in_.get(number);
    in_.get(layout);
  }
  failed_ = true;
  if (in_.problem() != nullptr)
    return bad_event(in_.problem());
  const bool known_form =
      (first & ((1U << type_bits) - 1)) != wide_type || (first == wide_type && number >= first_wide_number);
  const auto index = known_form ? index_of_type(number) : type_count;
  if (index == type_count)
    return bad_event(("type " + std::to_string(number) + " is unknown").c_str());
  if (layout > newest_layouts[index] || (number >= first_wide_number && layout == 0))
    return bad_event(
        ("layout " + std::to_string(layout) + " of type " + std::to_string(number) + " is unknown").c_str());
  in_.set_layout(layout);
  event e = readers[index](in_);
  failed_ = in_.problem() != nullptr;
  if (failed_)
    return bad_event(in_.problem());
  return e;
}

void encode(const asset_record& value, std::string& out) {
  encode_record(value, out);
}
void encode(const run_record& value, std::string& out) {
  encode_record(value, out);
}
void encode(const file_record& value, std::string& out) {
  encode_record(value, out);
}
void encode(const open_attempt& value, std::string& out) {
  encode_record(value, out);
}
void encode(const state_info& value, std::string& out) {
  encode_record(value, out);
}
void encode(const made_record& value, std::string& out) {
  encode_record(value, out);
}
void encode(const definition_record& value, std::string& out) {
  encode_record(value, out);
}
void encode(const run_queued& value, std::string& out) {
  encode_record(value, out);
}
void encode(const trigger_record& value, std::string& out) {
  encode_record(value, out);
}
void encode(const event_taken& value, std::string& out) {
  encode_record(value, out);
}
void encode(const watched_record& value, std::string& out) {
  encode_record(value, out);
}
void encode(const notice_taken& value, std::string& out) {
  encode_record(value, out);
}
void encode(const seen_key& value, std::string& out) {
  encode_record(value, out);
}
void encode(const event_details& value, std::string& out) {
  encode_record(value, out);
}
const char* decode(std::string_view bytes, asset_record& out, unsigned layout) {
  return decode_record(bytes, out, layout);
}
const char* decode(std::string_view bytes, run_record& out, unsigned layout) {
  return decode_record(bytes, out, layout);
}
const char* decode(std::string_view bytes, file_record& out, unsigned layout) {
  return decode_record(bytes, out, layout);
}
const char* decode(std::string_view bytes, open_attempt& out, unsigned layout) {
  return decode_record(bytes, out, layout);
}
const char* decode(std::string_view bytes, state_info& out, unsigned layout) {
  return decode_record(bytes, out, layout);
}

const char* decode(std::string_view bytes, made_record& out, unsigned layout) {
  return decode_record(bytes, out, layout);
}
const char* decode(std::string_view bytes, definition_record& out, unsigned layout) {
  return decode_record(bytes, out, layout);
}
const char* decode(std::string_view bytes, run_queued& out, unsigned layout) {
  return decode_record(bytes, out, layout);
}
const char* decode(std::string_view bytes, trigger_record& out, unsigned layout) {
  return decode_record(bytes, out, layout);
}
const char* decode(std::string_view bytes, event_taken& out, unsigned layout) {
  return decode_record(bytes, out, layout);
}
const char* decode(std::string_view bytes, watched_record& out, unsigned layout) {
  return decode_record(bytes, out, layout);
}
const char* decode(std::string_view bytes, notice_taken& out, unsigned layout) {
  return decode_record(bytes, out, layout);
}
const char* decode(std::string_view bytes, seen_key& out, unsigned layout) {
  return decode_record(bytes, out, layout);
}
const char* decode(std::string_view bytes, event_details& out, unsigned layout) {
  return decode_record(bytes, out, layout);
}

} // namespace troupe_internal
