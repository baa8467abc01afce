#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "common/descriptor.h"
#include "common/error.h"
#include "common/secret.h"

namespace nexus {

struct LocalResponse {
  int status = 0;
  std::string next_cursor;  ///< of a list that goes on (X-Next-Cursor), "" for other answers
  SecretText body;
};

/// Where nexusd listens.
struct LocalSocket {
  std::string path;
  /// By the person: it may be that of another user, whose group this one is of, where that user
  /// has the directory as well. Else it is this user's, or root's.
  bool is_named = false;
};

/// One HTTP/1.1 request over nexusd's Unix socket, as small as the process start of `nexus token`
/// wants it: connect, one write, read to the end. `target` is path and query, already encoded.
///
/// An answer may take as long as the daemon needs for it (a provider may be slow), so long as the
/// daemon is alive: after `patience` without a byte it is asked how it is, beside the request, and
/// has to answer that within as much again. Whoever cannot wait so long says until when: then it is
/// given up, and nobody is asked anything else. `confirmation`: the nonce of an answer that asked
/// for one, "" for none.
/// Errors: access_denied when another user listens there; daemon_unreachable when nothing listens
/// there or what does is silent (is_absent tells them apart); failure for an answer that is not
/// HTTP.
Result<LocalResponse> local_request(const LocalSocket& socket, std::string_view method,
                                    std::string_view target, std::string_view body,
                                    std::chrono::milliseconds patience = std::chrono::seconds(5),
                                    std::optional<std::chrono::steady_clock::time_point> until = {},
                                    std::string_view confirmation = {});

/// A connection to nexusd for whoever speaks HTTP/1.1 on it by itself; what is sent on it gives up
/// after `patience` without progress. Errors: those of local_request.
Result<Descriptor> connect_local(const LocalSocket& socket,
                                 std::chrono::milliseconds patience = std::chrono::seconds(5));

/// That such an error means that nobody listens: a daemon may be started, or looked for elsewhere.
/// A silent one is there, and what it was asked may be done yet.
bool is_absent(const Error& error);

}  // namespace nexus
