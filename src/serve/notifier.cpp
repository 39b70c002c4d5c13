// One turn: what the journal says, what is overdue, what is to be delivered; then sleep.
#include "serve/notifier.hpp"

#include "adapters/files/posix_file_system.hpp"
#include "adapters/system/event_wake.hpp"
#include "adapters/system/start_thread.hpp"
#include "adapters/system/zone_files.hpp"
#include "base/json_writer.hpp"
#include "core/journal/event_json.hpp"
#include "engine/project.hpp"
#include "serve/hook_signature.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <sstream>
#include <system_error>

namespace troupe_internal::serve {

namespace {

constexpr std::uint64_t events_between_records = 1'000; ///< without a notice, for how far the journal was read
constexpr std::size_t most_deliveries = 10'000;         ///< deliveries; a notice beyond is not taken
constexpr auto too_old = std::chrono::hours(24 * 7);    ///< what happened before is nobody's news
constexpr auto given_up_after = std::chrono::hours(24 * 3);
constexpr unsigned most_waits_doubled = 9; ///< 2^9 s are some minutes
constexpr duration delivery_timeout = std::chrono::seconds(30);
constexpr duration delivery_grace = std::chrono::seconds(2);
constexpr std::size_t most_answer = 64UL * 1024;
constexpr duration journal_again_after = std::chrono::seconds(1);

/// A text in a configuration file of curl.
std::string curl_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    if (c == '\n' || c == '\r')
      out += c == '\n' ? "\\n" : "\\r";
    else
      out += c;
  }
  return out + "\"";
}

bool wants(const config::notify_target& target, notice_kind kind) {
  return std::find(target.on.begin(), target.on.end(), to_string(kind)) != target.on.end();
}

bool same_news(const notice_taken& one, const notice_taken& other) {
  return one.kind == other.kind && one.subject == other.subject;
}

} // namespace

notifier::notifier(serving_engine& engine, trigger_desk& desk, system_clock& time, notify_setup setup,
                   std::function<void(const std::string&)> log)
    : engine_(engine), desk_(desk), time_(time), setup_(std::move(setup)), log_(std::move(log)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      timer_(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC)) {
  if (!wake_ || !timer_)
    throw std::system_error(errno, std::generic_category(), "a timer");
  commands_ = std::make_unique<own_commands>(engine_);
  thread_ = start_thread([this] { run(); });
  desk_.listen(this, [this] {
    relearn_ = true;
    wake(wake_.get());
  });
  engine_.tell_of_commits([this] { wake(wake_.get()); });
}

notifier::~notifier() {
  engine_.tell_of_commits({});
  desk_.listen(this, {});
  ending_ = true;
  wake(wake_.get());
  thread_.join();
  commands_.reset();
}

notice_figures notifier::figures() const {
  const std::lock_guard lock(figures_mutex_);
  return figures_;
}

void notifier::learn_pipelines() {
  const auto zones = zone_files::of_system();
  std::map<std::string, expected_freshness> expected;
  std::map<std::string, std::vector<std::string>> owners;
  for (const auto& of : desk_.pipelines())
    for (std::uint32_t i = 0; i < of.p->assets.size(); ++i) {
      const asset_index asset(i);
      const auto& settings = of.p->settings_of(asset);
      const auto name = of.pipeline + "/" + std::string(of.p->asset(asset).name);
      if (!settings.owners.empty())
        owners.emplace(name, settings.owners);
      if (!settings.expect)
        continue;
      auto one = expected_of(*settings.expect, [&](const std::string& zone) { return zones.find(zone); });
      if (!one) {
        log_("asset " + name + ": \"expect\" is not heeded: " + one.error().message);
        continue;
      }
      one->owners = settings.owners;
      expected.emplace(name, std::move(*one));
    }
  rules_.set_expectations(std::move(expected), time_.now());
  owners_of_asset_ = owners;
  rules_.set_owners(std::move(owners));
}

result<void> notifier::begin_in(serving_engine& engine) {
  std::uint64_t last = 0;
  {
    const auto snapshot = engine.history();
    if (!snapshot)
      return snapshot.error();
    if ((*snapshot)->info().notices_up_to != 0)
      return {};
    last = (*snapshot)->info().last_seq;
  }
  return engine.record({notices_read{last}});
}

result<void> notifier::begin() {
  const auto snapshot = engine_.history();
  if (!snapshot)
    return snapshot.error();
  const auto& info = (*snapshot)->info();
  state_ = to_string(info.id);
  last_notice_ = info.last_notice;
  const auto visited = (*snapshot)->visit_notices([&](const notice_taken& notice) {
    rules_.note_lasting(notice);
    if (!notice.targets.empty())
      waiting_.emplace(notice.notice, notice);
    return true;
  });
  if (!visited)
    return visited.error();
  // What is kept is read from its beginning: it says when assets were up to date. Only what comes behind the record is
  // news.
  read_ = info.first_seq - 1;
  recorded_ = info.notices_up_to;
  if (recorded_ == 0) { // it could not be recorded when the state was opened
    if (auto done = engine_.record({notices_read{info.last_seq}}); !done)
      return done;
    recorded_ = info.last_seq;
  }
  begun_ = true;
  return {};
}

void notifier::forget() {
  begun_ = false;
  rules_ = {};
  relearn_ = true;
  waiting_.clear();
}

result<void> notifier::read_journal() {
  const auto snapshot = engine_.history();
  if (!snapshot)
    return snapshot.error();
  const auto last = (*snapshot)->info().last_seq;
  if (last <= read_)
    return {};
  const auto named = (*snapshot)->info().asset_count;
  if (names_.size() < named) {
    names_.clear();
    const auto visited = (*snapshot)->visit_asset_names([&](asset_id, std::string_view name) {
      names_.emplace_back(name);
      return true;
    });
    if (!visited)
      return visited.error();
  }
  notice_rules::lookups known;
  known.run = [&](run_number run) -> std::optional<run_record> {
    auto record = (*snapshot)->read_run(run);
    return record ? *record : std::nullopt;
  };
  known.asset = [&](asset_id id) { return id.value < names_.size() ? names_[id.value] : std::string(); };
  known.trigger_of_event = [&](std::uint64_t) { return std::string(); };
  std::vector<found_notice> found;
  std::vector<notice_taken> news;
  const auto visited = (*snapshot)->visit_events(read_ + 1, [&](std::uint64_t seq, const event& e) {
    if (seq > last)
      return false;
    rules_.read(e, known, seq <= recorded_, found);
    for (auto& one : std::exchange(found, {}))
      prepare(std::move(one), news);
    return true;
  });
  if (!visited)
    return visited.error();
  read_ = last;
  return take(std::move(news));
}

result<void> notifier::look() {
  std::vector<found_notice> found;
  std::vector<notice_taken> news;
  rules_.look(time_.now(), found);
  for (auto& one : found)
    prepare(std::move(one), news);
  return take(std::move(news));
}

std::vector<std::string> notifier::targets_of(const found_notice& found) const {
  std::vector<std::string> targets;
  for (const auto& target : setup_.targets) {
    const bool of_it = target.pipelines.empty() || std::find(target.pipelines.begin(), target.pipelines.end(),
                                                             found.what.pipeline) != target.pipelines.end();
    if (of_it && wants(target, found.what.kind))
      targets.push_back(target.name);
  }
  return targets;
}

void notifier::prepare(found_notice one, std::vector<notice_taken>& news) {
  auto& what = one.what;
  if (what.at < time_.now() - too_old)
    return;
  what.targets = targets_of(one);
  // The same news about events does not pile up where nobody takes it.
  const auto waits = [&](const notice_taken& other) { return same_news(other, what) && !other.targets.empty(); };
  if (what.kind == notice_kind::rejected &&
      (std::any_of(news.begin(), news.end(), waits) ||
       std::any_of(waiting_.begin(), waiting_.end(), [&](const auto& other) { return waits(other.second); })))
    return;
  if (what.opens && what.targets.empty() && what.kind == notice_kind::failed) {
    auto later = one;
    later.what.kind = notice_kind::recovered;
    what.opens = !targets_of(later).empty(); // somebody wants to hear of its end
  }
  if (waiting_.size() + news.size() >= most_deliveries && !what.targets.empty()) {
    log_("a notice is lost: " + std::to_string(most_deliveries) + " wait for delivery, and there is no room for more");
    what.targets.clear();
  }
  if (what.targets.empty() && !what.opens && what.closes == 0)
    return;
  what.notice = ++last_notice_;
  owners_[what.notice] = std::move(one.owners);
  rules_.note_lasting(what);
  news.push_back(std::move(what));
}

result<void> notifier::take(std::vector<notice_taken> news) {
  if (news.empty() && read_ < recorded_ + events_between_records)
    return {};
  std::vector<event> events(news.begin(), news.end());
  if (read_ > recorded_)
    events.emplace_back(notices_read{read_});
  if (events.empty())
    return {};
  if (auto done = engine_.record(std::move(events)); !done)
    return done;
  recorded_ = std::max(recorded_, read_);
  for (auto& one : news)
    if (!one.targets.empty())
      waiting_.emplace(one.notice, std::move(one));
  return {};
}

std::vector<std::string> notifier::owners_of(const notice_taken& notice) const {
  if (const auto known = owners_.find(notice.notice); known != owners_.end())
    return known->second;
  std::set<std::string> all;
  const auto add = [&](const std::string& asset) {
    if (const auto owners = owners_of_asset_.find(asset); owners != owners_of_asset_.end())
      all.insert(owners->second.begin(), owners->second.end());
  };
  add(notice.subject);
  if (notice.kind == notice_kind::failed && notice.bound_run.value != 0)
    if (const auto run = read_run_report(engine_.folder(), notice.bound_run)) // else it is kept no more
      for (const auto& asset : run->assets)
        if (asset.status == asset_status::failed)
          add(notice.pipeline + "/" + asset.name);
  return {all.begin(), all.end()};
}

std::string notifier::text_of(const notice_taken& notice) const {
  std::ostringstream text;
  {
    json_writer json(text);
    json.begin_object().member("format", 1).member("notice", notice.notice).member("kind", to_string(notice.kind));
    json.member("at", to_rfc3339(notice.at)).member("pipeline", notice.pipeline).member("subject", notice.subject);
    json.key("run");
    if (notice.bound_run.value == 0)
      json.null();
    else
      json.value(notice.bound_run.value);
    json.member("because", notice.because).key("owners").begin_array();
    for (const auto& one : owners_of(notice))
      json.value(one);
    json.end_array().member("state", state_).end_object();
  }
  auto line = text.str();
  std::erase(line, '\n');
  return line;
}

result<own_command> notifier::command_for(const config::notify_target& to, const notice_taken& notice) {
  own_command command;
  command.cwd = setup_.folder;
  command.timeout = delivery_timeout;
  command.grace = delivery_grace;
  command.most_output = most_answer;
  command.environment = environment_with({"TROUPE_NOTICE=" + std::string(to_string(notice.kind))});
  const auto text = text_of(notice);
  if (to.url.empty()) {
    command.argv = to.shell ? std::vector<std::string>{"/bin/sh", "-c", to.command.front()} : to.command;
    command.input = text + "\n";
    return command;
  }
  // Nothing of it is an argument: others can read those.
  command.argv = {"curl", "--disable", "--config", "-"};
  const auto id = "troupe_" + state_ + "_" + std::to_string(notice.notice) + "_" + to.name;
  command.input = "url = " + curl_text(to.url) +
                  "\nproto = \"=http,https\"\nsilent\nshow-error\nfail\nmax-time = 25\n" +
                  "header = \"Content-Type: application/json\"\nheader = " + curl_text("webhook-id: " + id) +
                  "\ndata-raw = " + curl_text(text) + "\n";
  if (to.secret) {
    const auto secret = secrets_.read(*to.secret, setup_.folder);
    if (!secret)
      return secret.error();
    const auto key = signing_key(webhook_scheme::standard, *secret);
    if (!key)
      return key.error();
    const auto stamp = std::to_string(to_unix_ns(time_.now()) / 1'000'000'000);
    command.input += "header = " + curl_text("webhook-timestamp: " + stamp) +
                     "\nheader = " + curl_text("webhook-signature: " + standard_signature(*key, id, stamp, text)) +
                     "\n";
  }
  return command;
}

void notifier::deliver(const config::notify_target& to, lane& by, const notice_taken& notice) {
  by.delivering = true;
  ++by.attempts;
  const auto end = [this, target = to.name, number = notice.notice](command_end how) {
    {
      const std::lock_guard lock(mutex_);
      ended_.push_back({target, number, std::move(how)});
    }
    wake(wake_.get());
  };
  auto command = command_for(to, notice);
  if (!command)
    return end({command.error().message, {}, false});
  commands_->start(std::move(*command), end);
}

void notifier::deliver_all() {
  // Of a target that is gone.
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto notice = at++;
    for (const auto& name : std::vector<std::string>(notice->second.targets))
      if (std::none_of(setup_.targets.begin(), setup_.targets.end(), [&](const auto& t) { return t.name == name; }))
        if (!settle(notice->first, name, delivery_end::removed, 0, "the settings have no such target"))
          return;
  }
  for (const auto& target : setup_.targets) {
    auto& by = lanes_[target.name];
    if (by.delivering || by.due > time_.monotonic())
      continue;
    for (const auto& [number, notice] : waiting_)
      if (std::find(notice.targets.begin(), notice.targets.end(), target.name) != notice.targets.end()) {
        deliver(target, by, notice);
        break;
      }
  }
}

result<void> notifier::settle(std::uint64_t notice, const std::string& target, delivery_end how, std::uint32_t attempts,
                              const std::string& because) {
  if (auto done = engine_.record({notice_settled{notice, target, time_.now(), how, attempts, because}}); !done)
    return done;
  auto& targets = waiting_.at(notice).targets;
  std::erase(targets, target);
  if (targets.empty()) {
    waiting_.erase(notice);
    owners_.erase(notice);
  }
  return {};
}

void notifier::take_end(const std::string& target, std::uint64_t notice, const command_end& end) {
  auto& by = lanes_[target];
  by.delivering = false;
  if (end.ended_by_us)
    return;
  const auto fails = [&](const std::string& why) {
    by.due = time_.monotonic() + std::chrono::seconds(std::uint64_t{1} << std::min(by.attempts, most_waits_doubled));
    if (std::exchange(trouble_[target], why) != why)
      log_("notification " + target + ": notice " + std::to_string(notice) + " was not delivered: " + why);
  };
  const auto known = waiting_.find(notice);
  if (known == waiting_.end())
    return;
  const bool gives_up = !end.problem.empty() && time_.now() > known->second.at + given_up_after;
  if (!end.problem.empty())
    fails(end.problem);
  if (!end.problem.empty() && !gives_up)
    return;
  const auto how = gives_up ? delivery_end::given_up : delivery_end::delivered;
  if (const auto done = settle(notice, target, how, by.attempts, end.problem); !done)
    return fails(done.error().message); // it is delivered once more
  ++(gives_up ? given_up_ : delivered_);
  by.attempts = 0;
  if (!gives_up) {
    by.due = duration::zero();
    if (trouble_.erase(target) != 0)
      log_("notification " + target + ": all is well again");
  }
}

void notifier::show() {
  notice_figures shown;
  for (const auto& [number, notice] : waiting_) {
    shown.waiting += notice.targets.size();
    if (!shown.oldest)
      shown.oldest = notice.at;
  }
  shown.delivered = delivered_;
  shown.given_up = given_up_;
  shown.overdue = rules_.overdue();
  shown.trouble = trouble_;
  const std::lock_guard lock(figures_mutex_);
  figures_ = std::move(shown);
}

void notifier::sleep() {
  constexpr std::int64_t second = 1'000'000'000;
  itimerspec at{};
  if (const auto next = rules_.next_look(time_.now())) {
    at.it_value.tv_sec = static_cast<time_t>(to_unix_ns(*next) / second);
    at.it_value.tv_nsec = static_cast<long>(to_unix_ns(*next) % second);
  }
  static_cast<void>(timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, nullptr));
  std::optional<duration> due;
  if (!problem_.empty())
    due = time_.monotonic() + journal_again_after;
  for (const auto& [target, by] : lanes_) {
    const bool has_one = std::any_of(waiting_.begin(), waiting_.end(), [&, name = &target](const auto& one) {
      return std::find(one.second.targets.begin(), one.second.targets.end(), *name) != one.second.targets.end();
    });
    if (has_one && !by.delivering && (!due || by.due < *due))
      due = by.due;
  }
  const auto left = due ? std::chrono::ceil<std::chrono::milliseconds>(*due - time_.monotonic()).count() : -1;
  std::array<pollfd, 2> waits{{{wake_.get(), POLLIN, 0}, {timer_.get(), POLLIN, 0}}};
  static_cast<void>(
      poll(waits.data(), waits.size(), due ? static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000)) : -1));
  for (const auto& one : waits) {
    std::uint64_t times = 0;
    [[maybe_unused]] const auto count = read(one.fd, &times, sizeof times);
  }
}

void notifier::run() {
  while (!ending_) {
    // Where many events come, one look is for many of them.
    constexpr duration between_looks = std::chrono::milliseconds(20);
    if (const auto since = time_.monotonic() - looked_at_; since < between_looks)
      std::this_thread::sleep_for(between_looks - since);
    looked_at_ = time_.monotonic();
    if (relearn_.exchange(false))
      learn_pipelines();
    auto done = begun_ ? result<void>() : begin();
    if (done)
      done = read_journal();
    if (done)
      done = look();
    if (!done)
      forget(); // what was not recorded is found again
    problem_ = done ? std::string() : done.error().message;
    std::vector<ended_delivery> ended;
    {
      const std::lock_guard lock(mutex_);
      ended.swap(ended_);
    }
    for (const auto& one : ended)
      take_end(one.target, one.notice, one.end);
    if (done)
      deliver_all();
    show();
    if (!ending_)
      sleep();
  }
}

} // namespace troupe_internal::serve
