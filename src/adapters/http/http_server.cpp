// Beast does the parsing, Asio the waiting.
#include "adapters/http/http_server.hpp"

#include "adapters/system/posix_error.hpp"
#include "adapters/system/start_thread.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <thread>

namespace troupe_internal {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

using protocol = asio::generic::stream_protocol;
using stream_type = beast::basic_stream<protocol, asio::io_context::executor_type>;
using socket_type = asio::basic_stream_socket<protocol, asio::io_context::executor_type>;
using acceptor_type = asio::basic_socket_acceptor<protocol, asio::io_context::executor_type>;
using error_code_type = boost::system::error_code;

/// At the end a stream whose client does not take what was sent is not waited for longer.
constexpr auto patience_with_streams = std::chrono::milliseconds(500);

class session;

/// What all connections share. What waits in the context holds connections, and these know where this is: so the
/// context goes first.
struct shared_part : std::enable_shared_from_this<shared_part> {
  shared_part(http_handler& with, const http_limits& limits_) : handler(with), limits(limits_) {}
  http_handler& handler;
  http_limits limits;
  std::mutex mutex;
  std::set<session*> sessions;         // with the mutex held
  std::atomic<std::size_t> streams{0}; // more only on the server's thread
  bool stopping = false;               // the server's thread
  asio::io_context context{1};
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

bool peer_is_this_user(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == geteuid() || peer.uid == 0);
}

/// One connection: a request at a time.
class session : public std::enable_shared_from_this<session> {
public:
  session(socket_type socket, shared_part& all, bool local) : stream_(std::move(socket)), all_(&all), local_(local) {
    const std::lock_guard lock(all_->mutex);
    all_->sessions.insert(this);
  }
  ~session() { // on the thread of whoever lets go of it last
    const std::lock_guard lock(all_->mutex);
    all_->sessions.erase(this);
    if (streams_)
      --all_->streams;
  }
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  void read_next() {
    parser_.emplace();
    parser_->header_limit(all_->limits.header_bytes);
    parser_->body_limit(boost::none); // the handler is asked when the header is read
    if (buffer_.size() != 0)
      return read_header();
    // A connection that says nothing has longer than one that has begun.
    stream_.expires_after(all_->limits.idle);
    stream_.async_read_some(buffer_.prepare(4'096),
                            [self = shared_from_this()](error_code_type problem, std::size_t count) {
                              self->buffer_.commit(count);
                              if (problem)
                                self->close();
                              else
                                self->read_header();
                            });
  }
  /// Ends what is idle or streams; a request under way is answered first, unless it is to end `at_once`.
  void stop(bool at_once) {
    if (at_once || (!streams_ && !answering_))
      close();
    else if (streams_)
      end_stream();
  }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] bool streams() const { return streams_; }

  void respond(http_response response) {
    http::response<http::string_body> message;
    message.version(version_);
    message.result(response.status);
    message.keep_alive(keep_alive_ && !all_->stopping);
    if (response.status != 204 && response.status != 304 && !response.content_type.empty())
      message.set(http::field::content_type, response.content_type);
    for (const auto& [name, value] : response.headers)
      message.insert(name, value);
    message.body() = std::move(response.body);
    message.prepare_payload();
    if (head_only_)
      message.body().clear(); // its length was told
    keep_alive_ = message.keep_alive();
    auto kept = std::make_shared<http::response<http::string_body>>(std::move(message));
    stream_.expires_after(all_->limits.idle);
    http::async_write(stream_, *kept, [self = shared_from_this(), kept](error_code_type problem, std::size_t) {
      self->answering_ = false;
      if (problem || !self->keep_alive_)
        self->close();
      else
        self->read_next();
    });
  }

  bool begin_stream(const http_response& head) {
    if (all_->streams == all_->limits.streams || all_->stopping)
      return false;
    ++all_->streams;
    streams_ = true;
    std::string text = "HTTP/1.1 " + std::to_string(head.status) + " " + std::string(http_status_title(head.status)) +
                       "\r\nContent-Type: " + head.content_type + "\r\nConnection: close\r\n";
    for (const auto& [name, value] : head.headers)
      text.append(name).append(": ").append(value).append("\r\n");
    text += "\r\n";
    *waiting_bytes += text.size();
    add(std::move(text));
    listen_for_end();
    return true;
  }
  void add(std::string text) {
    if (closed_)
      return;
    waiting_.push_back(std::move(text));
    if (*waiting_bytes > all_->limits.stream_bytes) { // it does not read
      close();
      return;
    }
    if (!writing_)
      write_more();
  }
  void end_stream() {
    ending_ = true;
    if (!writing_)
      close();
  }
  /// What a stream's handle shares with it.
  std::shared_ptr<std::atomic<bool>> gone = std::make_shared<std::atomic<bool>>(false);
  /// Of a stream, what was not written yet.
  std::shared_ptr<std::atomic<std::size_t>> waiting_bytes = std::make_shared<std::atomic<std::size_t>>(0);
  std::function<void()> then;

private:
  void read_header() {
    stream_.expires_after(all_->limits.header_time);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code_type problem, std::size_t) { self->header_read(problem); });
  }
  void header_read(error_code_type problem) {
    if (problem) {
      if (problem == http::error::header_limit)
        refuse(431, "header_too_large",
               "the header of the request is larger than " + std::to_string(all_->limits.header_bytes) +
                   " bytes: send less");
      else if (problem.category() == http::make_error_code(http::error::bad_method).category() &&
               problem != http::error::end_of_stream && problem != http::error::partial_message)
        refuse(400, "bad_request", "this is no HTTP/1.1 request: " + problem.message());
      else
        close();
      return;
    }
    const auto& message = parser_->get();
    version_ = message.version();
    keep_alive_ = message.keep_alive();
    head_only_ = message.method() == http::verb::head;
    request_ = {};
    request_.method = std::string(message.method_string());
    request_.target = std::string(message.target());
    request_.local = local_;
    for (const auto& field : message)
      request_.headers.emplace_back(lower(field.name_string()), std::string(field.value()));
    if (!read_target(request_.target, request_.path, request_.query)) {
      refuse(400, "bad_target", "the target of the request is not a path, or is badly encoded");
      return;
    }
    const auto limit = all_->handler.body_limit(request_);
    parser_->body_limit(limit);
    if (const auto length = parser_->content_length(); length && *length > limit) {
      too_large(limit);
      return;
    }
    if (const auto* expects = find_field(request_.headers, "expect");
        expects != nullptr && lower(*expects) == "100-continue") {
      const auto go_on = std::make_shared<std::string>("HTTP/1.1 100 Continue\r\n\r\n");
      asio::async_write(stream_, asio::buffer(*go_on),
                        [self = shared_from_this(), go_on](error_code_type failed, std::size_t) {
                          if (failed)
                            self->close();
                          else
                            self->read_body();
                        });
      return;
    }
    read_body();
  }
  void read_body() {
    stream_.expires_after(all_->limits.header_time);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code_type problem, std::size_t) {
      if (problem == http::error::body_limit)
        self->too_large(self->all_->handler.body_limit(self->request_));
      else if (problem)
        self->close();
      else
        self->request_read();
    });
  }
  void request_read();
  void too_large(std::uint64_t limit) {
    refuse(413, "body_too_large", "the body may have at most " + std::to_string(limit) + " bytes");
  }
  /// Answers without having read all: what follows cannot be told from a request.
  void refuse(unsigned status, std::string_view code, const std::string& detail) {
    keep_alive_ = false;
    answering_ = true;
    respond(http_problem(status, code, detail));
  }
  void write_more() {
    if (waiting_.empty()) {
      if (ending_)
        close();
      return;
    }
    writing_ = true;
    std::string all;
    for (auto& text : waiting_)
      all += text;
    waiting_.clear();
    auto kept = std::make_shared<std::string>(std::move(all));
    stream_.expires_after(all_->limits.idle);
    asio::async_write(stream_, asio::buffer(*kept),
                      [self = shared_from_this(), kept](error_code_type problem, std::size_t) {
                        self->writing_ = false;
                        *self->waiting_bytes -= kept->size();
                        self->stream_.expires_never();
                        if (problem)
                          self->close();
                        else
                          self->write_more();
                      });
  }
  /// A client of a stream says nothing more: what comes is its end.
  void listen_for_end() {
    stream_.socket().async_wait(socket_type::wait_read, [self = shared_from_this()](error_code_type problem) {
      if (problem || self->closed_)
        return self->close();
      char bytes[512];
      error_code_type why;
      self->stream_.socket().non_blocking(true, why);
      const auto count = self->stream_.socket().receive(asio::buffer(bytes), 0, why);
      if (count == 0 && why != asio::error::would_block)
        self->close();
      else
        self->listen_for_end();
    });
  }
  void close() {
    if (closed_)
      return;
    closed_ = true;
    gone->store(true);
    error_code_type ignored; // it is over whatever the system says
    stream_.socket().shutdown(socket_type::shutdown_both, ignored);
    stream_.close();
    if (then)
      std::exchange(then, nullptr)();
  }

  stream_type stream_;
  shared_part* all_;
  bool local_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http_request request_;
  unsigned version_ = 11;
  bool keep_alive_ = false;
  bool head_only_ = false;
  bool answering_ = false;
  bool streams_ = false;
  bool writing_ = false;
  bool ending_ = false;
  bool closed_ = false;
  std::deque<std::string> waiting_;
};

/// Does something with a session on the server's thread.
void on_thread(const std::shared_ptr<session>& of, const std::shared_ptr<shared_part>& all,
               std::function<void(session&)> what) {
  asio::post(all->context, [of, what = std::move(what)] { what(*of); });
}

class stream_handle final : public http_stream {
public:
  stream_handle(std::shared_ptr<session> of, std::shared_ptr<shared_part> all)
      : all_(std::move(all)), of_(std::move(of)), gone_(of_->gone), waiting_(of_->waiting_bytes) {}
  ~stream_handle() override { end(); }
  stream_handle(const stream_handle&) = delete;
  stream_handle& operator=(const stream_handle&) = delete;
  bool send(std::string text) override {
    if (*gone_)
      return false;
    *waiting_ += text.size();
    on_thread(of_, all_, [text = std::move(text)](session& s) mutable { s.add(std::move(text)); });
    return true;
  }
  std::size_t waiting() const override { return *waiting_; }
  void end() override {
    if (!ended_.exchange(true))
      on_thread(of_, all_, [](session& s) { s.end_stream(); });
  }
  void when_gone(std::function<void()> then) override {
    on_thread(of_, all_, [then = std::move(then)](session& s) mutable {
      if (*s.gone)
        then();
      else
        s.then = std::move(then);
    });
  }

private:
  std::shared_ptr<shared_part> all_; // lives longer than what it knows
  std::shared_ptr<session> of_;
  std::shared_ptr<std::atomic<bool>> gone_;
  std::shared_ptr<std::atomic<std::size_t>> waiting_;
  std::atomic<bool> ended_{false};
};

class answer_handle final : public http_answer {
public:
  answer_handle(std::shared_ptr<session> of, std::shared_ptr<shared_part> all)
      : all_(std::move(all)), of_(std::move(of)) {}
  ~answer_handle() override {
    if (!given_)
      send(http_problem(500, "internal", "this request was not answered; see the log of the supervisor"));
  }
  answer_handle(const answer_handle&) = delete;
  answer_handle& operator=(const answer_handle&) = delete;
  void send(http_response response) override {
    if (!given_.exchange(true))
      on_thread(of_, all_, [response = std::move(response)](session& s) mutable { s.respond(std::move(response)); });
  }
  std::shared_ptr<http_stream> begin_stream(http_response head) override {
    if (given_.exchange(true))
      return nullptr;
    // Whether there is room is the server's thread to say; this one may be it.
    const auto begins = [head = std::move(head)](session& s) {
      if (!s.begin_stream(head))
        s.respond(http_problem(503, "too_many_streams", "too many clients follow already: try again later"));
    };
    // At once, if this is it: what another thread sends next would else overtake the beginning.
    asio::dispatch(all_->context, [of = of_, begins] { begins(*of); });
    return std::make_shared<stream_handle>(of_, all_);
  }

private:
  std::shared_ptr<shared_part> all_; // lives longer than what it knows
  std::shared_ptr<session> of_;
  std::atomic<bool> given_{false};
};

void session::request_read() {
  request_.body = std::move(parser_->get().body());
  answering_ = true;
  stream_.expires_never();
  all_->handler.handle(std::move(request_),
                       std::make_shared<answer_handle>(shared_from_this(), all_->shared_from_this()));
}

/// One listening socket.
class listener : public std::enable_shared_from_this<listener> {
public:
  listener(http_listener from, int family, shared_part& all)
      : acceptor_(all.context), pause_(all.context), all_(&all), local_(from.local) {
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
    if (connections() < all_->limits.connections && (!local_ || peer_is_this_user(socket.native_handle())))
      std::make_shared<session>(std::move(socket), *all_, local_)->read_next();
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

result<http_listener> listen_tcp(const std::string& address, std::uint16_t& port) {
  const auto wrong = [&] {
    return fail(error_code::invalid_input,
                "\"" + address + "\" is no address to listen on: write \"127.0.0.1:7070\" or \"[::1]:7070\"");
  };
  const auto colon = address.rfind(':');
  if (colon == std::string::npos)
    return wrong();
  auto host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  std::uint16_t number = 0;
  const auto digits = address.substr(colon + 1);
  const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (bad != std::errc() || end != digits.data() + digits.size())
    return wrong();
  error_code_type why;
  const auto ip = host.empty() ? asio::ip::address(asio::ip::address_v6::any()) : asio::ip::make_address(host, why);
  if (why)
    return wrong();
  const asio::ip::tcp::endpoint at(ip, number);
  const auto failed = [&](const std::string& what) {
    return fail(error_code::io,
                "cannot " + what + " " + address + ": " + errno_text(errno) +
                    (errno == EADDRINUSE ? ". Another program listens there: choose another port, or end it" : ""));
  };
  unique_fd fd(socket(at.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  if (!fd)
    return failed("make a socket for");
  const int yes = 1;
  const int no = 0;
  static_cast<void>(setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes)); // else the next start waits
  if (host.empty())
    static_cast<void>(setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no));
  if (bind(fd.get(), at.data(), static_cast<socklen_t>(at.size())) != 0 || listen(fd.get(), 1'024) != 0)
    return failed("listen on");
  asio::ip::tcp::endpoint bound;
  auto size = static_cast<socklen_t>(bound.capacity());
  if (getsockname(fd.get(), bound.data(), &size) != 0)
    return failed("listen on");
  bound.resize(size);
  port = bound.port();
  return http_listener{std::move(fd), false};
}

} // namespace troupe_internal
