#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/output/output.h"
#include "common/api/connection.h"

namespace nexus::cli {

/// Names of connections are paths of the API: the one look-up that several commands share.
Result<api::Connection> fetch_connection(Context& context, const std::string& reference);

/// {"connections":[…]} for scripts, printed as the connections come.
class ConnectionsJson {
 public:
  explicit ConnectionsJson(const Output& output) : output_(output) {}
  void print(const std::vector<api::Connection>& connections);
  void finish();

 private:
  const Output& output_;
  bool any_ = false;
};

/// All of them at once.
void print_json(const Output& output, const std::vector<api::Connection>& connections);

/// That its background refreshes fail, while its present token may still be good.
bool refresh_fails(const api::Connection& connection);
/// "work", or the id of one that has no alias: what to call it in the next command.
const std::string& name_of(const api::Connection& connection);
/// "google (ann@example.com)", or with its id where nobody knows whose it is.
std::string told_apart(const api::Connection& connection);
/// "in 59m", "never"…; "-" for one that has no token to expire.
std::string expiry(const api::Connection& connection);
/// The same of one that is active, behind a comma: "the token expires in 5m".
std::string expiry_sentence(const api::Connection& connection);
Color color_of(const api::Connection& connection);

/// 0 for active, 3, 4 or 5 for the others.
int exit_code_for(ConnectionStatus status);

}  // namespace nexus::cli
