#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/api/reader.h"
#include "common/error.h"
#include "common/json.h"

namespace nexus::api {

/// Whether a registered provider answers right now (POST /v1/providers/reach).
struct ProviderReach {
  std::string name;
  std::string origin;  ///< what was asked; "" where the provider has no address
  bool reached = false;
  std::string detail;  ///< what was seen
  std::string hint;    ///< the way out where it is not reached
  /// By how many seconds this machine's clock is ahead of the server's (negative: behind).
  std::optional<std::int64_t> clock_ahead_s;
};

Result<void> read(const Reader& from, ProviderReach& into);
void write(JsonWriter& to, const ProviderReach& reach);

}  // namespace nexus::api
