// The thread that reads the journal for what people are to be told of, and delivers it: a notice is in the journal
// before it is delivered, and until it was, so it is delivered at least once. Knows no rule of what is worth a notice.
#pragma once

#include "adapters/system/unique_fd.hpp"
#include "config/supervisor_reader.hpp"
#include "core/trigger/notice_rules.hpp"
#include "serve/hook_secrets.hpp"
#include "serve/own_commands.hpp"
#include "serve/trigger_desk.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe_internal::serve {

/// Where notices go.
struct notify_setup {
  std::vector<config::notify_target> targets;
  std::string folder; ///< of the file that says so: commands run there, secrets are beside it
};

/// What is shown of deliveries.
struct notice_figures {
  std::uint64_t waiting = 0;                  ///< deliveries that have not ended
  std::optional<timestamp> oldest;            ///< when the oldest of them came
  std::uint64_t delivered = 0, given_up = 0;  ///< since the supervisor started
  std::uint64_t overdue = 0;                  ///< assets
  std::map<std::string, std::string> trouble; ///< by target: why its last delivery failed
};

class notifier {
public:
  /// All outlive it. Throws std::system_error where the system has no thread or descriptor left.
  notifier(serving_engine& engine, trigger_desk& desk, system_clock& time, notify_setup setup,
           std::function<void(const std::string&)> log);
  /// What has not been delivered is delivered after the next start.
  ~notifier();
  /// In a state that had none before: what happens from now on is worth a notice. Before anybody can ask for anything.
  [[nodiscard]] static result<void> begin_in(serving_engine& engine);
  notifier(const notifier&) = delete;
  notifier& operator=(const notifier&) = delete;

  /// Any thread.
  [[nodiscard]] notice_figures figures() const;

private:
  struct lane { ///< of one target: one delivery at a time, in order
    bool delivering = false;
    std::uint32_t attempts = 0; ///< of the first notice
    duration due{0};
  };
  void run();
  [[nodiscard]] result<void> begin();
  void learn_pipelines();
  [[nodiscard]] result<void> read_journal();
  [[nodiscard]] result<void> look();
  /// It gets its number and its targets, and is among the news if anybody wants to hear of it.
  void prepare(found_notice one, std::vector<notice_taken>& news);
  [[nodiscard]] result<void> take(std::vector<notice_taken> news);
  void forget();
  [[nodiscard]] std::vector<std::string> targets_of(const found_notice& found) const;
  void deliver_all();
  void deliver(const config::notify_target& to, lane& by, const notice_taken& notice);
  [[nodiscard]] result<own_command> command_for(const config::notify_target& to, const notice_taken& notice);
  [[nodiscard]] std::string text_of(const notice_taken& notice) const;
  /// Of the assets that it is about. Where an earlier process took it: as the pipelines say now.
  [[nodiscard]] std::vector<std::string> owners_of(const notice_taken& notice) const;
  [[nodiscard]] result<void> settle(std::uint64_t notice, const std::string& target, delivery_end how,
                                    std::uint32_t attempts, const std::string& because);
  void take_end(const std::string& target, std::uint64_t notice, const command_end& end);
  void sleep();
  void show();

  serving_engine& engine_;
  trigger_desk& desk_;
  system_clock& time_;
  notify_setup setup_;
  std::function<void(const std::string&)> log_;
  unique_fd wake_, timer_;

  // The thread's.
  notice_rules rules_;
  std::map<std::uint64_t, notice_taken> waiting_; ///< with the targets that are left
  std::map<std::string, lane> lanes_;
  std::map<std::string, std::string> trouble_;
  std::map<std::uint64_t, std::vector<std::string>> owners_;        ///< of notices of this process
  std::map<std::string, std::vector<std::string>> owners_of_asset_; ///< by "PIPELINE/ASSET"
  std::vector<std::string> names_;                                  ///< of assets, by id
  std::string state_;
  hook_secrets secrets_;
  std::uint64_t read_ = 0, recorded_ = 0; ///< up to which event; of that, what is on record
  std::uint64_t last_notice_ = 0;
  std::uint64_t delivered_ = 0, given_up_ = 0;
  bool begun_ = false;
  duration looked_at_ = -std::chrono::hours(1); ///< on the monotonic clock
  std::string problem_;

  std::mutex mutex_; ///< guards what follows
  struct ended_delivery {
    std::string target;
    std::uint64_t notice = 0;
    command_end end;
  };
  std::vector<ended_delivery> ended_;
  mutable std::mutex figures_mutex_;
  notice_figures figures_; ///< under figures_mutex_
  std::atomic<bool> relearn_{true}, ending_{false};
  std::unique_ptr<own_commands> commands_;
  std::thread thread_; ///< last: it uses the others
};

} // namespace troupe_internal::serve
