// The part of the C interface that declares pipelines.
#include "engine/value_stream.hpp"
#include "lib/abi_error.hpp"
#include "lib/pipeline_draft.hpp"

#include <algorithm>
#include <cstring>

using namespace troupe_internal;
using namespace troupe_internal::lib;

namespace {

/// Adds an asset; one of no pipeline where that cannot be.
template <class Work>
troupe_asset added(troupe_pipeline* pipeline, Work&& work) noexcept {
  try {
    return pipeline == nullptr ? troupe_asset{} : std::forward<Work>(work)();
  } catch (const std::exception&) { // no memory: a handle of no pipeline is a mistake wherever it is used
    return {};
  }
}

template <class Work>
void change(troupe_pipeline* pipeline, Work&& work) noexcept {
  static_cast<void>(added(pipeline, [&] {
    std::forward<Work>(work)();
    return troupe_asset{};
  }));
}

/// As far as the caller knows the struct; what it does not know is zero.
template <class T>
T known(const T* from) {
  T all{};
  if (from != nullptr)
    std::memcpy(&all, from, std::min<std::size_t>(from->size, sizeof all));
  all.size = sizeof all;
  return all;
}

} // namespace

extern "C" {

troupe_pipeline* troupe_pipeline_new(troupe_text name, troupe_place where) {
  try {
    return new troupe_pipeline(std::string(view(name)), where);
  } catch (const std::exception&) {
    return nullptr;
  }
}

troupe_pipeline* troupe_pipeline_clone(const troupe_pipeline* pipeline) {
  try {
    return pipeline == nullptr ? nullptr : new troupe_pipeline(*pipeline);
  } catch (const std::exception&) {
    return nullptr;
  }
}

void troupe_pipeline_release(troupe_pipeline* pipeline) {
  delete pipeline;
}

uint32_t troupe_pipeline_id(const troupe_pipeline* pipeline) {
  return pipeline == nullptr ? 0 : pipeline->id();
}

troupe_text troupe_pipeline_name(const troupe_pipeline* pipeline) {
  return pipeline == nullptr ? troupe_text{} : text_of(pipeline->name());
}

void troupe_pipeline_folder(troupe_pipeline* pipeline, troupe_text folder, troupe_place where) {
  change(pipeline, [&] { pipeline->folder(view(folder), where); });
}

void troupe_pipeline_param(troupe_pipeline* pipeline, troupe_text name, troupe_text value, troupe_place where) {
  change(pipeline, [&] { pipeline->param(view(name), view(value), where); });
}

void troupe_pipeline_pool(troupe_pipeline* pipeline, troupe_text name, uint32_t slots, troupe_place where) {
  change(pipeline, [&] { pipeline->pool(view(name), slots, where); });
}

void troupe_pipeline_error_strategy(troupe_pipeline* pipeline, uint8_t strategy) {
  change(pipeline, [&] { pipeline->strategy(strategy); });
}

void troupe_pipeline_on(troupe_pipeline* pipeline, troupe_text name, const troupe_text* select, size_t select_count,
                        troupe_place where) {
  change(pipeline, [&] {
    std::vector<std::string> selection;
    for (size_t i = 0; i < select_count; ++i)
      selection.emplace_back(view(select[i]));
    pipeline->on_event(view(name), std::move(selection), where);
  });
}

troupe_asset troupe_pipeline_add_files(troupe_pipeline* pipeline, troupe_text name, const troupe_text* files,
                                       size_t count, troupe_place where) {
  return added(pipeline, [&] {
    std::vector<std::string> paths;
    for (size_t i = 0; i < count; ++i)
      paths.emplace_back(view(files[i]));
    return pipeline->add_files(view(name), std::move(paths), where);
  });
}

troupe_asset troupe_pipeline_add_command(troupe_pipeline* pipeline, troupe_text name, const troupe_command* command,
                                         const troupe_asset_options* options, troupe_place where) {
  return added(pipeline, [&] {
    const auto how = known(options);
    return pipeline->add_command(view(name), known(command), &how, where);
  });
}

troupe_asset troupe_pipeline_add_function(troupe_pipeline* pipeline, troupe_text name, const troupe_made_by* by,
                                          const troupe_asset_options* options, troupe_place where) {
  return added(pipeline, [&] {
    const auto how = known(options);
    return pipeline->add_function(view(name), known(by), &how, where);
  });
}

troupe_asset troupe_pipeline_add_value(troupe_pipeline* pipeline, troupe_text name, const troupe_value* value,
                                       troupe_place where) {
  return added(pipeline, [&] {
    return value == nullptr || value->object == nullptr || value->type == nullptr
               ? troupe_asset{}
               : pipeline->add_value(view(name), *value, where);
  });
}

troupe_error* troupe_pipeline_check(const troupe_pipeline* pipeline) {
  return guarded([&]() -> troupe_error* {
    if (pipeline == nullptr)
      return make_error(TROUPE_ERROR_INVALID_ARGUMENT, "there is no pipeline: it was moved from");
    return pipeline->build({}, {}, {}).wrong.release();
  });
}

} // extern "C"
