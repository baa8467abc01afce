#include "cli/commands/watch.h"

#include <memory>

#include "cli/interrupt.h"
#include "cli/output/live_screen.h"
#include "common/paths.h"

namespace nexus::cli {
namespace {

using Connections = std::vector<api::Connection>;

constexpr int kWatchMs = 2000;

int interrupted() {
  return info(ErrorCode::interrupted).exit_code;
}

/// What makes two looks differ, for a stream that is not redrawn.
std::string facts_of(const Connections& connections) {
  std::string facts;
  for (const auto& c : connections)
    facts += c.id + c.alias + word(c.status) + std::to_string(c.expires_at.value_or(0)) +
             c.error_code + c.error_message + "\n";
  return facts;
}

Result<int> watch_on_screen(Context& context, const Watched& watched, Connections connections) {
  auto made = std::make_unique<LiveScreen>();
  auto& screen = *made;
  context.output.show_by(std::move(made));
  std::string trouble;
  do {
    watched.print(connections);
    if (!trouble.empty()) context.output.line("nexus: " + trouble);
    if (!screen.draw()) return 0;  // whoever ends the command says that nobody sees it any more
    if (!wait_unless_interrupted(-1, kWatchMs)) return interrupted();
    auto looked = watched.fetch();
    trouble = looked ? "" : looked.error().message;
    if (looked) connections = *std::move(looked);
  } while (true);
}

Result<int> watch_as_stream(Context& context, const Watched& watched,
                            const Connections& connections) {
  watched.print(connections);
  auto shown = facts_of(connections);
  while (context.output.written()) {
    if (!wait_unless_interrupted(-1, kWatchMs)) return interrupted();
    const auto looked = watched.fetch();
    const auto facts = looked ? facts_of(*looked) : looked.error().message;
    if (facts == shown) continue;
    if (looked)
      watched.print(*looked);
    else
      context.output.note("nexus: " + looked.error().message);
    shown = facts;
  }
  return 0;  // whoever ends the command says that nobody reads any more
}

}  // namespace

Result<int> watch(Context& context, const Watched& watched) {
  const CatchInterrupt interruptible;
  NEXUS_TRY(auto connections, watched.fetch());
  const bool is_drawn =
      context.output.stdout_is_terminal() && !context.output.json && environment("TERM") != "dumb";
  return is_drawn ? watch_on_screen(context, watched, std::move(connections))
                  : watch_as_stream(context, watched, connections);
}

}  // namespace nexus::cli
