// Sends signed requests to a webhook of `troupe serve` from many connections, and says how long each took; and commits
// as many bytes to a bare LMDB file, one at a time, for comparison. Knows the requests alone.
//   hook_client send SOCKET|PORT TARGET SECRET CLIENTS REQUESTS BYTES
//   hook_client lmdb FOLDER COMMITS BYTES
//   hook_client stamp FILE       (a command of a run: when it began to run)
// Prints one line of JSON: latencies in microseconds, sorted quantiles.
#include <arpa/inet.h>
#include <fcntl.h>
#include <lmdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using steady = std::chrono::steady_clock;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "hook_client: %s\n", why.c_str());
  std::exit(1);
}

double us_since(steady::time_point began) {
  return std::chrono::duration<double, std::micro>(steady::now() - began).count();
}

void print(std::vector<double> took, double seconds) {
  std::sort(took.begin(), took.end());
  const auto at = [&](double part) {
    return took.empty()
               ? 0.0
               : took[std::min(took.size() - 1, static_cast<std::size_t>(part * static_cast<double>(took.size())))];
  };
  std::printf("{\"count\": %zu, \"seconds\": %.3f, \"p50_us\": %.0f, \"p99_us\": %.0f, \"max_us\": %.0f}\n",
              took.size(), seconds, at(0.5), at(0.99), at(1));
}

std::string signature(const std::string& secret, const std::string& body) {
  std::array<unsigned char, 32> mac{};
  unsigned length = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(body.data()), body.size(), mac.data(), &length);
  std::string hex;
  for (const auto byte : mac) {
    hex += "0123456789abcdef"[byte >> 4U];
    hex += "0123456789abcdef"[byte & 15U];
  }
  return hex;
}

int connect_to(const std::string& where) {
  int fd = -1;
  if (where.find('/') != std::string::npos) {
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (where.size() >= sizeof address.sun_path)
      die("the socket's path is too long");
    std::memcpy(address.sun_path, where.c_str(), where.size() + 1);
    if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      die("cannot connect");
  } else {
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(where)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      die("cannot connect");
    const int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  return fd;
}

/// One request and its whole answer.
void exchange(int fd, const std::string& request) {
  for (std::string_view left = request; !left.empty();) {
    const auto put = send(fd, left.data(), left.size(), MSG_NOSIGNAL);
    if (put <= 0)
      die("the connection is closed");
    left.remove_prefix(static_cast<std::size_t>(put));
  }
  std::string got;
  for (;;) {
    char bytes[4096];
    const auto count = recv(fd, bytes, sizeof bytes, 0);
    if (count <= 0)
      die("the connection is closed: " + got);
    got.append(bytes, static_cast<std::size_t>(count));
    const auto end = got.find("\r\n\r\n");
    if (end == std::string::npos)
      continue;
    const auto length = got.find("Content-Length: ");
    if (length > end || got.size() >= end + 4 + std::stoul(got.substr(length + 16)))
      break;
  }
  if (!got.starts_with("HTTP/1.1 202"))
    die("not taken in: " + got);
}

void send_all(const std::string& where, const std::string& target, const std::string& secret, unsigned clients,
              unsigned requests, std::size_t bytes) {
  std::atomic<unsigned> next{0};
  std::vector<std::vector<double>> took(clients);
  std::vector<std::thread> threads;
  const auto began = steady::now();
  for (unsigned client = 0; client < clients; ++client)
    threads.emplace_back([&, client] {
      const int fd = connect_to(where);
      for (unsigned n = next++; n < requests; n = next++) {
        std::string body = "{\"n\": " + std::to_string(n) + ", \"filler\": \"";
        body += std::string(bytes > body.size() + 2 ? bytes - body.size() - 2 : 0, 'x') + "\"}";
        const auto request = "POST " + target +
                             " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-GitHub-Delivery: d-" +
                             std::to_string(getpid()) + "-" + std::to_string(n) +
                             "\r\nX-Hub-Signature-256: sha256=" + signature(secret, body) +
                             "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        const auto at = steady::now();
        exchange(fd, request);
        took[client].push_back(us_since(at));
      }
      close(fd);
    });
  for (auto& thread : threads)
    thread.join();
  const auto seconds = us_since(began) / 1e6;
  std::vector<double> all;
  for (const auto& one : took)
    all.insert(all.end(), one.begin(), one.end());
  print(std::move(all), seconds);
}

void commit_all(const std::string& folder, unsigned commits, std::size_t bytes) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi table = 0;
  const auto must = [](int failed) {
    if (failed != 0)
      die(mdb_strerror(failed));
  };
  must(mdb_env_create(&env));
  must(mdb_env_set_mapsize(env, std::size_t{1} << 30U));
  must(mdb_env_open(env, (folder + "/bare.mdb").c_str(), MDB_NOSUBDIR, 0600));
  must(mdb_txn_begin(env, nullptr, 0, &txn));
  must(mdb_dbi_open(txn, nullptr, MDB_INTEGERKEY, &table));
  must(mdb_txn_commit(txn));
  std::vector<double> took;
  const std::string value(bytes, 'x');
  const auto began = steady::now();
  for (std::size_t n = 0; n < commits; ++n) {
    const auto at = steady::now();
    must(mdb_txn_begin(env, nullptr, 0, &txn));
    MDB_val key{sizeof n, &n};
    MDB_val data{value.size(), const_cast<char*>(value.data())};
    must(mdb_put(txn, table, &key, &data, MDB_APPEND));
    must(mdb_txn_commit(txn));
    took.push_back(us_since(at));
  }
  print(std::move(took), us_since(began) / 1e6);
  mdb_env_close(env);
}

/// When this process runs, by the monotonic clock, in nanoseconds: a line of a file.
void stamp(const char* file) {
  const auto line = std::to_string(steady::now().time_since_epoch().count()) + "\n";
  const int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    die("cannot write the stamp");
  close(fd);
}

} // namespace

int main(int count, char** words) {
  const std::vector<std::string> given(words, words + count);
  if (count == 8 && given[1] == "send")
    send_all(given[2], given[3], given[4], static_cast<unsigned>(std::stoul(given[5])),
             static_cast<unsigned>(std::stoul(given[6])), std::stoul(given[7]));
  else if (count == 5 && given[1] == "lmdb")
    commit_all(given[2], static_cast<unsigned>(std::stoul(given[3])), std::stoul(given[4]));
  else if (count == 3 && given[1] == "stamp")
    stamp(words[2]);
  else
    die("send SOCKET|PORT TARGET SECRET CLIENTS REQUESTS BYTES, lmdb FOLDER COMMITS BYTES, or stamp FILE");
  return 0;
}
