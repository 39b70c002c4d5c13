// Values, and who is at them.
#include "file_world.hpp"
#include "require.hpp"

#include <algorithm>

namespace troupe_internal::test {

digest command_of(const case_pipeline& on, asset_index asset, std::uint32_t mode) {
  return quick_digest(on.p->name + "/" + std::string(on.p->asset(asset).name) +
                      (on.uses_param[asset.value] ? "?" + std::to_string(mode) : std::string()));
}

std::vector<std::string> read_by(const case_pipeline& on, asset_index asset) {
  std::vector<std::string> files;
  for (const auto& input : on.p->asset(asset).inputs)
    files.emplace_back(on.p->path(input.path));
  for (const auto needed : on.p->asset(asset).deps)
    if (const auto output = output_of(on, needed); std::find(files.begin(), files.end(), output) == files.end())
      files.emplace_back(output);
  return files;
}

file_world::file_world(const state_case& on) : on_(on) {
  for (std::uint32_t i = 0; i < on.sources; ++i)
    edit_source(i);
}

digest file_world::content(std::string_view path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? absent_file : found->second.content;
}

std::int32_t file_world::writer_of(std::string_view path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? 0 : found->second.writer;
}

void file_world::edit_source(std::uint32_t source) {
  files_[source_path(source)].content = quick_digest("source " + std::to_string(++rubbish_));
}

digest file_world::made_from(const case_pipeline& on, asset_index asset, std::uint32_t mode,
                             const std::vector<digest>& read) const {
  auto text = to_hex(command_of(on, asset, mode));
  if (!on.same_outputs[asset.value])
    for (const auto& one : read)
      text += to_hex(one);
  return quick_digest(text);
}

std::vector<digest> file_world::clean(const case_pipeline& on, std::uint32_t mode) const {
  std::map<std::string, digest, std::less<>> made;
  std::vector<digest> all(on.p->assets.size());
  for (const auto asset : on.graph->topological_order()) {
    std::vector<digest> read;
    for (const auto& path : read_by(on, asset)) {
      const auto here = made.find(path);
      read.push_back(here != made.end() ? here->second : content(path));
    }
    all[asset.value] = made_from(on, asset, mode, read);
    made.emplace(output_of(on, asset), all[asset.value]);
  }
  return all;
}

std::string file_world::name_of(const running_process& one) const {
  return std::string(on_.pipelines[one.pipeline].p->asset(one.asset).name) + " of run #" +
         std::to_string(one.run.value);
}

std::int32_t file_world::start(run_number run, std::uint32_t pipeline, asset_index asset, std::uint32_t mode) {
  const auto& on = on_.pipelines[pipeline];
  running_process made{run, pipeline, asset, mode, read_by(on, asset), {}};
  const std::string output(output_of(on, asset));
  for (const auto& [number, other] : processes_) {
    require(other.pipeline != pipeline || other.asset != asset,
            "(2) two processes make one asset at once: " + name_of(made) + " and " + name_of(other));
    require(std::find(other.reads.begin(), other.reads.end(), output) == other.reads.end(),
            "(10) " + name_of(made) + " overwrites " + output + ", which " + name_of(other) + " is reading");
    const auto writes = output_of(on_.pipelines[other.pipeline], other.asset);
    require(std::find(made.reads.begin(), made.reads.end(), writes) == made.reads.end(),
            "(10) a torn read: " + name_of(made) + " reads " + std::string(writes) + ", which " + name_of(other) +
                " is writing");
  }
  add(used_, {1, on.p->settings_of(asset).pools});
  require(fits(used_, room_), "(2) more runs in the whole state than there is room for, with " + name_of(made));
  for (const auto& path : made.reads)
    made.read.push_back(content(path));
  auto& file = files_[output];
  file.content = quick_digest("rubbish " + std::to_string(++rubbish_));
  file.writer = ++last_;
  processes_.emplace(last_, std::move(made));
  return last_;
}

void file_world::end(std::int32_t number, bool well) {
  const auto found = processes_.find(number);
  if (found == processes_.end())
    return;
  const auto one = std::move(found->second);
  processes_.erase(found);
  const auto& on = on_.pipelines[one.pipeline];
  auto& file = files_.find(output_of(on, one.asset))->second;
  file.writer = 0;
  if (well)
    file.content = made_from(on, one.asset, one.mode, one.read);
  take_away(used_, {1, on.p->settings_of(one.asset).pools});
}

std::int32_t file_world::same_key(std::int32_t process) const {
  const auto& own = processes_.at(process);
  for (const auto& [number, one] : processes_)
    if (number != process && one.asset == own.asset)
      return number;
  return process;
}

std::size_t file_world::running_of(run_number run) const {
  return static_cast<std::size_t>(
      std::count_if(processes_.begin(), processes_.end(), [&](const auto& one) { return one.second.run == run; }));
}

} // namespace troupe_internal::test
