// The table from type byte to layout; the rest is the field lists and the wire.
#include "core/event_codec.hpp"

#include "core/fields.hpp"

#include <array>
#include <utility>

namespace troupe {
namespace {

constexpr unsigned type_bits = 5; // up to 32 types, 8 layouts of each
constexpr std::size_t type_count = std::variant_size_v<event>;
static_assert(type_count <= 1U << type_bits);

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
const char* decode_record(std::string_view bytes, T& out) {
  wire_reader in(bytes);
  visit_fields(in, out);
  if (in.problem() == nullptr && in.left() != 0)
    return "it is longer than its fields";
  return in.problem();
}

} // namespace

void event_encoder::add(const event& e) {
  bytes_ += static_cast<char>(e.index());
  std::visit([&](const auto& body) { visit_fields(writer_, body); }, e);
}

void event_encoder::clear() {
  bytes_.clear();
  writer_.restart();
}

result<event> event_decoder::next() {
  if (failed_)
    return bad_event("nothing can be read behind one that could not");
  std::uint8_t type = 0;
  in_.get(type);
  failed_ = in_.problem() != nullptr || type >= type_count;
  if (in_.problem() != nullptr)
    return bad_event(in_.problem());
  if (failed_)
    return bad_event(("type " + std::to_string(type) + " is unknown").c_str());
  event e = readers[type](in_);
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
const char* decode(std::string_view bytes, asset_record& out) {
  return decode_record(bytes, out);
}
const char* decode(std::string_view bytes, run_record& out) {
  return decode_record(bytes, out);
}
const char* decode(std::string_view bytes, file_record& out) {
  return decode_record(bytes, out);
}
const char* decode(std::string_view bytes, open_attempt& out) {
  return decode_record(bytes, out);
}
const char* decode(std::string_view bytes, state_info& out) {
  return decode_record(bytes, out);
}

} // namespace troupe
