#pragma once

#include <string>

#include "common/error.h"

namespace nexus::cli {

// Where the programs that ask for credentials have their user's configuration. Error: usage,
// without a HOME.
Result<std::string> git_file();
Result<std::string> docker_file();
Result<std::string> aws_file();

}  // namespace nexus::cli
