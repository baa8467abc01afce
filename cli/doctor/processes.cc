#include "cli/doctor/processes.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/text.h"

namespace nexus::cli::doctor {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::string status_field(pid_t pid, const std::string& name) {
  for (const auto& line : split(text_of("/proc/" + std::to_string(pid) + "/status"), '\n'))
    if (line.starts_with(name + ":")) return std::string(trim(line.substr(name.size() + 1)));
  return {};
}

std::vector<DaemonProcess> own_daemons() {
  std::vector<DaemonProcess> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto number = parse_number(entry.path().filename().string());
    if (!number || text_of(entry.path() / "comm") != "nexusd\n") continue;
    const auto pid = static_cast<pid_t>(*number);
    // Real, effective, saved and file system's, with tabs between.
    const auto uids = split(status_field(pid, "Uid"), '\t');
    const auto state = status_field(pid, "State");
    if (uids.size() < 2 || uids[1] != std::to_string(geteuid()) || state.empty() || state[0] == 'Z')
      continue;
    const auto words = split(text_of(entry.path() / "cmdline"), '\0');
    found.push_back(
        {pid, state[0], std::find(words.begin(), words.end(), "--ephemeral") != words.end()});
  }
  return found;
}

}  // namespace nexus::cli::doctor
