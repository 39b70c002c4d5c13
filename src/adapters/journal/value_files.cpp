// Written under a name of its own, then renamed: a name that is a digest is never of half a value.
#include "adapters/journal/value_files.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

namespace troupe_internal {

namespace {

constexpr std::string_view draft_prefix = "draft-";

} // namespace

class value_files::file_draft final : public value_store::draft {
public:
  file_draft(value_files& all, std::shared_ptr<const kept_folder> folder, std::string name, unique_fd file)
      : all_(all), folder_(std::move(folder)), name_(std::move(name)), file_(std::move(file)) {
    ++all_.open_drafts_;
  }
  ~file_draft() override {
    if (!kept_)
      static_cast<void>(folder_->remove(name_)); // else the next sweep does
    --all_.open_drafts_;
  }
  file_draft(const file_draft&) = delete;
  file_draft& operator=(const file_draft&) = delete;

  [[nodiscard]] result<void> put(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto done = ::write(file_.get(), bytes.data(), bytes.size());
      if (done < 0 && errno == EINTR)
        continue;
      if (done <= 0)
        return state_error(folder_->path(), "write a value", done == 0 ? ENOSPC : errno);
      bytes.remove_prefix(static_cast<std::size_t>(done));
    }
    return {};
  }

  [[nodiscard]] result<void> keep(const digest& as) override {
    if (all_.durable_ && ::fsync(file_.get()) != 0)
      return state_error(folder_->path(), "bring a value to disk", errno);
    if (auto renamed = folder_->rename(name_, to_hex(as)); !renamed)
      return renamed;
    kept_ = true;
    return all_.durable_ ? folder_->sync() : result<void>();
  }

private:
  value_files& all_;
  std::shared_ptr<const kept_folder> folder_;
  const std::string name_;
  unique_fd file_;
  bool kept_ = false;
};

std::shared_ptr<const kept_folder> value_files::folder() const {
  const std::lock_guard lock(mutex_);
  if (!folder_)
    if (auto found = dir_->open_folder(values_folder, use_))
      folder_ = std::make_shared<const kept_folder>(std::move(*found));
  return folder_;
}

result<std::shared_ptr<const kept_folder>> value_files::make_folder() {
  const std::lock_guard lock(mutex_);
  if (!folder_) {
    auto made = dir_->part(values_folder);
    if (!made)
      return made.error();
    if (durable_)
      if (auto synced = dir_->sync(); !synced)
        return synced.error();
    folder_ = std::move(*made);
  }
  return folder_;
}

result<std::unique_ptr<value_store::draft>> value_files::begin() {
  auto folder = make_folder();
  if (!folder)
    return folder.error();
  auto name = std::string(draft_prefix) + std::to_string(drafts_.fetch_add(1));
  auto file = (*folder)->make(name);
  if (!file)
    return file.error();
  return std::make_unique<file_draft>(*this, std::move(*folder), std::move(name), std::move(*file));
}

bool value_files::has(const stored_value& which) const {
  const auto in = folder();
  const auto info = in ? in->look(to_hex(which.file)) : std::nullopt;
  return info && S_ISREG(info->st_mode) && static_cast<std::uint64_t>(info->st_size) == which.size;
}

result<unique_fd> value_files::open_value(const kept_folder& in, const stored_value& which) {
  const auto name = to_hex(which.file);
  auto file = in.open(name, entry_use::read);
  if (!file)
    return file;
  struct stat info {};
  if (::fstat(file->get(), &info) != 0)
    return state_error(in.path(), "read the value " + name, errno);
  if (static_cast<std::uint64_t>(info.st_size) != which.size)
    return damaged(in, which);
  return file;
}

error value_files::damaged(const kept_folder& in, const stored_value& which) {
  return fail(error_code::not_found, in.path_of(to_hex(which.file)) + " is damaged");
}

result<void> value_files::scan(const kept_folder& in, int file, const stored_value& which, char* into) {
  constexpr std::size_t most = std::size_t{1} << 20U; // hashed while it is in the cache
  std::string piece(into == nullptr ? std::min<std::size_t>(which.size, most) : 0, '\0');
  auto hasher = value_hasher(which.type, which.version);
  for (std::size_t at = 0; at < which.size;) {
    char* const here = into == nullptr ? piece.data() : into + at;
    const auto got = ::pread(file, here, std::min<std::size_t>(which.size - at, most), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return state_error(in.path(), "read the value " + to_hex(which.file), errno);
    if (got == 0)
      return damaged(in, which);
    hasher.update(std::string_view(here, static_cast<std::size_t>(got)));
    at += static_cast<std::size_t>(got);
  }
  if (hasher.finish() != which.file)
    return damaged(in, which);
  return {};
}

result<void> value_files::check(const stored_value& which) const {
  const auto in = folder();
  if (!in)
    return fail(error_code::not_found, "the state has no values in files");
  const auto file = open_value(*in, which);
  if (!file)
    return file.error();
  return scan(*in, file->get(), which, nullptr);
}

result<std::string> value_files::read(const stored_value& which) const {
  const auto in = folder();
  if (!in)
    return fail(error_code::not_found, "the state has no values in files");
  const auto file = open_value(*in, which);
  if (!file)
    return file.error();
  std::string bytes;
  try {
    bytes.resize(which.size);
  } catch (const std::bad_alloc&) {
    return fail(error_code::io, "there is no memory for a value of " + std::to_string(which.size) + " bytes");
  }
  if (const auto whole = scan(*in, file->get(), which, bytes.data()); !whole)
    return whole.error();
  return bytes;
}

void value_files::drop(const stored_value& which) {
  if (const auto in = folder())
    static_cast<void>(in->remove(to_hex(which.file))); // else it is found damaged once more
}

result<void> value_files::sweep(const std::function<bool(const digest&)>& is_needed) {
  const auto in = folder();
  if (!in)
    return {};
  const auto names = in->names();
  if (!names)
    return names.error();
  const bool drafts_are_left = open_drafts_ == 0;
  for (const auto& name : *names) {
    const auto value = digest_from_hex(name);
    if (value ? is_needed(*value) : !(drafts_are_left && name.starts_with(draft_prefix)))
      continue;
    if (const auto removed = in->remove(name); !removed)
      return removed;
  }
  return {};
}

} // namespace troupe_internal
