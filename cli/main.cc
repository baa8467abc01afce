// nexus: `nexus token CONN` itself, and for everything else nexus-cli in its place.
//
// Scripts call `nexus token` thousands of times, and what it costs is almost all process start. The
// parser, its help and the other commands make a program three times as large, with streams,
// locales and validators to construct before main; this one has none of that.
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "cli/session.h"
#include "cli/token.h"

namespace nexus::cli {
namespace {

/// nexus-cli lies beside nexus in a build, in libexec once installed.
int become_full_cli(char** argv) {
  std::array<char, 4096> path{};
  const auto size = readlink("/proc/self/exe", path.data(), path.size() - 1);
  const std::string own(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const auto directory = own.substr(0, own.rfind('/'));
  for (const auto& program : {directory + "/nexus-cli", directory + "/../libexec/nexus/nexus-cli"})
    execv(program.c_str(), argv);
  return report(
      {}, {ErrorCode::failure, std::string("nexus-cli cannot be run: ") + std::strerror(errno),
           "install it in libexec/nexus, next to the directory of nexus"});
}

}  // namespace
}  // namespace nexus::cli

int main(int argc, char** argv) {
  using namespace nexus::cli;
  const auto args = plain_token_arguments(argc, argv);
  if (!args) return become_full_cli(argv);
  harden_process();
  return run_action({}, [&](Context& context) { return run_token(context, *args); });
}
