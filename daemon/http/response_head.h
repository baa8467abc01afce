#pragma once

#include <string_view>

#include "daemon/http/message.h"

namespace nexus::http {

/// Appends the status line and the headers of an answer, up to the empty line. Every answer says
/// that it must not be stored, and carries its request's id.
void write_head(SecretText& out, const Response& response, std::string_view request_id,
                bool keep_alive);
/// Those of an answer that is passed on: of ours it has the framing alone.
void write_passed_on_head(SecretText& out, const Response& response, bool in_chunks,
                          bool keep_alive);

/// Those of an answer that makes the connection a WebSocket.
void write_switch_head(SecretText& out, const Response& response);

}  // namespace nexus::http
