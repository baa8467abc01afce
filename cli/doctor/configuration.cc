// nexus.toml itself: that it can be read, says what can be followed, and is nobody else's to write.
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor/checks.h"
#include "cli/program_path.h"
#include "common/text.h"

namespace nexus::cli::doctor {

Findings check_configuration(const Scene& scene) {
  const auto& config = scene.config;
  Findings faults;
  for (const auto& flaw : config.flaws) faults.push_back(failure(flaw));
  if (const auto& hook = config.on_attention; !hook.empty() && !can_be_run(hook[0]))
    faults.push_back(warning("hooks.on_attention is " + printable(hook[0], 200) +
                                 ", which is no program that can be run",
                             "set on_attention under [hooks] in " + config.file +
                                 " to a program's path, or take it out"));
  if (config.flaws.empty())
    if (auto fault = fault_of_start(scene, StartFault::of_settings))
      faults.push_back(*std::move(fault));
  struct stat about {};
  if (stat(config.file.c_str(), &about) != 0)
    return or_ok(std::move(faults), "there is no " +
                                        (config.file.empty() ? "nexus.toml" : config.file) +
                                        ": the defaults hold");
  // It names programs to run (hooks.on_attention): who writes it is you.
  if (about.st_uid != geteuid() && about.st_uid != 0)
    faults.push_back(warning(
        config.file + " belongs to another user (uid " + std::to_string(about.st_uid) +
            "), who can change your settings",
        "take it over: chown " + std::to_string(geteuid()) + " " + shell_quote(config.file)));
  if (S_ISREG(about.st_mode) && (about.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    faults.push_back(warning(config.file + " can be changed by other users",
                             "run: chmod go-w " + shell_quote(config.file)));
  return or_ok(std::move(faults), config.file + " is read");
}

}  // namespace nexus::cli::doctor
