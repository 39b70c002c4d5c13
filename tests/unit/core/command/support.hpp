// Runs an argv and takes what it writes, for tests of rendered commands.
#pragma once

#include "core/command/command.hpp"
#include "support/pipeline_builder.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace troupe_internal::test {

/// Runs the program in the folder with nothing on its standard input and standard error thrown away; what it wrote.
inline std::string output_of(const std::vector<std::string>& argv, const std::string& folder) {
  std::vector<char*> words;
  for (const auto& word : argv)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, 0);
    dup2(ends[1], 1);
    dup2(nothing, 2);
    if (chdir(folder.c_str()) != 0)
      _exit(126);
    alarm(10);
    setenv("HOME", "/home/somebody", 1);
    execvp(words[0], words.data());
    _exit(127);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t count = 0; (count = read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(count));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return text;
}

/// Texts separated by NUL, as printf '%s\0' writes them.
inline std::vector<std::string> split_at_nul(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = text.find('\0');
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parts;
}

/// As a scope takes them.
inline std::vector<std::string_view> views_of(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

/// What the command of an asset renders to, where {{ params.v }} is `value` and {{ inputs }} are `inputs`.
inline result<rendered_command> rendered(const std::string& command, const std::string& value,
                                         const std::vector<std::string>& inputs = {},
                                         const std::string& shell = "/bin/sh") {
  pipeline_builder b;
  b.param("v", value);
  b.asset("a").command(command).outputs({"out/x.txt", "out/y.txt"}).with([&](asset_settings& s) { s.shell = shell; });
  const auto p = b.build();
  return render_command({*p, asset_index(0U), "run-1", views_of(inputs)});
}

/// The findings of check_templates() about a shell text, as "code: message" lines.
inline std::string findings_of(const std::string& command, const std::string& shell = "/bin/sh") {
  pipeline_builder b;
  b.param("v", "value");
  b.asset("a")
      .command(command)
      .inputs({"in/1", "in/*.txt"})
      .outputs({"out/x.txt", "out/y.txt"})
      .with([&](asset_settings& s) { s.shell = shell; });
  const auto p = b.build();
  diagnostics list;
  check_templates(*p, asset_index(0U), list);
  std::string text;
  for (const auto& item : list.items)
    text += item.code + ": " + item.message + "\n";
  return text;
}

} // namespace troupe_internal::test
