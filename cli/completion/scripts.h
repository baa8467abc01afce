#pragma once

#include <string_view>

namespace nexus::cli {

// The files of share/completions.
extern const std::string_view kBashCompletion;
extern const std::string_view kZshCompletion;
extern const std::string_view kFishCompletion;

}  // namespace nexus::cli
