// A load generator for keep-alive connections over a Unix socket, on one thread.
// usage: SOCKET TARGET CONNECTIONS SECONDS; prints "requests/s p50_us p99_us".
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Connection {
  int fd = -1;
  std::string in;
  Clock::time_point sent;
};

int connect_to(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror(path);
    std::exit(1);
  }
  return fd;
}

/// The size of the complete response at the front of `in`, 0 while it is not complete.
std::size_t response_size(const std::string& in) {
  const auto end = in.find("\r\n\r\n");
  if (end == std::string::npos) return 0;
  if (in.compare(0, 12, "HTTP/1.1 200") != 0) {
    std::fprintf(stderr, "unexpected answer: %.100s\n", in.c_str());
    std::exit(1);
  }
  const auto length = in.find("Content-Length: ");
  if (length == std::string::npos || length > end) std::exit(1);
  const auto size = end + 4 + std::strtoul(in.c_str() + length + 16, nullptr, 10);
  return in.size() >= size ? size : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const auto request = "GET " + std::string(argv[2]) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const int count = std::atoi(argv[3]);
  const auto duration = std::chrono::seconds(std::atoi(argv[4]));
  const int epoll = epoll_create1(0);
  std::vector<Connection> connections(static_cast<std::size_t>(count));
  const auto ask = [&](Connection& connection) {
    connection.sent = Clock::now();
    if (write(connection.fd, request.data(), request.size()) < 0) std::exit(1);
  };
  for (auto& connection : connections) {
    connection.fd = connect_to(argv[1]);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &connection;
    epoll_ctl(epoll, EPOLL_CTL_ADD, connection.fd, &event);
  }
  std::vector<double> latencies;
  latencies.reserve(1 << 21);
  const auto warm = Clock::now() + std::chrono::milliseconds(300);
  const auto end = warm + duration;
  for (auto& connection : connections) ask(connection);
  std::vector<epoll_event> events(128);
  std::vector<char> buffer(64 * 1024);
  for (auto now = Clock::now(); now < end; now = Clock::now()) {
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 100);
    for (int i = 0; i < ready; ++i) {
      auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      const auto got = read(connection.fd, buffer.data(), buffer.size());
      if (got <= 0) {
        std::fprintf(stderr, "the server closed a connection\n");
        return 1;
      }
      connection.in.append(buffer.data(), static_cast<std::size_t>(got));
      const auto size = response_size(connection.in);
      if (size == 0) continue;
      connection.in.erase(0, size);
      const auto done = Clock::now();
      if (done > warm)
        latencies.push_back(
            std::chrono::duration<double, std::micro>(done - connection.sent).count());
      ask(connection);
    }
  }
  std::sort(latencies.begin(), latencies.end());
  if (latencies.empty()) return 1;
  std::printf("%.0f %.0f %.0f\n",
              static_cast<double>(latencies.size()) / static_cast<double>(duration.count()),
              latencies[latencies.size() / 2], latencies[latencies.size() * 99 / 100]);
}
