#include "daemon/http/responses.h"

#include <utility>

#include "common/api/error.h"
#include "daemon/loop/pipe.h"

namespace nexus::http {

Response json_response(std::string_view json, int status) {
  Response response;
  response.status = status;
  response.body = json;
  return response;
}

Response error_response(const Error& error) {
  auto response = json_response(api::error_json(error), info(error.code).http_status);
  if (error.retry_after_s > 0)
    response.headers.emplace_back("Retry-After", std::to_string(error.retry_after_s));
  return response;
}

Response own_error(const Error& error) {
  auto response = error_response(error);
  response.headers.emplace_back("X-Nexus-Error", error.wire());
  return response;
}

void drop_streams(const Response& response) {
  if (response.to_server) response.to_server->end();
  if (response.stream) response.stream->abandon();
}

Response malformed_query_response() {
  return error_response(
      {ErrorCode::invalid_field, "the query is malformed", "send a well-formed HTTP/1.1 request"});
}

}  // namespace nexus::http
