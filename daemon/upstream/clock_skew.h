#pragma once

#include <optional>

#include "common/clock.h"
#include "daemon/net/streaming_client.h"

namespace nexus {

/// By how many seconds our clock, which says `now`, is ahead of the server's (negative: behind),
/// where that may be why the server refused what was signed with our time: an answer of 400, 401 or
/// 403 whose Date (RFC 9110 6.6.1) is more than five minutes off. So much AWS allows; S3 allows
/// fifteen. Told by the head alone: the body, which has the server's own words for it, is nobody's
/// but the caller's, and on its way already.
std::optional<UnixTime> skew_behind(const StreamedAnswer& answer, UnixTime now);

}  // namespace nexus
