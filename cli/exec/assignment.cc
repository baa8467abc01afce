#include "cli/exec/assignment.h"

#include <array>

#include "cli/exec/variable_name.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// "NAME=CONN[:DETAIL]" in its parts; the first two of them are empty where it is none. No name of
/// a connection has a colon.
std::array<std::string, 3> parts_of(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return {};
  const auto connection = text.substr(equals + 1);
  const auto colon = connection.find(':');
  const bool ends_there = colon + 1 == connection.size();  // "work:" names no field
  if (connection.empty() || colon == 0 || ends_there) return {};
  return {text.substr(0, equals), connection.substr(0, colon),
          colon == std::string::npos ? "" : connection.substr(colon + 1)};
}

Error malformed(const std::string& option, const std::string& text, const std::string& form) {
  return {ErrorCode::usage, option + " cannot be '" + printable(text, 80) + "'",
          "it is " + option + " " + form};
}

}  // namespace

Result<VariableAssignment> parse_variable_assignment(const std::string& option,
                                                     const std::string& text) {
  auto [variable, connection, field] = parts_of(text);
  if (connection.empty()) return malformed(option, text, "VAR=CONN or VAR=CONN:FIELD");
  NEXUS_CHECK(check_variable_name(variable));
  return VariableAssignment{std::move(variable), std::move(connection), std::move(field)};
}

Result<NetrcAssignment> parse_netrc_assignment(const std::string& text) {
  auto [host, connection, user] = parts_of(text);
  const bool is_host =
      !host.empty() && is_vschar(host) && host.find_first_of(" /:@\"\\#") == std::string::npos;
  if (connection.empty() || !is_host)
    return malformed("--netrc", text, "HOST=CONN or HOST=CONN:USER, HOST a name without a port");
  return NetrcAssignment{std::move(host), std::move(connection), std::move(user)};
}

}  // namespace nexus::cli
