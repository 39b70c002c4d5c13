// One function for each kind of source.
#include "config/source_reader.hpp"

#include "config/path_text.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal::config {

void source_reader::watch() {
  watch_source source;
  const place opened = values_.key_place();
  const bool read = object("watch", watch_keys, [&](std::size_t key) {
    static constexpr std::array<std::string_view, 2> words = {"ignore", "fire"};
    switch (key) {
    case 0:
      source.paths = read_texts(values_, "watch.paths", "a list of paths", into_);
      for (std::size_t i = 0; i < source.paths.size() && !into_.broken; ++i)
        path(source.paths[i], into_.at("watch.paths." + std::to_string(i)));
      return;
    case 1:
      return span(source.settle, "settle", duration(0));
    case 2:
      return span(source.max_settle, "max_settle", duration(1));
    case 3:
      if (const auto i = values_.one_of("existing", words))
        source.fire_for_existing = *i == 1;
      else
        into_.broken = true;
      return;
    case 4:
      return span(source.poll, "poll", std::chrono::milliseconds(100));
    default:
      source.ignore = read_texts(values_, "watch.ignore", "a list of patterns of file names", into_);
    }
  });
  if (read && source.paths.empty() && !into_.broken && !values_.json.failed())
    wrong(opened, "missing_key", "the watch has no \"paths\"; name the files to watch, such as [\"inbox/*.csv\"]");
  if (!into_.broken && source.max_settle < source.settle)
    wrong(into_.at("watch.max_settle"), "contradiction", "\"max_settle\" is shorter than \"settle\"");
  into_.what.source = std::move(source);
}

void source_reader::assets() {
  assets_source source;
  const place opened = values_.key_place();
  int lists = 0;
  const bool read = object("assets", assets_keys, [&](std::size_t key) {
    if (key == 2) {
      duration within{0};
      span(within, "within", duration(1));
      source.within = within;
      return;
    }
    if (key == 3) {
      const auto self = values_.boolean("self");
      into_.broken |= !self;
      source.self = self.value_or(false);
      return;
    }
    ++lists;
    source.all = key == 1;
    const std::string what = "assets." + std::string(assets_keys[key]);
    source.assets.clear();
    const auto texts = read_texts(values_, what, "a list of assets", into_);
    for (std::size_t i = 0; i < texts.size(); ++i)
      source.assets.push_back(reference(texts[i], into_.at(what + "." + std::to_string(i))));
  });
  if (!read || into_.broken || values_.json.failed())
    return;
  if (lists != 1 || source.assets.empty())
    return wrong(opened, lists == 2 ? "bad_value" : "missing_key",
                 lists == 2 ? "\"assets\" has either \"any\" or \"all\"; make two triggers of this one"
                            : "\"assets\" names none: write \"any\": [\"NAME\"] or \"all\": [\"NAME\"]");
  if (source.within && !source.all)
    wrong(into_.at("assets.within"), "bad_value", "\"within\" goes with \"all\", not with \"any\"");
  into_.what.source = std::move(source);
}

void source_reader::manual() {
  static constexpr std::array<std::string_view, 1> keys = {"keep_keys"};
  manual_source source;
  object("manual", keys, [&](std::size_t) { retention(source.keep_keys); });
  into_.what.source = source;
}

void source_reader::start() {
  object("start", {}, [](std::size_t) {});
  into_.what.source = start_source{};
}

void source_reader::wrong(place where, std::string_view code, std::string message) {
  into_.broken = true;
  values_.out.error(where, code, std::move(message));
}

void source_reader::text(std::string& into, std::string_view what, std::string_view expected) {
  const auto value = values_.string(what, expected);
  if (!value)
    into_.broken = true;
  else if (value->empty())
    wrong(values_.where(), "bad_value", named(what) + " is empty");
  else
    into = *value;
}

void source_reader::span(duration& into, std::string_view what, duration least) {
  if (const auto value = values_.time_span(what, least))
    into = *value;
  else
    into_.broken = true;
}

void source_reader::retention(key_retention& into) {
  const auto v = values_.next();
  if (v.kind == json_kind::string && v.text == "forever") {
    into = std::nullopt;
    return;
  }
  const auto value = values_.time_span_of(v, "keep_keys", duration(1));
  into_.broken |= !value;
  into = value;
}

void source_reader::path(std::string& text, place where) {
  declared_path path;
  read_path(text, path);
  if (path.problem.empty())
    text = path.text;
  else
    wrong(where, "bad_path", in_quotes(text) + " " + std::string(path.problem));
}

asset_reference source_reader::reference(const std::string& text, place where) {
  const auto slash = text.substr(0, text.find('[')).find('/');
  if (slash == std::string::npos)
    return {{}, text};
  const auto of = text.substr(0, slash);
  if (!is_name(of))
    wrong(where, "bad_name", name_problem(of, "a pipeline"));
  else if (slash + 1 == text.size())
    wrong(where, "bad_name", in_quotes(text) + " names no asset after the /");
  return {of, text.substr(slash + 1)};
}

std::vector<std::string> read_texts(value_reader& values, std::string_view what, std::string_view expected,
                                    declared_trigger& into) {
  std::vector<std::string> list;
  const auto name = what.substr(what.rfind('.') + 1);
  into.broken |= !values.array(name, expected, [&](std::size_t) {
    const auto text = values.string("an element of " + named(name));
    if (!text) {
      into.broken = true;
      return;
    }
    if (text->empty()) {
      into.broken = true;
      values.out.error(values.where(), "bad_value", "an element of " + named(name) + " is empty");
    }
    into.places[std::string(what) + "." + std::to_string(list.size())] = values.where();
    list.emplace_back(*text);
  });
  return list;
}

void read_source(value_reader& values, std::size_t kind, const trigger_sources& sources, declared_trigger& into) {
  source_reader reader(values, sources, into);
  switch (kind) {
  case 0:
    return reader.schedule();
  case 1:
    return reader.watch();
  case 2:
    return reader.webhook();
  case 3:
    return reader.sensor();
  case 4:
    return reader.assets();
  case 5:
    return reader.manual();
  default:
    return reader.start();
  }
}

} // namespace troupe_internal::config
