// What names a run.
#include "core/model/run_name.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace troupe_internal;

namespace {

std::vector<run_record> runs(std::initializer_list<std::pair<std::uint32_t, const char*>> all) {
  std::vector<run_record> made;
  for (const auto& [number, id] : all) {
    auto& run = made.emplace_back();
    run.run = run_number(number);
    run.id = *uuid_from_string(id);
  }
  return made;
}

const auto some = runs({{1234, "01a0b1c2-0000-7000-8000-000000000003"},
                        {42, "01a0b1c2-0000-7000-8000-000000000002"},
                        {7, "12345678-0000-7000-8000-000000000001"}});

} // namespace

TEST_CASE("a run is named by its number, its id, a unique beginning of it, or as the latest") {
  CHECK(match_run(some, "latest").value() == 0);
  CHECK(match_run(some, "#42").value() == 1);
  CHECK(match_run(some, "42").value() == 1);
  CHECK(match_run(some, "#0042").value() == 1);
  CHECK(match_run(some, "1234").value() == 0); // a number before the beginning of an id
  CHECK(match_run(some, "12345").value() == 2);
  CHECK(match_run(some, "01a0b1c2-0000-7000-8000-000000000003").value() == 0);
}

TEST_CASE("what names no run, or more than one, is told with what there is") {
  CHECK(match_run(some, "#8").error().message == "there is no run #8: the newest is #1234, the oldest kept #7");
  CHECK(match_run(some, "01a0").error().message ==
        "\"01a0\" could be any of #1234 #42: give more of the id, or the number");
  for (const auto* wrong : {"", "#", "#x", "#-1", "-1", "123", "01a", "#99999999999999999999", "latest ", "#42 ", "x"})
    CHECK(match_run(some, wrong).error().code == error_code::not_found);
  CHECK(match_run(some, "6").error().message ==
        "run #6 is no longer kept: the oldest kept is #7 (engine.keep_runs says how many are kept)");
  CHECK(match_run(some, "8").error().message.starts_with("there is no run \"8\": give a number"));
  CHECK(match_run(some, "0").error().message.starts_with("there is no run \"0\""));
  CHECK(match_run({}, "latest").error().code == error_code::not_found);
}

TEST_CASE("of many runs that could be meant a few are named") {
  std::vector<run_record> many;
  for (std::uint32_t number = 1000; number > 0; --number) {
    many.emplace_back().run = run_number(number);
    many.back().id = some.front().id;
  }
  CHECK(match_run(many, "01a0b1").error().message ==
        "\"01a0b1\" could be any of #1000 #999 #998 #997 #996 #995 #994 #993 and 992 more: give more of the id, or the "
        "number");
}
