// A host that would be hurt: its children, its signals, its fork, its crash. Knows nothing of src/.
#include <troupe/troupe.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

class folder {
public:
  folder() {
    std::string name = (fs::temp_directory_path() / "troupe-guest-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~folder() {
    std::error_code ignored; // a test that failed may have left anything
    fs::remove_all(path, ignored);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  [[nodiscard]] std::string state() const { return (path / "state").string(); }
  [[nodiscard]] std::string at(const std::string& name) const { return (path / name).string(); }
  fs::path path;
};

troupe::engine open(const folder& at, const troupe::pipeline& what, troupe::engine_options how = {}) {
  how.state = at.state();
  how.workers = 2;
  auto engine = troupe::engine::open(how);
  REQUIRE_MESSAGE(engine, (engine ? "" : engine.error().text()));
  const auto added = engine->add(what);
  REQUIRE_MESSAGE(added, (added ? "" : added.error().text()));
  return *std::move(engine);
}

std::size_t lines_of(const std::string& file) {
  std::ifstream in(file);
  std::size_t count = 0;
  for (std::string line; std::getline(in, line);)
    ++count;
  return count;
}

/// Three functions in a row, each of which writes down that it was called; the second one dies the first time, if
/// `dies` says how.
std::pair<troupe::pipeline, troupe::asset<int>> chain(const folder& at, void (*dies)()) {
  troupe::pipeline p("chain");
  const auto note = [calls = at.at("calls")](const char* who) { std::ofstream(calls, std::ios::app) << who << "\n"; };
  const auto first = p.make("first", {.version = "1"}, [note] {
    note("first");
    return 1;
  });
  const auto second = p.make(
      "second", {.version = "1"},
      [note, dies](int in) {
        note("second");
        if (dies != nullptr)
          dies();
        return in + 1;
      },
      first);
  const auto third = p.make(
      "third", {.version = "1"},
      [note](int in) {
        note("third");
        return in + 1;
      },
      second);
  return {std::move(p), third};
}

/// Runs the chain in a child that dies in it; how it ended.
int die_in_chain(const folder& at, void (*dies)()) {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto [p, third] = chain(at, dies);
    auto engine = troupe::engine::open({.state = at.state(), .workers = 2, .durability = troupe::durability::strict});
    if (!engine || !engine->add(p))
      ::_exit(3);
    const auto recovered = engine->recover();
    if (!recovered)
      ::_exit(5);
    auto run = recovered->empty() || !recovered->front().run ? engine->start("chain") : *recovered->front().run;
    static_cast<void>(run->wait());
    ::_exit(4);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

} // namespace

TEST_CASE("a process that is killed in a function: the next one goes on where it was, and makes nothing twice that was "
          "finished") {
  const folder at;
  const int status = die_in_chain(at, [] { ::kill(::getpid(), SIGKILL); });
  REQUIRE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
  CHECK(lines_of(at.at("calls")) == 2);
  auto [p, third] = chain(at, nullptr);
  auto engine = open(at, p);
  const auto recovered = engine.recover();
  REQUIRE(recovered);
  REQUIRE(recovered->size() == 1);
  CHECK(recovered->at(0).what == troupe::recovery::resumed);
  REQUIRE(recovered->at(0).run.has_value());
  const auto ended = recovered->at(0).run->wait();
  REQUIRE_MESSAGE(ended, (ended ? "" : ended.error().text()));
  CHECK(ended->number == 1);
  CHECK(**engine.latest(third) == 3);
  CHECK(lines_of(at.at("calls")) == 4); // first, second, second, third
}

TEST_CASE("a function that kills its process again and again is given up") {
  const folder at;
  for (int i = 0; i < 4; ++i)
    REQUIRE(WIFSIGNALED(die_in_chain(at, [] { ::kill(::getpid(), SIGKILL); })));
  CHECK(lines_of(at.at("calls")) == 5); // first, and second each time
  auto [p, third] = chain(at, nullptr);
  auto engine = open(at, p);
  const auto recovered = engine.recover();
  REQUIRE(recovered);
  REQUIRE(recovered->size() == 1);
  CHECK(recovered->at(0).what == troupe::recovery::abandoned);
  CHECK(recovered->at(0).reason.find("it was resumed 3 times after crashes") == 0);
  CHECK(engine.find(1)->status() == troupe::run_status::cancelled);
  CHECK(engine.start("chain")->wait());
}

TEST_CASE(
    "a shutdown leaves a run open, and the next engine goes on with it; a function that does not stop is told of") {
  const folder at;
  std::atomic<int> called = 0;
  std::atomic<bool> stubborn = true;
  const auto make = [&] {
    troupe::pipeline p("long");
    const auto first = p.make("first", {.version = "1"}, [&] { return ++called; });
    p.make(
        "waits", {.version = "1"},
        [&](troupe::context& told, int in) -> troupe::result<int> {
          if (++called > 2)
            return in;
          while (stubborn || !told.stop_requested())
            std::this_thread::sleep_for(1ms);
          return troupe::error{troupe::errc::cancelled, "stopped", {}};
        },
        first);
    return p;
  };
  {
    const auto p = make();
    auto engine = open(at, p);
    REQUIRE(engine.recover());
    const auto run = engine.start("long");
    REQUIRE(run);
    while (called < 2)
      std::this_thread::sleep_for(1ms);
    const auto over = engine.shutdown(5ms);
    REQUIRE(!over);
    CHECK(over.error().code == troupe::errc::still_running);
    REQUIRE(over.error().found.size() == 1);
    CHECK(over.error().found[0].asset == "waits");
    CHECK(over.error().found[0].message == "waits of run #1 has not returned");
    stubborn = false;
    CHECK(engine.shutdown(1h));
    CHECK(run->status() == troupe::run_status::interrupted);
    CHECK(run->wait().error().code == troupe::errc::interrupted);
  }
  const auto p = make();
  auto engine = open(at, p);
  const auto recovered = engine.recover();
  REQUIRE(recovered);
  REQUIRE(recovered->size() == 1);
  CHECK(recovered->at(0).what == troupe::recovery::resumed);
  CHECK(recovered->at(0).run->wait());
  CHECK(called == 3);
}

TEST_CASE("a run whose functions have changed since it was interrupted starts again; one nobody added stays open; or "
          "all end") {
  for (const auto policy :
       {troupe::on_restart::resume_or_rerun, troupe::on_restart::resume, troupe::on_restart::abandon}) {
    const folder at;
    REQUIRE(WIFSIGNALED(die_in_chain(at, [] { ::kill(::getpid(), SIGKILL); })));
    troupe::pipeline p("chain"); // the same names, another version
    const auto first = p.make("first", {.version = "2"}, [] { return 1; });
    const auto second = p.make(
        "second", {.version = "2"}, [](int in) { return in + 1; }, first);
    p.make(
        "third", {.version = "2"}, [](int in) { return in + 1; }, second);
    auto engine = open(at, p);
    const auto recovered = engine.recover(policy);
    REQUIRE(recovered);
    REQUIRE(recovered->size() == 1);
    const auto& one = recovered->front();
    if (policy == troupe::on_restart::resume) {
      CHECK(one.what == troupe::recovery::left);
      CHECK(one.reason.find("definition has changed") != std::string::npos);
      CHECK(!one.run);
      CHECK(engine.find(1)->status() == troupe::run_status::interrupted);
    } else if (policy == troupe::on_restart::abandon) {
      CHECK(one.what == troupe::recovery::abandoned);
      CHECK(engine.find(1)->status() == troupe::run_status::cancelled);
    } else {
      CHECK(one.what == troupe::recovery::rerun);
      REQUIRE(one.run.has_value());
      CHECK(one.run->wait());
      CHECK(one.run->number() == 2);
      CHECK(engine.find(1)->status() == troupe::run_status::cancelled);
    }
  }
}

TEST_CASE("a key is that of one run, before and after a restart") {
  const folder at;
  {
    auto [p, third] = chain(at, nullptr);
    auto engine = open(at, p);
    REQUIRE(engine.recover());
    const auto first = engine.start("chain", {.key = "2024-06-01"});
    REQUIRE(first);
    CHECK(first->wait());
    CHECK(engine.start("chain", {.key = "2024-06-01"})->number() == first->number());
    CHECK(engine.start("chain", {.select = {"first"}, .key = "2024-06-01"}).error().code == troupe::errc::key_conflict);
  }
  auto [p, third] = chain(at, nullptr);
  auto engine = open(at, p);
  REQUIRE(engine.recover());
  const auto again = engine.start("chain", {.key = "2024-06-01"});
  REQUIRE(again);
  CHECK(again->number() == 1);
  CHECK(again->status() == troupe::run_status::succeeded);
  CHECK(engine.start("chain", {.key = "2024-06-02"})->number() == 2);
}

TEST_CASE(
    "an engine without commands leaves children, SIGCHLD and the subreaper alone; functions have all signals blocked") {
  const folder at;
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  struct sigaction before {};
  REQUIRE(::sigaction(SIGCHLD, &ignore, &before) == 0);
  sigset_t of_function;
  sigemptyset(&of_function);
  troupe::pipeline p("quiet");
  p.make("quiet", {.version = "1"}, [&of_function] { ::pthread_sigmask(SIG_SETMASK, nullptr, &of_function); });
  {
    auto engine = open(at, p);
    REQUIRE(engine.recover());
    const auto run = engine.start("quiet");
    REQUIRE(run);
    CHECK(run->wait());
    struct sigaction now {};
    ::sigaction(SIGCHLD, nullptr, &now);
    CHECK((now.sa_handler == SIG_IGN));
    int subreaper = 1;
    ::prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
    CHECK(subreaper == 0);
  }
  CHECK(::sigismember(&of_function, SIGTERM) == 1);
  CHECK(::sigismember(&of_function, SIGCHLD) == 1);
  ::sigaction(SIGCHLD, &before, nullptr);
}

TEST_CASE("beside commands the host's own children live on, its SIGCHLD reaches it, and it waits for them itself") {
  const folder at;
  sigset_t child_signal;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  sigset_t mask;
  REQUIRE(::pthread_sigmask(SIG_BLOCK, &child_signal, &mask) == 0);
  const int heard = ::signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK);
  REQUIRE(heard >= 0);
  const auto own = ::fork();
  REQUIRE(own >= 0);
  if (own == 0) {
    ::signal(SIGTERM, SIG_DFL); // doctest has a handler
    ::pause();
    ::_exit(0);
  }
  troupe::pipeline p("commands");
  p.folder(at.path.string());
  p.run("made", {.shell = "sleep 0.05; echo x > made.txt"}, {.outputs = {"made.txt"}});
  {
    auto engine = open(at, p, {.children = troupe::children::known});
    REQUIRE(engine.recover());
    const auto run = engine.start("commands");
    REQUIRE(run);
    const auto ended = run->wait();
    REQUIRE_MESSAGE(ended, (ended ? "" : ended.error().text()));
    int subreaper = 1;
    ::prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
    CHECK(subreaper == 0); // once no command runs
  }
  CHECK(::kill(own, 0) == 0);
  signalfd_siginfo info{};
  while (::read(heard, &info, sizeof info) == sizeof info) {
  }
  REQUIRE(::kill(own, SIGTERM) == 0);
  int status = 0;
  REQUIRE(::waitpid(own, &status, 0) == own); // nobody else has taken it
  CHECK(WIFSIGNALED(status));
  CHECK(::read(heard, &info, sizeof info) == sizeof info);
  CHECK(info.ssi_pid == static_cast<std::uint32_t>(own));
  ::close(heard);
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
}

TEST_CASE("in a process that was forked off, calls say so, destructors do nothing, and the parent goes on") {
  const folder at;
  auto [p, third] = chain(at, nullptr);
  auto engine = std::make_unique<troupe::engine>(open(at, p));
  REQUIRE(engine->recover());
  const auto run = engine->start("chain");
  REQUIRE(run);
  CHECK(run->wait());
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const bool refused = engine->start("chain").error().code == troupe::errc::wrong_process &&
                         run->wait().error().code == troupe::errc::wrong_process;
    engine.reset(); // must not wait for threads that this process does not have
    ::_exit(refused ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  const auto again = engine->start("chain");
  REQUIRE(again);
  CHECK(again->wait()->fresh == 3);
}

TEST_CASE("what was forked off a process that is killed does not keep its state locked") {
  const folder at;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const auto killed = ::fork();
  REQUIRE(killed >= 0);
  if (killed == 0) {
    auto engine = troupe::engine::open({.state = at.state()});
    if (engine && ::fork() == 0) {
      ::close(ends[1]);
      char byte = 0;
      static_cast<void>(::read(ends[0], &byte, 1)); // until the test is done
      ::_exit(0);
    }
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(killed, &status, 0) == killed);
  REQUIRE(WIFSIGNALED(status));
  const auto opened = troupe::engine::open({.state = at.state()});
  CHECK_MESSAGE(opened, (opened ? "" : opened.error().text()));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("working folder, standard output, environment and locale are as they were") {
  const folder at;
  const auto here = fs::current_path();
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const int out = ::dup(1), err = ::dup(2);
  REQUIRE((::dup2(ends[1], 1) == 1 && ::dup2(ends[1], 2) == 2));
  const std::string locale = std::setlocale(LC_ALL, nullptr);
  {
    auto [p, third] = chain(at, nullptr);
    auto engine = troupe::engine::open({.state = at.state(), .workers = 2});
    static_cast<void>(engine->add(p));
    static_cast<void>(engine->recover());
    static_cast<void>(engine->start("chain")->wait());
    static_cast<void>(engine->start("nothing"));
  }
  ::dup2(out, 1);
  ::dup2(err, 2);
  ::close(ends[1]);
  ::close(out);
  ::close(err);
  char byte = 0;
  CHECK(::read(ends[0], &byte, 1) == 0);
  ::close(ends[0]);
  CHECK(fs::current_path() == here);
  CHECK(locale == std::setlocale(LC_ALL, nullptr));
  CHECK(::getenv("TROUPE_STATE_ID") == nullptr);
}

namespace {

/// Destroyed when the program ends, after main.
std::unique_ptr<folder> last_folder;
std::unique_ptr<troupe::engine> last_engine;

} // namespace

TEST_CASE("an engine in a static variable is destroyed at exit") {
  last_folder = std::make_unique<folder>();
  auto [p, third] = chain(*last_folder, nullptr);
  last_engine = std::make_unique<troupe::engine>(open(*last_folder, p));
  REQUIRE(last_engine->recover());
  CHECK(last_engine->start("chain")->wait());
}

TEST_CASE("engines come and go: threads and descriptors do not grow") {
  const auto count = [](const char* where) {
    return std::distance(fs::directory_iterator(where), fs::directory_iterator());
  };
  const folder at;
  const auto made = chain(at, nullptr);
  const auto live = [&] {
    auto engine = open(at, made.first, {.durability = troupe::durability::none});
    REQUIRE(engine.recover());
    CHECK(engine.start("chain", {.force = true})->wait());
  };
  live();
  const auto descriptors = count("/proc/self/fd");
  const auto threads = count("/proc/self/task");
  for (int i = 0; i < 30; ++i)
    live();
  CHECK(count("/proc/self/fd") == descriptors);
  CHECK(count("/proc/self/task") == threads);
}

TEST_CASE("the environment is copied when an engine opens: what the program changes later no run sees") {
  const folder at;
  REQUIRE(::setenv("TROUPE_GUEST_COLOUR", "red", 1) == 0);
  troupe::pipeline p("colours");
  p.folder(at.path.string());
  p.run("colour", {.shell = "printf %s \"$TROUPE_GUEST_COLOUR\" >colour.txt"},
        {.always = true, .outputs = {"colour.txt"}});
  const auto made = [&](troupe::engine& engine) {
    REQUIRE(engine.start("colours")->wait());
    std::string colour;
    std::ifstream(at.path / "colour.txt") >> colour;
    return colour;
  };
  {
    auto engine = open(at, p, {.children = troupe::children::known});
    REQUIRE(engine.recover());
    REQUIRE(::setenv("TROUPE_GUEST_COLOUR", "green", 1) == 0);
    CHECK(made(engine) == "red");
  }
  auto engine = open(at, p, {.children = troupe::children::known});
  REQUIRE(engine.recover());
  CHECK(made(engine) == "green");
  ::unsetenv("TROUPE_GUEST_COLOUR");
}

TEST_CASE("a function that ignores its stop is named in the log, once") {
  const folder at;
  static std::mutex mutex;
  static std::vector<std::string> lines;
  {
    const std::lock_guard lock(mutex);
    lines.clear();
  }
  const auto warnings = [] {
    const std::lock_guard lock(mutex);
    return std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
      return line.find("the function of deaf/ignores of run #1 was asked to stop") != std::string::npos;
    });
  };
  std::atomic<bool> began = false, go_on = false;
  troupe::pipeline p("deaf");
  p.make("ignores", {.version = "1"}, [&] {
    began = true;
    while (!go_on)
      std::this_thread::sleep_for(1ms);
  });
  troupe::engine_options how;
  how.warn_unstopped = 20ms;
  how.log = [](void*, int level, std::string_view line) {
    const std::lock_guard lock(mutex);
    if (level == 1)
      lines.emplace_back(line);
  };
  auto engine = open(at, p, how);
  REQUIRE(engine.recover());
  const auto started = engine.start("deaf");
  REQUIRE(started);
  for (int ms = 0; ms < 10'000 && !began; ++ms)
    std::this_thread::sleep_for(1ms);
  REQUIRE(began);
  std::this_thread::sleep_for(100ms); // it was not asked yet
  CHECK(warnings() == 0);
  REQUIRE(started->cancel());
  for (int ms = 0; ms < 10'000 && warnings() == 0; ++ms)
    std::this_thread::sleep_for(1ms);
  CHECK(engine.calls()->at(0).stopping);
  std::this_thread::sleep_for(100ms);
  CHECK(warnings() == 1);
  go_on = true;
  static_cast<void>(started->wait());
}
