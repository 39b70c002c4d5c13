// Values are few and come early: the mask is made again for each that is new.
#include "engine/known_secrets.hpp"

#include "core/command/secret_sources.hpp"
#include "engine/attempt_report.hpp"

#include <algorithm>

namespace troupe_internal {

known_secrets::known_secrets(const pipeline& p, std::span<const std::string> environment, const file_system& files) {
  bool news = false;
  for (const auto& [name, param] : p.params)
    if (param.secret)
      news |= add(param.text);
  const auto sources = secret_sources_of(p);
  for (const std::string_view entry : environment) {
    const auto end = std::min(entry.find('='), entry.size());
    const auto& names = sources.variables;
    if (std::binary_search(names.begin(), names.end(), entry.substr(0, end)))
      news |= add(entry.substr(std::min(end + 1, entry.size())));
  }
  for (const auto& file : sources.files)
    if (const auto text = files.read_text(file, max_result_file)) // where it cannot be read, whoever needs it says so
      news |= add(*text);
  if (news)
    arrange();
}

void known_secrets::learn(std::string_view value) {
  const std::lock_guard lock(mutex_);
  if (add(value))
    arrange();
}

bool known_secrets::add(std::string_view value) {
  bool news = false;
  for (auto& text : masked_texts_of(value))
    news |= texts_.insert(std::move(text)).second;
  return news;
}

void known_secrets::arrange() {
  mask_ = std::make_shared<const secret_mask>(std::vector<std::string>(texts_.begin(), texts_.end()));
}

std::shared_ptr<const secret_mask> known_secrets::mask() const {
  const std::lock_guard lock(mutex_);
  return mask_;
}

void known_secrets::hide(std::string& text) const {
  if (const auto now = mask(); now && !text.empty())
    text = now->masked(text);
}

void known_secrets::hide(std::vector<attempt_warning>& warnings) const {
  for (auto& warning : warnings)
    hide(warning.text);
}

bool known_secrets::in(std::string_view text) const {
  const auto now = mask();
  return now && now->masked(text) != text;
}

} // namespace troupe_internal
