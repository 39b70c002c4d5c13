// What progress writes, to a pipe and to a terminal.
#include "adapters/system/system_clock.hpp"
#include "cli/fd_stream.hpp"
#include "cli/progress.hpp"
#include "fake_engine.hpp"
#include "terminal.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <thread>

using namespace troupe_internal;
using namespace troupe_internal::cli;
using namespace std::chrono_literals;

namespace {

run_outline some_outline() {
  run_outline outline;
  outline.run = run_number(1U);
  outline.assets = 6;
  outline.fresh = 1;
  outline.workers = 2;
  return outline;
}

void run_one(progress& shown, asset_index asset) {
  shown.attempt_began(asset, 1, {}, 0s);
  attempt_end end;
  end.took = 5ms;
  shown.attempt_ended(asset, end);
  shown.asset_settled(asset, asset_status::succeeded, asset, {});
}

} // namespace

TEST_CASE("in a pipe progress is plain lines, all written by the time it is finished") {
  const auto on = test::make_project();
  std::ostringstream out;
  const output to{out, -1, {}, false};
  const system_clock time;
  progress shown(to, *on.p, time);
  shown.run_began(some_outline());
  run_one(shown, asset_index(1U));
  const attempt_warning warning{"empty_glob", "the glob x/*.csv matches nothing"};
  shown.warned(asset_index(1U), warning);
  shown.warned(asset_index(1U), warning); // found when planning, and again when the asset is ready
  shown.print_line("a log message");
  shown.run_stopping(stop_cause::user);
  shown.finish();
  shown.finish();
  CHECK(out.str() == "run #1 of demo: 6 assets, 1 fresh, 2 workers\n"
                     "[1/5] clean  succeeded in 5ms\n"
                     "warning: asset clean: the glob x/*.csv matches nothing [empty_glob]\n"
                     "a log message\n"
                     "stopping: the run was cancelled\n");
  CHECK(shown.totals().started == 1);
  CHECK(shown.warnings() == 1);
}

TEST_CASE("a run in which all is fresh shows no progress and starts no thread") {
  const auto on = test::make_project();
  std::ostringstream out;
  const output to{out, -1, {}, false};
  const system_clock time;
  progress shown(to, *on.p, time);
  auto outline = some_outline();
  outline.fresh = outline.assets;
  shown.run_began(outline);
  shown.finish();
  CHECK(out.str().empty());
}

TEST_CASE("on a terminal a block is painted, repainted, and gone at the end; the cursor is never hidden") {
  const test::scoped_environment term("TERM", "xterm"), colour("NO_COLOR", "");
  const test::pseudo_terminal terminal(60, 20);
  const auto on = test::make_project();
  fd_stream out(terminal.slave()), err(terminal.slave());
  console io(out, err, terminal.slave(), terminal.slave());
  CHECK(console::may_repaint(io.out));
  CHECK(io.out.colours.on);
  CHECK(io.out.size()->columns == 60);
  const system_clock time;
  std::string text;
  {
    progress shown(io.out, *on.p, time);
    shown.run_began(some_outline());
    shown.attempt_began(asset_index(1U), 1, {}, 0s);
    while (text.find("\x1b[J") == std::string::npos) { // until it was repainted once
      std::this_thread::sleep_for(10ms);
      text += terminal.text();
    }
    shown.warned(asset_index(1U), {"empty_glob", "look out"});
    shown.finish();
    text += terminal.text();
  }
  CHECK(text.find("clean") != std::string::npos);
  CHECK(text.find("\x1b[2A\r\x1b[K") != std::string::npos); // the headline and one asset, painted over line by line
  CHECK(text.find("\x1b[2A\r\x1b[J") != std::string::npos); // cleared for a line that stays
  CHECK(text.find("?25l") == std::string::npos);
  const auto last = text.rfind("\x1b[J");
  CHECK(text.find("look out", last) != std::string::npos); // below it only what stays
  CHECK(text.find("run #1", last) == std::string::npos);
}

TEST_CASE("a dumb terminal gets lines, and NO_COLOR takes the colour alone") {
  const test::pseudo_terminal terminal(60, 20);
  fd_stream out(terminal.slave());
  {
    const test::scoped_environment term("TERM", "dumb");
    console io(out, out, terminal.slave(), terminal.slave());
    CHECK_FALSE(console::may_repaint(io.out));
    CHECK_FALSE(io.out.colours.on);
  }
  const test::scoped_environment term("TERM", "xterm"), colour("NO_COLOR", "1");
  console io(out, out, terminal.slave(), terminal.slave());
  CHECK(console::may_repaint(io.out));
  CHECK_FALSE(io.out.colours.on);
}

TEST_CASE("a terminal that does not know its size has that of COLUMNS") {
  const test::scoped_environment columns("COLUMNS", "33");
  const test::pseudo_terminal terminal(0, 0);
  fd_stream out(terminal.slave());
  const console io(out, out, terminal.slave(), terminal.slave());
  CHECK(io.out.size()->columns == 33);
}

TEST_CASE("the locale decides whether more than ASCII is drawn") {
  const test::scoped_environment all("LC_ALL", "C.UTF-8");
  CHECK(locale_is_utf8());
  const test::scoped_environment c("LC_ALL", "C");
  CHECK_FALSE(locale_is_utf8());
}
