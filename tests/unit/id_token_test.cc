#include "daemon/oauth/id_token.h"

#include <cjose/cjose.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "daemon/crypto/encoding.h"
#include "tests/support/catch.h"

using namespace nexus;

namespace {

constexpr UnixTime kNow = 1'800'000'000;

/// A signing key of a provider, made by cjose as a provider would.
class Key {
 public:
  explicit Key(const char* kind, std::string kid, std::size_t bits = 2048) : kid_(std::move(kid)) {
    cjose_err error{};
    jwk_ = std::string(kind) == "RSA" ? cjose_jwk_create_RSA_random(bits, nullptr, 0, &error)
                                      : cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &error);
    REQUIRE(jwk_);
  }
  ~Key() { cjose_jwk_release(jwk_); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;

  Json published() const {
    cjose_err error{};
    char* text = cjose_jwk_to_json(jwk_, false, &error);
    auto json = Json::parse(text);
    std::free(text);
    json["kid"] = kid_;
    return json;
  }

  std::string sign(const Json& payload, Json header) const {
    cjose_err error{};
    cjose_header_t* head = cjose_header_new(&error);
    for (const auto& [name, value] : header.items())
      REQUIRE((value.is_string()
                   ? cjose_header_set(head, name.c_str(), value.get<std::string>().c_str(), &error)
                   : cjose_header_set_raw(head, name.c_str(), value.dump().c_str(), &error)));
    const auto text = to_text(payload);
    auto* jws = cjose_jws_sign(jwk_, head, reinterpret_cast<const std::uint8_t*>(text.data()),
                               text.size(), &error);
    REQUIRE(jws);
    const char* compact = nullptr;
    REQUIRE(cjose_jws_export(jws, &compact, &error));
    std::string token = compact;
    cjose_jws_release(jws);
    cjose_header_release(head);
    return token;
  }

 private:
  std::string kid_;
  cjose_jwk_t* jwk_ = nullptr;
};

const Key& rsa() {
  static const Key key("RSA", "r1");
  return key;
}
const Key& ec() {
  static const Key key("EC", "e1");
  return key;
}

Json claims() {
  return {{"iss", "https://as.example"}, {"sub", "alice"},  {"aud", "me"},
          {"exp", kNow + 600},           {"iat", kNow - 5}, {"nonce", "n"},
          {"email", "alice@example.com"}};
}

IdTokenExpectation expected() {
  IdTokenExpectation e;
  e.issuer = "https://as.example";
  e.client_id = "me";
  e.algorithms = {"RS256", "PS256", "ES256"};
  e.nonce = "n";
  e.access_token = "at";
  e.now = kNow;
  return e;
}

std::string key_set(const std::vector<Json>& keys) {
  return to_text({{"keys", keys}});
}

IdTokenResult verify_claims(const Json& changes, const IdTokenExpectation& e = expected()) {
  auto payload = claims();
  for (const auto& [name, value] : changes.items()) {
    if (value.is_null()) {
      payload.erase(name);
    } else {
      payload[name] = value;
    }
  }
  const auto token = rsa().sign(payload, {{"alg", "RS256"}, {"kid", "r1"}});
  return verify_id_token(token, key_set({rsa().published()}), e);
}

bool accepted(const IdTokenResult& result) {
  return result.claims.has_value();
}

}  // namespace

TEST_CASE("a good id_token of each algorithm is accepted", "[id_token]") {
  const auto set = key_set({{{"kty", "AKP"}, {"kid", "x"}}, rsa().published(), ec().published()});
  for (const auto* alg : {"RS256", "PS256"})
    CHECK(accepted(
        verify_id_token(rsa().sign(claims(), {{"alg", alg}, {"kid", "r1"}}), set, expected())));
  const auto result =
      verify_id_token(ec().sign(claims(), {{"alg", "ES256"}, {"kid", "e1"}}), set, expected());
  REQUIRE(accepted(result));
  CHECK(result.claims->subject == "alice");
  CHECK(result.claims->account == "alice@example.com");
}

TEST_CASE("claims that do not belong to this flow are refused", "[id_token]") {
  CHECK(accepted(verify_claims(Json::object())));
  CHECK(accepted(verify_claims({{"aud", {"me"}}})));
  CHECK(accepted(verify_claims({{"azp", "me"}})));
  CHECK(accepted(verify_claims({{"exp", kNow + 600.5}})));
  CHECK(accepted(verify_claims({{"iat", kNow - 7 * 86400}})));
  const std::vector<Json> bad{{{"iss", "https://as.example/"}},
                              {{"iss", "https://evil.example"}},
                              {{"iss", nullptr}},
                              {{"aud", "you"}},
                              {{"aud", nullptr}},
                              {{"aud", Json::array()}},
                              {{"aud", Json::object()}},
                              {{"aud", "m"}},
                              {{"aud", {"me", "you"}}},
                              {{"aud", {"me", "you"}}, {"azp", "me"}},
                              {{"azp", "you"}},
                              {{"sub", nullptr}},
                              {{"sub", ""}},
                              {{"sub", 42}},
                              {{"sub", std::string(10'000, 'x')}},
                              {{"exp", nullptr}},
                              {{"exp", kNow - 61}},
                              {{"exp", "soon"}},
                              {{"iat", nullptr}},
                              {{"iat", kNow + 61}},
                              {{"iat", "x"}},
                              {{"nbf", kNow + 61}},
                              {{"nonce", nullptr}},
                              {{"nonce", "other"}},
                              {{"nonce", {"n"}}},
                              {{"at_hash", "wrong"}}};
  for (const auto& changes : bad) {
    INFO(changes.dump().substr(0, 200));
    CHECK_FALSE(accepted(verify_claims(changes)));
  }
  CHECK(accepted(verify_claims({{"exp", 1e300}})));
  CHECK(accepted(verify_claims({{"at_hash", base64url(sha256("at").substr(0, 16))}})));
}

TEST_CASE("signatures by other means are refused", "[id_token]") {
  const auto set = key_set({rsa().published(), ec().published()});
  const auto token = rsa().sign(claims(), {{"alg", "RS256"}, {"kid", "r1"}});
  const auto body = token.substr(0, token.rfind('.'));
  auto flipped = token;
  flipped[flipped.size() - 20] = flipped[flipped.size() - 20] == 'A' ? 'B' : 'A';
  CHECK_FALSE(accepted(verify_id_token(flipped, set, expected())));
  CHECK_FALSE(accepted(verify_id_token(body + ".", set, expected())));
  CHECK_FALSE(accepted(verify_id_token(body, set, expected())));
  CHECK_FALSE(accepted(verify_id_token(token + ".x", set, expected())));
  CHECK_FALSE(accepted(verify_id_token(token + "=", set, expected())));

  const auto payload = base64url(to_text(claims()));
  for (const auto* alg : {"none", "None", "NONE", "HS256", ""}) {
    const auto head = base64url(to_text({{"alg", alg}, {"kid", "r1"}}));
    auto all = expected();
    all.algorithms = {"RS256", "none", "HS256", "None"};
    CHECK_FALSE(accepted(verify_id_token(head + "." + payload + ".", set, all)));
    CHECK_FALSE(accepted(verify_id_token(head + "." + payload + ".c2ln", set, all)));
  }
  // The oldest trick: HMAC with what everybody can read.
  const auto head = base64url(to_text({{"alg", "HS256"}, {"kid", "r1"}}));
  unsigned char mac[32];
  unsigned size = 0;
  const auto key = to_text(rsa().published());
  const auto text = head + "." + payload;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  auto hmac = expected();
  hmac.algorithms.push_back("HS256");
  CHECK_FALSE(accepted(
      verify_id_token(text + "." + base64url({reinterpret_cast<char*>(mac), size}), set, hmac)));
}

TEST_CASE("a key has to fit: type, use, size, kid", "[id_token]") {
  const auto token = rsa().sign(claims(), {{"alg", "RS256"}, {"kid", "r1"}});
  auto published = rsa().published();
  const auto with = [&](const Json& changes) {
    auto key = published;
    key.update(changes);
    return verify_id_token(token, key_set({key}), expected());
  };
  CHECK(accepted(with(Json::object())));
  CHECK(accepted(with({{"use", "sig"}, {"alg", "RS256"}, {"key_ops", {"verify"}}})));
  CHECK_FALSE(accepted(with({{"use", "enc"}})));
  CHECK_FALSE(accepted(with({{"alg", "PS256"}})));
  CHECK_FALSE(accepted(with({{"key_ops", {"encrypt"}}})));
  CHECK_FALSE(accepted(with({{"kty", "oct"}})));
  const auto other = with({{"kid", "r2"}});
  CHECK_FALSE(accepted(other));
  CHECK(other.fault == IdTokenFault::unknown_key);

  const Key small("RSA", "s", 1024);
  const auto weak = small.sign(claims(), {{"alg", "RS256"}, {"kid", "s"}});
  CHECK_FALSE(accepted(verify_id_token(weak, key_set({small.published()}), expected())));

  const auto without_kid = rsa().sign(claims(), {{"alg", "RS256"}});
  CHECK(accepted(verify_id_token(without_kid, key_set({published}), expected())));
  const Key second("RSA", "r1");  // one kid may name several keys
  CHECK(accepted(verify_id_token(token, key_set({second.published(), published}), expected())));
}

TEST_CASE("only advertised algorithms and understood headers are accepted", "[id_token]") {
  const auto set = key_set({rsa().published()});
  auto none = expected();
  none.algorithms.clear();
  CHECK(accepted(verify_id_token(rsa().sign(claims(), {{"alg", "RS256"}}), set, none)));
  CHECK_FALSE(accepted(verify_id_token(rsa().sign(claims(), {{"alg", "PS256"}}), set, none)));
  for (const auto& header : std::vector<Json>{{{"alg", "RS256"}, {"crit", {"x"}}},
                                              {{"alg", "RS256"}, {"typ", "at+jwt"}}})
    CHECK_FALSE(accepted(verify_id_token(rsa().sign(claims(), header), set, expected())));
  CHECK(accepted(
      verify_id_token(rsa().sign(claims(), {{"alg", "RS256"}, {"typ", "JWT"}}), set, expected())));
  const Key rogue("RSA", "r1");
  CHECK_FALSE(accepted(verify_id_token(
      rogue.sign(claims(), {{"alg", "RS256"}, {"kid", "r1"}, {"jwk", rogue.published()}}), set,
      expected())));
}

TEST_CASE("a refreshed id_token may leave the nonce out but not change the person", "[id_token]") {
  auto refreshed = expected();
  refreshed.nonce.reset();
  refreshed.nonce_if_present = "n";
  refreshed.subject = "alice";
  CHECK(accepted(verify_claims(Json::object(), refreshed)));
  CHECK(accepted(verify_claims({{"nonce", nullptr}}, refreshed)));
  CHECK_FALSE(accepted(verify_claims({{"nonce", "other"}}, refreshed)));
  CHECK_FALSE(accepted(verify_claims({{"sub", "bob"}}, refreshed)));
}
