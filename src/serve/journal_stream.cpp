// Server-sent events as the HTML standard has them: id, event, data, an empty line.
#include "serve/journal_stream.hpp"

#include "adapters/system/start_thread.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal::serve {

namespace {

constexpr auto heart_beat = std::chrono::seconds(10);
/// A client that has not taken what it was sent is looked at again after this.
constexpr auto patience = std::chrono::milliseconds(20);
constexpr std::size_t most_waiting = std::size_t{256} << 10U; ///< bytes for one client
constexpr std::size_t piece_bytes = std::size_t{128} << 10U;
constexpr std::size_t longest_line = std::size_t{64} << 10U;

/// The word in `"type":"run_started"` of an event's line.
std::string_view kind_of(std::string_view line) {
  constexpr std::string_view before = "\"type\":\"";
  const auto at = line.find(before);
  if (at == std::string_view::npos)
    return "event";
  const auto rest = line.substr(at + before.size());
  return rest.substr(0, rest.find('"'));
}

} // namespace

journal_stream::journal_stream(snapshot_maker history) : history_(std::move(history)) {
  thread_ = start_thread([this] { serve(); });
}

journal_stream::~journal_stream() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void journal_stream::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void journal_stream::add(std::shared_ptr<http_stream> to, std::optional<std::uint64_t> from) {
  auto made = std::make_unique<client>();
  made->to = std::move(to);
  made->from = from;
  {
    const std::lock_guard lock(mutex_);
    newcomers_.push_back(std::move(made));
  }
  changed_.notify_all();
}

result<std::string> journal_stream::page(std::uint64_t from, std::optional<run_number> run) const {
  const auto snapshot = history_();
  if (!snapshot)
    return snapshot.error();
  feed_position at{from, run};
  event_feed feed;
  const auto piece = feed.read(**snapshot, at, piece_bytes * 8, longest_line);
  if (!piece)
    return piece.error();
  std::string text = "{\"format\":1,\"events\":[";
  for (const auto& line : piece->lines)
    text.append(&line == piece->lines.data() ? "" : ",").append(line.line);
  text += "],\"next\":" + std::to_string(at.next) + ",\"first\":" + std::to_string((*snapshot)->info().first_seq) +
          ",\"last\":" + std::to_string((*snapshot)->info().last_seq) + "}\n";
  return text;
}

void journal_stream::greet(client& to, const journal_snapshot& snapshot) {
  to.greeted = true;
  const auto& info = snapshot.info();
  to.at.next = to.from.value_or(info.last_seq + 1);
  if (to.at.next <= 1) // the beginning is what is kept of it
    to.at.next = info.first_seq;
  std::string text =
      "retry: 1000\nevent: hello\ndata: {\"build\":\"" TROUPE_VERSION "\",\"seq\":" + std::to_string(info.last_seq) +
      "}\n\n";
  // Older than what is kept, or newer than anything: of another history.
  if (to.at.next < info.first_seq || to.at.next > info.last_seq + 1) {
    text += "id: " + std::to_string(info.last_seq) + "\nevent: reset\ndata: {\"seq\":" + std::to_string(info.last_seq) +
            "}\n\n";
    to.at.next = info.last_seq + 1;
  }
  to.gone = !to.to->send(std::move(text));
}

journal_stream::hunger journal_stream::feed(client& to, const journal_snapshot& snapshot) {
  if (!to.greeted)
    greet(to, snapshot);
  if (to.to->waiting() > most_waiting)
    return hunger::later;
  if (to.at.next < snapshot.info().first_seq) { // retention has overtaken it
    to.greeted = false;
    to.from = to.at.next;
    return hunger::now;
  }
  const auto piece = feed_.read(snapshot, to.at, piece_bytes, longest_line);
  if (!piece) {
    to.gone = true;
    to.to->end();
    return hunger::none;
  }
  std::string text;
  for (const auto& line : piece->lines)
    text.append("id: ")
        .append(std::to_string(line.seq))
        .append("\nevent: ")
        .append(kind_of(line.line))
        .append("\ndata: ")
        .append(line.line)
        .append("\n\n");
  const auto now = std::chrono::steady_clock::now();
  if (text.empty() && now - to.spoken >= heart_beat)
    text = ": \n\n";
  if (!text.empty()) {
    to.spoken = now;
    to.gone = !to.to->send(std::move(text));
  }
  return piece->more ? hunger::now : hunger::none;
}

void journal_stream::serve() {
  std::unique_lock lock(mutex_);
  auto wanted = hunger::none;
  while (!ending_) {
    const auto due = [&] { return ending_ || woken_ || !newcomers_.empty(); };
    if (wanted == hunger::later)
      changed_.wait_for(lock, patience, [&] { return ending_; });
    else if (wanted == hunger::none && clients_.empty())
      changed_.wait(lock, due);
    else if (wanted == hunger::none)
      changed_.wait_for(lock, heart_beat, due);
    woken_ = false;
    std::move(newcomers_.begin(), newcomers_.end(), std::back_inserter(clients_));
    newcomers_.clear();
    wanted = hunger::none;
    if (ending_ || clients_.empty())
      continue;
    lock.unlock();
    if (const auto snapshot = history_())
      for (const auto& one : clients_)
        wanted = std::max(wanted, feed(*one, **snapshot));
    std::erase_if(clients_, [](const auto& one) { return one->gone; });
    lock.lock();
  }
}

} // namespace troupe_internal::serve
