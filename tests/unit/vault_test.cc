#include "daemon/vault/vault.h"

#include <set>

#include "common/id.h"
#include "tests/support/catch.h"

using namespace nexus;

namespace {

Secret root(char fill) {
  return Secret(std::string(32, fill));
}

}  // namespace

TEST_CASE("what is sealed opens only in its place", "[vault]") {
  VaultHeader header;
  const auto vault = Vault::create(root('k'), header);
  const SealedPlace place{"connection", "conn_1", "access_token", 1};
  const auto sealed = vault.seal(place, "the token");
  REQUIRE(vault.open(place, sealed));
  CHECK(vault.open(place, sealed)->expose() == "the token");
  CHECK(sealed.find("the token") == std::string::npos);
  for (const SealedPlace& other : {SealedPlace{"provider", "conn_1", "access_token", 1},
                                   SealedPlace{"connection", "conn_2", "access_token", 1},
                                   SealedPlace{"connection", "conn_1", "refresh_token", 1},
                                   SealedPlace{"connection", "conn_1", "access_token", 2}})
    CHECK_FALSE(vault.open(other, sealed));
}

TEST_CASE("a flipped bit anywhere is noticed", "[vault]") {
  VaultHeader header;
  const auto vault = Vault::create(root('k'), header);
  const SealedPlace place{"connection", "c", "f", 1};
  const auto sealed = vault.seal(place, "x");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto damaged = sealed;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    CHECK_FALSE(vault.open(place, damaged));
    CHECK_FALSE(vault.open(place, sealed.substr(0, i)));
  }
}

TEST_CASE("a vault opens with its own key only", "[vault]") {
  VaultHeader header;
  const auto first = Vault::create(root('k'), header);
  const auto again = Vault::open(root('k'), header);
  REQUIRE(again);
  const SealedPlace place{"connection", "c", "f", 1};
  CHECK(again->open(place, first.seal(place, "s"))->expose() == "s");
  const auto wrong = Vault::open(root('w'), header);
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == ErrorCode::vault_key_wrong);

  VaultHeader other_header;
  const auto other = Vault::create(root('k'), other_header);
  CHECK_FALSE(other.open(place, first.seal(place, "s")));
}

TEST_CASE("only who has the root key says at which stage a vault is", "[vault]") {
  VaultHeader header;
  const auto vault = Vault::create(root('k'), header);
  CHECK(vault.stage() == VaultStage::with_codes);
  CHECK_FALSE(Vault::at_stage(root('w'), header, VaultStage::chained));
  const auto latest = Vault::at_stage(root('k'), header, VaultStage::chained);
  REQUIRE(latest);
  const auto opened = Vault::open(root('k'), *latest);
  REQUIRE(opened);
  CHECK(opened->stage() == VaultStage::chained);
  CHECK(opened->row_keys()->present.expose() == vault.row_keys()->present.expose());
  CHECK(opened->audit_key().expose() == vault.audit_key().expose());
  CHECK(vault.audit_key().expose() != vault.row_keys()->present.expose());
}

TEST_CASE("nonces never repeat and lengths are padded", "[vault]") {
  VaultHeader header;
  const auto vault = Vault::create(root('k'), header);
  std::set<std::string> nonces;
  for (int i = 0; i < 2000; ++i)
    nonces.insert(vault.seal({"k", "o", "f", 1}, "same").substr(5, 24));
  CHECK(nonces.size() == 2000);
  CHECK(vault.seal({"k", "o", "f", 1}, "a").size() ==
        vault.seal({"k", "o", "f", 1}, "abcdef").size());
}

TEST_CASE("another root key takes the place of the first, and what is sealed stays", "[vault]") {
  VaultHeader header;
  const auto vault = Vault::create(root('k'), header);
  const SealedPlace place{"connection", "c", "refresh_token", 3};
  const auto sealed = vault.seal(place, "kept");
  const auto changed =
      Vault::rewrap(root('k'), header, {root('n'), KeySource::passphrase, "a derivation"});
  REQUIRE(changed);
  CHECK(changed->vault_id == header.vault_id);
  CHECK(changed->key_source == KeySource::passphrase);
  const auto opened = Vault::open(root('n'), *changed);
  REQUIRE(opened);
  CHECK(opened->open(place, sealed)->expose() == "kept");
  CHECK(opened->stage() == vault.stage());
  CHECK_FALSE(Vault::open(root('k'), *changed));
  CHECK_FALSE(Vault::rewrap(root('w'), header, {root('n'), KeySource::file}));
  auto elsewhere = *changed;
  elsewhere.key_derivation = "another derivation";
  CHECK_FALSE(Vault::open(root('n'), elsewhere));
}
