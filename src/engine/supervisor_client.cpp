// Connected, asked, heard.
#include "engine/supervisor_client.hpp"

#include "adapters/state/state_dir.hpp"
#include "engine/control_client.hpp"

#include <utility>
#include <variant>

namespace troupe_internal {

result<control_message> answer_of(const std::string& state_folder, const control_message& request,
                                  std::chrono::milliseconds longest) {
  const auto dir = state_dir::open(state_folder);
  if (!dir)
    return dir.error();
  auto client = control_client::connect(**dir);
  if (!client)
    return client.error();
  if (const auto sent = client->send(request); !sent)
    return sent.error();
  auto said = client->receive(longest);
  if (!said)
    return said.error();
  if (!*said)
    return fail(error_code::state_unusable, "the process that has the state " + state_folder +
                                                " has not answered within " + std::to_string(longest.count() / 1000) +
                                                " seconds");
  return std::move(**said);
}

result<supervisor_answer> ask_supervisor(const std::string& state_folder, const supervisor_ask& asked,
                                         std::chrono::milliseconds longest) {
  const auto said = answer_of(state_folder, supervisor_request{asked}, longest);
  if (!said)
    return said.error();
  if (const auto* answer = std::get_if<supervisor_reply>(&*said))
    return answer->what;
  return fail(error_code::state_unusable,
              "the process that has the state " + state_folder + " answered with something else than was asked for");
}

} // namespace troupe_internal
