// poll() over an eventfd, the stop request's descriptor, the socket, and each client.
#include "engine/control_server.hpp"

#include "adapters/state/state_socket.hpp"
#include "adapters/system/event_wake.hpp"
#include "adapters/system/posix_error.hpp"
#include "adapters/system/start_thread.hpp"
#include "engine/control_session.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

namespace troupe_internal {

namespace {

using steady = std::chrono::steady_clock;

constexpr int backlog = 64;
constexpr int accepted_in_a_turn = 16;
/// Until the socket is looked at again, after the system had no descriptor left for a client.
constexpr auto pause_without_descriptors = std::chrono::milliseconds(200);
/// The eventfd, the stop request and the socket come before the clients.
constexpr std::size_t first_client = 3;

constexpr std::size_t overhead = 250; ///< of a queued run in a list, in bytes

/// A reason may say all that is wrong with a pipeline.
std::string beginning_of(const std::string& reason) {
  constexpr std::size_t most = 2000;
  if (reason.size() <= most)
    return reason;
  auto end = most;
  while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xC0U) == 0x80U) // within a character
    --end;
  return reason.substr(0, end) + "…";
}

/// A job in the background may not be allowed to write to its terminal (stty tostop): from now on its words appear all
/// the same, since a run that is stopped for them would not end.
void let_terminal_be_written() {
  std::signal(SIGTTOU, SIG_IGN);
}

} // namespace

/// Where ends of runs and later answers are left for the server's thread, and what wakes it. It outlives the server
/// where somebody still has a call to make. Any thread.
class control_mailbox {
public:
  control_mailbox() : wakes_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wakes_)
      throw std::system_error(errno, std::generic_category(), "cannot listen for stop requests");
  }
  [[nodiscard]] int descriptor() const { return wakes_.get(); }
  void put(const run_ended& what) {
    {
      const std::lock_guard lock(mutex_);
      ended_.push_back(what);
    }
    wake(wakes_.get());
  }
  void put(std::uint64_t session, control_message what) {
    {
      const std::lock_guard lock(mutex_);
      answers_.emplace_back(session, std::move(what));
    }
    wake(wakes_.get());
  }
  /// Events got on disk. Costs next to nothing while nobody follows.
  void committed() {
    if (followed_ && !committed_.exchange(true))
      wake(wakes_.get());
  }
  void be_followed(bool yes) { followed_ = yes; }
  [[nodiscard]] bool take_committed() { return committed_.exchange(false); }
  [[nodiscard]] std::vector<std::pair<std::uint64_t, control_message>> take_answers() {
    const std::lock_guard lock(mutex_);
    return std::exchange(answers_, {});
  }
  void quit() {
    quit_ = true;
    wake(wakes_.get());
  }
  [[nodiscard]] bool quitting() const { return quit_; }
  [[nodiscard]] std::vector<run_ended> take() {
    std::uint64_t ignored = 0;
    static_cast<void>(read(wakes_.get(), &ignored, sizeof ignored) > 0);
    const std::lock_guard lock(mutex_);
    return std::exchange(ended_, {});
  }

private:
  unique_fd wakes_;
  std::atomic<bool> quit_{false};
  std::mutex mutex_;
  std::vector<run_ended> ended_;
  std::vector<std::pair<std::uint64_t, control_message>> answers_; ///< with the session they are for
  std::atomic<bool> followed_{false};
  std::atomic<bool> committed_{false};
};

/// All that the thread works with.
class control_server::inside final : public control_desk {
public:
  inside(state_dir::handle dir, stop_request& stop, control_port& port, std::function<void(stop_cause, bool)> on_stop,
         control_limits limits)
      : dir_(std::move(dir)), stop_(stop), port_(port), on_stop_(std::move(on_stop)), limits_(limits),
        mail_(std::make_shared<control_mailbox>()) {
    port_.when_committed([mail = mail_] { mail->committed(); });
    auto socket = listen_in(*dir_, control_socket_name, backlog);
    if (socket)
      socket_ = std::move(*socket);
    else if (socket.error().code == error_code::state_unusable)
      problem_ = socket.error().message;
  }
  ~inside() override {
    if (socket_.fd)
      remove_socket(*dir_, control_socket_name, socket_);
  }
  inside(const inside&) = delete;
  inside& operator=(const inside&) = delete;

  [[nodiscard]] const std::string& problem() const { return problem_; }
  void quit() { mail_->quit(); }
  void serve();

  [[nodiscard]] live_runs list() override {
    live_runs all{port_.list(), port_.queue(), 0};
    all.waiting = static_cast<std::uint32_t>(all.queued.size());
    std::size_t bytes = 0;
    const auto fits = std::find_if(all.queued.begin(), all.queued.end(), [&](queued_run_info& one) {
      one.reason = beginning_of(one.reason);
      bytes += overhead + one.reason.size() + one.pipeline.size() + one.trigger.size();
      return bytes > max_frame_bytes / 4; // what is no ASCII may take more
    });
    all.queued.erase(fits, all.queued.end());
    return all;
  }
  [[nodiscard]] result<run_number> cancel(const cancel_request& asked) override {
    let_terminal_be_written();
    return port_.cancel(asked.run, asked.at_once);
  }
  [[nodiscard]] result<void> hear_of_end(run_number run) override {
    if (asked_for_.contains(run)) // once for all clients, so that those who come and go leave nothing behind
      return {};
    auto heard = port_.when_ended(run, [mail = mail_, run](run_status status) { mail->put({run, status}); });
    if (heard)
      asked_for_.insert(run);
    return heard;
  }

  void submit(std::uint64_t session, const submit_request& asked) override {
    port_.submit_later(asked.ask, [mail = mail_, session](const result<submitted_run>& taken) {
      mail->put(session, taken ? control_message(run_submitted{*taken}) : control_message(refused(taken.error())));
    });
  }
  [[nodiscard]] result<void> prioritize(std::uint64_t session, const priority_request& asked) override {
    return port_.prioritize(
        asked.run, asked.priority, [mail = mail_, session, run = asked.run](const result<void>& done) {
          mail->put(session, done ? control_message(run_prioritized{run}) : control_message(refused(done.error())));
        });
  }
  void ask_trigger(std::uint64_t session, const trigger_request& asked) override {
    port_.ask_trigger(asked.ask, [mail = mail_, session](const result<taken_event>& taken) {
      mail->put(session, taken ? control_message(trigger_answer{*taken}) : control_message(refused(taken.error())));
    });
  }
  void resume(std::uint64_t session, const resume_request& asked) override {
    port_.resume_later(asked.run, asked.secrets, [mail = mail_, session](const result<submitted_run>& taken) {
      mail->put(session, taken ? control_message(run_submitted{*taken}) : control_message(refused(taken.error())));
    });
  }
  void ask_supervisor(std::uint64_t session, const supervisor_request& asked) override {
    port_.ask_supervisor(asked.ask, [mail = mail_, session](const result<supervisor_answer>& answer) {
      mail->put(session,
                answer ? control_message(supervisor_reply{*answer}) : control_message(refused(answer.error())));
    });
  }
  [[nodiscard]] result<event_span> kept_events() override {
    const auto snapshot = port_.history();
    if (!snapshot)
      return snapshot.error();
    return event_span{(*snapshot)->info().first_seq, (*snapshot)->info().last_seq + 1};
  }
  [[nodiscard]] result<feed_piece> read_on(feed_position& at) override {
    constexpr std::size_t piece_bytes = 65536;
    const auto snapshot = port_.history();
    if (!snapshot)
      return snapshot.error();
    return feed_.read(**snapshot, at, piece_bytes, max_frame_bytes / 4); // JSON in JSON may be longer
  }

private:
  void heed_stop_request();
  void deliver(steady::time_point now);
  void accept_clients(steady::time_point now);
  [[nodiscard]] int wait_ms(steady::time_point now) const;

  state_dir::handle dir_;
  stop_request& stop_;
  control_port& port_;
  std::function<void(stop_cause, bool)> on_stop_;
  control_limits limits_;
  std::shared_ptr<control_mailbox> mail_;
  event_feed feed_;
  std::uint64_t sessions_ = 0; ///< so many there were
  state_socket socket_;
  std::string problem_;
  int requests_ = 0;
  std::set<run_number> asked_for_;
  std::vector<std::unique_ptr<control_session>> clients_;
  std::optional<steady::time_point> accepts_again_; ///< none: now
};

void control_server::inside::serve() {
  std::vector<pollfd> waits;
  for (;;) {
    auto now = steady::now();
    if (accepts_again_ && now >= *accepts_again_)
      accepts_again_.reset();
    waits.assign({{mail_->descriptor(), POLLIN, 0},
                  {stop_.descriptor(), POLLIN, 0},
                  {accepts_again_ ? -1 : socket_.fd.get(), POLLIN, 0}});
    mail_->be_followed(std::any_of(clients_.begin(), clients_.end(), [](const auto& one) { return one->follows(); }));
    for (const auto& client : clients_)
      waits.push_back({client->descriptor(), client->events(), 0});
    if (poll(waits.data(), waits.size(), wait_ms(now)) < 0) {
      if (errno != EINTR &&
          std::exchange(clients_, {}).empty()) // the limit of descriptors was lowered: signals go first
        std::this_thread::sleep_for(pause_without_descriptors);
      if (mail_->quitting())
        return;
      continue;
    }
    now = steady::now();
    const bool quitting = mail_->quitting();
    if (quitting || waits[0].revents != 0)
      deliver(now);
    if (quitting)
      return;
    if (waits[1].revents != 0)
      heed_stop_request();
    for (std::size_t i = 0; i < clients_.size(); ++i)
      if (waits[first_client + i].revents != 0)
        clients_[i]->turn(waits[first_client + i].revents, now);
    std::erase_if(clients_, [now](const auto& client) { return client->over(now); });
    if (waits[2].revents != 0)
      accept_clients(now);
  }
}

int control_server::inside::wait_ms(steady::time_point now) const {
  std::optional<steady::time_point> first = accepts_again_;
  for (const auto& client : clients_)
    if (const auto due = client->due(); due && (!first || *due < *first))
      first = due;
  if (!first)
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*first - now).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void control_server::inside::heed_stop_request() {
  std::uint64_t count = 0;
  if (read(stop_.descriptor(), &count, sizeof count) != sizeof count)
    return;
  requests_ += static_cast<int>(count);
  let_terminal_be_written();
  on_stop_(stop_.signal() == 0 ? stop_cause::user : stop_cause::signal, requests_ > 1);
}

void control_server::inside::deliver(steady::time_point now) {
  for (const auto& ended : mail_->take()) {
    asked_for_.erase(ended.run);
    for (const auto& client : clients_)
      client->ended(ended, now);
  }
  for (const auto& [session, what] : mail_->take_answers())
    for (const auto& client : clients_)
      client->answered(session, what, now);
  if (mail_->take_committed() || mail_->quitting()) // those who follow get what there is, as far as they take it
    for (const auto& client : clients_)
      client->committed(now);
}

void control_server::inside::accept_clients(steady::time_point now) {
  for (int i = 0; i < accepted_in_a_turn; ++i) {
    unique_fd fd(accept4(socket_.fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd || !fd.lift_above_standard()) {
      if (!would_block(errno) && errno != ECONNABORTED)
        accepts_again_ = now + pause_without_descriptors; // the client waits; the socket would be readable all the time
      return;
    }
    auto client = std::make_unique<control_session>(std::move(fd), *this, limits_.idle, now, ++sessions_);
    if (!peer_is_trusted(client->descriptor()))
      client->end_with(refusal_code::not_permitted, "these runs are another user's");
    else if (clients_.size() >= limits_.clients)
      client->end_with(refusal_code::busy, "too many clients: " + std::to_string(limits_.clients) + " are connected");
    if (!client->over(now))
      clients_.push_back(std::move(client));
  }
}

control_server::control_server(state_dir::handle dir, stop_request& stop, control_port& port,
                               std::function<void(stop_cause, bool)> on_stop, control_limits limits)
    : inside_(std::make_unique<inside>(std::move(dir), stop, port, std::move(on_stop), limits)),
      thread_(start_thread([this] { inside_->serve(); })) {}

control_server::~control_server() {
  inside_->quit();
  thread_.join();
}

const std::string& control_server::problem() const {
  return inside_->problem();
}

} // namespace troupe_internal
