#include "daemon/backup/manifest.h"

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"

using namespace nexus;

namespace {

BackupManifest manifest() {
  return {1'800'000'000,
          "0.1.0",
          Secret(std::string(32, 'k')),
          {{"nexus.db", 4096}, {"audit.head", 64}, {"audit.db", 8192}}};
}

nlohmann::json as_json() {
  return nlohmann::json::parse(std::string_view(to_text(manifest())));
}

}  // namespace

TEST_CASE("a backup's manifest is read as it was written", "[backup]") {
  const auto read = backup_manifest_from_text(to_text(manifest()));
  REQUIRE(read);
  CHECK(read->made_at == 1'800'000'000);
  CHECK(read->version == "0.1.0");
  CHECK(read->root_key.expose() == std::string(32, 'k'));
  REQUIRE(read->files.size() == 3);
  CHECK(read->files[2].name == "audit.db");
  CHECK(read->files[2].size == 8192);
}

TEST_CASE("a manifest of another form is refused", "[backup]") {
  const auto refused = [](const nlohmann::json& json) {
    const auto read = backup_manifest_from_text(json.dump());
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::invalid_backup);
  };
  const auto whole = as_json();
  for (const auto& [name, value] : whole.items()) {
    CAPTURE(name);
    auto json = as_json();
    json.erase(name);
    if (name != "version") refused(json);
    for (const nlohmann::json& other :
         {nlohmann::json(), nlohmann::json(-1), nlohmann::json("x"), nlohmann::json::array({1})}) {
      json[name] = other;
      if (!(name == "version" && (other.is_null() || other.is_string())) &&
          !(name == "made_at" && other.is_number()))
        refused(json);
    }
  }
  const auto with_files = [&](const nlohmann::json& files) {
    auto json = as_json();
    json["files"] = files;
    refused(json);
  };
  const nlohmann::json vault{{"name", "nexus.db"}, {"size", 1}};
  const nlohmann::json head{{"name", "audit.head"}, {"size", 1}};
  const nlohmann::json log{{"name", "audit.db"}, {"size", 1}};
  with_files({vault, head});
  with_files({vault, log, head});
  with_files({vault, head, log, log});
  with_files({vault, head, {{"name", "../audit.db"}, {"size", 1}}});
  with_files({vault, head, {{"name", "audit.db"}, {"size", -1}}});
  with_files({vault, head, {{"name", "audit.db"}, {"size", std::int64_t{1} << 45}}});
  with_files({vault, head, {{"name", "audit.db"}}});
  CHECK_FALSE(backup_manifest_from_text("{"));
  CHECK_FALSE(backup_manifest_from_text(""));
}
