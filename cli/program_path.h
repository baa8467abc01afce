#pragma once

#include <string>
#include <vector>

namespace nexus::cli {

/// A program of ours: beside this one (in a build), in libexec or bin as seen from this one (once
/// installed); "" when it is nowhere there.
std::string program_path(const std::string& name);

/// The program that a shell would run by that name, "" where the PATH leads to none; and all of
/// them, in the PATH's order.
std::string on_path(const std::string& name);
std::vector<std::string> all_on_path(const std::string& name);

/// Whether there is such a program: at its path, or on the PATH by its name.
bool can_be_run(const std::string& program);

/// A directory of ours in share/nexus, as seen from this program; "" when it is nowhere there.
std::string data_path(const std::string& name);

}  // namespace nexus::cli
