#include "daemon/crypto/passphrase_key.h"

#include "daemon/crypto/encoding.h"
#include "tests/support/catch.h"

using namespace nexus;

TEST_CASE("a key of a passphrase is that of RFC 9106's Argon2id", "[passphrase]") {
  // As the reference's argon2(1) has it: -id -t 2 -m 16 -p 1 -l 32.
  const PassphraseDerivation derivation{2, 65536, "0123456789abcdef"};
  const auto key = key_from(Secret("password"), derivation);
  REQUIRE(key);
  CHECK(hex(key->expose()) == "efefea1217a1d74f60760e0cddef0e1ddcc58d048f2a50ba3606d5bf0a68af9f");
}

TEST_CASE("how it is made is told as a text, and cannot be made cheap", "[passphrase]") {
  const auto made = PassphraseDerivation::make();
  CHECK(made.passes == 3);
  CHECK(made.memory_kib == 262144);
  CHECK(made.salt.size() == 16);
  CHECK(made.salt != PassphraseDerivation::make().salt);
  const auto again = PassphraseDerivation::parse(made.text());
  REQUIRE(again);
  CHECK(again->passes == made.passes);
  CHECK(again->memory_kib == made.memory_kib);
  CHECK(again->salt == made.salt);
  const std::string salt = "AAAAAAAAAAAAAAAAAAAAAA==";
  CHECK(PassphraseDerivation::parse("argon2id$2$65536$" + salt));
  for (const std::string bad :
       {"", "argon2id", "argon2i$2$65536$SALT", "argon2id$1$65536$SALT", "argon2id$2$65535$SALT",
        "argon2id$17$65536$SALT", "argon2id$2$1048577$SALT", "argon2id$2$65536$",
        "argon2id$2$65536$AAAA", "argon2id$-2$65536$SALT", "argon2id$2$65536$SALT$",
        "argon2id$4294967298$65536$SALT"}) {
    auto text = bad;
    if (const auto at = text.find("SALT"); at != std::string::npos) text.replace(at, 4, salt);
    INFO(text);
    CHECK_FALSE(PassphraseDerivation::parse(text));
  }
}

TEST_CASE("a new passphrase has twelve characters", "[passphrase]") {
  CHECK(check_new_passphrase(Secret("twelve chars")));
  const auto refused = check_new_passphrase(Secret("eleven char"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::invalid_field);
}
