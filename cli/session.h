#pragma once

#include <string>

#include "cli/context.h"
#include "common/config.h"
#include "common/error.h"

namespace nexus::cli {

/// What may stand before or behind every command.
struct GlobalOptions {
  ConfigFlags config;
  std::string workspace;
  bool json = false;
  bool no_color = false;
  bool no_pager = false;
  bool no_autostart = false;
};

/// Tokens pass through this process: no core files, no peeking by ptrace, and a closed pipe is an
/// error to handle, as is an output that was closed from the start.
void harden_process();

/// For a program that goes on in the place of this one, or is started by it: the limit on core
/// files and SIGPIPE as they were found.
void undo_hardening();

Result<Context> make_context(const GlobalOptions& options);
/// The same with settings that were read already, whatever flaws they have.
Context context_with(Config config, const GlobalOptions& options);

/// Warns of what is wrong with nexus.toml, unless that was done.
void tell_flaws(Context& context);
/// That nexusd refused to start because of that, which the error says then.
bool is_about_flaws(const Error& error, const Config& config);

/// Prints the error; gives its exit code.
int report(const Output& output, const Error& error);

/// Ends a command, and what shows its results: its exit code, or that of the error that it prints.
/// Results that did not reach stdout are one.
int conclude(const Output& output, const Result<int>& code);

/// Runs an action with everything set up; gives the exit code.
template <class Action>
int run_action(const GlobalOptions& options, const Action& action) {
  Output output;
  output.json = options.json;
  auto context = make_context(options);
  if (!context) return report(output, context.error());
  // Not before it is known whether they are passed over: no daemon starts with them.
  if (!context->config.flaws.empty())
    context->client.when_answered([&context] { tell_flaws(*context); });
  const Result<int> code = action(*context);
  if (code || !is_about_flaws(code.error(), context->config)) tell_flaws(*context);
  return conclude(context->output, code);
}

}  // namespace nexus::cli
