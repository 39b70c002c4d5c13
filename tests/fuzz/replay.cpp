// Runs the fuzz targets without a fuzzer: over the corpus, over other folders of inputs, and over mutations of these
// that a seed decides. What breaks a property is kept as a file.
//
// usage: replay [--target NAME] [--mutations N] [--seed S] [--keep FOLDER] CORPUS [NAME=FOLDER…]
//        CORPUS/NAME holds the inputs of target NAME; NAME=FOLDER are more of them. --mutations replaces each target's
//        own number.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace troupe_internal::fuzz {
namespace {

// What is run at this moment, for the handler of signals.
std::string_view running;
std::string keep_as;

/// Only calls that a signal handler may make.
extern "C" void keep_input(int signal) {
  const int fd = ::open(keep_as.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  std::string_view rest = running;
  while (fd >= 0 && !rest.empty()) {
    const auto count = ::write(fd, rest.data(), rest.size());
    if (count <= 0)
      break;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  constexpr std::string_view words = "the input is kept as ";
  for (const std::string_view text : {words, std::string_view(keep_as), std::string_view("\n")})
    if (::write(STDERR_FILENO, text.data(), text.size()) < 0)
      break;
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const target& on, std::string_view bytes) {
  // Bytes behind the last are nobody's, so that sanitizers see who reads them.
  const auto exact = std::make_unique<char[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  running = {exact.get(), bytes.size()};
  on.run(running);
}

std::vector<std::string> inputs_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.is_regular_file() && entry.file_size() <= 200'000)
      files.push_back(entry.path());
  std::sort(files.begin(), files.end()); // the same order everywhere: the seed decides what follows
  std::vector<std::string> inputs;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    inputs.push_back(std::move(text).str());
  }
  return inputs;
}

/// One of the inputs with a few changes: bits, bytes, numbers, pieces taken out, repeated, moved in from another.
class mutator {
public:
  mutator(const std::vector<std::string>& inputs, std::uint64_t seed) : inputs_(inputs), random_(seed) {}

  std::string next() {
    std::string text = some_input();
    for (auto changes = 1 + below(5); changes > 0; --changes)
      change(text);
    if (text.size() > 20'000)
      text.resize(20'000);
    return text;
  }

private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }
  std::string some_input() { return inputs_.empty() ? std::string() : inputs_[below(inputs_.size())]; }

  void change(std::string& text) {
    const auto at = below(text.size() + 1);
    const auto length = std::min(below(below(3) == 0 ? 200 : 8), text.size() - at);
    switch (below(8)) {
    case 0:
      if (at < text.size())
        text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1U << below(8)));
      break;
    case 1:
      text.insert(at, 1, static_cast<char>(random_()));
      break;
    case 2:
      if (at < text.size())
        text[at] = "\0\1\x7f\x80\xff\"'\\{}[]()$`*?,:;/.#+-=09aA \n\t"[below(35)];
      break;
    case 3:
      text.erase(at, length);
      break;
    case 4:
      text.insert(at, text.substr(at, length));
      break;
    case 5: {
      const auto other = some_input();
      const auto from = below(other.size() + 1);
      text.insert(at, other.substr(from, below(60)));
      break;
    }
    case 6: {
      const auto other = some_input();
      text.resize(at);
      text += other.substr(std::min(other.size(), at));
      break;
    }
    default:
      text.insert(at, std::to_string(random_() >> below(64)));
      break;
    }
  }

  const std::vector<std::string>& inputs_;
  std::mt19937_64 random_;
};

struct options {
  std::string only, corpus, keep = ".";
  int mutations = -1;
  std::uint64_t seed = 1;
  std::vector<std::pair<std::string, std::string>> more; ///< target, folder
};

int usage() {
  std::fputs("usage: replay [--target NAME] [--mutations N] [--seed S] [--keep FOLDER] CORPUS [NAME=FOLDER...]\n",
             stderr);
  return 2;
}

int replay(const options& given) {
  bool any = false;
  for (const auto& on : targets) {
    if (!given.only.empty() && given.only != on.name)
      continue;
    any = true;
    auto inputs = inputs_in(std::filesystem::path(given.corpus) / on.name);
    if (inputs.empty()) {
      std::fprintf(stderr, "there is no corpus of %s in %s\n", std::string(on.name).c_str(), given.corpus.c_str());
      return 1;
    }
    for (const auto& [name, folder] : given.more)
      if (name == on.name)
        for (auto& text : inputs_in(folder))
          inputs.push_back(std::move(text));
    keep_as = given.keep + "/broken-" + std::string(on.name);
    run(on, {});
    for (const auto& text : inputs)
      run(on, text);
    mutator mutate(inputs, given.seed ^ number_of(on.name));
    const int mutations = given.mutations >= 0 ? given.mutations : on.mutations;
    for (int i = 0; i < mutations; ++i)
      run(on, mutate.next());
    std::printf("%-10s %6zu inputs %7d mutations\n", std::string(on.name).c_str(), inputs.size(), mutations);
    std::fflush(stdout);
  }
  if (!any)
    std::fprintf(stderr, "there is no target %s\n", given.only.c_str());
  return any ? 0 : 2;
}

} // namespace
} // namespace troupe_internal::fuzz

int main(int argc, char** argv) {
  using namespace troupe_internal::fuzz;
  options given;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return i + 1 < argc ? std::string(argv[++i]) : std::string(); };
    if (word == "--target")
      given.only = value();
    else if (word == "--mutations")
      given.mutations = std::atoi(value().c_str());
    else if (word == "--seed")
      given.seed = std::strtoull(value().c_str(), nullptr, 10);
    else if (word == "--keep")
      given.keep = value();
    else if (word.starts_with("--"))
      return usage();
    else if (given.corpus.empty())
      given.corpus = word;
    else if (const auto equals = word.find('='); equals != std::string::npos)
      given.more.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    else
      return usage();
  }
  if (given.corpus.empty())
    return usage();
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    std::signal(signal, keep_input);
  return replay(given);
}
