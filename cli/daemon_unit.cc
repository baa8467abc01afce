#include "cli/daemon_unit.h"

#include <fstream>
#include <iterator>

#include "cli/program_output.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// A unit's daemon is given so long to finish what is under way.
constexpr auto kPatience = std::chrono::seconds(30);

}  // namespace

bool is_of_unit(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cgroup");
  const std::string groups{std::istreambuf_iterator<char>(file), {}};
  return groups.find(std::string("/") + kDaemonService) != std::string::npos;
}

Result<void> ask_service_manager(const std::vector<std::string>& words) {
  std::vector<std::string> command{"systemctl", "--user"};
  command.insert(command.end(), words.begin(), words.end());
  const auto said = program_output(command, kPatience);
  if (said && said->exit_code == 0) return {};
  // The first of its lines says why.
  const auto why = said ? printable(trim(said->text.substr(0, said->text.find('\n'))), 300)
                        : "it is not there, or does not answer";
  return Error{ErrorCode::failure, join(command, " ") + ": " + std::string(why),
               "without a systemd of yours, nexusd starts with the first command that needs it"};
}

}  // namespace nexus::cli
