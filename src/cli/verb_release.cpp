// `troupe release`: a pipeline that a supervisor had goes back to a state of its own.
#include "adapters/system/system_clock.hpp"
#include "cli/verbs.hpp"
#include "engine/pipeline_claim.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <memory>

namespace troupe_internal::cli {

namespace {

int release(invocation& with, const std::string& name) {
  const auto on = with.open();
  if (!on)
    return with.report(on.error());
  if (!name.empty() && on->p->name != name)
    return with.report(fail(error_code::invalid_input, on->p->file + " is the pipeline \"" + on->p->name +
                                                           "\", not \"" + name +
                                                           "\": work in its folder, or name its file with -f"));
  system_clock time;
  const auto done = release_pipeline(*on->p, time, [&](const std::string& line) { with.warn(line); });
  if (!done)
    return with.report(done.error());
  auto& out = with.io.out.stream;
  if (with.options.json) {
    json_writer json(out);
    begin_document(json);
    json.member("pipeline", on->p->name)
        .member("from", done->from)
        .member("to", done->to)
        .member("assets", done->assets)
        .end_object()
        .finish();
    return exit_ok;
  }
  out << printable(on->p->name) << " has its own state again, " << printable(done->to) << ": took over what is true of "
      << counted(done->assets, "asset") << " from " << printable(done->from)
      << (done->moved_back ? "; its earlier runs are there again" : "") << "\n";
  return exit_ok;
}

} // namespace

void declare_release(command_spec& root, invocation& with) {
  auto name = std::make_shared<std::string>();
  auto& verb = root.subcommand("release", "Give a pipeline that a supervisor had back to a state of its own");
  verb.positional("PIPELINE", *name, false, "its name, to be sure (default: the pipeline of this folder)");
  verb.examples = {{"troupe release", "after its file was removed from supervisor.json: what is fresh stays fresh"}};
  verb.action = [name, &with] { return release(with, *name); };
}

} // namespace troupe_internal::cli
