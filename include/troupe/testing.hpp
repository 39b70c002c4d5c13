// Tests of a program's own pipelines: codecs that are checked, commands that are played, time that goes ahead, a crash
// after every transaction. Knows no test framework.
#pragma once

#include "troupe/engine.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <ftw.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe {
inline namespace v1 {
namespace testing {

namespace detail {

using troupe::detail::held;
using troupe::detail::take_error;
using troupe::detail::type_of;

inline error broken(std::string what) {
  return {errc::invalid_argument, std::move(what), {}};
}

/// One value, as an engine holds it.
template <class T>
class holder {
public:
  explicit holder(const void* object) noexcept : object_(object) {}
  explicit holder(T value) : object_(new held<T>(std::move(value))) {}
  holder(holder&& from) noexcept : object_(std::exchange(from.object_, nullptr)) {}
  holder& operator=(holder&&) = delete;
  holder(const holder&) = delete;
  holder& operator=(const holder&) = delete;
  ~holder() {
    if (object_ != nullptr)
      type_of<T>.release(object_);
  }
  [[nodiscard]] const T& operator*() const { return static_cast<const held<T>*>(object_)->it; }
  [[nodiscard]] result<std::string> bytes() const {
    troupe_bytes* all = nullptr;
    if (auto* const why = troupe_value_write(&type_of<T>, object_, &all))
      return take_error(why);
    std::string text(static_cast<const char*>(troupe_bytes_data(all)), troupe_bytes_size(all));
    troupe_bytes_release(all);
    return text;
  }
  [[nodiscard]] static result<holder> read(std::string_view bytes) {
    const void* object = nullptr;
    if (auto* const why = troupe_value_read(&type_of<T>, type_of<T>.version, bytes.data(), bytes.size(), &object))
      return take_error(why);
    return holder(object);
  }

private:
  const void* object_;
};

/// Removes all of a folder.
inline void remove_folder(const std::string& path) {
  constexpr int most_open = 16;
  static_cast<void>(::nftw( // what cannot be removed is left lying about in the folder for temporary files
      path.c_str(), [](const char* one, const struct stat*, int, FTW*) { return ::remove(one), 0; }, most_open,
      FTW_DEPTH | FTW_PHYS));
}

class temporary_folder {
public:
  temporary_folder() {
    const char* const where = std::getenv("TMPDIR");
    path_ = std::string(where != nullptr && *where != 0 ? where : "/tmp") + "/troupe-test-XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr)
      path_.clear();
  }
  ~temporary_folder() {
    if (!path_.empty())
      remove_folder(path_);
  }
  temporary_folder(temporary_folder&& from) noexcept : path_(std::exchange(from.path_, {})) {}
  temporary_folder& operator=(temporary_folder&&) = delete;
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; } ///< empty: it could not be made

private:
  std::string path_;
};

} // namespace detail

/// Checks the laws of a codec on these values: what is written is read as an equal value; a value gives the same bytes
/// each time; equal values give equal bytes and others other bytes; each shorter text is refused, as is a longer one
/// (so codecs that take all that is left, as that of blob, do not pass). The error names the law and the value, by its
/// place.
template <storable T>
[[nodiscard]] result<void> check_codec(std::vector<T> values) {
  std::vector<detail::holder<T>> all;
  std::vector<std::string> texts;
  for (auto& value : values)
    all.emplace_back(std::move(value));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto name = "value " + std::to_string(i) + " of codec \"" + std::string(codec<T>::name) + "\": ";
    const auto bytes = all[i].bytes();
    const auto again = all[i].bytes();
    if (!bytes || !again)
      return detail::broken(name + "it cannot be written: " + (bytes ? again.error() : bytes.error()).message);
    if (*bytes != *again)
      return detail::broken(name + "written twice, it gives other bytes");
    const auto back = detail::holder<T>::read(*bytes);
    if (!back)
      return detail::broken(name + "what was written is not read: " + back.error().message);
    const auto rewritten = back->bytes();
    if (!rewritten || *rewritten != *bytes)
      return detail::broken(name + "read and written again, it gives other bytes");
    if constexpr (std::equality_comparable<T>)
      if (!(**back == *all[i]))
        return detail::broken(name + "what is read is not equal to what was written");
    constexpr std::size_t most_prefixes = 1'000; // of a long value, evenly spread
    const auto step = std::max<std::size_t>(1, bytes->size() / most_prefixes);
    for (std::size_t size = 0; size < bytes->size(); size += step)
      if (detail::holder<T>::read(std::string_view(*bytes).substr(0, size)))
        return detail::broken(name + "the first " + std::to_string(size) + " of its " + std::to_string(bytes->size()) +
                              " bytes are read as a value");
    if (detail::holder<T>::read(*bytes + '\0'))
      return detail::broken(name + "one byte more is read as a value");
    texts.push_back(*bytes);
  }
  if constexpr (std::equality_comparable<T>)
    for (std::size_t i = 0; i < all.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if ((*all[i] == *all[j]) != (texts[i] == texts[j]))
          return detail::broken(
              "values " + std::to_string(j) + " and " + std::to_string(i) + " of codec \"" +
              std::string(codec<T>::name) +
              (*all[i] == *all[j] ? "\" are equal, and their bytes are not" : "\" are not equal, and their bytes are"));
  return {};
}

/// Plays a command: the asset is made by f(troupe::context&), which writes its outputs itself, or returns an error.
/// Before the pipeline is added. not_found: no command makes the asset.
template <class F>
result<void> script(pipeline& in, std::string_view asset, F f) {
  using callee = troupe::detail::callee<F, troupe::detail::types<>>;
  static_assert(std::is_invocable_v<const F&, context&> || std::is_invocable_v<const F&>,
                "troupe: a script is called as const, with a troupe::context& or with nothing");
  const troupe_function by{sizeof(troupe_function), &callee::call, new callee{std::move(f)}, &callee::release};
  return troupe::detail::done(troupe_pipeline_script(in.handle(), troupe::detail::text(asset), &by));
}

/// An engine on a state of its own, which is gone afterwards. One function runs at a time. Values are not forced to
/// disk. The time is that of the machine, and goes ahead by advance(): for all engines of the process, so there is one
/// sandbox at a time.
class sandbox {
public:
  [[nodiscard]] static result<sandbox> open(const pipeline& what, engine_options how = {}) {
    detail::temporary_folder folder;
    if (folder.path().empty())
      return error{errc::state_unusable, std::string("no temporary folder can be made: ") + std::strerror(errno), {}};
    how.state = folder.path() + "/state";
    how.workers = how.workers == 0 ? 1 : how.workers;
    how.durability = durability::none;
    auto made = engine::open(how);
    if (!made)
      return made.error();
    if (const auto added = made->add(what); !added)
      return added.error();
    if (const auto recovered = made->recover(); !recovered)
      return recovered.error();
    return sandbox(std::move(folder), *std::move(made), troupe::detail::string(troupe_pipeline_name(what.handle())));
  }
  sandbox(sandbox&& from) noexcept
      : folder_(std::move(from.folder_)), engine_(std::move(from.engine_)), name_(std::move(from.name_)),
        ahead_(std::exchange(from.ahead_, duration::zero())) {}
  sandbox& operator=(sandbox&&) = delete;
  sandbox(const sandbox&) = delete;
  sandbox& operator=(const sandbox&) = delete;
  ~sandbox() {
    if (ahead_ != duration::zero())
      troupe_test_advance(-ahead_.count());
  }

  [[nodiscard]] troupe::engine& engine() noexcept { return engine_; }
  /// Brings the pipeline up to date, and says how that ended, whatever it was.
  [[nodiscard]] result<report> run(const run_options& how = {}) {
    auto started = engine_.start(name_, how);
    if (!started)
      return started.error();
    return started->outcome();
  }
  /// What a run would execute now, in order.
  [[nodiscard]] result<std::vector<std::string>> stale(const run_options& how = {}) {
    const auto planned = engine_.plan(name_, how);
    if (!planned)
      return planned.error();
    std::vector<std::string> names;
    for (const auto& one : *planned)
      names.push_back(one.name);
    return names;
  }
  /// It is so much later: `max_age` and keys see it. What waits for a timeout or a retry does not.
  void advance(duration by) {
    troupe_test_advance(by.count());
    ahead_ += by;
  }
  /// For files of the test; the state lies in it.
  [[nodiscard]] const std::string& folder() const noexcept { return folder_.path(); }

private:
  sandbox(detail::temporary_folder folder, troupe::engine made, std::string name)
      : folder_(std::move(folder)), engine_(std::move(made)), name_(std::move(name)) {}
  detail::temporary_folder folder_; ///< before the engine: it goes after it
  troupe::engine engine_;
  std::string name_;
  duration ahead_{};
};

struct crash_options {
  engine_options engine{}; ///< its state is set for each crash
  run_options run{};
  std::uint64_t most = 1'000; ///< crashes; a pipeline that needs more is an error
};

/// Runs the pipeline in a process of its own that ends, as by a crash, after its first transaction, on a new state;
/// again with its second, and so on, until it comes to its end without a crash. Then the same after the first function
/// has returned, before that is recorded; after the second, and so on. After each crash another process recovers, runs
/// the pipeline again, and calls `holds(troupe::engine&)`, which returns result<void>. How many crashes there were; or
/// the first error, with its place: "after transaction 3", "after call 1". For a process without other threads: it
/// forks.
template <class Invariant>
[[nodiscard]] result<std::uint64_t> crash_everywhere(const pipeline& what, const Invariant& holds,
                                                     const crash_options& how = {}) {
  constexpr int crashed = 77;
  constexpr int wrong = 78;
  const auto name = troupe::detail::string(troupe_pipeline_name(what.handle()));
  const detail::temporary_folder folder;
  if (folder.path().empty())
    return error{errc::state_unusable, std::string("no temporary folder can be made: ") + std::strerror(errno), {}};
  /// The exit status of a process that works on the state; what it has to say against it is in `said`.
  const auto in_child = [&](std::uint64_t transactions, std::uint64_t calls, const std::string& state, bool checks,
                            std::string& said) -> result<int> {
    int ends[2];
    if (::pipe(ends) != 0)
      return error{errc::internal, std::string("no pipe can be made: ") + std::strerror(errno), {}};
    const auto child = ::fork();
    if (child < 0) {
      ::close(ends[0]);
      ::close(ends[1]);
      return error{errc::internal, std::string("the process cannot be forked: ") + std::strerror(errno), {}};
    }
    if (child == 0) {
      ::close(ends[0]);
      const auto work = [&]() -> result<void> {
        auto with = how.engine;
        with.state = state;
        with.test_exit_after = transactions;
        with.test_exit_after_calls = calls;
        with.test_exit_status = crashed;
        with.durability = durability::none; // the process dies, not the machine
        auto engine = troupe::engine::open(with);
        if (!engine)
          return engine.error();
        if (const auto added = engine->add(what); !added)
          return added.error();
        const auto recovered = engine->recover();
        if (!recovered)
          return recovered.error();
        for (const auto& one : *recovered)
          if (one.run)
            if (const auto ended = one.run->outcome(); !ended)
              return ended.error();
        const auto started = engine->start(name, how.run);
        if (!started)
          return started.error();
        if (const auto ended = started->outcome(); !ended)
          return ended.error();
        return checks ? holds(*engine) : result<void>();
      };
      const auto done = work();
      if (!done) {
        const auto text = done.error().text();
        if (::write(ends[1], text.data(), text.size()) < 0)
          ::_exit(wrong + 1); // the exit status says that it went wrong
      }
      ::_exit(done ? 0 : wrong);
    }
    ::close(ends[1]);
    char piece[1'024];
    for (ssize_t got = 0; (got = ::read(ends[0], piece, sizeof piece)) != 0;) {
      if (got < 0 && errno != EINTR)
        break;
      if (got > 0)
        said.append(piece, static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
      if (errno != EINTR)
        return error{errc::internal, std::string("the process was not waited for: ") + std::strerror(errno), {}};
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  };
  std::uint64_t crashes = 0;
  for (const bool at_calls : {false, true})
    for (std::uint64_t number = 1;; ++number) {
      const auto place = (at_calls ? "after call " : "after transaction ") + std::to_string(number) + ": ";
      const auto state = folder.path() + (at_calls ? "/call-" : "/transaction-") + std::to_string(number);
      if (number > how.most + 1)
        return error{errc::internal, place + "there are more than " + std::to_string(how.most) + " crashes", {}};
      std::string said;
      const auto first = in_child(at_calls ? 0 : number, at_calls ? number : 0, state, false, said);
      if (!first)
        return first.error();
      const auto status = [&said](int code) { return said.empty() ? "exit status " + std::to_string(code) : said; };
      if (*first != 0 && *first != crashed)
        return error{errc::internal, place + "the run itself went wrong: " + status(*first), {}};
      said.clear();
      const auto second = in_child(0, 0, state, true, said);
      if (!second)
        return second.error();
      if (*second != 0)
        return error{errc::internal, place + status(*second), {}};
      detail::remove_folder(state);
      if (*first == 0)
        break;
      ++crashes;
    }
  return crashes;
}

} // namespace testing
} // namespace v1
} // namespace troupe
