#include "daemon/api/paging.h"

#include "common/text.h"
#include "daemon/net/url.h"

namespace nexus::api {
namespace {

constexpr std::int64_t kMostAtOnce = 1000;

}  // namespace

Result<Slice> slice_of(const http::Request& request) {
  Slice slice{request.query_value("cursor"), kMostAtOnce};
  const auto limit = request.query_value("limit");
  if (limit.empty()) return slice;
  const auto number = parse_number(limit);
  if (!number || *number < 1 || *number > kMostAtOnce)
    return Error{ErrorCode::invalid_field, "limit has to be a number from 1 to 1000",
                 "for more, follow the Link header of the answer"};
  slice.limit = *number;
  return slice;
}

Reply with_next(Reply reply, const http::Request& request, const std::string& next) {
  if (next.empty()) return reply;
  std::vector<std::pair<std::string, std::string>> query;
  for (const auto& pair : request.query)
    if (pair.first != "cursor") query.push_back(pair);
  query.emplace_back("cursor", next);
  reply.headers = {{"Link", "<" + with_parameters(request.path, query) + ">; rel=\"next\""},
                   {"X-Next-Cursor", next}};
  return reply;
}

}  // namespace nexus::api
