// The files of the simulated world, and the processes that read and write them, whoever started them: what the journal
// only tells of. A file has a value, which is made from the values that its process read. Knows nothing of runs' logic.
#pragma once

#include "core/freshness/freshness.hpp"
#include "core/model/capacity.hpp"
#include "state_case.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal::test {

/// The command of an asset with a value of the param, as what would be executed.
[[nodiscard]] digest command_of(const case_pipeline& on, asset_index asset, std::uint32_t mode);
/// The files that an asset reads, each once: inputs, and the outputs of what it needs by name.
[[nodiscard]] std::vector<std::string> read_by(const case_pipeline& on, asset_index asset);

class file_world {
public:
  explicit file_world(const state_case& on);

  // ---- files
  /// absent_file: it is not there.
  [[nodiscard]] digest content(std::string_view path) const;
  /// The number of the process that is writing it; 0: none.
  [[nodiscard]] std::int32_t writer_of(std::string_view path) const;
  void edit_source(std::uint32_t source);
  /// What a process that reads this makes.
  [[nodiscard]] digest made_from(const case_pipeline& on, asset_index asset, std::uint32_t mode,
                                 const std::vector<digest>& read) const;
  /// What each asset makes if all is made once, in order, from the sources as they are; by asset_index.
  [[nodiscard]] std::vector<digest> clean(const case_pipeline& on, std::uint32_t mode) const;

  // ---- processes
  /// As much room as there may be: the largest that any run of this engine brought.
  void has_room_for(const capacity& size) { room_ = larger_of(std::move(room_), size); }
  void forget_room() { room_ = {}; }
  /// A process begins: it reads all that it reads, and its output is rubbish from now on. Throws what rule it breaks:
  /// two of one asset, no room, a file that another one writes, a file that another one is reading. Returns its number.
  std::int32_t start(run_number run, std::uint32_t pipeline, asset_index asset, std::uint32_t mode);
  /// It ends; what it made is there if it ended well. Not there any more: nothing.
  void end(std::int32_t process, bool well);
  /// All of a run, or all there are; how many that were. `well`: asked for each.
  template <class Well>
  std::size_t end_all(std::optional<run_number> run, Well well) {
    std::vector<std::int32_t> found;
    for (const auto& [number, one] : processes_)
      if (!run || one.run == *run)
        found.push_back(number);
    for (const auto number : found)
      end(number, well());
    return found.size();
  }
  [[nodiscard]] std::size_t running() const { return processes_.size(); }
  [[nodiscard]] bool runs(std::int32_t process) const { return processes_.contains(process); }
  [[nodiscard]] std::size_t running_of(run_number run) const;
  /// Another process of an asset and attempt with the same numbers, else this one: for who would take one for the
  /// other.
  [[nodiscard]] std::int32_t same_key(std::int32_t process) const;
  /// What it read, in the order of read_by().
  [[nodiscard]] const std::vector<digest>& read(std::int32_t process) const { return processes_.at(process).read; }

private:
  struct file_state {
    digest content = absent_file;
    std::int32_t writer = 0;
  };
  struct running_process {
    run_number run;
    std::uint32_t pipeline = 0;
    asset_index asset;
    std::uint32_t mode = 0;
    std::vector<std::string> reads;
    std::vector<digest> read;
  };
  [[nodiscard]] std::string name_of(const running_process& one) const;

  const state_case& on_;
  std::map<std::string, file_state, std::less<>> files_;
  std::map<std::int32_t, running_process> processes_;
  capacity room_;
  capacity used_;
  std::int32_t last_ = 100;
  std::uint64_t rubbish_ = 0;
};

} // namespace troupe_internal::test
