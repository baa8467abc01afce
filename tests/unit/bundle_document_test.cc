#include "daemon/bundle/document.h"

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"

using namespace nexus;
using Json = nlohmann::json;

namespace {

const std::string kId = "conn_01ARZ3NDEKTSV4RRFFQ69G5FAV";

BundleDocument sample() {
  BundleDocument document{.made_at = 1'800'000'000, .moved = true};
  document.providers.push_back({"p-1", "acme", R"({"client_id":"c"})", Secret("s3cret")});
  BundledConnection connection;
  auto& row = connection.row;
  row.id = kId;
  row.provider_id = "p-1";
  row.workspace = "default";
  row.alias = "deploy";
  row.account = "alice@example.com";
  row.metadata = R"({"team":"x"})";
  row.last_refresh_at = 1'700'000'000;
  row.refresh_at = 1'800'000'500;
  row.refresh_sent = 3;
  row.token = {"Bearer", "read write", 1'799'999'000, 1'800'001'000, R"({"instance":"eu"})"};
  connection.pinned = R"({"token":"https://acme.example/token"})";
  connection.secrets.push_back({SecretField::access_token, 4, Secret("at-\"4\"\n")});
  connection.secrets.push_back({SecretField::refresh_token, 3, Secret("rt-3")});
  document.connections.push_back(std::move(connection));
  return document;
}

Json sample_json() {
  return Json::parse(std::string(to_text(sample())));
}

Result<BundleDocument> read(const Json& json) {
  return bundle_from_text(json.dump());
}

}  // namespace

TEST_CASE("a bundle's document is read back as it was written", "[bundle]") {
  const auto text = to_text(sample());
  const auto document = bundle_from_text(text);
  REQUIRE(document);
  CHECK(document->moved);
  const auto& connection = document->connections.at(0);
  CHECK(connection.row.refresh_sent == 3);
  CHECK(connection.row.token.expires_at == 1'800'001'000);
  CHECK(connection.secrets.at(0).value.expose() == "at-\"4\"\n");
  CHECK(connection.secrets.at(1).generation == 3);
  CHECK(to_text(*document) == text);
}

TEST_CASE("a member that is missing, unknown or of another form is refused, wherever it stands",
          "[bundle]") {
  const auto whole = sample_json().flatten();
  for (const auto& [pointer, value] : whole.items()) {
    const Json::json_pointer at(pointer);
    const auto parent = at.parent_pointer();
    INFO(pointer);
    for (const Json& other : {Json(Json::array()), Json(true)}) {
      auto changed = sample_json();
      // What stands within objects that are kept as they are is read elsewhere.
      if (pointer.find("/profile/") != std::string::npos ||
          pointer.find("/endpoints/") != std::string::npos ||
          pointer.find("/metadata/") != std::string::npos ||
          pointer.find("/fields/") != std::string::npos)
        break;
      if (changed[at] == other) continue;
      if (changed[at].is_boolean() && other.is_boolean()) continue;
      changed[at] = other;
      const auto refused = read(changed);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == ErrorCode::invalid_bundle);
      changed = sample_json();
      changed[parent].erase(at.back());
      if (pointer.find("/secrets/") == std::string::npos) CHECK_FALSE(read(changed));
      changed = sample_json();
      changed[parent]["surplus"] = 1;
      CHECK_FALSE(read(changed));
    }
  }
}

TEST_CASE("a document whose parts do not belong together is refused", "[bundle]") {
  const auto with = [](const std::string& pointer, const Json& value) {
    auto changed = sample_json();
    changed[Json::json_pointer(pointer)] = value;
    return read(changed);
  };
  const auto one = sample_json();
  CHECK_FALSE(with("/format", 2));
  CHECK_FALSE(with("/connections/0/refresh_at", INT64_MAX));
  CHECK_FALSE(with("/connections/0/refresh_at", -1));
  CHECK_FALSE(with("/connections/0/token/expires_at", 1.5));
  CHECK_FALSE(with("/connections/0/provider_id", "p-2"));
  CHECK_FALSE(with("/connections/0/id", "conn_short"));
  CHECK_FALSE(with("/connections/0/workspace", ""));
  CHECK_FALSE(with("/connections/0/auth_type", "api_key"));
  CHECK_FALSE(with("/connections/0/auth_type", "kerberos"));
  CHECK_FALSE(with("/connections/0/endpoints", nullptr));
  CHECK_FALSE(with("/connections/0/secrets", Json::object()));
  CHECK_FALSE(with("/connections/0/secrets/client_secret", {{"value", "x"}, {"generation", 1}}));
  CHECK_FALSE(with("/connections/0/secrets/refresh_token/generation", 0));
  CHECK_FALSE(with("/connections/0/alias", "a\u001b[31m"));
  CHECK_FALSE(with("/connections/1", one["connections"][0]));
  CHECK_FALSE(with("/providers/1", one["providers"][0]));
  CHECK_FALSE(bundle_from_text("[]"));
  CHECK_FALSE(bundle_from_text(""));
  CHECK_FALSE(bundle_from_text(one.dump() + "{}"));
  CHECK(read(one));
}
