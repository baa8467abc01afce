// Catch2 2 wants one file that holds its main; version 3 brings its own.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_RUNNER
#endif
#include <signal.h>
#include <sodium.h>
#include <sys/stat.h>

#include "daemon/log.h"
#include "tests/support/catch.h"

int main(int argc, char** argv) {
  if (sodium_init() < 0) return 1;
  // As nexusd has them: see harden_process.
  umask(077);
  signal(SIGPIPE, SIG_IGN);
  nexus::set_log_level("error");
  return Catch::Session().run(argc, argv);
}
