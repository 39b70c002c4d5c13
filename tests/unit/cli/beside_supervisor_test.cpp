// `run` and `resume` beside a supervisor: what it is asked, and what is refused.
#include "fake_engine.hpp"

#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;
using namespace troupe_internal::test;

namespace {

void with_supervisor() {
  reset();
  engine().state_folder = [](const project_options&) { return std::string("/state"); };
  engine().open = [](const project_options&, diagnostics&) { return make_project(); };
  engine().supervisor = supervisor_answer{42, "user 7 (me)", {}, {}, {}};
}

} // namespace

TEST_CASE("a detached run is asked for with all that the command line says, in the supervisor's environment") {
  with_supervisor();
  const auto done = troupe_cli({"run", "--detach", "report", "-x", "side", "--force", "-j", "3", "--error-strategy",
                                "continue", "-f", "/p/troupe.json", "--param", "day=1"});
  CHECK(done.status == 0);
  CHECK(done.out.find("in the supervisor (pid 42, user 7 (me), its environment)") != std::string::npos);
  CHECK(done.out.find("run #7 has started") != std::string::npos);
  CHECK(engine().supervisor_asked.what == supervisor_ask::verb::load);
  CHECK(engine().supervisor_asked.file == "/p/troupe.json");
  const auto& ask = engine().delegated;
  CHECK(ask.file == "/p/troupe.json");
  CHECK(ask.selection == std::vector<std::string>{"report"});
  CHECK(ask.exclude == std::vector<std::string>{"side"});
  CHECK(ask.force);
  CHECK(ask.workers == 3U);
  CHECK(ask.error_strategy.has_value());
  CHECK(ask.params.size() == 1);
  CHECK(ask.cause.kind == cause_kind::user);
  CHECK(ask.cause.by.starts_with("uid "));
  CHECK(troupe_cli({"run", "--detach", "--json"}).out.find("\"number\":7") != std::string::npos);
}

TEST_CASE("standard input is no file that a supervisor serves, and its mistakes are the command's") {
  with_supervisor();
  const auto from_input = troupe_cli({"run", "-f", "-"});
  CHECK(from_input.status == 3);
  CHECK(from_input.err.find("standard input is none") != std::string::npos);
  engine().supervisor->problems = {"line 3: no"};
  const auto broken = troupe_cli({"run"});
  CHECK(broken.status == 2);
  CHECK(broken.err.find("line 3: no") != std::string::npos);
}

TEST_CASE("without a supervisor there is nobody to detach a run to") {
  with_supervisor();
  engine().supervisor.reset();
  const auto done = troupe_cli({"run", "--detach"});
  CHECK(done.status == 3);
  CHECK(done.err.find("--detach needs a supervisor") != std::string::npos);
}

TEST_CASE("a pipeline that is given back is named with where it came from") {
  with_supervisor();
  CHECK(troupe_cli({"release"}).status == 2);
  engine().released = released_pipeline{"/above/state", "/p/.troupe", 1, true};
  const auto done = troupe_cli({"release", "demo"});
  CHECK(done.status == 0);
  CHECK(done.out.find(
            "demo has its own state again, /p/.troupe: took over what is true of 1 asset from /above/state; its "
            "earlier runs are there again") != std::string::npos);
  CHECK(troupe_cli({"release", "--json"}).out.find("\"from\":\"/above/state\",\"to\":\"/p/.troupe\",\"assets\":1") !=
        std::string::npos);
  CHECK(troupe_cli({"release", "other"}).status == 2);
}
