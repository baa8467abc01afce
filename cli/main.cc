// nexus: `nexus token CONN` and the quick credential helpers itself, and for everything else
// nexus-cli in its place.
//
// Scripts call `nexus token` thousands of times, git a helper with each fetch, and what that costs
// is almost all process start. The parser, its help and the other commands make a program three
// times as large, with streams, locales and validators to construct before main; this one has none
// of that.
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/credential/quick.h"
#include "cli/program_path.h"
#include "cli/session.h"
#include "cli/token.h"

namespace nexus::cli {
namespace {

int become_full_cli(char** argv) {
  execv(program_path("nexus-cli").c_str(), argv);
  return report(
      {}, {ErrorCode::failure, std::string("nexus-cli cannot be run: ") + std::strerror(errno),
           "install it in libexec/nexus, next to the directory of nexus"});
}

}  // namespace
}  // namespace nexus::cli

int main(int argc, char** argv) {
  using namespace nexus::cli;
  if (const auto args = plain_token_arguments(argc, argv)) {
    harden_process();
    return run_action({}, [&](Context& context) { return run_token(context, *args); });
  }
  if (const auto helper = quick_helper(argc, argv)) {
    harden_process();
    return run_action(helper->options,
                      [&](Context& context) { return helper->run(context, helper->args); });
  }
  return become_full_cli(argv);
}
