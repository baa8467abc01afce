#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/api/reader.h"
#include "common/error.h"
#include "common/json.h"

namespace nexus::api {

/// A request that would be sent on to a connection's API, and was not: its head, whose credentials
/// are masked unless they were asked for.
struct ShownRequest {
  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
};

Result<void> read(const Reader& from, ShownRequest& into);
void write(SecretJsonWriter& to, const ShownRequest& value);

}  // namespace nexus::api
