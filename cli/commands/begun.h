#pragma once

#include <string>

#include "cli/context.h"
#include "common/error.h"

namespace nexus::cli {

/// What a command has made on the way to its connection.
struct Begun {
  std::string registered;     ///< the provider's name, where that needed nothing of the person
  std::string connection_id;  ///< "" where there is none yet
};

/// Ends what nobody is going to go on with, and says so: a command that gives up leaves nothing
/// behind unsaid. Gives the error back, for an interrupted one with what was taken back.
Error take_back(Context& context, const Begun& begun, Error error);

}  // namespace nexus::cli
