// The port to the values that are too long for the records of their assets. Knows nothing of types, or of who made a
// value.
#pragma once

#include "base/result.hpp"
#include "core/model/stored_value.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe_internal {

/// Each value is known by its digest, which is value_hasher()'s. Any thread.
class value_store {
public:
  virtual ~value_store() = default;

  /// A value on its way into the store. If it is destroyed before keep(), nothing is left of it. One thread at a time.
  class draft {
  public:
    virtual ~draft() = default;
    [[nodiscard]] virtual result<void> put(std::string_view bytes) = 0;
    /// It is there under this digest, and stays there after a power loss, when this returns.
    [[nodiscard]] virtual result<void> keep(const digest& as) = 0;
  };
  [[nodiscard]] virtual result<std::unique_ptr<draft>> begin() = 0;
  /// Whether there is a value of this digest and size, by a look that does not read it.
  [[nodiscard]] virtual bool has(const stored_value& which) const = 0;
  /// Its bytes, if they are what was kept: not_found if there is none or it is damaged.
  [[nodiscard]] virtual result<std::string> read(const stored_value& which) const = 0;
  /// Removes one that turned out to be damaged, so that has() says so from now on.
  virtual void drop(const stored_value& which) = 0;
  /// Removes what `is_needed` does not ask for, and what drafts of a process that died have left.
  [[nodiscard]] virtual result<void> sweep(const std::function<bool(const digest&)>& is_needed) = 0;
};

} // namespace troupe_internal
