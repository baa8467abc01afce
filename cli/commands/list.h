#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "common/api/connection.h"

namespace nexus::cli {

struct ListFilter {
  bool all_workspaces = false;
  std::string status{};  ///< "" for all
};

/// The connections page by page, however many there are.
Result<void> each_page(Context& context, const ListFilter& filter,
                       const std::function<Result<void>(std::vector<api::Connection> page)>& use);
Result<std::vector<api::Connection>> fetch_connections(Context& context, const ListFilter& filter);
/// The table of `nexus list`, with their workspaces where one is another than this.
void print_as_list(const Output& output, const std::vector<api::Connection>& connections,
                   const std::string& workspace);
/// {"connections":[…]}, as they come.
Result<void> print_all_as_json(Context& context, const ListFilter& filter);

/// Attempts that failed some time ago are nothing to look at: takes them out, gives their number.
std::size_t leave_out_old_failures(std::vector<api::Connection>& connections);
/// That so many were left out, and how to see them.
void tell_left_out(const Output& output, std::size_t count);
/// That there is nothing to show.
void tell_none(Context& context, const ListFilter& filter);

}  // namespace nexus::cli
