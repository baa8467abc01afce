#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "common/api/connection.h"

namespace nexus::cli {

/// Names of connections are paths of the API: the one look-up that several commands share.
Result<api::Connection> fetch_connection(Context& context, const std::string& reference);

/// A table for people or {"connections":[…]} for scripts, printed as the connections come.
class ConnectionPrinter {
 public:
  explicit ConnectionPrinter(const Output& output) : output_(output) {}
  void print(const std::vector<api::Connection>& connections);
  void finish();

 private:
  const Output& output_;
  bool any_ = false;
  std::vector<std::size_t> widths_;
};

/// All of them at once.
void print_connections(const Output& output, const std::vector<api::Connection>& connections);

/// 0 for active, 3, 4 or 5 for the others.
int exit_code_for(ConnectionStatus status);

}  // namespace nexus::cli
