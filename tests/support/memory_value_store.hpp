// The value store in memory, for tests: what the real one promises, without a disk.
#pragma once

#include "ports/value_store.hpp"

#include <map>
#include <mutex>

namespace troupe_internal::test {

class memory_value_store final : public value_store {
public:
  [[nodiscard]] result<std::unique_ptr<draft>> begin() override {
    return std::unique_ptr<draft>(std::make_unique<memory_draft>(*this));
  }
  [[nodiscard]] bool has(const stored_value& which) const override {
    const std::lock_guard lock(mutex_);
    const auto found = values_.find(which.file);
    return found != values_.end() && found->second.size() == which.size;
  }
  [[nodiscard]] result<std::string> read(const stored_value& which) const override {
    const std::lock_guard lock(mutex_);
    const auto found = values_.find(which.file);
    if (found == values_.end())
      return fail(error_code::not_found, "there is no such value");
    auto hasher = value_hasher(which.type, which.version);
    hasher.update(found->second);
    if (hasher.finish() != which.file)
      return fail(error_code::not_found, "it is damaged");
    return found->second;
  }
  void drop(const stored_value& which) override {
    const std::lock_guard lock(mutex_);
    values_.erase(which.file);
  }
  [[nodiscard]] result<void> sweep(const std::function<bool(const digest&)>& is_needed) override {
    const std::lock_guard lock(mutex_);
    std::erase_if(values_, [&](const auto& one) { return !is_needed(one.first); });
    return {};
  }
  /// Changes a byte of it.
  void damage(const digest& which) {
    const std::lock_guard lock(mutex_);
    values_.at(which).front() ^= 1;
  }

private:
  class memory_draft final : public draft {
  public:
    explicit memory_draft(memory_value_store& all) : all_(all) {}
    [[nodiscard]] result<void> put(std::string_view bytes) override { return bytes_.append(bytes), result<void>(); }
    [[nodiscard]] result<void> keep(const digest& as) override {
      const std::lock_guard lock(all_.mutex_);
      all_.values_[as] = bytes_;
      return {};
    }

  private:
    memory_value_store& all_;
    std::string bytes_;
  };
  mutable std::mutex mutex_;
  std::map<digest, std::string> values_;
};

} // namespace troupe_internal::test
