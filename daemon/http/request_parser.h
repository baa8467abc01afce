#pragma once

#include <string_view>

#include "common/error.h"
#include "daemon/http/message.h"

namespace nexus::http {

// Why not a library's parser: what must be refused before anything is routed (J14) is
// most of a parser, cpp-httplib 0.11 accepts much of it and percent-decodes header values, and a
// second reading of every request would cost more than this one.

/// The outcome of looking at what has arrived so far.
struct Parsed {
  enum class State { incomplete, complete, refused };
  State state = State::incomplete;
  Request request;           ///< when complete
  std::size_t consumed = 0;  ///< bytes of it, when complete
  ErrorCode error{};         ///< when refused; the connection has to be closed
  const char* reason = "";
  /// When complete, of a head alone: whether its path is one for our routes, "" if so, and whether
  /// its body comes in chunks.
  const char* path_fault = "";
  bool is_chunked = false;
  std::string_view target;  ///< path and query, where they stand in what was parsed
};

/// Reads one HTTP/1.1 request strictly (RFC 9112): request line up to 8 KiB, 100 headers in 32 KiB,
/// a body of up to 1 MiB with Content-Length. Refuses everything that two readers could read
/// differently: bare CR or LF, folded lines, blanks before a colon, control characters, repeated
/// Host or Content-Length, Transfer-Encoding, absolute-form targets, dot segments and empty
/// segments, but for the one behind a slash at the end. A query that cannot be decoded is told, for
/// those who answer people.
Parsed parse_request(std::string_view data);

/// The same for its head alone, whose body is to be streamed: its length is in `request.length`, or
/// it comes in chunks, or there is none. The path may be one that no route of ours would have.
Parsed parse_head(std::string_view data);
/// The request that begins with that head: `parse_request` in two steps.
Parsed with_body(Parsed head, std::string_view data);

}  // namespace nexus::http
