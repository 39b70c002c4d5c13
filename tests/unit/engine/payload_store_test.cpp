// What comes with events: where it lies, how long, and what commands are told of it.
#include "engine/payload_store.hpp"

#include "core/journal/event_codec.hpp"
#include "engine/event_file.hpp"
#include "support/memory_journal_store.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

const timestamp moment = from_unix_ns(1'790'000'000'000'000'000);

struct stored {
  temporary_folder folder;
  state_dir::handle dir = *state_dir::open_or_make(folder.path() + "/state");
  payload_store store{dir};
  std::uint64_t made = 0;
  kept_text keep(std::string_view text, timestamp at = moment) {
    return *store.keep(text, make_uuid_v7(at, ++made, 7));
  }
};

} // namespace

TEST_CASE("a text of up to a kibibyte is part of its event, a longer one is a file of this user alone") {
  stored on;
  const std::string most(1024, 'x');
  CHECK(on.keep(most).text == most);
  CHECK_FALSE(on.keep(most).file);
  CHECK(on.keep("").empty());
  const auto longer = on.keep(most + "y");
  CHECK(longer.text.empty());
  REQUIRE(longer.file);
  CHECK(longer.bytes() == 1025);
  CHECK(*on.store.read(longer) == most + "y");
  CHECK(*on.store.read(on.keep("short")) == "short");
  CHECK(on.store.path_of(*longer.file).starts_with(on.folder.path() + "/state/payloads/"));
}

TEST_CASE("a file that was changed or is gone is no text of an event") {
  stored on;
  const auto kept = on.keep(std::string(2000, 'x'));
  const auto part = *on.dir->open_folder(payloads_folder, entry_use::write);
  REQUIRE(part.write("other", "y").has_value());
  REQUIRE(part.rename("other", to_string(kept.file->name)).has_value());
  CHECK(on.store.read(kept).error().code == error_code::state_unusable);
  on.store.drop(kept);
  CHECK(on.store.read(kept).error().code == error_code::not_found);
}

TEST_CASE("files go with their events, and after some time; not while an event without a fate needs them") {
  stored on;
  const std::string text(2000, 'x');
  test::memory_journal_store journal;
  CHECK(made_at(make_uuid_v7(moment, 1, 2)) == moment);
  event_taken waits;
  waits.event = 1;
  waits.trigger = "p/t";
  waits.at = moment - 100h;
  waits.body = on.keep(text, moment - 100h);
  event_taken settled = waits;
  settled.event = 2;
  settled.at = moment - 99h;
  settled.body = on.keep(text, moment - 99h);
  event_taken later = settled;
  later.event = 3;
  later.at = moment - 1h;
  later.body = on.keep(text, moment - 1h);
  const std::vector<event> events = {trigger_changed{"p/t", moment - 200h, quick_digest("x")},
                                     waits,
                                     settled,
                                     event_settled{2, moment, event_fate::filtered, {}, ""},
                                     later,
                                     event_settled{3, moment, event_fate::filtered, {}, ""}};
  REQUIRE(journal.append(events).has_value());
  const auto snapshot = *journal.snapshot();
  CHECK(*on.store.tidy(*snapshot, moment - 150h) == 0);
  const auto orphan = on.keep(text, moment - 120h); // of before the oldest event that is kept
  CHECK(*on.store.tidy(*snapshot, moment - 150h) == 1);
  CHECK(on.store.read(orphan).has_error());
  CHECK(*on.store.tidy(*snapshot, moment - 2h) == 1);
  CHECK(on.store.read(waits.body).has_value());
  CHECK(on.store.read(settled.body).has_error());
  CHECK(on.store.read(later.body).has_value());
}

TEST_CASE("commands are told of events as they came") {
  stored on;
  event_taken one;
  one.event = 7;
  one.trigger = "p/t";
  one.source = event_source::watch;
  one.at = moment;
  one.nominal = moment;
  one.key = "a \"key\"";
  one.body = on.keep(R"({"a": [1, 2.50], "a": "\u00e9"})");
  event_details details;
  details.files = {{"in/x.csv", file_change::created}, {"in/y", file_change::moved}};
  std::string text;
  encode(details, text);
  one.details = on.keep(text);
  event_taken two = one;
  two.event = 8;
  two.nominal.reset();
  two.key.clear();
  two.details.clear();
  two.body = on.keep("[\"" + std::string(2000, 'x') + "\"]");
  const auto document = events_document({one, two}, on.store);
  CHECK(document.find(one.body.text) != std::string::npos);
  const auto read = boost::json::parse(document);
  const auto& events = read.at("events").as_array();
  REQUIRE(events.size() == 2);
  CHECK(events[0].at("id") == 7);
  CHECK(events[0].at("key") == "a \"key\"");
  CHECK(events[0].at("files").at(1).at("path") == "in/y");
  CHECK(events[0].at("files").at(1).at("change") == "moved");
  CHECK(events[1].at("nominal").is_null());
  CHECK(events[1].at("key").is_null());
  CHECK(events[1].at("files").as_array().empty());
  CHECK(std::string(events[1].at("payload_file").as_string().c_str()) == on.store.path_of(*two.body.file));
  CHECK_FALSE(events[1].as_object().contains("payload"));
}

TEST_CASE("events of a run that this process does not know are found in the history") {
  test::memory_journal_store journal;
  std::vector<event> events = {trigger_changed{"p/t", moment, quick_digest("x")}};
  for (std::uint64_t number = 1; number <= 4; ++number) {
    event_taken one;
    one.event = number;
    one.trigger = "p/t";
    one.at = moment;
    events.emplace_back(one);
    if (number != 3)
      events.emplace_back(event_settled{number, moment, event_fate::filtered, {}, ""});
  }
  REQUIRE(journal.append(events).has_value());
  const auto snapshot = *journal.snapshot();
  event_taken known;
  known.event = 4;
  std::vector<event_taken> found = {known};
  run_cause cause;
  cause.events = {2, 3, 4, 99};
  REQUIRE(complete_events(*snapshot, cause, found).has_value());
  REQUIRE(found.size() == 3);
  CHECK(found[0].event == 2);
  CHECK(found[1].event == 3);
  CHECK(found[2].event == 4);
}
