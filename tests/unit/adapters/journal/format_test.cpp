// The bytes on disk, pinned: docs/journal-format.md explains exactly these. If this test fails, the format has changed:
// give the changed layout a new number, keep the old one readable, and bring the page up to date.
#include "adapters/journal/lmdb_tables.hpp"
#include "core/journal/event_codec.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace troupe_internal;

namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += digits[static_cast<unsigned char>(c) >> 4U];
    text += digits[static_cast<unsigned char>(c) & 0xFU];
    text += ' ';
  }
  return text;
}

std::string check_of(lmdb_table table, std::uint64_t key, std::string_view content) {
  const auto check = record_check(table, key, content);
  std::string bytes;
  for (unsigned i = 0; i < 4; ++i)
    bytes += static_cast<char>(check >> 8U * i);
  return hex(bytes);
}

constexpr timestamp at = from_unix_ns(1'790'000'000'123'456'789);

} // namespace

TEST_CASE("the worked example of docs/journal-format.md is what is written") {
  const auto content = content_digest("hello\n");
  files_observed observed{
      {{path_id(300U), {{file_kind::file, 6, to_unix_ns(at), to_unix_ns(at) + 1'000, 77}, content}}}};
  attempt_finished finished{run_number(42U), asset_id(7U), 1, at + std::chrono::milliseconds(2)};
  finished.has_log = true;
  finished.made.emplace();
  finished.made->took = std::chrono::milliseconds(3);
  finished.made->outputs = {{path_id(300U), content}};
  finished.made->data_version = content_digest("version");
  event_encoder record;
  record.add(observed);
  record.add(finished);
  CHECK(check_of(lmdb_table::events, 1'234, record.bytes()) == "92 0e f7 96 ");
  CHECK(hex(record.bytes()) ==
        "22 01 d8 04 01 06 15 cd 4e 2b 84 5b d7 18 d0 0f 4d 00 58 91 b5 b5 22 d5 df 08 6d 0f f0 b1 10 fb d9 d2 00 "
        "28 2a 07 01 b0 82 f4 01 50 80 9b ee 02 30 01 d8 04 01 00 00 5c a4 f3 85 0c cc 33 1a af 8a 25 7d 60 86 e5 26 ");
}

TEST_CASE("what an attempt used is written as docs/journal-format.md has it") {
  attempt_finished finished{run_number(42U), asset_id(7U), 1, at, outcome_kind::exited, 1};
  finished.resources = {std::chrono::microseconds(61'204), std::chrono::microseconds(950), 52'616, false, 0, 8};
  event_encoder record;
  record.add(finished);
  CHECK(hex(record.bytes()) == "28 2a 07 01 15 cd 4e 2b 84 5b d7 18 83 04 01 02 27 c0 98 af 3a e0 fb 73 88 9b 03 08 ");
}

TEST_CASE("events of format 1 are read as they were written") {
  const std::string_view format_1 =
      "02 01 d8 04 01 06 15 cd 4e 2b 84 5b d7 18 d0 0f 4d 00 58 91 b5 b5 22 d5 df 08 6d 0f f0 b1 10 fb d9 d2 "
      "08 2a 07 01 b0 82 f4 01 50 80 9b ee 02 30 01 d8 04 01 00 5c a4 f3 85 0c cc 33 1a af 8a 25 7d 60 86 e5 26 ";
  std::string bytes;
  for (std::size_t i = 0; i < format_1.size(); i += 3)
    bytes += static_cast<char>(std::stoi(std::string(format_1.substr(i, 2)), nullptr, 16));
  event_decoder decoder(bytes);
  const auto observed = decoder.next();
  REQUIRE(observed.has_value());
  const auto& file = std::get<files_observed>(*observed).files.at(0);
  CHECK(file.path == path_id(300U));
  CHECK(file.record.stat.inode == 77);
  CHECK(file.record.content == content_digest("hello\n"));
  CHECK(file.record.executable == executable_bit::unknown);
  const auto finished = decoder.next();
  REQUIRE(finished.has_value());
  const auto& made = std::get<attempt_finished>(*finished).made;
  REQUIRE(made.has_value());
  CHECK(made->outputs == std::vector<file_version>{{path_id(300U), content_digest("hello\n")}});
  CHECK(made->data_version == content_digest("version"));
  CHECK_FALSE(made->since.has_value());
  CHECK(decoder.done());
}

TEST_CASE("a type or a layout that does not exist yet is refused by name") {
  const auto problem = [](std::string_view bytes) { return event_decoder(bytes).next().error().message; };
  CHECK(problem("\x0E").find("type 14 is unknown") != std::string::npos);
  CHECK(problem(std::string_view("\x1F\x31\x01", 3)).find("type 49 is unknown") != std::string::npos);
  CHECK(problem(std::string_view("\x1F\x05\x00", 3)).find("type 5 is unknown") != std::string::npos);
  CHECK(problem(std::string_view("\x1F\x20\x02", 3)).find("layout 2 of type 32 is unknown") != std::string::npos);
  CHECK(problem("\x4D").find("layout 2 of type 13 is unknown") != std::string::npos);
}

TEST_CASE("asset records are written as format 2 has them") {
  asset_record asset;
  asset.last.emplace();
  asset.last->run = run_number(42U);
  asset.last->attempt = 1;
  asset.last->finished_at = at;
  asset.last->took = std::chrono::milliseconds(3);
  asset.last->made_from.command = content_digest("command");
  asset.last->made_from.inputs = {{path_id(1U), content_digest("a")}, {path_id(9U), content_digest("b")}};
  asset.last->made.data_version = content_digest("version");
  asset.attempt = attempt_state::succeeded;
  asset.attempt_run = run_number(42U);
  asset.attempt_number = 1;
  asset.attempt_started_at = at - std::chrono::milliseconds(3);
  asset.attempt_reasons = {{reason_kind::input_changed, "a.txt"}};
  std::string bytes;
  encode(asset, bytes);
  CHECK(to_hex(content_digest(bytes)) == "4722fdeeb149f750a8faa0893c398995");
}

TEST_CASE("every event and record layout of format 2 is the one it was") {
  // One of each with every field set; the digest stands for all their bytes.
  event_encoder all;
  all.add(names_interned{asset_id(3U), {"demo/a", "demo/b"}});
  all.add(paths_interned{path_id(5U), {"demo/in.txt"}});
  all.add(files_observed{{{path_id(5U), {{file_kind::folder, 1, 2, 3, 4}, content_digest("x")}}, {path_id(6U), {}}}});
  run_started start{
      run_number(2U), {}, at, "demo", {}, {{asset_id(0U), asset_id(9U)}}, {{asset_id(11U), asset_id(12U)}}};
  start.request = {{"+a"}, {"b"}, true, true, {{"top", "5"}}, 1, 2, 8, "troupe.json"};
  start.definitions = {1, 0xFEDCBA9876543210U};
  all.add(start);
  all.add(run_resumed{run_number(2U), at});
  all.add(asset_found_fresh{run_number(2U),
                            asset_id(3U),
                            at,
                            {{wait_kind::asset, asset_id(2U), {}, {}, 900}, {wait_kind::worker, {}, {}, {}, 7}}});
  all.add(attempt_started{run_number(2U),
                          asset_id(3U),
                          1,
                          at,
                          {{reason_kind::forced, ""}, {reason_kind::expired, "2d"}},
                          {path_id(5U)},
                          {{wait_kind::hold, {}, run_number(1U), {}, 2'100}, {wait_kind::pool, {}, {}, "db", 30}}});
  all.add(attempt_spawned{run_number(2U), asset_id(3U), 1, 4'711, 99'999});
  attempt_finished failed{run_number(2U), asset_id(3U), 1, at, outcome_kind::exited, 75, 0, "it failed", true, at};
  failed.allowed = true;
  all.add(failed);
  attempt_finished made{run_number(2U), asset_id(3U), 2, at};
  made.made = materialized{std::chrono::seconds(1),
                           true,
                           content_digest("c"),
                           "2",
                           {{{"A", content_digest("e")}}},
                           {{{"p", content_digest("p")}}},
                           {{path_id(1U), content_digest("i")}},
                           {path_id(2U)},
                           {{path_id(3U), content_digest("d")}},
                           {path_id(4U)},
                           {{asset_id(1U), content_digest("u")}},
                           {asset_id(2U)},
                           {{path_id(5U), content_digest("o")}},
                           {path_id(6U)},
                           content_digest("v"),
                           "reported",
                           "{\"rows\":1}"};
  all.add(made);
  all.add(assets_settled{run_number(2U), at, asset_status::failed, "why", {{asset_id(4U), asset_id(3U)}}, true});
  all.add(run_stopping{run_number(2U), at, stop_cause::signal});
  all.add(run_finished{run_number(2U), at, run_status::failed, {0, 0, 0, 0, 5, 6, 7, 8, 9}});
  all.add(writer_opened{at, "boot", 4'711});
  all.add(writer_closed{at});
  run_queued queued{run_number(3U), {}, at, "demo", start.request, {cause_kind::trigger, "nightly", {7, 9}, "ada"}};
  queued.priority = -2;
  queued.continues = run_number(1U);
  all.add(queued);
  all.add(run_dequeued{run_number(3U), at, dequeue_reason::continued, run_number(4U)});
  asset_definition defined{command_form::list,
                           {"wc", "-l"},
                           "/bin/sh",
                           "sub",
                           {{"A", variable_source::literal, "1", false}, {"S", variable_source::file, "key", true}},
                           false,
                           {"PATH"},
                           "2",
                           {"in/*.txt", "!in/x.txt"},
                           {"clean"},
                           {"out"}};
  CHECK(to_hex(digest_of(defined)) == "afd79c283329eed69908bc4385a047cf");
  all.add(definition_recorded{{{asset_id(3U), asset_id(4U)}}, digest_of(defined), defined});
  CHECK(to_hex(content_digest(all.bytes())) == "f5f9b1aeea26f8ea53a03d5e34b8a992");
  std::string records;
  run_record run{run_number(2U), {}, "demo", start.request, at, at, run_status::failed, {1, 2}, 3, 4, 5, 6};
  run.cause = queued.cause;
  run.queued_at = at;
  run.continues = run_number(1U);
  run.dequeued = dequeue_reason::continued;
  run.continued_by = run_number(4U);
  encode(run, records);
  encode(queued, records);
  encode(file_record{{file_kind::file, 1, 2, 3, 4}, content_digest("x")}, records);
  encode(open_attempt{asset_id(1U), run_number(2U), 3, at, 4, 5, "boot"}, records);
  encode(state_info{{}, 1, 2, 3, 4, run_number(5U), 6, "boot", false}, records);
  CHECK(to_hex(content_digest(records)) == "25b25a39bd488921944e9daf3bcc2e10");
  records.clear();
  encode(definition_record{digest_of(defined), 3, true, defined}, records);
  asset_record asset;
  asset.last.emplace();
  asset.last->definition = asset.definition = digest_of(defined);
  asset.definition_seq = 99;
  encode(asset, records);
  CHECK(to_hex(content_digest(records)) == "d9fc23e543b814a5a16c1f2ef16fb814");
}
