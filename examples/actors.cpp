// A program of actors (CAF): one of its actors makes an asset, another starts runs and hears how they end. Knows the
// public headers and CAF.
#include <troupe/caf.hpp>
#include <troupe/troupe.hpp>

#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <cstdio>
#include <string>

namespace {

using pricing_actor = caf::typed_actor<caf::replies_to<std::string>::with<double>>;

pricing_actor::behavior_type pricing(pricing_actor::pointer) {
  return {[](const std::string& goods) { return static_cast<double>(goods.size()); }};
}

} // namespace

int main(int count, char** words) {
  if (count != 2)
    return std::fprintf(stderr, "usage: actors FOLDER\n"), 2;
  caf::actor_system_config config;
  caf::actor_system system(config);

  troupe::pipeline shop("shop");
  const auto goods = shop.constant("goods", std::string("cake"));
  const auto price = troupe::actors::make(shop, "price", {.version = "1"}, system, system.spawn(pricing), goods);

  auto engine = troupe::engine::open({.state = std::string(words[1]) + "/state"}); // declared after what it refers to
  if (!engine)
    return std::fprintf(stderr, "%s\n", engine.error().text().c_str()), 1;
  if (const auto added = engine->add(shop); !added)
    return std::fprintf(stderr, "%s\n", added.error().text().c_str()), 1;
  if (const auto recovered = engine->recover(); !recovered)
    return std::fprintf(stderr, "%s\n", recovered.error().text().c_str()), 1;

  const auto facade = troupe::actors::attach(system, *engine);
  caf::scoped_actor self{system};
  const auto refused = [](const caf::error& why) {
    std::fprintf(stderr, "%s\n", troupe::actors::error_of(why).text().c_str());
  };
  std::uint64_t number = 0;
  self->request(facade, caf::infinite, troupe::actors::start_run{"shop"})
      .receive([&](std::uint64_t run) { number = run; }, refused);
  self->request(facade, caf::infinite, troupe::actors::await_run{number})
      .receive([](const troupe::report& how) { std::printf("%s, ", to_string(how.status)); }, refused);
  const auto value = engine->latest(price);
  if (!value)
    return std::fprintf(stderr, "%s\n", value.error().text().c_str()), 1;
  std::printf("cake costs %.2f\n", **value);
}
