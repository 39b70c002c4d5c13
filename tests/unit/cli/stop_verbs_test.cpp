// `troupe stop` and `troupe reload`, and where they look for the supervisor.
#include "fake_engine.hpp"

#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>

using namespace troupe_internal;
using namespace troupe_internal::test;

TEST_CASE("without a supervisor stop and reload say so, and nothing was done") {
  reset();
  engine().state_folder = [](const project_options&) { return std::string("/state"); };
  for (const auto* verb : {"stop", "reload"}) {
    const auto done = troupe_cli({verb});
    CHECK(done.status == 3);
    CHECK(done.err.find("no supervisor has the state /state") != std::string::npos);
  }
}

TEST_CASE("stop asks, with the drain that is wanted, and waits until the state is free") {
  reset();
  engine().state_folder = [](const project_options&) { return std::string("/state"); };
  engine().supervisor = supervisor_answer{42, "user 1", {}, {}, {}};
  int waited = 0;
  engine().wait = [&](const std::string& state, const wait_setup&) {
    ++waited;
    CHECK(state == "/state");
    return wait_end::freed;
  };
  auto done = troupe_cli({"stop"});
  CHECK(done.status == 0);
  CHECK(done.out == "the supervisor (pid 42) has stopped\n");
  CHECK(engine().supervisor_asked.what == supervisor_ask::verb::stop);
  CHECK_FALSE(engine().supervisor_asked.drain.has_value());
  CHECK(troupe_cli({"stop", "--drain=90s"}).status == 0);
  CHECK(engine().supervisor_asked.drain == duration(std::chrono::seconds(90)));
  CHECK(troupe_cli({"stop", "--drain"}).status == 0);
  CHECK(*engine().supervisor_asked.drain > std::chrono::hours(24 * 365));
  CHECK(waited == 3);
  CHECK(troupe_cli({"stop", "--drain=soon"}).status == 2);
  done = troupe_cli({"stop", "--json"});
  CHECK(done.out.find("42") != std::string::npos);
}

TEST_CASE("reload prints what is wrong and fails for it") {
  reset();
  engine().state_folder = [](const project_options&) { return std::string("/state"); };
  engine().supervisor = supervisor_answer{42, "user 1", {}, {"\"listen\" has changed"}, {}};
  auto done = troupe_cli({"reload"});
  CHECK(done.status == 0);
  CHECK(done.out == "all files are loaded\n\"listen\" has changed\n");
  CHECK(engine().supervisor_asked.what == supervisor_ask::verb::reload);
  engine().supervisor->problems = {"a.json is left out"};
  done = troupe_cli({"reload"});
  CHECK(done.status == 2);
  CHECK(done.err == "error: a.json is left out\n");
  CHECK(troupe_cli({"reload", "--json"}).out.find("a.json is left out") != std::string::npos);
}

TEST_CASE("a supervisor's file says where its state is") {
  reset();
  engine().supervisor = supervisor_answer{42, "user 1", {}, {}, {}};
  const temporary_folder folder;
  std::string asked_of;
  engine().wait = [&](const std::string& state, const wait_setup&) {
    asked_of = state;
    return wait_end::free;
  };
  folder.write("sup.json", R"({"pipelines": ["a.json"], "state_dir": "there"})");
  CHECK(troupe_cli({"stop", "-f", folder / "sup.json"}).status == 0);
  CHECK(asked_of == folder / "there");
  folder.write("sup.json", R"({"pipelines": 1})");
  const auto done = troupe_cli({"stop", "-f", folder / "sup.json"});
  CHECK(done.status == 2);
  CHECK(done.err.find("has mistakes") != std::string::npos);
}
