// Which nexus a shell runs.
#include <cstdlib>
#include <memory>

#include "cli/doctor/checks.h"
#include "cli/program_output.h"
#include "cli/program_path.h"
#include "common/text.h"
#include "common/version.h"

namespace nexus::cli::doctor {
namespace {

constexpr auto kVersionPatience = std::chrono::milliseconds(1500);

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                         std::free);
  return real ? real.get() : path;
}

/// "0.1.0", or that it does not say.
std::string version_of(const std::string& program) {
  const auto said = program_output({program, "--version"}, kVersionPatience);
  const auto text = said ? std::string(trim(said->text)) : "";
  return text.starts_with("nexus ") ? printable(text.substr(6), 40) : "another program";
}

}  // namespace

Findings check_path(const Scene&) {
  const auto own = real_path(program_path("nexus"));
  const auto directory = own.substr(0, own.rfind('/'));
  const auto ours_first = "run: export PATH=" + shell_quote(directory) + ":\"$PATH\"";
  const auto found = all_on_path("nexus");
  if (found.empty()) return {warning("nexus is not on the PATH", ours_first)};
  Findings faults;
  const auto first = real_path(found[0]);
  if (first != own)
    faults.push_back(warning("nexus is " + found[0] + " (" + version_of(found[0]) +
                                 "), and not this one, " + own + " (" + kVersion + ")",
                             ours_first));
  for (std::size_t i = 1; i < found.size(); ++i) {
    const auto other = real_path(found[i]);
    if (other == first || other == own) continue;
    const auto version = version_of(found[i]);
    if (version != kVersion)
      faults.push_back(note("there is another nexus behind it: " + found[i] + " (" + version + ")",
                            "remove the installation that you do not mean"));
  }
  return or_ok(std::move(faults), "nexus is " + found[0]);
}

}  // namespace nexus::cli::doctor
