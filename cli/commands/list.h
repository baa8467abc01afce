#pragma once

#include <functional>
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

/// Prints them page by page, however many there are: a table for people or {"connections":[…]} for
/// scripts. `seen` is told of each page.
Result<void> print_all_connections(
    Context& context, const ListFilter& filter,
    const std::function<void(const std::vector<api::Connection>& page)>& seen = {});

}  // namespace nexus::cli
