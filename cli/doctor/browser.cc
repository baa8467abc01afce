// What nexus connect would open.
#include "cli/browser.h"

#include "cli/doctor/checks.h"
#include "common/paths.h"

namespace nexus::cli::doctor {

Findings check_browser(const Scene&) {
  const auto named = environment("BROWSER");
  const auto program = browser_program();
  const std::string elsewhere =
      "nexus connect PROVIDER --device, or --paste with a browser elsewhere";
  if (!program.empty() && environment("SSH_CONNECTION").empty())
    return {ok("nexus connect opens " + program)};
  if (!program.empty())
    return {note("this is an SSH session: " + program + " would open on this machine",
                 "where you are not before it, run: " + elsewhere)};
  if (!named.empty())
    return {warning("BROWSER names no program that is there (" + named + ")",
                    "set BROWSER to a browser, or unset it")};
  return {note("there is no display to open a browser on, so nexus connect shows the address",
               "set BROWSER, or run: " + elsewhere)};
}

}  // namespace nexus::cli::doctor
