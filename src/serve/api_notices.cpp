// Answers about notices: what is to be delivered yet, and how deliveries go.
#include "base/json_writer.hpp"
#include "core/journal/event_json.hpp"
#include "serve/api.hpp"

#include <sstream>

namespace troupe_internal::serve {

void answer_notices(const api_world& world, const api_call& /*call*/, http_answer& answer) {
  answer.send(document_of_now(world, [&]() -> result<std::string> {
    const auto snapshot = world.engine.history();
    if (!snapshot)
      return snapshot.error();
    const auto figures = world.notices();
    std::ostringstream text;
    result<void> visited;
    {
      json_writer json(text);
      json.begin_object().member("format", 1).key("notices").begin_array();
      visited = (*snapshot)->visit_notices([&](const notice_taken& notice) {
        json.begin_object().member("notice", notice.notice).member("kind", to_string(notice.kind));
        json.member("at", to_rfc3339(notice.at)).member("pipeline", notice.pipeline).member("subject", notice.subject);
        json.key("run");
        if (notice.bound_run.value == 0)
          json.null();
        else
          json.value(notice.bound_run.value);
        json.member("because", notice.because).member("lasts", notice.opens).key("waits_for").begin_array();
        for (const auto& target : notice.targets)
          json.value(target);
        json.end_array().end_object();
        return true;
      });
      json.end_array().member("waiting", figures.waiting).key("oldest");
      if (figures.oldest)
        json.value(to_rfc3339(*figures.oldest));
      else
        json.null();
      json.member("delivered", figures.delivered).member("given_up", figures.given_up);
      json.member("overdue", figures.overdue).key("trouble").begin_object();
      for (const auto& [target, why] : figures.trouble)
        json.member(target, why);
      json.end_object().end_object();
    }
    return visited ? result<std::string>(text.str()) : visited.error();
  }));
}

} // namespace troupe_internal::serve
