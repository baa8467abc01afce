#include "cli/doctor/processes.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "common/regular_file.h"
#include "common/text.h"

namespace nexus::cli::doctor {
namespace {

/// "" of a process that has ended meanwhile.
std::string text_of(const std::filesystem::path& file) {
  const auto opened = open_regular_file(file.string());
  SecretText text;
  return opened.get() >= 0 && read_all(opened.get(), text) ? std::string(text) : "";
}

}  // namespace

std::string status_field(pid_t pid, const std::string& name) {
  for (const auto& line : split(text_of("/proc/" + std::to_string(pid) + "/status"), '\n'))
    if (line.starts_with(name + ":")) return std::string(trim(line.substr(name.size() + 1)));
  return {};
}

std::vector<DaemonProcess> own_daemons() {
  std::vector<DaemonProcess> found;
  std::error_code error;
  for (std::filesystem::directory_iterator each("/proc", error), end; !error && each != end;
       each.increment(error)) {
    const auto& directory = each->path();
    const auto number = parse_number(directory.filename().string());
    if (!number || text_of(directory / "comm") != "nexusd\n") continue;
    const auto pid = static_cast<pid_t>(*number);
    // Real, effective, saved and file system's, with tabs between.
    const auto uids = split(status_field(pid, "Uid"), '\t');
    const auto state = status_field(pid, "State");
    if (uids.size() < 2 || uids[1] != std::to_string(geteuid()) || state.empty() || state[0] == 'Z')
      continue;
    const auto words = split(text_of(directory / "cmdline"), '\0');
    found.push_back(
        {pid, state[0], std::find(words.begin(), words.end(), "--ephemeral") != words.end()});
  }
  return found;
}

}  // namespace nexus::cli::doctor
