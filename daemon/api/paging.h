#pragma once

#include <string>

#include "daemon/api/handlers.h"

namespace nexus::api {

/// The part of a list that a request asks for (`limit`, `cursor`).
struct Slice {
  std::string cursor;  ///< "" for the beginning
  std::int64_t limit = 0;
};

/// A list without `limit` brings as much as fits one answer. Error: invalid_field.
Result<Slice> slice_of(const http::Request& request);

/// The list, with where the next part begins: a Link header (RFC 8288, rel="next") and, for those
/// who build their own URLs, X-Next-Cursor. Neither where there is none.
Reply paged(nlohmann::json list, const http::Request& request, const std::string& next);
/// The same where a full page means that there may be another, which goes on after `last`.
Reply paged(nlohmann::json list, const http::Request& request, const Slice& slice,
            const std::string& last);

}  // namespace nexus::api
