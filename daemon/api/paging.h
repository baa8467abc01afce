#pragma once

#include <string>
#include <vector>

#include "common/api/reader.h"
#include "daemon/api/handlers.h"

namespace nexus::api {

/// The part of a list that a request asks for (`limit`, `cursor`).
struct Slice {
  std::string cursor;  ///< "" for the beginning
  std::int64_t limit = 0;
};

/// A list without `limit` brings as much as fits one answer. Error: invalid_field.
Result<Slice> slice_of(const http::Request& request);

Reply with_next(Reply reply, const http::Request& request, const std::string& next);

/// The list, with where the next part begins: a Link header (RFC 8288, rel="next") and, for those
/// who build their own URLs, X-Next-Cursor. Neither where there is none.
template <class Resource>
Reply paged(const std::vector<Resource>& list, const http::Request& request,
            const std::string& next) {
  return with_next({to_json(list)}, request, next);
}
/// The same where a full page means that there may be another, which goes on after `last`.
template <class Resource>
Reply paged(const std::vector<Resource>& list, const http::Request& request, const Slice& slice,
            const std::string& last) {
  const bool full = list.size() == static_cast<std::size_t>(slice.limit);
  return paged(list, request, full ? last : "");
}

}  // namespace nexus::api
