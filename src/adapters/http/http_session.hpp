// One connection: a request at a time, or a stream; and the handles by which other threads answer. For http_server.cpp
// alone: with it comes Beast.
#pragma once

#include "adapters/http/http_server.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

namespace troupe_internal::http_parts {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

using protocol = asio::generic::stream_protocol;
using stream_type = beast::basic_stream<protocol, asio::io_context::executor_type>;
using socket_type = asio::basic_stream_socket<protocol, asio::io_context::executor_type>;
using error_code_type = boost::system::error_code;

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

inline std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

/// Where a connection comes from.
struct session_origin {
  bool local = false;
  std::uint32_t peer_user = 0;
  bool hooks_alone = false;
};

/// One connection: a request at a time.
class session : public std::enable_shared_from_this<session> {
public:
  session(socket_type socket, shared_part& all, const session_origin& from)
      : stream_(std::move(socket)), all_(&all), from_(from) {
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
    request_.local = from_.local;
    request_.peer_user = from_.peer_user;
    request_.hooks_alone = from_.hooks_alone;
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
  session_origin from_;
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
inline void on_thread(const std::shared_ptr<session>& of, const std::shared_ptr<shared_part>& all,
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

inline void session::request_read() {
  request_.body = std::move(parser_->get().body());
  answering_ = true;
  stream_.expires_never();
  all_->handler.handle(std::move(request_),
                       std::make_shared<answer_handle>(shared_from_this(), all_->shared_from_this()));
}

} // namespace troupe_internal::http_parts
