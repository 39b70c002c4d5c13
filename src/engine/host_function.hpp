// Functions of the program that Troupe is a part of, as the pipeline's assets name them by number. Knows nothing of
// what they do.
#pragma once

#include "troupe/abi.h"

#include <memory>
#include <utility>
#include <vector>

namespace troupe_internal {

/// One of them. Called by any number of threads at a time.
class host_function {
public:
  /// Takes the function over. `type` null: it hands on no value. `arguments`: null for files.
  host_function(const troupe_function& function, const troupe_type* type, std::vector<const troupe_type*> arguments)
      : function_(function), type_(type), arguments_(std::move(arguments)) {}
  ~host_function() {
    if (function_.release != nullptr)
      function_.release(function_.state);
  }
  host_function(const host_function&) = delete;
  host_function& operator=(const host_function&) = delete;

  void call(troupe_call& with) const { function_.call(function_.state, &with); }
  [[nodiscard]] const troupe_type* type() const { return type_; }
  [[nodiscard]] const std::vector<const troupe_type*>& arguments() const { return arguments_; }

private:
  const troupe_function function_;
  const troupe_type* const type_;
  const std::vector<const troupe_type*> arguments_;
};

/// By function_declaration::number.
using function_set = std::vector<std::shared_ptr<const host_function>>;

} // namespace troupe_internal
