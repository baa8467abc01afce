#pragma once

#include <string>

#include "cli/client.h"
#include "cli/output/output.h"
#include "common/config.h"

namespace nexus::cli {

/// What every command works with once the global options are known.
struct Context {
  Config config;
  Output output;
  Client client;
};

}  // namespace nexus::cli
