#include "daemon/http/responses.h"

#include <nlohmann/json.hpp>

#include "common/api/error.h"
#include "common/json.h"

namespace nexus::http {

Response json_response(const nlohmann::json& body, int status) {
  Response response;
  response.status = status;
  response.body = to_text(body);
  return response;
}

Response error_response(const Error& error) {
  auto response = json_response(api::to_json(error), info(error.code).http_status);
  if (error.retry_after_s > 0)
    response.headers.emplace_back("Retry-After", std::to_string(error.retry_after_s));
  return response;
}

}  // namespace nexus::http
