// One small JSON file, read by every command that asks where a state is, so that nobody writes a second history.
#include "engine/supervised_folder.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/state/state_dir.hpp"
#include "base/json_writer.hpp"
#include "config/json_reader.hpp"
#include "engine/state_layout.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <sstream>
#include <utility>

namespace troupe_internal {

namespace {

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 20U;

std::string file_in(const std::string& pipeline_folder) {
  return join_path(join_path(pipeline_folder, supervised_folder), supervised_file);
}

/// What is not known in it is skipped.
class entries_reader {
public:
  explicit entries_reader(std::string_view text)
      : out_(list_), json_(config::chunks_of(text), out_, config::json_dialect::plain) {}
  [[nodiscard]] std::optional<std::map<std::string, supervised_pipeline>> read() {
    std::map<std::string, supervised_pipeline> all;
    if (json_.value().kind != config::json_kind::object)
      return std::nullopt;
    std::string_view key;
    place where;
    while (json_.next_member(key, where)) {
      const bool is_list = key == "pipelines";
      const auto value = json_.value();
      if (!is_list || value.kind != config::json_kind::object) {
        json_.skip(value);
        continue;
      }
      while (json_.next_member(key, where)) {
        auto& entry = all[std::string(key)];
        if (!read_into(entry))
          return std::nullopt;
      }
    }
    json_.finish();
    return list_.items.empty() ? std::optional(std::move(all)) : std::nullopt;
  }

private:
  bool read_into(supervised_pipeline& entry) {
    if (json_.value().kind != config::json_kind::object)
      return false;
    std::string_view key;
    place where;
    while (json_.next_member(key, where)) {
      const std::string name(key);
      const auto value = json_.value();
      auto* const text = name == "file"       ? &entry.file
                         : name == "state"    ? &entry.state
                         : name == "state_id" ? &entry.state_id
                         : name == "moved"    ? &entry.moved
                                              : nullptr;
      if (text != nullptr && value.kind == config::json_kind::string)
        *text = value.text;
      else
        json_.skip(value);
    }
    return !entry.file.empty() && !entry.state.empty();
  }
  diagnostics list_;
  config::findings out_;
  config::json_reader json_;
};

std::string text_of(const std::map<std::string, supervised_pipeline>& all) {
  std::ostringstream text;
  {
    json_writer json(text);
    json.begin_object().member("format", 1).key("pipelines").begin_object();
    for (const auto& [name, entry] : all) {
      json.key(name).begin_object();
      json.member("file", entry.file).member("state", entry.state).member("state_id", entry.state_id);
      if (!entry.moved.empty())
        json.member("moved", entry.moved);
      json.end_object();
    }
    json.end_object().end_object();
  }
  return text.str();
}

error unusable(const std::string& pipeline_folder, const std::string& pipeline, const std::string& finding,
               const std::string& way_out) {
  return fail(error_code::state_unusable, file_in(pipeline_folder) + " says that a supervisor has the pipeline \"" +
                                              pipeline + "\", " + finding + ". " + way_out);
}

} // namespace

result<std::map<std::string, supervised_pipeline>> read_supervised(const std::string& pipeline_folder) {
  const auto dir = state_dir::open(join_path(pipeline_folder, supervised_folder));
  if (!dir || !(*dir)->look(supervised_file)) // who opens a state there says what is wrong with it
    return std::map<std::string, supervised_pipeline>();
  const auto text = (*dir)->read(supervised_file, most_bytes);
  if (!text)
    return text.error();
  auto all = entries_reader(*text).read();
  if (!all)
    return fail(error_code::state_unusable, file_in(pipeline_folder) +
                                                " is damaged, and it may say that a supervisor has this folder's "
                                                "pipelines. Remove it if none has");
  return std::move(*all);
}

result<void> write_supervised(const std::string& pipeline_folder, const std::string& pipeline,
                              const std::optional<supervised_pipeline>& entry) {
  auto all = read_supervised(pipeline_folder);
  if (!all)
    return all.error();
  if (entry)
    all->insert_or_assign(pipeline, *entry);
  else if (all->erase(pipeline) == 0)
    return {};
  const auto dir = state_dir::open_or_make(join_path(pipeline_folder, supervised_folder));
  if (!dir)
    return dir.error();
  if (const auto done =
          all->empty() ? (*dir)->remove(supervised_file) : (*dir)->replace(supervised_file, text_of(*all));
      !done)
    return done;
  return (*dir)->sync();
}

bool is_same_folder(const std::string& one, const std::string& other) {
  struct stat a {};
  struct stat b {};
  if (::stat(one.c_str(), &a) == 0 && ::stat(other.c_str(), &b) == 0)
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
  return join_path("/", one) == join_path("/", other);
}

result<std::optional<std::string>> supervised_state_of(const std::string& pipeline_folder, const std::string& pipeline,
                                                       const std::string& file, const std::string& asked) {
  const auto all = read_supervised(pipeline_folder);
  if (!all)
    return all.error();
  const auto at = all->find(pipeline);
  if (at == all->end())
    return std::optional<std::string>();
  const auto& entry = at->second;
  const std::string start_anew = "Remove the entry to start a history of its own";
  std::error_code unknown;
  if (!std::filesystem::equivalent(entry.file, file, unknown))
    return unusable(pipeline_folder, pipeline, "but of another file, " + entry.file,
                    "So this folder is a copy, or the file was moved. " + start_anew);
  if (!asked.empty() && !is_same_folder(asked, entry.state))
    return unusable(pipeline_folder, pipeline, "in the state " + entry.state + ", and this is to use " + asked,
                    "Leave out --state, or take the pipeline back first: troupe release " + pipeline);
  if (!asked.empty()) // who names it opens it, and knows what it is
    return std::optional(entry.state);
  const auto snapshot = open_snapshot(entry.state);
  if (!snapshot && snapshot.error().code != error_code::not_found)
    return snapshot.error();
  if (!snapshot)
    return unusable(pipeline_folder, pipeline, "but its state " + entry.state + " is gone", start_anew);
  if (to_string((*snapshot)->info().id) != entry.state_id)
    return unusable(pipeline_folder, pipeline, "but " + entry.state + " is another state now", start_anew);
  return std::optional(entry.state);
}

} // namespace troupe_internal
