// `troupe init`: a first pipeline to start from.
#include "cli/example_pipelines.hpp"
#include "cli/verbs.hpp"
#include "config/value_text.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace troupe_internal::cli {

namespace {

constexpr std::string_view first_pipeline = R"json({
  // A pipeline: assets, each with a command and what it is made from. Try
  //   troupe run                runs what is stale: everything, the first time; nothing, the second
  //   troupe run --param n=30   another value: what uses it runs again, and what depends on that
  //   troupe explain squares    why it would run now, or why it would not
  //   troupe graph              what depends on what
  "name": "first",
  "description": "Numbers, their squares, and a report about both",

  // Values for the commands; `--param n=30` gives others for one run.
  "params": { "n": 20 },

  // What every asset gets, unless it says otherwise.
  "defaults": { "timeout": "1m" },

  "assets": {
    "numbers": {
      "description": "The numbers from 1 to n",
      "command": "seq {{ params.n }} > data/numbers.txt",
      "outputs": ["data/numbers.txt"]           // its folder is made for it
    },
    "squares": {
      "command": "awk '{ print $1 * $1 }' data/numbers.txt > data/squares.txt",
      "inputs": ["data/numbers.txt"],           // another asset's output: so it runs after that asset
      "outputs": ["data/squares.txt"]
    },
    // One asset for each value: digits[numbers] and digits[squares].
    "digits": {
      "matrix": { "of": ["numbers", "squares"] },
      "command": "tr -d '\\n' < data/{{ matrix.of }}.txt | wc -c > data/{{ matrix.of }}.digits",
      "inputs": ["data/{{ matrix.of }}.txt"],
      "outputs": ["data/{{ matrix.of }}.digits"]
    },
    "report": {
      "command": "{ echo digits of numbers and squares; cat data/*.digits; } > report.txt && cat report.txt",
      "inputs": ["data/*.digits"],              // a glob matches other assets' outputs, too
      "outputs": ["report.txt"],
      "retry": { "attempts": 2, "delay": "1s" } // one more try if it fails
    }
  }
}
)json";

/// The first pipeline with a name after its folder, or after its file where that is not the usual one.
std::string named_pipeline(const std::string& file) {
  std::error_code unknown; // then it keeps its name
  const auto whole = std::filesystem::absolute(file, unknown).lexically_normal();
  const auto source = whole.filename() == "troupe.json" ? whole.parent_path().filename() : whole.stem();
  std::string name;
  for (const char c : source.string())
    name += config::is_name("x" + std::string(1, c)) ? c : '_';
  if (!config::is_name(name))
    name = "_" + name;
  std::string text(first_pipeline);
  constexpr std::string_view standard = "\"name\": \"first\"";
  if (config::is_name(name) && name != "_")
    text.replace(text.find(standard), standard.size(), "\"name\": \"" + name + "\"");
  return text;
}

/// Writes a file that is not there yet; what is wrong, or nothing.
std::string write_new(const std::string& file, std::string_view text, bool executable) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, executable ? 0777 : 0666);
  if (descriptor < 0)
    return std::strerror(errno);
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0) {
      const std::string why = std::strerror(errno);
      ::close(descriptor);
      ::unlink(file.c_str());
      return why;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  ::close(descriptor);
  return {};
}

std::vector<std::string> example_names() {
  std::vector<std::string> names;
  for (const auto& one : example_files())
    if (names.empty() || names.back() != one.example)
      names.emplace_back(one.example);
  return names;
}

int init_example(invocation& with, const std::string& example) {
  if (!with.options.file.empty())
    return with.report(fail(error_code::invalid_input, "an example has files of its own: leave -f out"));
  std::vector<std::string> written;
  for (const bool looks : {true, false}) // nothing is written if anything is there
    for (const auto& one : example_files()) {
      if (one.example != example)
        continue;
      const std::string path(one.path);
      std::error_code problem;
      if (looks && std::filesystem::symlink_status(path, problem).type() != std::filesystem::file_type::not_found)
        return with.report(fail(error_code::invalid_input, path + " is there already; nothing was changed"));
      if (looks)
        continue;
      if (const auto folder = std::filesystem::path(path).parent_path(); !folder.empty())
        std::filesystem::create_directories(folder, problem); // the file says what is wrong
      if (const auto why = write_new(path, one.text, one.executable); !why.empty())
        return with.report(fail(error_code::io, "cannot write " + path + ": " + why));
      written.push_back(path);
    }
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    begin_document(json);
    json.member("file", "troupe.json").key("files").begin_array();
    for (const auto& path : written)
      json.value(path);
    json.end_array().end_object().finish();
  } else {
    const auto data =
        std::find_if(written.begin(), written.end(), [](const std::string& path) { return path.starts_with("make_"); });
    with.io.out.stream << "wrote " << listed(written, written.size()) << "; "
                       << (data == written.end() ? "" : "`sh " + *data + "` writes its data, then ")
                       << "`troupe run` runs it\n";
  }
  return exit_ok;
}

int init(invocation& with, const std::string& example) {
  if (!example.empty())
    return init_example(with, example);
  const std::string file = with.options.file.empty() ? "troupe.json" : with.options.file;
  if (file == "-")
    return with.report(fail(error_code::invalid_input, "init writes a file; -f - names none"));
  std::error_code unknown; // then writing says what is wrong
  if (std::filesystem::symlink_status(file, unknown).type() != std::filesystem::file_type::not_found && !unknown)
    return with.report(fail(error_code::invalid_input, file + " is there already; nothing was changed"));
  if (const auto why = write_new(file, named_pipeline(file), false); !why.empty())
    return with.report(fail(error_code::io, "cannot write " + file + ": " + why));
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    begin_document(json);
    json.member("file", file).end_object().finish();
  } else {
    with.io.out.stream << "wrote " << printable(file) << "; `troupe run"
                       << (file == "troupe.json" ? "" : " -f " + printable(file)) << "` runs it\n";
  }
  return exit_ok;
}

} // namespace

void declare_init(command_spec& root, invocation& with) {
  auto& verb = root.subcommand("init", "Write a small commented pipeline to start from; nothing is overwritten");
  verb.examples = {{"troupe init && troupe run", "a first pipeline, written and run"},
                   {"troupe init --example c-build", "a whole example with its sources, into this folder"},
                   {"troupe init -f other.json", "in another file"}};
  auto example = std::make_shared<std::string>();
  verb.choice("--example", "NAME", *example, example_names(),
              "instead, one of the examples, with what did the same work before beside it");
  verb.action = [&with, example] { return init(with, *example); };
}

} // namespace troupe_internal::cli
