// Answers are kept until the function has returned.
#include "engine/function_call.hpp"

#include "base/check.hpp"
#include "base/json_writer.hpp"
#include "base/shown_text.hpp"
#include "core/model/warning.hpp"
#include "core/pipeline/matrix_identity.hpp"
#include "engine/state_layout.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

using namespace troupe_internal;

troupe_call::troupe_call(function_maker& maker, asset_index asset, std::uint32_t attempt,
                         std::optional<std::chrono::steady_clock::time_point> deadline, troupe_stop& stop,
                         function_room::call& called)
    : maker_(maker), asset_(asset), attempt_(attempt), deadline_(deadline), stop_(stop), called_(called),
      key_(maker.run_text() + "/" + std::string(maker.around().p.asset(asset).name)) {}

troupe_call::~troupe_call() {
  if (!scratch_.empty())
    maker_.around().room.remove_scratch(scratch_name_);
}

std::string_view troupe_call::pipeline() const {
  return maker_.around().p.name;
}

std::string_view troupe_call::asset() const {
  return maker_.around().p.asset(asset_).name;
}

std::string_view troupe_call::run() const {
  return maker_.run_text();
}

std::string_view troupe_call::events_file() const {
  return maker_.around().events_file;
}

std::uint64_t troupe_call::run_number() const {
  return maker_.around().run.value;
}

const function_declaration& troupe_call::declared() const {
  return *maker_.around().p.declaration(asset_).function;
}

std::optional<std::string_view> troupe_call::param(std::string_view name) const {
  const auto& names = declared().params;
  const auto& values = maker_.around().p.params;
  const auto found = values.find(name);
  if (found == values.end() || std::find(names.begin(), names.end(), name) == names.end())
    return std::nullopt;
  return found->second.text;
}

void troupe_call::fail(outcome_kind how, std::string why) {
  if (outcome_ != outcome_kind::succeeded)
    return;
  outcome_ = how;
  why_ = std::move(why);
}

held_value troupe_call::value(std::size_t argument, const troupe_type& as) {
  if (argument >= declared().arguments.size()) {
    fail(outcome_kind::permanent, "it asks for argument " + std::to_string(argument) + ", and has " +
                                      std::to_string(declared().arguments.size()));
    return {};
  }
  auto found = maker_.argument(asset_, argument, as);
  if (found)
    return std::move(*found);
  fail(outcome_kind::not_started, found.error().message);
  return {};
}

const std::vector<std::string>& troupe_call::files(std::size_t argument) {
  for (const auto& [number, paths] : files_)
    if (number == argument)
      return paths;
  std::vector<std::string> found;
  const auto& p = maker_.around().p;
  if (argument < declared().arguments.size())
    for (const auto output : p.asset(p.asset(asset_).deps[declared().arguments[argument]]).outputs)
      found.push_back(join_path(p.folder, p.path(output)));
  return files_.emplace_back(argument, std::move(found)).second;
}

std::string_view troupe_call::scratch() {
  if (!scratch_.empty())
    return scratch_;
  scratch_name_ = result_file_name(maker_.run_text(), asset_, attempt_);
  auto made = maker_.around().room.make_scratch(scratch_name_);
  if (made)
    scratch_ = std::move(*made);
  else
    fail(outcome_kind::failed, "its scratch folder cannot be made: " + made.error().message);
  return scratch_;
}

void troupe_call::log(std::string_view line) {
  if (!log_ && log_problem_.empty()) {
    const auto& around = maker_.around();
    auto file = around.logs.make(around.run, log_file_name(log_name(around.p, asset_), attempt_));
    if (file)
      log_ = std::move(*file);
    else
      log_problem_ = file.error().message;
  }
  std::string text(line);
  if (!text.ends_with('\n'))
    text += '\n';
  for (std::string_view rest = text; log_ && !rest.empty();) {
    const auto done = ::write(log_.get(), rest.data(), rest.size());
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0) {
      log_problem_ = "its log is not complete: the disk takes no more";
      return;
    }
    rest.remove_prefix(static_cast<std::size_t>(done));
  }
}

void troupe_call::metadata(std::string_view key, std::string_view json) {
  for (auto& [known, value] : metadata_)
    if (known == key) {
      value = json;
      return;
    }
  metadata_.emplace_back(key, json);
}

bool troupe_call::hand_on(const troupe_value& value, std::string_view version) {
  if (outcome_ != outcome_kind::succeeded)
    return false;
  const auto* const due = maker_.around().functions[declared().number]->type();
  if (value.object == nullptr || value.type == nullptr || due == nullptr || view(value.type->name) != view(due->name)) {
    fail(outcome_kind::permanent,
         "it hands on " +
             (value.type == nullptr ? std::string("nothing")
                                    : "a value of type " + std::string(view(value.type->name))) +
             ", and was declared to hand on " +
             (due == nullptr ? std::string("nothing") : std::string(view(due->name))));
    return false;
  }
  troupe_sink sink(*value.type, maker_.around().room.values(), maker_.around().room.value_limit());
  if (value.type->write(value.object, &sink) != 0)
    sink.fail({});
  auto kept = sink.keep();
  if (!kept) {
    fail(outcome_kind::failed, "its value cannot be kept: " + kept.error().message);
    return false;
  }
  version_ = version;
  made_ = std::move(*kept);
  handed_on_ = held_value::share(value);
  return true;
}

work_end troupe_call::end() {
  work_end ended;
  ended.so_far.has_log = static_cast<bool>(log_);
  if (!log_problem_.empty())
    ended.so_far.warnings.push_back(make_warning("log_incomplete", log_problem_));
  if (outcome_ == outcome_kind::succeeded && !made_ && maker_.around().functions[declared().number]->type() != nullptr)
    fail(outcome_kind::failed, "it returned without a value");
  if (outcome_ == outcome_kind::succeeded && !(metadata_.empty() && inputs_.empty() && version_.empty())) {
    attempt_report report{version_, {}, inputs_};
    if (!metadata_.empty()) {
      std::string text = "{\"metadata\":{";
      for (const auto& [key, json] : metadata_) {
        if (&key != &metadata_.front().first)
          text += ',';
        append_json_string(text, key);
        text.append(":").append(json);
      }
      auto parsed = parse_attempt_report(text + "}}");
      if (parsed)
        report.metadata = std::move(parsed->metadata);
      else
        fail(outcome_kind::bad_result, "what it says of itself " + parsed.error().message);
    }
    ended.report = std::move(report);
  }
  ended.so_far.outcome = outcome_;
  ended.so_far.message = why_;
  ended.value = std::move(made_);
  return ended;
}
