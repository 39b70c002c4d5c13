// A service over HTTP that makes what is asked for when it is asked for: GET /greeting brings the asset up to date and
// answers with its value. One request at a time, on a socket of its own. Knows the public headers alone.
#include <troupe/troupe.hpp>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

std::string answer(int status, const std::string& text) {
  return "HTTP/1.1 " + std::to_string(status) + (status == 200 ? " OK" : " Error") +
         "\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " + std::to_string(text.size()) +
         "\r\n\r\n" + text;
}

/// The first line of a request; empty: it is none.
std::string first_line(int from) {
  std::string text;
  char piece[512];
  while (text.find("\r\n\r\n") == std::string::npos && text.size() < 8'192) {
    const auto got = ::read(from, piece, sizeof piece);
    if (got <= 0)
      return {};
    text.append(piece, static_cast<std::size_t>(got));
  }
  return text.substr(0, text.find("\r\n"));
}

} // namespace

int main(int count, char** words) {
  if (count != 3)
    return std::fprintf(stderr, "usage: http_service FOLDER REQUESTS\n"), 2;
  const std::string folder = words[1];
  int left = std::atoi(words[2]); // a service of yours goes on until it is told to stop

  troupe::pipeline site("site");
  site.folder(folder);
  const auto name = site.source("name", {"name.txt"});
  const auto greeting = site.make(
      "greeting", {.version = "1"},
      [](const troupe::files& in) {
        std::string who;
        std::getline(std::ifstream(in.paths.front()) >> std::ws, who);
        return "Hello, " + who + "!\n";
      },
      name);

  auto engine = troupe::engine::open({.state = folder + "/state"});
  if (!engine)
    return std::fprintf(stderr, "%s\n", engine.error().text().c_str()), 1;
  if (const auto added = engine->add(site); !added)
    return std::fprintf(stderr, "%s\n", added.error().text().c_str()), 1;
  if (const auto recovered = engine->recover(); !recovered)
    return std::fprintf(stderr, "%s\n", recovered.error().text().c_str()), 1;

  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  if (listener < 0 || ::bind(listener, reinterpret_cast<const sockaddr*>(&where), size) != 0 ||
      ::listen(listener, 16) != 0 || ::getsockname(listener, reinterpret_cast<sockaddr*>(&where), &size) != 0)
    return std::fprintf(stderr, "cannot listen: %s\n", std::strerror(errno)), 1;
  std::printf("http://127.0.0.1:%d/greeting\n", ntohs(where.sin_port));
  std::fflush(stdout);

  const auto made = [&]() -> troupe::result<std::string> {
    const auto run = engine->start("site", {.select = {"greeting"}}); // a run in which all is fresh takes a moment
    if (!run)
      return run.error();
    const auto how = run->wait();
    if (!how)
      return how.error();
    const auto value = engine->latest(greeting);
    if (!value)
      return value.error();
    return "run #" + std::to_string(how->number) + (how->succeeded > 0 ? ", made: " : ", fresh: ") + **value;
  };
  while (left-- > 0) {
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0)
      continue;
    std::string text = answer(404, "there is GET /greeting\n");
    if (first_line(client).rfind("GET /greeting ", 0) == 0) {
      const auto value = made();
      text = value ? answer(200, *value) : answer(500, value.error().text() + "\n");
    }
    if (::write(client, text.data(), text.size()) < 0)
      std::fprintf(stderr, "the client has gone: %s\n", std::strerror(errno));
    ::close(client);
  }
  ::close(listener);
}
