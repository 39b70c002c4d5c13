// Beast does the parsing, Asio the waiting.
#include "adapters/http/http_server.hpp"

#include "adapters/http/http_session.hpp"
#include "adapters/system/start_thread.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>
#include <thread>

namespace troupe_internal {

using namespace http_parts;

namespace {

using acceptor_type = asio::basic_socket_acceptor<protocol, asio::io_context::executor_type>;

/// At the end a stream whose client does not take what was sent is not waited for longer.
constexpr auto patience_with_streams = std::chrono::milliseconds(500);

/// The user at the other end of a Unix socket, if it is this one or root.
std::optional<std::uint32_t> trusted_peer(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || (peer.uid != geteuid() && peer.uid != 0))
    return std::nullopt;
  return peer.uid;
}

/// One listening socket.
class listener : public std::enable_shared_from_this<listener> {
public:
  listener(http_listener from, int family, shared_part& all)
      : acceptor_(all.context), pause_(all.context), all_(&all), local_(from.local), hooks_alone_(from.hooks_alone) {
    acceptor_.assign(protocol(family, family == AF_UNIX ? 0 : IPPROTO_TCP), from.fd.release());
  }
  void accept() {
    acceptor_.async_accept(all_->context, [self = shared_from_this()](error_code_type problem, socket_type socket) {
      self->accepted(problem, std::move(socket));
    });
  }
  void stop() {
    error_code_type ignored; // closing fails only where it was closed
    acceptor_.close(ignored);
    pause_.cancel();
  }

private:
  void accepted(error_code_type problem, socket_type socket) {
    if (problem == asio::error::operation_aborted || all_->stopping)
      return;
    if (problem) { // no descriptors, most likely: not again at once
      pause_.expires_after(std::chrono::milliseconds(100));
      pause_.async_wait([self = shared_from_this()](error_code_type stopped) {
        if (!stopped)
          self->accept();
      });
      return;
    }
    if (const auto peer = local_ ? trusted_peer(socket.native_handle()) : std::optional<std::uint32_t>(0);
        peer && connections() < all_->limits.connections)
      std::make_shared<session>(std::move(socket), *all_, session_origin{local_, *peer, hooks_alone_})->read_next();
    accept();
  }
  std::size_t connections() {
    const std::lock_guard lock(all_->mutex);
    return all_->sessions.size();
  }
  acceptor_type acceptor_;
  asio::steady_timer pause_;
  shared_part* all_;
  bool local_;
  bool hooks_alone_;
};

int family_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::system_error(errno, std::generic_category(), "a socket that was to be listened on");
  return address.ss_family;
}

} // namespace

class http_server::inside {

public:
  inside(std::vector<http_listener> listeners, http_handler& handler, const http_limits& limits)
      : all_(std::make_shared<shared_part>(handler, limits)) {
    for (auto& one : listeners) {
      const int family = family_of(one.fd.get());
      listeners_.push_back(std::make_shared<listener>(std::move(one), family, *all_));
      listeners_.back()->accept();
    }
    thread_ = start_thread([this] {
      const auto work = asio::make_work_guard(all_->context);
      all_->context.run();
    });
  }
  ~inside() {
    asio::post(all_->context, [this] { begin_end(); });
    thread_.join();
  }
  inside(const inside&) = delete;
  inside& operator=(const inside&) = delete;

private:
  void begin_end() {
    all_->stopping = true;
    for (const auto& one : listeners_)
      one->stop();
    for (const auto& one : open())
      one->stop(false);
    ends_at_ = std::chrono::steady_clock::now() + all_->limits.header_time;
    streams_end_at_ = std::chrono::steady_clock::now() + patience_with_streams;
    wait_for_answers();
  }
  /// Connections that are not about to go.
  std::vector<std::shared_ptr<session>> open() {
    std::vector<std::shared_ptr<session>> found; // may be the last to hold one, which then takes the mutex
    {
      const std::lock_guard lock(all_->mutex);
      for (auto* one : all_->sessions)
        if (auto held = one->weak_from_this().lock())
          found.push_back(std::move(held));
    }
    std::erase_if(found, [](const auto& one) { return one->closed(); });
    return found;
  }
  void wait_for_answers() {
    const auto left = open();
    const auto now = std::chrono::steady_clock::now();
    const bool late = now >= ends_at_;
    if (now >= streams_end_at_)
      for (const auto& one : left)
        if (one->streams())
          one->stop(true);
    if (left.empty() || late) {
      for (const auto& one : left)
        one->stop(true);
      all_->context.stop();
      return;
    }
    again_.expires_after(std::chrono::milliseconds(5));
    again_.async_wait([this](error_code_type) { wait_for_answers(); });
  }
  std::shared_ptr<shared_part> all_;
  std::vector<std::shared_ptr<listener>> listeners_;
  asio::steady_timer again_{all_->context};
  std::chrono::steady_clock::time_point ends_at_, streams_end_at_;
  std::thread thread_;
};

http_server::http_server(std::vector<http_listener> listeners, http_handler& handler, http_limits limits)
    : inside_(std::make_shared<inside>(std::move(listeners), handler, limits)) {}

http_server::~http_server() = default;

} // namespace troupe_internal
