#include "daemon/http/passed_sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "daemon/http/sockets.h"
#include "daemon/process.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/variable.h"

using namespace nexus;
using namespace nexus::http;
using nexus::test::TemporaryDirectory;
using nexus::test::Variable;

namespace {

constexpr const char* kSetting = "gateway.listen";

ListenAddress free_address() {
  return {"127.0.0.1", *free_port("127.0.0.1")};
}

/// Duplicates, as a process has them after execve(2).
int passed_on(int fd) {
  return fcntl(fd, F_DUPFD, 3);
}

}  // namespace

TEST_CASE("a TCP socket that was passed on is the one that is listened on", "[restart]") {
  const auto address = free_address();
  const auto before = listen_on_tcp(address, kSetting);
  REQUIRE(before);
  CHECK_FALSE(listen_on_tcp(address, kSetting));
  const int passed = passed_on(before->front().fd);
  REQUIRE(adopt_sockets({passed}));
  const auto after = listen_on_tcp(address, kSetting);
  REQUIRE(after);
  CHECK(after->front().fd == passed);
  CHECK((fcntl(passed, F_GETFD) & FD_CLOEXEC) != 0);
  // Taken once.
  CHECK_FALSE(listen_on_tcp(address, kSetting));
  close(passed);
  close(before->front().fd);
}

TEST_CASE("a socket that nobody asks for is closed, and its port free", "[restart]") {
  const auto address = free_address();
  const auto before = listen_on_tcp(address, kSetting);
  REQUIRE(before);
  REQUIRE(adopt_sockets({before->front().fd}));
  close_passed_sockets();
  const auto again = listen_on_tcp(address, kSetting);
  REQUIRE(again);
  close(again->front().fd);
}

TEST_CASE("the control socket is told from the others, and nothing else is taken", "[restart]") {
  const TemporaryDirectory directory;
  const auto path = directory.path() + "/run/nexusd.sock";
  const auto control = listen_on_unix_socket(path);
  REQUIRE(control);
  const auto adopted = adopt_sockets({*control});
  REQUIRE(adopted);
  CHECK(path_of(*adopted) == path);
  CHECK(*adopt_sockets({}) == -1);
  const Descriptor second(passed_on(*control));
  CHECK_FALSE(adopt_sockets({*control, second.get()}));
  const Descriptor file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK_FALSE(adopt_sockets({file.get()}));
  close(*control);
}

TEST_CASE("all that is listened on is found", "[restart]") {
  const TemporaryDirectory directory;
  const auto before = listening_sockets().size();
  const auto control = listen_on_unix_socket(directory.path() + "/run/nexusd.sock");
  const auto tcp = listen_on_tcp(free_address(), kSetting);
  REQUIRE(control);
  REQUIRE(tcp);
  const auto found = listening_sockets();
  CHECK(found.size() == before + 2);
  close(*control);
  close(tcp->front().fd);
}

TEST_CASE("a service manager is given descriptors to keep", "[restart]") {
  const TemporaryDirectory directory;
  const auto path = directory.path() + "/notify";
  const Descriptor manager(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  REQUIRE(bind(manager.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const Variable variable("NOTIFY_SOCKET", path);

  const auto tcp = listen_on_tcp(free_address(), kSetting);
  REQUIRE(tcp);
  notify_service_manager("FDSTORE=1\nFDNAME=tcp", {tcp->front().fd});

  char text[64];
  char control[CMSG_SPACE(sizeof(int))];
  iovec into{text, sizeof text};
  msghdr message{};
  message.msg_iov = &into;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const auto size = recvmsg(manager.get(), &message, 0);
  REQUIRE(size > 0);
  CHECK(std::string(text, static_cast<std::size_t>(size)) == "FDSTORE=1\nFDNAME=tcp");
  const auto* header = CMSG_FIRSTHDR(&message);
  REQUIRE(header);
  int given = -1;
  std::memcpy(&given, CMSG_DATA(header), sizeof given);
  CHECK(is_tcp(given));
  close(given);
  close(tcp->front().fd);
}
