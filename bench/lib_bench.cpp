// What an asset costs that is made by a function which does nothing: a host of libtroupe. Prints one line a figure.
//
// usage: lib_bench STATE-FOLDER [ASSETS [MEGABYTES [ENGINES]]]
#include <troupe/troupe.hpp>

#ifdef WITH_TBB
#include <tbb/flow_graph.h>
#include <tbb/global_control.h>
#endif

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using steady = std::chrono::steady_clock;

double microseconds_since(steady::time_point when) {
  return std::chrono::duration<double, std::micro>(steady::now() - when).count();
}

long resident_kib(const char* of) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind(of, 0) == 0)
      return std::atol(line.c_str() + std::strlen(of));
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

int failures = 0;

double failed(const troupe::error& why) {
  std::fprintf(stderr, "%s\n", why.text().c_str());
  failures = 1;
  return 0;
}

/// The first needs nothing, each other the one before it.
troupe::pipeline chain(std::size_t count) {
  troupe::pipeline p("chain");
  auto last = p.make("a0", {.version = "1"}, [] { return 0; });
  for (std::size_t i = 1; i < count; ++i)
    last = p.make(
        "a" + std::to_string(i), {.version = "1"}, [](int in) { return in + 1; }, last);
  return p;
}

/// One is needed by all but the last, which needs them.
troupe::pipeline fan(std::size_t count) {
  troupe::pipeline p("fan");
  const auto first = p.make("first", {.version = "1"}, [] { return 1; });
  troupe::options last{.version = "1"};
  for (std::size_t i = 2; i < count; ++i)
    last.after.push_back(p.make(
        "a" + std::to_string(i), {.version = "1"}, [](int in) { return in; }, first));
  p.make("last", last, [] { return 1; });
  return p;
}

/// Microseconds an asset, of the run in which it is made.
double measure(const std::string& folder, const char* name, std::size_t count, const troupe::pipeline& p,
               steady::time_point began_to_declare) {
  const auto line = [&](const char* what) { return std::string(name) + ", " + what; };
  std::printf("%-28s %9.2f us an asset\n", line("declared").c_str(),
              microseconds_since(began_to_declare) / static_cast<double>(count));
  const auto state = folder + "/" + name;
  auto engine = troupe::engine::open({.state = state, .workers = 2});
  if (!engine)
    return failed(engine.error());
  const auto adding = steady::now();
  if (const auto added = engine->add(p); !added)
    return failed(added.error());
  std::printf("%-28s %9.2f us an asset\n", line("added").c_str(),
              microseconds_since(adding) / static_cast<double>(count));
  if (const auto recovered = engine->recover(); !recovered)
    return failed(recovered.error());
  const auto before = resident_kib("VmRSS:");
  double made = 0;
  for (const char* const what : {"made", "fresh", "fresh again"}) {
    const auto began = steady::now();
    const auto run = engine->start(name);
    if (!run)
      return failed(run.error());
    const auto started = microseconds_since(began);
    if (const auto ended = run->wait(); !ended)
      return failed(ended.error());
    const auto each = microseconds_since(began) / static_cast<double>(count);
    made = made == 0 ? each : made;
    std::printf("%-28s %9.2f us an asset, start() %.2f ms, %ld MiB\n", line(what).c_str(), each, started / 1000,
                (resident_kib("VmRSS:") - before) / 1024);
  }
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(state))
    if (entry.is_regular_file())
      bytes += entry.file_size();
  std::printf("%-28s %9.0f bytes an asset\n", line("on disk").c_str(),
              static_cast<double>(bytes) / static_cast<double>(count));
  return made;
}

/// A large value through five assets: how much memory that takes beside the value, and how often it is on disk.
void measure_blob(const std::string& folder, std::size_t megabytes) {
  const auto size = megabytes << 20U;
  troupe::pipeline p("blob");
  auto last = p.make("a0", {.version = "1"}, [size] { return troupe::blob::take(std::string(size, 'b')); });
  for (int i = 1; i < 5; ++i)
    last = p.make(
        "a" + std::to_string(i), {.version = "1"}, [](const troupe::blob& in) { return in; }, last);
  auto engine = troupe::engine::open({.state = folder + "/blob", .workers = 2});
  if (!engine)
    return static_cast<void>(failed(engine.error()));
  if (const auto added = engine->add(p); !added)
    return static_cast<void>(failed(added.error()));
  if (const auto recovered = engine->recover(); !recovered)
    return static_cast<void>(failed(recovered.error()));
  const auto run = engine->start("blob");
  if (!run)
    return static_cast<void>(failed(run.error()));
  long peak = 0;
  while (!run->wait_for(std::chrono::milliseconds(5)) && run->status() == troupe::run_status::running)
    peak = std::max(peak, resident_kib("RssAnon:"));
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/blob/values"))
    bytes += entry.is_regular_file() ? entry.file_size() : 0;
  std::printf("blob of %zu MB, chain of 5: %ld MiB of memory at most, %.2f times on disk\n", megabytes, peak / 1024,
              static_cast<double>(bytes) / static_cast<double>(size));
}

std::size_t entries_of(const char* folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    count += entry.exists() ? 1 : 0;
  return count;
}

/// Engines one after the other: what is left of each.
void measure_engines(const std::string& folder, std::size_t count) {
  const auto descriptors = entries_of("/proc/self/fd");
  const auto threads = entries_of("/proc/self/task");
  long memory = 0;
  const auto began = steady::now();
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto engine = troupe::engine::open({.state = folder + "/engines"}); !engine)
      return static_cast<void>(failed(engine.error()));
    if (i == count / 10) // what a process keeps once is there by now
      memory = resident_kib("VmRSS:");
  }
  std::printf("%zu engines, one by one: %.2f ms each; left are %ld descriptors, %ld threads, %ld KiB\n", count,
              microseconds_since(began) / 1000 / static_cast<double>(count),
              static_cast<long>(entries_of("/proc/self/fd")) - static_cast<long>(descriptors),
              static_cast<long>(entries_of("/proc/self/task")) - static_cast<long>(threads),
              resident_kib("VmRSS:") - memory);
}

#ifdef WITH_TBB
/// The same layered graph without names, values, a plan or a disk.
double measure_tbb(std::size_t count) {
  tbb::global_control two(tbb::global_control::max_allowed_parallelism, 2);
  tbb::flow::graph graph;
  using node = tbb::flow::continue_node<tbb::flow::continue_msg>;
  std::vector<std::unique_ptr<node>> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(std::make_unique<node>(graph, [](tbb::flow::continue_msg) {}));
    if (i >= 1000)
      for (const auto before : {i % 1000, (i + 1) % 1000})
        tbb::flow::make_edge(*all[i - i % 1000 - 1000 + before], *all[i]);
  }
  const auto began = steady::now();
  for (std::size_t i = 0; i < std::min<std::size_t>(count, 1000); ++i)
    all[i]->try_put(tbb::flow::continue_msg());
  graph.wait_for_all();
  return microseconds_since(began) / static_cast<double>(count);
}
#endif

} // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: lib_bench STATE-FOLDER [ASSETS [MEGABYTES [ENGINES]]]\n");
    return 2;
  }
  const auto number = [&](int which, std::size_t otherwise) -> std::size_t {
    return argc > which ? std::strtoul(argv[which], nullptr, 10) : otherwise;
  };
  const std::string folder = argv[1];
  const auto count = std::max<std::size_t>(number(2, 100'000), 10);
  const auto small = std::min<std::size_t>(count, 1000);
  auto began = steady::now();
  const auto nothing = measure(folder, "nothing", count, layered("nothing", count, [] {}), began);
  began = steady::now();
  const auto text = measure(folder, "text", count, layered("text", count, [] { return std::string(64, 'x'); }), began);
  began = steady::now();
  const auto chained = measure(folder, "chain", count, chain(count), began);
  began = steady::now();
  const auto fanned = measure(folder, "fan", count, fan(count), began);
  began = steady::now();
  measure(folder, "small", small, layered("small", small, [] { return 1; }), began);
  measure_blob(folder, number(3, 100));
  measure_engines(folder, number(4, 1000));
  std::printf("text / nothing %.2f (at most 1.3), chain %.2f and fan %.2f (at most 1.5)\n", text / nothing,
              chained / nothing, fanned / nothing);
#ifdef WITH_TBB
  const auto peer = measure_tbb(count);
  std::printf("oneTBB's flow graph, which keeps nothing: %.2f us a node; nothing / oneTBB %.1f\n", peer,
              nothing / peer);
#else
  std::printf("oneTBB is not installed: no figures beside it\n");
#endif
  return failures;
}
