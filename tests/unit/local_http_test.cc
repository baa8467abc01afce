// What nexus says to the daemon's socket, and how long it waits there.
#include "common/local_http.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace nexus;
using namespace nexus::test;
using namespace std::chrono_literals;

namespace {

constexpr auto kPatience = 20ms;

/// A socket in a directory of its own that listens and, unless a test accepts, does nothing more.
class Listener {
 public:
  explicit Listener(int backlog = 16, uid_t of = geteuid())
      : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path().c_str());
    REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    const auto own = geteuid();
    REQUIRE(seteuid(of) == 0);
    const int listening = listen(fd_, backlog);
    REQUIRE(seteuid(own) == 0);
    REQUIRE(listening == 0);
  }
  ~Listener() { close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::string path() const { return directory_.path() + "/nexusd.sock"; }
  int fd() const { return fd_; }
  /// That somebody waits to be accepted.
  bool is_asked() const {
    pollfd waiting{fd_, POLLIN, 0};
    return poll(&waiting, 1, 0) == 1;
  }

 private:
  TemporaryDirectory directory_;
  int fd_;
};

/// One accepted request, read as far as it has come.
class Accepted {
 public:
  explicit Accepted(const Listener& listener) : fd_(accept(listener.fd(), nullptr, nullptr)) {
    std::vector<char> buffer(64 * 1024);
    const auto got = recv(fd_, buffer.data(), buffer.size(), 0);
    text_.assign(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  }
  ~Accepted() { close(fd_); }
  Accepted(const Accepted&) = delete;
  Accepted& operator=(const Accepted&) = delete;

  bool asks_for_nothing() const { return text_.empty(); }
  bool asks_for(std::string_view target) const {
    return text_.find(" " + std::string(target) + " ") != std::string::npos;
  }
  void answer(std::string_view body) const {
    say("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    say(body);
  }
  /// False once nobody listens any more.
  bool say(std::string_view text) const {
    return send(fd_, text.data(), text.size(), MSG_NOSIGNAL) > 0;
  }

 private:
  int fd_;
  std::string text_;
};

}  // namespace

TEST_CASE("a daemon that listens and does not answer is given up", "[local-http]") {
  const Listener stopped;
  const auto answer = local_request({stopped.path()}, "GET", "/v1/token/a", "", kPatience);
  REQUIRE_FALSE(answer);
  CHECK_FALSE(is_absent(answer.error()));
  CHECK(answer.error().exit_code() == 8);
  CHECK(answer.error().hint.find("kill -CONT") != std::string::npos);
}

TEST_CASE("a daemon whose queue is full is given up", "[local-http]") {
  const Listener stopped(0);
  std::vector<Result<LocalResponse>> answers;
  for (int i = 0; i < 3; ++i)
    answers.push_back(local_request({stopped.path()}, "GET", "/v1/token/a", "", kPatience));
  for (const auto& answer : answers) {
    REQUIRE_FALSE(answer);
    CHECK_FALSE(is_absent(answer.error()));
  }
}

TEST_CASE("an answer may take long while the daemon is alive", "[local-http]") {
  const Listener listener;
  std::thread daemon([&] {
    const Accepted refresh(listener);
    const Accepted probe(listener);
    if (probe.asks_for("/health")) probe.answer("{}");
    refresh.answer("late");
  });
  // Enough for the other thread to answer the probe, on a busy machine too.
  const auto answer = local_request({listener.path()}, "GET", "/v1/token/a", "", 300ms);
  daemon.join();
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body == "late");
}

TEST_CASE("who says until when waits no longer, and asks once", "[local-http]") {
  const Listener listener;
  const auto until = std::chrono::steady_clock::now() + 2 * kPatience;
  std::thread slow([&] {
    const Accepted request(listener);
    request.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n");
    while (request.say("x")) continue;  // never silent, never at its end
  });
  const auto answer = local_request({listener.path()}, "GET", "/v1/token/a", "", kPatience, until);
  CHECK(std::chrono::steady_clock::now() >= until);
  slow.join();
  REQUIRE_FALSE(answer);
  CHECK_FALSE(is_absent(answer.error()));
  CHECK_FALSE(listener.is_asked());
}

TEST_CASE("where nobody listens, a daemon may be started", "[local-http]") {
  const TemporaryDirectory directory;
  const auto answer = local_request({directory.path() + "/none.sock"}, "GET", "/", "");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::daemon_unreachable);
  CHECK(is_absent(answer.error()));
}

TEST_CASE("nothing is said to a socket that another user listens on", "[local-http]") {
  if (geteuid() != 0) return;  // nobody else can be
  const Listener listener(16, 65534);
  const auto response =
      local_request({listener.path()}, "POST", "/v1/providers", "secret", kPatience);
  REQUIRE_FALSE(response);
  CHECK(response.error().code == ErrorCode::access_denied);
  CHECK(response.error().message.ends_with("is served by another user (uid 65534)"));
  CHECK_FALSE(is_absent(response.error()));
  const Accepted accepted(listener);
  CHECK(accepted.asks_for_nothing());
}

TEST_CASE("a person may send nexus to another user, in a directory of that user", "[local-http]") {
  if (geteuid() != 0) return;
  const Listener listener(16, 65534);
  const auto directory = listener.path().substr(0, listener.path().rfind('/'));
  CHECK_FALSE(connect_local({listener.path(), true}));
  REQUIRE(chown(directory.c_str(), 65534, 65534) == 0);
  CHECK(connect_local({listener.path(), true}));
  CHECK_FALSE(connect_local({listener.path(), false}));
}
