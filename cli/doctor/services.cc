// The user units of systemd, where they are used.
#include "cli/doctor/services.h"

#include <unistd.h>

#include <algorithm>

#include "cli/doctor/checks.h"
#include "cli/program_output.h"
#include "common/paths.h"
#include "common/text.h"

namespace nexus::cli::doctor {
namespace {

constexpr auto kManagerPatience = std::chrono::milliseconds(2000);

std::optional<bool> lingers() {
  const auto user = environment("USER").empty() ? environment("LOGNAME") : environment("USER");
  if (user.empty() || user.find('/') != std::string::npos) return std::nullopt;
  return access(("/var/lib/systemd/linger/" + user).c_str(), F_OK) == 0;
}

bool is_enabled(const Unit& unit) {
  return unit.file_state == "enabled" || unit.file_state == "enabled-runtime" ||
         unit.file_state == "linked";
}

Unit parse_unit(std::string_view block) {
  Unit unit;
  for (const auto& line : split(block, '\n')) {
    const auto equals = line.find('=');
    if (equals == std::string::npos) continue;
    const auto name = line.substr(0, equals);
    auto* into = name == "Id"              ? &unit.name
                 : name == "ActiveState"   ? &unit.active_state
                 : name == "UnitFileState" ? &unit.file_state
                 : name == "MainPID"       ? &unit.main_pid
                                           : nullptr;
    if (into) *into = line.substr(equals + 1);
  }
  return unit;
}

}  // namespace

std::vector<Unit> parse_units(std::string_view shown) {
  std::vector<Unit> units;
  while (!shown.empty()) {
    const auto end = shown.find("\n\n");
    auto unit = parse_unit(shown.substr(0, end));
    if (!unit.name.empty()) units.push_back(std::move(unit));
    shown.remove_prefix(end == std::string_view::npos ? shown.size() : end + 2);
  }
  return units;
}

Findings judge_units(const std::vector<Unit>& units, std::optional<std::int64_t> daemon_pid,
                     std::optional<bool> lingers) {
  Findings faults;
  std::vector<std::string> enabled;
  std::string main_pid;
  for (const auto& unit : units) {
    if (unit.active_state == "failed")
      faults.push_back(failure(unit.name + " has failed",
                               "see: journalctl --user -u " + unit.name +
                                   " -n 20; then run: systemctl --user restart " + unit.name));
    if (is_enabled(unit)) enabled.push_back(unit.name);
    if (!unit.main_pid.empty()) main_pid = unit.main_pid;
  }
  if (enabled.empty()) return or_ok(std::move(faults), "no unit is enabled: nexusd starts on use");
  if (daemon_pid && main_pid != std::to_string(*daemon_pid))
    faults.push_back(warning("the nexusd that runs (pid " + std::to_string(*daemon_pid) +
                                 ") is not the unit's: a command started it before",
                             "run: nexus daemon stop && systemctl --user restart " + enabled[0]));
  if (lingers == false)
    faults.push_back(
        note("linger is off: " + join(enabled, " and ") + " end with your last session",
             "if they are to go on, run: loginctl enable-linger"));
  return or_ok(std::move(faults), "enabled: " + join(enabled, ", "));
}

Findings check_services(const Scene& scene) {
  const auto shown =
      program_output({"systemctl", "--user", "show", "nexusd.socket", "nexusd.service",
                      "--property=Id,ActiveState,UnitFileState,MainPID"},
                     kManagerPatience);
  if (!shown || shown->exit_code != 0)
    return {ok("no service manager of yours answers: nexusd starts on use")};
  const auto& daemon = scene.daemon.get();
  return judge_units(parse_units(shown->text), daemon ? std::optional(daemon->pid) : std::nullopt,
                     lingers());
}

}  // namespace nexus::cli::doctor
