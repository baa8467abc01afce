#include "daemon/oauth/device_authorization.h"

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"

using namespace nexus;
using Json = nlohmann::json;

namespace {

Json answer() {
  return {{"device_code", "d"},
          {"user_code", "WDJB-MJHT"},
          {"verification_uri", "https://as.example/device"},
          {"expires_in", 600}};
}

Result<DeviceAuthorization> read(const char* member, const Json& value, bool insecure = false) {
  auto document = answer();
  document[member] = value;
  return read_device_authorization(document, insecure);
}

}  // namespace

TEST_CASE("a device authorization needs its members, and a safe address", "[device]") {
  CHECK(read_device_authorization(answer(), false));
  for (const char* member : {"device_code", "user_code", "verification_uri", "expires_in"}) {
    auto document = answer();
    document.erase(member);
    CHECK_FALSE(read_device_authorization(document, false));
  }
  for (const char* uri : {"javascript:alert(1)", "http://as.example/device", "", "device"})
    CHECK_FALSE(read("verification_uri", uri));
  CHECK(read("verification_uri", "http://127.0.0.1:9/device", true));
  CHECK_FALSE(read("verification_uri", "http://192.0.2.1/device", true));
  // The complete one is a convenience: a bad one is left out.
  CHECK(
      read("verification_uri_complete", "javascript:alert(1)")->verification_uri_complete.empty());
  CHECK_FALSE(read("device_code", "d\r\nX: 1"));
  CHECK(read("user_code", "A\u001b[2JB")->user_code == "A?[2JB");
}

TEST_CASE("intervals and lives of device codes are taken within reason", "[device]") {
  CHECK(read_device_authorization(answer(), false)->interval == 5);
  for (const Json& odd : {Json(0), Json(-1), Json("x"), Json(1.5), Json(nullptr), Json(true)})
    CHECK(read("interval", odd)->interval == 5);
  CHECK(read("interval", 7)->interval == 7);
  CHECK(read("interval", 1'000'000'000)->interval == 600);
  CHECK(read("interval", UINT64_MAX)->interval == 600);
  CHECK(read("expires_in", "600")->expires_in == 600);
  CHECK(read("expires_in", UINT64_MAX)->expires_in == 1800);
  for (const Json& odd : {Json(0), Json(-1), Json("soon"), Json(1e308), Json(nullptr)})
    CHECK_FALSE(read("expires_in", odd));
}
