#include "cli/commands/begun.h"

#include <vector>

#include "common/text.h"

namespace nexus::cli {

Error take_back(Context& context, const Begun& begun, Error error) {
  if (begun.registered.empty() && begun.connection_id.empty()) return error;
  std::vector<std::string> taken_back;
  const auto end = [&](const std::string& target, const std::string& what,
                       const std::string& way_out) {
    const auto ended = context.client.call_raw("DELETE", target, "");
    if (ended) return taken_back.push_back(what);
    context.output.warn(what + " is left: " + ended.error().message);
    context.output.note("  run: " + way_out);
  };
  if (!begun.connection_id.empty())
    end("/v1/connections/" + percent_encode(begun.connection_id) + "?keep_grant=true",
        "the connection", "nexus disconnect " + begun.connection_id);
  if (!begun.registered.empty())
    end("/v1/providers/by-name/" + percent_encode(begun.registered),
        "the registration of " + begun.registered, "nexus provider remove " + begun.registered);
  const auto said = "taken back: " + join(taken_back, " and ");
  if (error.code == ErrorCode::interrupted) {
    error.message = "interrupted";
    if (!taken_back.empty()) error.message += "; " + said;
  } else if (!taken_back.empty()) {
    context.output.note(said);
  }
  return error;
}

}  // namespace nexus::cli
