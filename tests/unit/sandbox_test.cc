#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <thread>

#include "daemon/file_access.h"
#include "daemon/own_places.h"
#include "daemon/system_calls.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/variable.h"

using namespace nexus;
using namespace nexus::test;

namespace {

/// Of a person's home on whose account a nexusd runs.
struct Account {
  TemporaryDirectory home;
  TemporaryDirectory elsewhere;
  const Variable variable{"HOME", home.path()};
  Config config;

  Account() {
    config.data_dir = home.path() + "/data";
    config.file = home.path() + "/config/nexus.toml";
    for (const char* each : {"/data", "/config", "/.ssh", "/run"})
      mkdir((home.path() + each).c_str(), 0700);
    for (const char* each : {"/.ssh/id_ed25519", "/config/nexus.toml", "/run/nexusd.sock"})
      std::ofstream(home.path() + each) << "x";
  }
};

/// What a child of ours does ends with: its exit status, or minus its signal.
int end_of(const std::function<int()>& what) {
  const auto child = fork();
  if (child == 0) _exit(what());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

constexpr int kNotConfined = 199;

/// Of one that is confined to an account's places: 0, or errno.
int in_places(const Account& account, const std::function<bool()>& what) {
  return end_of([&] {
    const auto places = own_places(account.config, "/", account.home.path() + "/run");
    if (!confine_to(places)) return kNotConfined;
    return what() ? 0 : errno;
  });
}

// With sanitizers no filter is made: they need other system calls.
[[maybe_unused]] int in_filter(const std::function<bool()>& what) {
  return end_of([&] {
    if (!confine_system_calls()) return kNotConfined;
    return what() ? 0 : errno;
  });
}

bool opens(const std::string& path, int flags = O_RDONLY) {
  return open(path.c_str(), flags | O_CLOEXEC, 0600) >= 0;
}

bool runs(const char* program) {
  pid_t child = 0;
  char* arguments[] = {const_cast<char*>(program), nullptr};
  errno = posix_spawn(&child, program, nullptr, nullptr, arguments, environ);
  int status = 0;
  return errno == 0 && waitpid(child, &status, 0) == child && status == 0;
}

[[maybe_unused]] bool makes_socket(int family, int type, int protocol = 0) {
  return socket(family, type | SOCK_CLOEXEC, protocol) >= 0;
}

}  // namespace

TEST_CASE("a sandbox keeps nexusd to its own files", "[sandbox]") {
  if (landlock_version() == 0) {
    WARN("the kernel has no Landlock");
    return;
  }
  const Account account;
  const auto& home = account.home.path();
  const auto there = [&](const std::function<bool()>& what) { return in_places(account, what); };

  SECTION("what it needs is open") {
    CHECK(there([] { return opens("/etc/hosts"); }) == 0);
    CHECK(there([] { return opens("/proc/self/maps"); }) == 0);
    CHECK(there([] { return opens("/dev/null", O_RDWR); }) == 0);
    CHECK(there([&] { return opens(home + "/config/nexus.toml"); }) == 0);
    const auto file = home + "/data/file";
    CHECK(there([&] { return opens(file, O_RDWR | O_CREAT); }) == 0);
    CHECK(there([&] { return link(file.c_str(), (file + "2").c_str()) == 0; }) == 0);
    CHECK(there([&] { return rename((file + "2").c_str(), (file + "3").c_str()) == 0; }) == 0);
    CHECK(there([&] { return truncate(file.c_str(), 0) == 0; }) == 0);
    CHECK(there([&] { return unlink(file.c_str()) == 0; }) == 0);
    CHECK(there([&] { return unlink((home + "/run/nexusd.sock").c_str()) == 0; }) == 0);
    CHECK(there([] { return runs("/bin/true"); }) == 0);
  }

  SECTION("the person's files are not") {
    CHECK(there([&] { return opens(home + "/.ssh/id_ed25519"); }) == EACCES);
    CHECK(there([&] { return opens(home, O_RDONLY | O_DIRECTORY); }) == EACCES);
    CHECK(there([&] { return opens(home + "/.bashrc", O_WRONLY | O_CREAT); }) == EACCES);
    CHECK(there([&] { return opens(home + "/.ssh/id_ed25519", O_WRONLY | O_TRUNC); }) == EACCES);
    CHECK(there([&] { return unlink((home + "/.ssh/id_ed25519").c_str()) == 0; }) == EACCES);
    CHECK(there([&] { return opens(home + "/config/nexus.toml", O_WRONLY); }) == EACCES);
  }

  SECTION("nor is the machine's, to be written") {
    CHECK(there([] { return opens("/etc/nexus-was-here", O_WRONLY | O_CREAT); }) == EACCES);
    CHECK(there([] { return opens("/usr/bin/nexus-was-here", O_WRONLY | O_CREAT); }) == EACCES);
    CHECK(there([&] { return opens(account.elsewhere.path() + "/x", O_RDWR | O_CREAT); }) ==
          EACCES);
    CHECK(there([] { return opens("/dev/zero"); }) == EACCES);
  }

  SECTION("what was written is not run, also where it may be read") {
    const auto program = home + "/data/program";
    std::ofstream(program) << "#!/bin/sh\nexit 0\n";
    chmod(program.c_str(), 0700);
    REQUIRE(runs(program.c_str()));
    CHECK(there([&] { return runs(program.c_str()); }) == EACCES);
  }

  SECTION("other processes are out of its reach") {
    if (landlock_version() >= 6) CHECK(there([] { return kill(getppid(), 0) == 0; }) == EPERM);
    CHECK(there([] { return ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr) == 0; }) == EPERM);
  }
}

TEST_CASE("a file that settings name may be another one tomorrow", "[sandbox]") {
  if (landlock_version() == 0) {
    WARN("the kernel has no Landlock");
    return;
  }
  Account account;
  const auto certificates = account.elsewhere.path() + "/certificates";
  mkdir(certificates.c_str(), 0700);
  account.config.gateway.tls_certificate = certificates + "/chain.pem";
  account.config.gateway.tls_key = account.home.path() + "/key.pem";
  std::ofstream(account.home.path() + "/key.pem") << "x";
  std::ofstream(account.home.path() + "/other.pem") << "x";
  const auto places = own_places(account.config, "/", "");
  std::ofstream(certificates + "/chain.pem") << "x";
  CHECK(end_of([&] {
          if (!confine_to(places)) return kNotConfined;
          return opens(certificates + "/chain.pem") ? 0 : errno;
        }) == 0);
  // What lies in the home itself opens no more of it.
  CHECK(in_places(account, [&] { return opens(account.home.path() + "/key.pem"); }) == 0);
  CHECK(in_places(account, [&] { return opens(account.home.path() + "/other.pem"); }) == EACCES);
}

#ifndef NEXUS_SANITIZED
TEST_CASE("what only an intruder calls ends nexusd", "[sandbox]") {
  const auto dies = [](const std::function<bool()>& what) { return in_filter(what) == -SIGSYS; };
  CHECK(dies([] { return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; }));
  CHECK(
      dies([] { return syscall(SYS_process_vm_readv, getpid(), nullptr, 0, nullptr, 0, 0) == 0; }));
  CHECK(dies([] { return syscall(SYS_mount, "", "/", "", 0, nullptr) == 0; }));
  CHECK(dies([] { return syscall(SYS_bpf, 0, nullptr, 0) == 0; }));
  CHECK(dies([] { return syscall(SYS_keyctl, 0, 0, 0, 0, 0) == 0; }));
  CHECK(dies([] { return syscall(SYS_init_module, nullptr, 0, "") == 0; }));
  CHECK(dies([] { return unshare(CLONE_NEWUSER) == 0; }));
  CHECK(dies([] { return syscall(SYS_userfaultfd, 0) >= 0; }));
}

TEST_CASE("system calls that nexusd has no use for are as if there were none", "[sandbox]") {
  CHECK(in_filter([] { return syscall(SYS_io_uring_setup, 1, nullptr) >= 0; }) == ENOSYS);
  CHECK(in_filter([] { return syscall(SYS_setuid, 0) == 0; }) == ENOSYS);
  CHECK(in_filter([] { return syscall(SYS_clone3, nullptr, 0) >= 0; }) == ENOSYS);
  CHECK(in_filter([] {
          return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, 0) >= 0;
        }) == ENOSYS);
  CHECK(in_filter([] { return ioctl(0, TIOCSTI, "x") == 0; }) == ENOSYS);
  CHECK(in_filter([] { return syscall(SYS_execveat, -1, "", nullptr, nullptr, 0) == 0; }) ==
        ENOSYS);
}

TEST_CASE("nexusd asks providers, and no service of this machine", "[sandbox]") {
  CHECK(in_filter([] { return makes_socket(AF_INET, SOCK_STREAM); }) == 0);
  CHECK(in_filter([] { return makes_socket(AF_INET6, SOCK_DGRAM); }) != ENOSYS);
  CHECK(in_filter([] { return makes_socket(AF_UNIX, SOCK_DGRAM); }) == 0);
  CHECK(in_filter([] { return makes_socket(AF_UNIX, SOCK_STREAM); }) == EACCES);
  CHECK(in_filter([] { return makes_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK); }) == EACCES);
  CHECK(in_filter([] { return makes_socket(AF_UNIX, SOCK_SEQPACKET); }) == EACCES);
  CHECK(in_filter([] { return makes_socket(AF_PACKET, SOCK_RAW); }) == ENOSYS);
  CHECK(in_filter([] {
          int ends[2];
          return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0;
        }) == 0);
}

TEST_CASE("no memory is both written and run", "[sandbox]") {
  const auto maps = [](int protection) {
    return mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
  };
  CHECK(in_filter([&] { return maps(PROT_READ | PROT_WRITE); }) == 0);
  CHECK(in_filter([&] { return maps(PROT_READ | PROT_EXEC); }) == 0);
  CHECK(in_filter([&] { return maps(PROT_WRITE | PROT_EXEC); }) == ENOSYS);
  CHECK(in_filter([] {
          void* page = mmap(nullptr, 4096, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
        }) == ENOSYS);
}

TEST_CASE("threads and children are made in the sandbox, and are in it", "[sandbox]") {
  CHECK(in_filter([] {
          int error = 0;
          std::thread([&error] { error = makes_socket(AF_UNIX, SOCK_STREAM) ? 0 : errno; }).join();
          errno = error;
          return error == 0;
        }) == EACCES);
  CHECK(in_filter([] { return runs("/bin/true"); }) == 0);
}
#endif
