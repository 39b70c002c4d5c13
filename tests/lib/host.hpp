// What the hosts of these tests share: a folder, and an engine that is ready. Knows nothing of src/.
#pragma once

#include <troupe/troupe.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace host {

using namespace std::chrono_literals;

class folder {
public:
  folder() {
    std::string name = (fs::temp_directory_path() / "troupe-lib-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~folder() {
    std::error_code ignored; // a test that failed may have left anything
    fs::remove_all(path, ignored);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  void write(const std::string& name, const std::string& text) const { std::ofstream(path / name) << text; }
  [[nodiscard]] std::string state() const { return (path / "state").string(); }
  fs::path path;
};

/// An engine with this pipeline, recovered.
inline troupe::engine open(const folder& at, const troupe::pipeline& what, troupe::engine_options how = {}) {
  how.state = at.state();
  how.workers = how.workers == 0 ? 4 : how.workers;
  how.durability = troupe::durability::none;
  auto engine = troupe::engine::open(how);
  REQUIRE_MESSAGE(engine, (engine ? "" : engine.error().text()));
  const auto added = engine->add(what);
  REQUIRE_MESSAGE(added, (added ? "" : added.error().text()));
  const auto recovered = engine->recover();
  REQUIRE_MESSAGE(recovered, (recovered ? "" : recovered.error().text()));
  return *std::move(engine);
}

inline troupe::report run(troupe::engine& engine, std::string_view name, const troupe::run_options& how = {}) {
  const auto started = engine.start(name, how);
  REQUIRE_MESSAGE(started, (started ? "" : started.error().text()));
  const auto ended = started->wait();
  REQUIRE_MESSAGE(ended, (ended ? "" : ended.error().text()));
  return *ended;
}

template <class T>
T latest(const troupe::engine& engine, troupe::asset<T> of) {
  const auto value = engine.latest(of);
  REQUIRE_MESSAGE(value, (value ? "" : value.error().text()));
  return **value;
}

} // namespace host
