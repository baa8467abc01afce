#pragma once

#include <optional>
#include <string>

#include "cli/credential/helper.h"
#include "cli/session.h"

namespace nexus::cli {

/// A helper that is run often, and what it was asked.
struct QuickHelper {
  Helper run = nullptr;
  GlobalOptions options{};
  HelperArgs args{};
};

/// `nexus credential git|docker|aws …`, also by the names that those programs run: read without a
/// command line parser, as `nexus token` is. Nothing for every other form: those are the parser's.
std::optional<QuickHelper> quick_helper(int argc, char** argv);

}  // namespace nexus::cli
