#pragma once

#include <string>

namespace nexus::cli {

/// A program of ours: beside this one (in a build), in libexec or bin as seen from this one (once
/// installed); "" when it is nowhere there.
std::string program_path(const std::string& name);

/// A directory of ours in share/nexus, as seen from this program; "" when it is nowhere there.
std::string data_path(const std::string& name);

}  // namespace nexus::cli
