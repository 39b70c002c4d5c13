// Pieces of the journal, filtered and put into words.
#include "engine/event_feed.hpp"

#include "base/json_writer.hpp"
#include "core/journal/event_json.hpp"

#include <algorithm>
#include <sstream>
#include <utility>
#include <variant>

namespace troupe_internal {

namespace {

constexpr std::size_t most_events = 4096;

/// The run that an event is of; nullopt: of none.
std::optional<run_number> run_of(const event& e) {
  return std::visit(
      []<class T>(const T& one) -> std::optional<run_number> {
        if constexpr (requires { one.run; })
          return one.run;
        else
          return std::nullopt;
      },
      e);
}

std::optional<timestamp> moment_of(const event& e) {
  return std::visit(
      []<class T>(const T& one) -> std::optional<timestamp> {
        if constexpr (requires { timestamp(one.at); })
          return one.at;
        else
          return std::nullopt;
      },
      e);
}

std::optional<asset_id> asset_of(const event& e) {
  return std::visit(
      []<class T>(const T& one) -> std::optional<asset_id> {
        if constexpr (requires { asset_id(one.asset); })
          return one.asset;
        else
          return std::nullopt;
      },
      e);
}

std::string left_out(std::uint64_t seq, const event& e, std::size_t bytes) {
  std::ostringstream text;
  {
    json_writer json(text);
    json.begin_object().member("seq", seq).member("type", type_name(e)).member("left_out_bytes", bytes).end_object();
  }
  auto line = std::move(text).str();
  std::erase(line, '\n');
  return line;
}

} // namespace

result<void> event_feed::learn_names(const journal_snapshot& snapshot) {
  const auto& info = snapshot.info();
  if (assets_.size() < info.asset_count) {
    assets_.resize(info.asset_count);
    const auto seen = snapshot.visit_asset_names([&](asset_id id, std::string_view name) {
      if (id.value < assets_.size())
        assets_[id.value] = name;
      return true;
    });
    if (!seen)
      return seen;
  }
  if (paths_.size() < info.path_count) {
    paths_.resize(info.path_count);
    const auto seen = snapshot.visit_paths([&](path_id id, std::string_view name) {
      if (id.value < paths_.size())
        paths_[id.value] = name;
      return true;
    });
    if (!seen)
      return seen;
  }
  return {};
}

result<feed_piece> event_feed::read(const journal_snapshot& snapshot, feed_position& at, std::size_t most_bytes,
                                    std::size_t longest) {
  feed_piece piece;
  const auto& info = snapshot.info();
  at.next = std::max(at.next, info.first_seq); // retention has overtaken who reads
  if (at.next > info.last_seq)
    return piece;
  if (const auto known = learn_names(snapshot); !known)
    return known.error();
  event_names names;
  names.asset = [this](asset_id id) {
    return id.value < assets_.size() ? std::string_view(assets_[id.value]) : std::string_view();
  };
  names.path = [this](path_id id) {
    return id.value < paths_.size() ? std::string_view(paths_[id.value]) : std::string_view();
  };
  std::size_t bytes = 0;
  std::size_t seen = 0;
  const auto visited = snapshot.visit_events(at.next, [&](std::uint64_t seq, const event& e) {
    at.next = seq + 1;
    if (const auto* renamed = std::get_if<asset_renamed>(&e);
        renamed != nullptr && renamed->asset.value < assets_.size())
      assets_[renamed->asset.value] = renamed->name;
    const auto run = run_of(e);
    if (!at.run || run == at.run) {
      auto line = event_to_json(seq, e, names);
      if (line.size() > longest)
        line = left_out(seq, e, line.size());
      bytes += line.size();
      const auto asset = asset_of(e);
      piece.lines.push_back({seq, std::move(line), type_name(e), run, moment_of(e),
                             asset ? std::string(names.asset(*asset)) : std::string()});
      if (const auto* finished = std::get_if<run_finished>(&e); finished != nullptr && at.run)
        piece.ended = finished->status;
      else if (std::holds_alternative<run_dequeued>(e) && at.run)
        piece.ended = run_status::cancelled;
    }
    return ++seen < most_events && bytes < most_bytes && !piece.ended;
  });
  if (!visited)
    return visited.error();
  piece.more = at.next <= info.last_seq;
  return piece;
}

} // namespace troupe_internal
