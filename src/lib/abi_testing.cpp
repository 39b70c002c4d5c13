// The part of the C interface that is for tests of programs: codecs without an engine, commands that are played, time.
#include "adapters/system/clock_shift.hpp"
#include "engine/value_stream.hpp"
#include "lib/abi_error.hpp"
#include "lib/pipeline_draft.hpp"

using namespace troupe_internal;
using namespace troupe_internal::lib;

namespace {

/// Keeps all of a value in memory.
class memory_store final : public value_store {
public:
  explicit memory_store(std::string& into) : into_(into) {}
  result<std::unique_ptr<draft>> begin() override {
    return std::unique_ptr<draft>(std::make_unique<memory_draft>(into_));
  }
  bool has(const stored_value&) const override { return false; }
  result<std::string> read(const stored_value&) const override {
    return fail(error_code::not_found, "nothing is kept");
  }
  void drop(const stored_value&) override {}
  result<void> sweep(const std::function<bool(const digest&)>&) override { return {}; }

private:
  class memory_draft final : public draft {
  public:
    explicit memory_draft(std::string& into) : to_(into) {}
    result<void> put(std::string_view bytes) override {
      to_ += bytes;
      return {};
    }
    result<void> keep(const digest&) override { return {}; }

  private:
    std::string& to_;
  };
  std::string& into_;
};

} // namespace

extern "C" {

troupe_error* troupe_value_write(const troupe_type* type, const void* object, troupe_bytes** bytes) {
  return guarded([&]() -> troupe_error* {
    auto text = std::make_unique<std::string>();
    memory_store store(*text);
    troupe_sink sink(*type, store, ~std::uint64_t{0});
    if (type->write(object, &sink) != 0)
      sink.fail({});
    auto made = sink.keep();
    if (!made)
      return make_error(TROUPE_ERROR_INVALID_ARGUMENT, made.error().message);
    if (!made->kept.in_file())
      *text = std::move(made->kept.bytes.data);
    const auto* const data = text->data();
    const auto size = text->size();
    *bytes = new troupe_bytes(
        data, size, [](void* state) { delete static_cast<std::string*>(state); }, text.get());
    static_cast<void>(text.release()); // it is theirs
    return nullptr;
  });
}

troupe_error* troupe_value_read(const troupe_type* type, uint32_t version, const void* bytes, size_t size,
                                const void** object) {
  return guarded([&]() -> troupe_error* {
    troupe_source source(std::string(static_cast<const char*>(bytes), size));
    const auto* const read = type->read(&source, version);
    if (read != nullptr && source.why().empty() && source.left() == 0) {
      *object = read;
      return nullptr;
    }
    if (read != nullptr)
      type->release(read);
    return make_error(TROUPE_ERROR_VALUE_UNREADABLE, !source.why().empty() ? source.why()
                                                     : source.left() != 0
                                                         ? std::to_string(source.left()) + " bytes are left"
                                                         : std::string("its codec does not read it"));
  });
}

troupe_error* troupe_pipeline_script(troupe_pipeline* pipeline, troupe_text asset, const troupe_function* function) {
  return guarded([&]() -> troupe_error* {
    if (pipeline == nullptr || function == nullptr || function->size < sizeof(troupe_function))
      return refused_struct("troupe_function");
    return pipeline->script(view(asset), *function)
               ? nullptr
               : make_error(TROUPE_ERROR_NOT_FOUND,
                            "the pipeline has no asset \"" + std::string(view(asset)) + "\" that a command makes");
  });
}

void troupe_test_advance(int64_t by) {
  shift_clocks(duration(by));
}

} // extern "C"
