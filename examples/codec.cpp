// A type of the program's own as a value, before and after its layout changed: the new codec reads what the old one
// wrote. Knows the public headers alone.
#include <troupe/troupe.hpp>

#include <cstdio>
#include <string>

/// Version 1 had no currency.
struct price {
  long cents = 0;
  std::string currency = "EUR";
};

template <>
struct troupe::codec<price> {
  static constexpr std::string_view name = "price"; // recorded beside each value: it does not change
#ifdef OLD_LAYOUT
  static constexpr std::uint32_t version = 1;
  static void write(sink& to, const price& value) {
    troupe::write(to, value.cents);
  }
  static price read(source& from, std::uint32_t) {
    return {troupe::read<long>(from)};
  }
#else
  static constexpr std::uint32_t version = 2;
  static constexpr std::uint32_t oldest_readable = 1; // so that what is recorded stays good
  static void write(sink& to, const price& value) {
    troupe::write(to, value.cents);
    troupe::write(to, value.currency);
  }
  static price read(source& from, std::uint32_t written_as) {
    price value{troupe::read<long>(from)};
    if (written_as >= 2)
      value.currency = troupe::read<std::string>(from);
    return value;
  }
#endif
};

int main(int count, char** words) {
  if (count != 2)
    return std::fprintf(stderr, "usage: codec FOLDER\n"), 2;
  troupe::pipeline shop("shop");
  const auto cake = shop.make("cake", {.version = "1"}, [] { return price{400}; });
  auto engine = troupe::engine::open({.state = std::string(words[1]) + "/state"});
  if (!engine)
    return std::fprintf(stderr, "%s\n", engine.error().text().c_str()), 1;
  if (const auto added = engine->add(shop); !added)
    return std::fprintf(stderr, "%s\n", added.error().text().c_str()), 1;
  if (const auto recovered = engine->recover(); !recovered)
    return std::fprintf(stderr, "%s\n", recovered.error().text().c_str()), 1;
  auto run = engine->start("shop");
  const auto how = run ? run->wait() : troupe::result<troupe::report>(run.error());
  const auto value = engine->latest(cake);
  if (!how || !value)
    return std::fprintf(stderr, "%s\n", (how ? value.error() : how.error()).text().c_str()), 1;
  std::printf("%ld %s (%u made, %u fresh)\n", (*value)->cents, (*value)->currency.c_str(), how->succeeded, how->fresh);
}
