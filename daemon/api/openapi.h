#pragma once

#include <string_view>

namespace nexus::api {

/// share/openapi.yaml as it was when this was built: what it says is what this nexusd does.
extern const std::string_view kOpenapi;

}  // namespace nexus::api
