// A list that readers share; the newest is looked at.
#include "engine/environment.hpp"

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <mutex>

namespace troupe_internal {

namespace {

using variables = std::vector<std::string>;

struct environment_copy {
  std::mutex mutex;
  std::shared_ptr<const variables> all; ///< guarded by mutex; null: nobody has asked for a copy
};

/// Never destroyed: an engine may be in a static variable.
environment_copy& the_copy() {
  static auto& one = *new environment_copy;
  return one;
}

std::shared_ptr<const variables> copied() {
  auto& copy = the_copy();
  const std::lock_guard lock(copy.mutex);
  return copy.all;
}

variables as_it_is() {
  variables all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    all.emplace_back(*entry);
  return all;
}

} // namespace

void copy_environment() {
  auto now = std::make_shared<const variables>(as_it_is());
  auto& copy = the_copy();
  const std::lock_guard lock(copy.mutex);
  copy.all = std::move(now);
}

std::vector<std::string> own_environment() {
  const auto all = copied();
  return all ? *all : as_it_is();
}

std::optional<std::string> environment_value(const std::string& name) {
  if (const auto all = copied()) {
    for (const auto& one : *all)
      if (one.size() > name.size() && one[name.size()] == '=' && one.starts_with(name))
        return one.substr(name.size() + 1);
    return std::nullopt;
  }
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

} // namespace troupe_internal
