// The path of a request from bytes to an API key, as the event loop and the gateway take it:
// libFuzzer looks for inputs that crash, hang or break what the rest relies on.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/json.h"
#include "daemon/api/credentials.h"
#include "daemon/http/host_policy.h"
#include "daemon/http/origin_policy.h"
#include "daemon/http/request_parser.h"

#include <nlohmann/json.hpp>

using namespace nexus;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_complete(const http::Parsed& parsed) {
  return parsed.state == http::Parsed::State::complete;
}

void follow(http::Request request) {
  static const http::HostPolicy hosts({"127.0.0.1", 8090}, {"nexus.example.com"});
  static const auto origins = http::OriginPolicy::make({"https://app.example.com"});
  for (const auto& segment : request.segments)
    require(segment != ".." && (!segment.empty() || &segment == &request.segments.back()));
  for (const auto& [name, value] : request.headers)
    require(!name.empty() &&
            value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  static_cast<void>(hosts.allows(request.header("host")));
  static_cast<void>(origins->check(request));
  http::Response response;
  origins->permit(request, response);
  if (http::OriginPolicy::is_preflight(request)) static_cast<void>(origins->preflight(request));
  static_cast<void>(api::take_api_key(request));
  static_cast<void>(parse_json_object(request.body));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto parsed = http::parse_request(text);
  if (!is_complete(parsed)) return 0;
  require(parsed.consumed > 0 && parsed.consumed <= size);
  // What follows a request does not change how it reads, and no part of it is a request.
  const auto again = http::parse_request(std::string(text.substr(0, parsed.consumed)) + "GET");
  require(is_complete(again) && again.consumed == parsed.consumed &&
          again.request.path == parsed.request.path && again.request.body == parsed.request.body);
  require(!is_complete(http::parse_request(text.substr(0, parsed.consumed - 1))));
  follow(std::move(parsed.request));
  return 0;
}
