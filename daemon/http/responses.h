#pragma once

#include <nlohmann/json_fwd.hpp>

#include "common/error.h"
#include "daemon/http/message.h"

namespace nexus::http {

Response json_response(const nlohmann::json& body, int status = 200);
/// The one place where an Error becomes a status and a body.
Response error_response(const Error& error);

}  // namespace nexus::http
