#pragma once

#include <functional>
#include <vector>

#include "cli/context.h"
#include "common/api/connection.h"

namespace nexus::cli {

/// What is looked at again and again: how it is asked for, and how it is shown.
struct Watched {
  std::function<Result<std::vector<api::Connection>>()> fetch;
  std::function<void(const std::vector<api::Connection>&)> print;
};

/// Shows it until Ctrl-C: on a terminal's alternate screen, drawn anew; elsewhere it is printed
/// when something has changed. A daemon that does not answer for a while is told, not the end.
/// Error: what the first look brings.
Result<int> watch(Context& context, const Watched& watched);

}  // namespace nexus::cli
