// The reader behind trigger_sources_reader: what its three parts share. Knows the keys of sources.
#pragma once

#include "config/trigger_sources_reader.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::config {

/// Reads one source; what it has in common with the trigger stays in `into`. Schedules are read in
/// trigger_schedule_reader.cpp, what comes from outside (webhooks, sensors) in trigger_hook_reader.cpp.
class source_reader {
public:
  source_reader(value_reader& values, const trigger_sources& sources, declared_trigger& into)
      : values_(values), sources_(sources), into_(into) {}
  void schedule();
  void watch();
  void webhook();
  void sensor();
  void assets();
  void manual();
  void start();

private:
  /// Notes the place of each key as "KIND.KEY".
  template <class Member>
  bool object(std::string_view kind, std::span<const std::string_view> keys, Member&& member) {
    const auto errors = values_.out.errors();
    const bool read = values_.object(kind, keys, [&](std::size_t key) {
      into_.places[std::string(kind) + "." + std::string(keys[key])] = values_.key_place();
      member(key);
    });
    into_.broken |= !read || values_.out.errors() != errors;
    return read;
  }
  [[nodiscard]] bool has(std::string_view key) const { return into_.has(key); }
  void wrong(place where, std::string_view code, std::string message);
  void text(std::string& into, std::string_view what, std::string_view expected);
  void span(duration& into, std::string_view what, duration least);
  [[nodiscard]] std::optional<duration> whole_seconds(std::string_view what, duration least);
  void retention(key_retention& into);
  void cron(std::vector<cron_expression>& into);
  [[nodiscard]] std::shared_ptr<const time_zone> zone_named(const std::string& name);
  [[nodiscard]] std::vector<std::chrono::sys_days> dates(const std::string& file);
  void interval(schedule_source source, std::optional<duration> every, std::optional<duration> offset);
  void path(std::string& text, place where);
  [[nodiscard]] std::optional<event_template> event_value(const std::string& written, place where);
  void secrets(std::vector<secret_source>& into);
  void secret(place where, std::vector<secret_source>& into);
  /// What one key of a webhook says about another.
  void webhook_agrees(const webhook_source& source, place opened);
  void command(sensor_source& source);
  /// PIPELINE/ASSET: the first "/" before any "[" ends the pipeline's name.
  [[nodiscard]] asset_reference reference(const std::string& text, place where);

  value_reader& values_;
  const trigger_sources& sources_;
  declared_trigger& into_;
};

} // namespace troupe_internal::config
