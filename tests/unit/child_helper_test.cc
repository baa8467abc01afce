#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "common/descriptor.h"
#include "common/secret.h"
#include "daemon/child_helper.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/variable.h"

using namespace nexus;
using namespace nexus::test;

namespace {

/// nexus.toml with a hook that is `script` for a shell.
std::string settings_with(const std::string& script) {
  return "[hooks]\non_attention = [\"/bin/sh\", \"-c\", '''" + script + "''']\n";
}

struct Run {
  ChildOutcome outcome;
  bool was_told = false;  ///< else it may not be run
  std::string output;
};

class HelperAndFiles {
 public:
  explicit HelperAndFiles(const std::string& script) {
    write(script);
    auto helper = ChildHelper::fork_off(*load_config({.file = file()}), "/");
    REQUIRE(helper);
    helper_.emplace(*std::move(helper));
  }

  void write(const std::string& script) { std::ofstream(file()) << settings_with(script); }
  const ChildHelper& helper() const { return *helper_; }

  Run run(const ChildProgram& program) const {
    const auto output = directory_.path() + "/output";
    const Descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
    Run run;
    {
      const Descriptor to(open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
      const auto report = helper_->start(program, {null.get(), to.get(), null.get()});
      REQUIRE(report);
      run.was_told = read(report->get(), &run.outcome, sizeof run.outcome) == sizeof run.outcome;
    }
    std::ostringstream text;
    text << std::ifstream(output).rdbuf();
    run.output = text.str();
    return run;
  }
  Run run(const std::string& script, const std::vector<std::string>& environment = {}) const {
    return run({.command = {"/bin/sh", "-c", script}, .environment = environment, .directory = ""});
  }

 private:
  std::string file() const { return directory_.path() + "/nexus.toml"; }
  const TemporaryDirectory directory_;
  std::optional<ChildHelper> helper_;
};

}  // namespace

TEST_CASE("a helper runs what nexus.toml names, and nothing else", "[sandbox]") {
  const HelperAndFiles files("echo done; exit 3");
  const auto run = files.run("echo done; exit 3");
  REQUIRE(run.was_told);
  CHECK(run.outcome.error == 0);
  CHECK(WEXITSTATUS(run.outcome.status) == 3);
  CHECK(run.output == "done\n");
  CHECK_FALSE(files.run("echo done; exit 4").was_told);
  CHECK_FALSE(files
                  .run({.command = {"/bin/sh", "-c", "echo done; exit 3", "more"},
                        .environment = {},
                        .directory = ""})
                  .was_told);
  CHECK_FALSE(files.run({.command = {"/bin/true"}, .environment = {}, .directory = ""}).was_told);
}

TEST_CASE("a helper gives no variable a value but that of the start, and no secret one at all",
          "[sandbox]") {
  const Variable plain("LANG", "C");
  const Variable secret("NEXUS_ENCRYPTION_KEY", "canary");
  const HelperAndFiles files("env");
  const auto run =
      files.run("env", {"LANG=C.evil", "LD_PRELOAD=/tmp/evil.so", "NEXUS_ENCRYPTION_KEY=canary"});
  REQUIRE(run.was_told);
  CHECK(run.output.find("LANG=C\n") != std::string::npos);
  CHECK(run.output.find("evil") == std::string::npos);
  CHECK(run.output.find("canary") == std::string::npos);
}

TEST_CASE("a program of a helper has its three streams open, and nothing of nexusd's",
          "[sandbox]") {
  const Descriptor ours(open("/etc/hosts", O_RDONLY));  // not even close-on-exec
  const HelperAndFiles files("ls -l /proc/$$/fd");
  const auto run = files.run("ls -l /proc/$$/fd");
  REQUIRE(run.was_told);
  CHECK(run.output.find(" 2 -> /dev/null") != std::string::npos);
  CHECK(run.output.find("/etc/hosts") == std::string::npos);
  CHECK(run.output.find("socket:") == std::string::npos);
  CHECK(run.output.find("pipe:") == std::string::npos);
}

TEST_CASE("a helper reads nexus.toml by itself, when it is told to", "[sandbox]") {
  HelperAndFiles files("exit 1");
  files.write("exit 2");
  CHECK_FALSE(files.run("exit 2").was_told);
  CHECK(files.run("exit 1").was_told);
  files.helper().renew();
  CHECK(files.run("exit 2").was_told);
  CHECK_FALSE(files.run("exit 1").was_told);
}

TEST_CASE("a helper tells who holds a port", "[sandbox]") {
  const Descriptor holder(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(holder.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(listen(holder.get(), 1) == 0);
  getsockname(holder.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const HelperAndFiles files("exit 0");
  const auto told = files.helper().port_holder(ntohs(address.sin_port));
  CHECK(told.find("(pid " + std::to_string(getpid()) + ")") != std::string::npos);
  CHECK(files.helper().port_holder(1).empty());
}

TEST_CASE("a program that does not end is ended, and one that is not there is told", "[sandbox]") {
  const HelperAndFiles files("sleep 60");
  const auto run = files.run({.command = {"/bin/sh", "-c", "sleep 60"},
                              .environment = {},
                              .directory = "",
                              .patience_ms = 100});
  REQUIRE(run.was_told);
  CHECK(WIFSIGNALED(run.outcome.status));
  const TemporaryDirectory directory;
  const auto file = directory.path() + "/nexus.toml";
  std::ofstream(file) << "[hooks]\non_attention = [\"/nowhere/program\"]\n";
  const auto helper = ChildHelper::fork_off(*load_config({.file = file}), "/");
  REQUIRE(helper);
  const auto report = helper->start(
      {.command = {"/nowhere/program"}, .environment = {}, .directory = ""}, {0, 1, 2});
  REQUIRE(report);
  ChildOutcome outcome;
  REQUIRE(read(report->get(), &outcome, sizeof outcome) == sizeof outcome);
  CHECK(outcome.error == ENOENT);
}

TEST_CASE("a helper ends with who has forked it off", "[sandbox]") {
  while (waitpid(-1, nullptr, 0) > 0) continue;  // those of the tests before
  {
    const HelperAndFiles files("exit 0");
    const auto copy = files.helper().copy();
    CHECK(files.run("exit 0").was_told);
    CHECK(waitpid(-1, nullptr, WNOHANG) == 0);
  }
  int status = -1;
  CHECK(waitpid(-1, &status, 0) > 0);
  CHECK(status == 0);
}
