// Reasons as the C interface hands them out. Knows nothing of who asks.
#pragma once

#include "core/model/reason.hpp"
#include "lib/abi_error.hpp"
#include "troupe/abi.h"
#include "views/reason_text.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace troupe_internal::lib {

/// What it shows is good as long as this and the reasons are.
class reason_list {
public:
  enum class when : std::uint8_t { now, then };
  reason_list(const std::vector<reason>& from, when time) {
    for (const auto& why : from)
      sentences_.push_back(time == when::now ? cli::reason_sentence(why) : cli::past_reason_sentence(why));
    for (std::size_t i = 0; i < from.size(); ++i) {
      troupe_reason one{};
      one.size = sizeof one;
      one.kind = static_cast<std::uint32_t>(from[i].kind);
      one.subject = text_of(from[i].detail);
      if (from[i].change) {
        one.from = text_of(from[i].change->was);
        one.to = text_of(from[i].change->now);
      }
      one.sentence = text_of(sentences_[i]);
      all_.push_back(one);
    }
    for (const auto& one : all_)
      views_.push_back(&one);
  }
  reason_list(const reason_list&) = delete;
  reason_list& operator=(const reason_list&) = delete;

  [[nodiscard]] const troupe_reason* const* data() const { return views_.data(); }
  [[nodiscard]] std::size_t size() const { return views_.size(); }

private:
  std::vector<std::string> sentences_;
  std::vector<troupe_reason> all_;
  std::vector<const troupe_reason*> views_;
};

} // namespace troupe_internal::lib
