// What an asset costs that is made by a function which does nothing: a host of libtroupe. Prints one line a figure.
//
// usage: lib_bench STATE-FOLDER [ASSETS]
#include <troupe/troupe.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using steady = std::chrono::steady_clock;

double microseconds_since(steady::time_point when) {
  return std::chrono::duration<double, std::micro>(steady::now() - when).count();
}

long resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmRSS:", 0) == 0)
      return std::atol(line.c_str() + 6);
  return 0;
}

/// Layers of 1,000; each asset needs two of the layer before it.
template <class F>
troupe::pipeline layered(const char* name, std::size_t count, F f) {
  using value = std::invoke_result_t<F>;
  troupe::pipeline p(name);
  std::vector<troupe::asset<value>> before, layer;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string asset = "a" + std::to_string(i);
    if (before.empty())
      layer.push_back(p.make(asset, {.version = "1"}, f));
    else if constexpr (std::is_void_v<value>)
      layer.push_back(p.make(
          asset, {.version = "1"}, [f] { f(); }, before[i % 1000], before[(i + 1) % 1000]));
    else
      layer.push_back(p.make(
          asset, {.version = "1"}, [f](const value&, const value&) { return f(); }, before[i % 1000],
          before[(i + 1) % 1000]));
    if (layer.size() == 1000)
      before = std::exchange(layer, {});
  }
  return p;
}

int failed(const troupe::error& why) {
  std::fprintf(stderr, "%s\n", why.text().c_str());
  return 1;
}

template <class F>
int measure(const std::string& folder, const char* name, std::size_t count, F f) {
  auto built = steady::now();
  const auto p = layered(name, count, f);
  std::printf("%-28s %9.2f us an asset\n", (std::string(name) + ", declared").c_str(),
              microseconds_since(built) / static_cast<double>(count));
  const auto state = folder + "/" + name;
  auto engine = troupe::engine::open({.state = state, .workers = 2});
  if (!engine)
    return failed(engine.error());
  built = steady::now();
  if (const auto added = engine->add(p); !added)
    return failed(added.error());
  std::printf("%-28s %9.2f us an asset\n", (std::string(name) + ", added").c_str(),
              microseconds_since(built) / static_cast<double>(count));
  if (const auto recovered = engine->recover(); !recovered)
    return failed(recovered.error());
  const auto before = resident_kib();
  for (const char* const what : {"made", "fresh", "fresh again"}) {
    const auto began = steady::now();
    const auto run = engine->start(name);
    if (!run)
      return failed(run.error());
    const auto started = microseconds_since(began);
    if (const auto ended = run->wait(); !ended)
      return failed(ended.error());
    std::printf("%-28s %9.2f us an asset, start() %.2f ms, %ld MiB\n", (std::string(name) + ", " + what).c_str(),
                microseconds_since(began) / static_cast<double>(count), started / 1000,
                (resident_kib() - before) / 1024);
  }
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(state))
    if (entry.is_regular_file())
      bytes += entry.file_size();
  std::printf("%-28s %9.0f bytes an asset\n", (std::string(name) + ", on disk").c_str(),
              static_cast<double>(bytes) / static_cast<double>(count));
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: lib_bench STATE-FOLDER [ASSETS]\n");
    return 2;
  }
  const std::size_t count = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 100'000;
  const int nothing = measure(argv[1], "nothing", count, [] {});
  const int text = measure(argv[1], "text", count, [] { return std::string(64, 'x'); });
  return nothing + text + measure(argv[1], "small", std::min<std::size_t>(count, 1000), [] { return 1; });
}
