#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "common/api/connection.h"

namespace nexus::cli {

struct ListFilter {
  bool all_workspaces = false;
  std::string status;  ///< "" for all
};

Result<std::vector<api::Connection>> fetch_connections(Context& context, const ListFilter& filter);

}  // namespace nexus::cli
