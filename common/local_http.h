#pragma once

#include <string>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"

namespace nexus {

struct LocalResponse {
  int status = 0;
  std::string next_cursor;  ///< of a list that goes on (X-Next-Cursor), "" for other answers
  SecretText body;
};

/// One HTTP/1.1 request over nexusd's Unix socket, as small as the process start of `nexus token`
/// wants it: connect, one write, read to the end. `target` is path and query, already encoded.
/// Errors: daemon_unreachable when nothing listens there; failure for an answer that is not HTTP.
Result<LocalResponse> local_request(const std::string& socket, std::string_view method,
                                    std::string_view target, std::string_view body);

}  // namespace nexus
