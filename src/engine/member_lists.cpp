// Files named by digests, and their comparison where a folder has changed.
#include "engine/member_lists.hpp"

#include "core/freshness/folder_listing.hpp"
#include "core/pipeline/exclusion.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace troupe_internal {

namespace {

constexpr std::size_t most_bytes_in_memory = 64 * 1024 * 1024;
constexpr std::uint64_t most_bytes_of_old_ones = 64 * 1024 * 1024;
constexpr std::size_t most_named = 3;

constexpr const char* lists_folder = "members";
constexpr std::uint64_t most_bytes_of_one = std::uint64_t{1} << 30U;

std::string part_of(const std::string& name) {
  return name.substr(0, 2);
}

/// As a draft first: a name is never of half a listing. What fails is not worth a word.
void write_listing(const kept_folder& lists, const folder_listing& one) {
  const auto name = to_hex(one.content);
  bool made = false;
  const auto part = lists.open_or_make_folder(part_of(name), made);
  if (!part)
    return;
  const auto known = part->look(name);
  if (known && S_ISREG(known->st_mode) && static_cast<std::uint64_t>(known->st_size) == one.bytes.size())
    return;
  const auto draft = name + ".draft";
  const auto fd = part->make(draft);
  if (!fd)
    return;
  std::string_view rest = one.bytes;
  while (!rest.empty()) {
    const auto done = write(fd->get(), rest.data(), rest.size());
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      break;
    rest.remove_prefix(static_cast<std::size_t>(done));
  }
  if (!rest.empty() || !part->rename(draft, name))
    static_cast<void>(part->remove(draft));
}

/// The two contents of the folder that a reason names.
struct both_contents {
  digest before;
  digest now;
  bool output = false;
};

std::optional<both_contents> contents_of(std::string_view path, std::span<const file_version> before,
                                         std::span<const file_version> now, bool output, const catalog& names,
                                         const file_table& table) {
  for (const auto& one : now) {
    if (unfiltered(names.path_text(one.path)) != path || !table.is_folder(one.path))
      continue;
    for (const auto& other : before)
      if (other.path == one.path)
        return both_contents{other.content, one.content, output};
  }
  return std::nullopt;
}

reason_kind kind_of(const changed_member& member, bool output) {
  if (member.how == member_change::executable)
    return reason_kind::executable_changed;
  if (output && member.behind_link)
    return reason_kind::output_target_changed;
  switch (member.how) {
  case member_change::added:
    return output ? reason_kind::output_modified : reason_kind::input_added;
  case member_change::removed:
    return output ? reason_kind::output_missing : reason_kind::input_removed;
  default:
    return output ? reason_kind::output_modified : reason_kind::input_changed;
  }
}

} // namespace

void member_lists::keep(std::vector<folder_listing> listings) {
  for (auto& one : listings) {
    const std::lock_guard lock(mutex_);
    if (locked_) {
      if (!written_.insert(one.content).second)
        continue;
      if (!lists_)
        if (auto part = locked_->part(lists_folder))
          lists_ = std::move(*part);
      if (lists_)
        write_listing(*lists_, one);
    } else if (bytes_kept_ + one.bytes.size() <= most_bytes_in_memory) {
      const auto size = one.bytes.size();
      if (kept_.emplace(one.content, std::move(one.bytes)).second)
        bytes_kept_ += size;
    }
  }
}

std::optional<std::string> member_lists::find(const digest& content) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = kept_.find(content); found != kept_.end())
      return found->second;
  }
  std::shared_ptr<const kept_folder> lists;
  {
    const std::lock_guard lock(mutex_);
    if (!lists_) {
      const auto dir = locked_ ? result<state_dir::handle>(locked_) : state_dir::open(state_folder_);
      auto folder = dir ? (*dir)->open_folder(lists_folder, entry_use::read) : result<kept_folder>(dir.error());
      if (folder)
        lists_ = std::make_shared<const kept_folder>(std::move(*folder));
    }
    lists = lists_;
  }
  if (!lists)
    return std::nullopt;
  const auto name = to_hex(content);
  const auto part = lists->open_folder(part_of(name), entry_use::read);
  auto bytes = part ? part->read(name, most_bytes_of_one) : result<std::string>(part.error());
  if (!bytes || content_digest(*bytes) != content)
    return std::nullopt;
  return std::move(*bytes);
}

void name_changed_members(std::vector<reason>& reasons, const asset_record& record, const fingerprint& now,
                          std::span<const file_version> outputs, bool source, const catalog& names,
                          const file_table& table, const member_lists& lists) {
  const auto may_be_folder = [](const reason& one) {
    return one.kind == reason_kind::input_changed || one.kind == reason_kind::output_modified ||
           one.kind == reason_kind::output_target_changed;
  };
  if (!record.last || std::none_of(reasons.begin(), reasons.end(), may_be_folder))
    return;
  const auto& last = *record.last;
  std::vector<reason> named;
  for (auto& one : reasons) {
    std::optional<both_contents> contents;
    if (may_be_folder(one)) {
      if (one.kind == reason_kind::input_changed && !source) {
        contents = contents_of(one.detail, last.made_from.inputs, now.inputs, false, names, table);
        if (!contents)
          contents = contents_of(one.detail, last.made_from.discovered, now.discovered, false, names, table);
      } else {
        contents = contents_of(one.detail, last.made.outputs, outputs, !source, names, table);
      }
    }
    const auto changed = contents ? compare_listings(contents->before, contents->now,
                                                     [&](const digest& content) { return lists.find(content); })
                                  : std::vector<changed_member>();
    if (changed.empty()) {
      named.push_back(std::move(one));
      continue;
    }
    // What a look at times made of it is known better now.
    auto note = one.note.ends_with(" changed since") ? std::string() : one.note;
    const bool only_targets =
        std::all_of(changed.begin(), changed.end(), [](const changed_member& member) { return member.behind_link; });
    for (std::size_t i = 0; i < std::min(changed.size(), most_named); ++i)
      named.push_back({kind_of(changed[i], contents->output), one.detail + "/" + changed[i].name, note});
    if (changed.size() > most_named)
      named.push_back({contents->output && only_targets ? reason_kind::output_target_changed : one.kind,
                       one.detail + " (" + std::to_string(changed.size() - most_named) + " more)", std::move(note)});
  }
  reasons = std::move(named);
}

void delete_old_listings(const state_dir& dir, const std::set<digest>& current, timestamp oldest,
                         const std::function<bool()>& enough) {
  struct old_listing {
    timestamp changed;
    std::uint64_t size = 0;
    std::string part;
    std::string name;
  };
  std::vector<old_listing> old;
  const auto lists = dir.open_folder(lists_folder, entry_use::write);
  const auto parts = lists && lists->look(part_mark) ? lists->names() : std::vector<std::string>();
  if (!parts)
    return;
  for (const auto& part_name : *parts) {
    const auto part = lists->open_folder(part_name, entry_use::write);
    const auto names = part ? part->names() : part.error();
    if (!names)
      continue;
    for (const auto& name : *names) {
      if (enough())
        return;
      const auto content = digest_from_hex(name);
      const auto info = part->look(name);
      if ((content && current.contains(*content)) || !info || !S_ISREG(info->st_mode) || name.starts_with('.'))
        continue;
      old.push_back({from_unix_ns(info->st_mtim.tv_sec * 1'000'000'000LL + info->st_mtim.tv_nsec),
                     static_cast<std::uint64_t>(info->st_size), part_name, name});
    }
  }
  std::sort(old.begin(), old.end(), [](const auto& a, const auto& b) { return a.changed > b.changed; });
  std::uint64_t bytes = 0;
  for (const auto& one : old) {
    bytes += one.size;
    if (one.changed < oldest || bytes > most_bytes_of_old_ones)
      if (const auto part = lists->open_folder(one.part, entry_use::write))
        static_cast<void>(part->remove(one.name));
  }
}

} // namespace troupe_internal
