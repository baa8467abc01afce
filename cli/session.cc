#include "cli/session.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "cli/remote.h"
#include "common/paths.h"
#include "common/standard_streams.h"

namespace nexus::cli {
namespace {

struct {
  rlimit core{};
  struct sigaction pipe {};
} found;

}  // namespace

void harden_process() {
  occupy_standard_streams();
  getrlimit(RLIMIT_CORE, &found.core);
  const rlimit none{0, found.core.rlim_max};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &found.pipe);
}

void undo_hardening() {
  setrlimit(RLIMIT_CORE, &found.core);
  sigaction(SIGPIPE, &found.pipe, nullptr);
}

Result<Context> make_context(const GlobalOptions& options) {
  NEXUS_TRY(auto config, load_config(options.config));
  return context_with(std::move(config), options);
}

void tell_flaws(Context& context) {
  for (const auto& flaw : std::exchange(context.config.flaws, {}))
    context.output.warn(flaw.message + "; that is passed over (" + flaw.hint + ")");
}

bool is_about_flaws(const Error& error, const Config& config) {
  return std::any_of(config.flaws.begin(), config.flaws.end(), [&](const Error& flaw) {
    return error.message.find(flaw.message) != std::string::npos;
  });
}

Context context_with(Config config, const GlobalOptions& options) {
  Context context;
  context.config = std::move(config);
  if (!options.workspace.empty()) context.config.workspace = options.workspace;
  context.output.json = options.json;
  context.output.color_allowed = !options.no_color;
  context.output.pager_allowed = !options.no_pager;
  take_api_key_from_environment();
  const bool autostart = !options.no_autostart && environment("NEXUS_NO_AUTOSTART").empty();
  context.client = Client(context.config, autostart);
  return context;
}

int report(const Output& output, const Error& error) {
  output.error(error);
  return error.exit_code();
}

int conclude(const Output& output, const Result<int>& code) {
  output.end_viewer();
  if (!code) return report(output, code.error());
  const auto written = output.written();
  if (written) return *code;
  // A pipe that ends early is said by the exit code alone, as by other programs.
  return output.reader_has_left() ? written.error().exit_code() : report(output, written.error());
}

}  // namespace nexus::cli
