// A visitor of the field lists that writes JSON; the words of persisted enumerations.
#include "core/journal/event_json.hpp"

#include "base/json_writer.hpp"
#include "core/journal/fields.hpp"

#include <array>

namespace troupe_internal {
namespace {

class event_writer {
public:
  event_writer(std::string& out, const event_names& names) : out_(out), names_(names) {}

  template <class T>
  void operator()(const char* name, const T& value) {
    using plain = std::remove_cvref_t<T>;
    if constexpr (std::is_same_v<plain, duration>)
      key(name, "_ms");
    else
      key(name);
    put(value);
  }
  void time(const char* name, std::int64_t unix_ns) {
    key(name);
    put(from_unix_ns(unix_ns));
  }
  template <class... T>
  void sparse(named_field<T>... fields) {
    (put_present(fields), ...);
  }

private:
  void key(const char* name, const char* suffix = "") {
    if (out_.back() != '{')
      out_ += ',';
    out_ += '"';
    out_ += name;
    out_ += suffix;
    out_ += "\":";
  }
  template <class T>
  void put_present(const named_field<T>& field) {
    if constexpr (requires { field.value.has_value(); }) {
      if (field.value)
        (*this)(field.name, *field.value);
    } else if constexpr (requires { field.value.empty(); }) {
      if (!field.value.empty())
        (*this)(field.name, field.value);
    } else if constexpr (std::is_same_v<std::remove_cvref_t<T>, executable_bit>) {
      if (field.value != executable_bit::unknown)
        (*this)(field.name, field.value);
    } else if constexpr (std::is_enum_v<std::remove_cvref_t<T>>) {
      (*this)(field.name, field.value);
    } else if (field.value != std::remove_cvref_t<T>{}) {
      (*this)(field.name, field.value);
    }
  }

  /// As text: most readers of JSON take numbers for doubles, which hold 53 bits.
  void put(std::uint64_t v) { append_json_string(out_, std::to_string(v)); }
  void put(std::uint32_t v) { out_ += std::to_string(v); }
  void put(std::uint8_t v) { out_ += std::to_string(v); }
  void put(std::int32_t v) { out_ += std::to_string(v); }
  void put(bool v) { out_ += v ? "true" : "false"; }
  void put(run_number run) { out_ += std::to_string(run.value); }
  void put(duration d) {
    const auto us = d.count() / 1'000;
    const auto fraction = std::to_string(1'000 + (us < 0 ? -(us % 1'000) : us % 1'000));
    if (us < 0 && us > -1'000)
      out_ += '-';
    out_ += std::to_string(us / 1'000) + '.' + fraction.substr(1);
  }
  void put(timestamp t) { append_json_string(out_, to_rfc3339(t)); }
  void put(const digest& d) { append_json_string(out_, to_hex(d)); }
  void put(const uuid& id) { append_json_string(out_, to_string(id)); }
  void put(const std::string& text) { append_json_string(out_, text); }
  void put(const raw_bytes& bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    out_ += '"';
    for (const char c : bytes.data) {
      const auto byte = static_cast<unsigned char>(c);
      out_ += digits[byte >> 4U];
      out_ += digits[byte & 15U];
    }
    out_ += '"';
  }
  /// How long it is: what came with an event is for its commands alone.
  void put(const kept_text& text) { out_ += "{\"bytes\":" + std::to_string(text.bytes()) + "}"; }
  void put(asset_id id) { put_name(names_.asset ? names_.asset(id) : std::string_view{}, id.value); }
  void put(path_id id) { put_name(names_.path ? names_.path(id) : std::string_view{}, id.value); }
  void put_name(std::string_view name, std::uint32_t number) {
    append_json_string(out_, name.empty() ? "#" + std::to_string(number) : name);
  }
  template <class T>
  void put(const std::vector<T>& items) {
    out_ += '[';
    for (const auto& item : items) {
      if (&item != &items.front())
        out_ += ',';
      put(item);
    }
    out_ += ']';
  }
  template <class A, class B>
  void put(const std::pair<A, B>& p) {
    out_ += '[';
    put(p.first);
    out_ += ',';
    put(p.second);
    out_ += ']';
  }
  void put(const status_counts& counts) {
    out_ += '{';
    for (std::size_t i = 0; i < counts.size(); ++i)
      if (counts[i] != 0) {
        key(to_string(static_cast<asset_status>(i)).data());
        put(counts[i]);
      }
    out_ += '}';
  }
  template <class T>
  void put(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      append_json_string(out_, to_string(value));
    } else {
      out_ += '{';
      visit_fields(*this, value);
      out_ += '}';
    }
  }

  std::string& out_;
  const event_names& names_;
};

constexpr std::array<std::string_view, std::variant_size_v<event>> type_names = {
    "names_interned",      "paths_interned",  "files_observed",  "run_started",      "run_resumed",
    "asset_found_fresh",   "attempt_started", "attempt_spawned", "attempt_finished", "assets_settled",
    "run_stopping",        "run_finished",    "writer_opened",   "writer_closed",    "asset_renamed",
    "record_restated",     "asset_adopted",   "leftovers_ended", "run_queued",       "run_dequeued",
    "definition_recorded", "trigger_changed", "trigger_paused",  "trigger_resumed",  "event_taken",
    "event_settled",       "ticks_missed",    "key_used",        "keys_forgotten",   "changes_seen",
    "clock_jumped",        "files_watched",   "cursor_moved",    "notice_taken",     "notice_settled",
    "notices_read"};

} // namespace

std::string_view to_string(watch_base base) {
  static constexpr std::array<std::string_view, 3> words = {"none", "taken", "stale"};
  return words[static_cast<std::size_t>(base)];
}

std::string_view to_string(notice_kind kind) {
  static constexpr std::array<std::string_view, notice_kind_count> words = {"failed", "recovered", "paused", "overdue",
                                                                            "rejected"};
  return words[static_cast<std::size_t>(kind)];
}

std::string_view to_string(delivery_end how) {
  static constexpr std::array<std::string_view, 3> words = {"delivered", "given_up", "removed"};
  return words[static_cast<std::size_t>(how)];
}

std::string_view to_string(outcome_kind kind) {
  static constexpr std::array<std::string_view, 14> words = {
      "succeeded", "exited",      "signalled", "timed_out", "not_started", "output_missing", "bad_result",
      "cancelled", "interrupted", "internal",  "outdated",  "failed",      "permanent",      "skipped"};
  return words[static_cast<std::size_t>(kind)];
}

std::string_view to_string(stop_cause cause) {
  static constexpr std::array<std::string_view, 5> words = {"failure", "user", "signal", "timed_out", "shutdown"};
  return words[static_cast<std::size_t>(cause)];
}

std::string_view to_string(leftover_proof why) {
  static constexpr std::array<std::string_view, 3> words = {"mark", "descendant", "group"};
  return words[static_cast<std::size_t>(why)];
}

std::string_view to_string(cause_kind kind) {
  static constexpr std::array<std::string_view, 4> words = {"user", "trigger", "program", "backfill"};
  return words[static_cast<std::size_t>(kind)];
}

std::string_view to_string(dequeue_reason why) {
  static constexpr std::array<std::string_view, 4> words = {"cancelled", "continued", "expired", "removed"};
  return words[static_cast<std::size_t>(why)];
}

std::string_view to_string(event_source source) {
  static constexpr std::array<std::string_view, 9> words = {"schedule", "watch", "webhook", "sensor",  "assets",
                                                            "manual",   "start", "fire",    "backfill"};
  return words[static_cast<std::size_t>(source)];
}

std::string_view to_string(event_fate fate) {
  static constexpr std::array<std::string_view, event_fate_count> words = {
      "pending", "started", "coalesced", "duplicate", "filtered",
      "skipped", "expired", "rejected",  "missed",    "cancelled"};
  return words[static_cast<std::size_t>(fate)];
}

std::string_view to_string(file_change change) {
  static constexpr std::array<std::string_view, file_change_count> words = {"created", "changed", "deleted", "moved"};
  return words[static_cast<std::size_t>(change)];
}

std::string_view to_string(attempt_state state) {
  static constexpr std::array<std::string_view, 6> words = {"none",   "running",   "succeeded",
                                                            "failed", "cancelled", "interrupted"};
  return words[static_cast<std::size_t>(state)];
}

std::string_view to_string(file_kind kind) {
  static constexpr std::array<std::string_view, 4> words = {"absent", "file", "folder", "other"};
  return words[static_cast<std::size_t>(kind)];
}

std::string_view to_string(executable_bit bit) {
  static constexpr std::array<std::string_view, 3> words = {"unknown", "no", "yes"};
  return words[static_cast<std::size_t>(bit)];
}

std::string_view event_type_name(std::size_t index) {
  return index < type_names.size() ? type_names[index] : "unknown";
}

std::string_view type_name(const event& e) {
  return event_type_name(e.index());
}

std::string event_to_json(std::uint64_t seq, const event& e, const event_names& names) {
  std::string out = "{\"seq\":" + std::to_string(seq) + ",\"type\":";
  append_json_string(out, type_name(e));
  event_writer writer(out, names);
  std::visit([&](const auto& body) { visit_fields(writer, body); }, e);
  out += '}';
  return out;
}

} // namespace troupe_internal
