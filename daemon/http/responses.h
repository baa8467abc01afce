#pragma once

#include <string>

#include "common/error.h"
#include "daemon/http/message.h"

namespace nexus::http {

Response json_response(std::string_view json, int status = 200);
/// The one place where an Error becomes a status and a body.
Response error_response(const Error& error);

/// The same where the caller may take it for an answer that was passed on: it says whose it is.
Response own_error(const Error& error);

/// Whoever is at the other ends of a response's streams learns that it is not sent.
void drop_streams(const Response& response);

/// To programs whose query cannot be decoded.
Response malformed_query_response();

}  // namespace nexus::http
