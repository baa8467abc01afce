#include "daemon/oauth/id_token.h"

#include <cjose/cjose.h>
#include <sodium.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "common/bytes.h"
#include "common/json.h"
#include "common/rfc3339.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/oauth/account.h"

namespace nexus {
namespace {

constexpr std::size_t kMaxIdToken = 64 * 1024;
constexpr double kSkew = 60;

IdTokenResult refuse(std::string reason) {
  return {std::nullopt, IdTokenFault::refused, std::move(reason)};
}

struct Parts {
  Json header;
  Json payload;
  std::string signature;
  std::string signed_text;
};

std::optional<Parts> take_apart(std::string_view token) {
  if (token.size() > kMaxIdToken || std::count(token.begin(), token.end(), '.') != 2)
    return std::nullopt;
  const auto first = token.find('.');
  const auto second = token.find('.', first + 1);
  const auto header = base64url_decode(token.substr(0, first));
  const auto payload = base64url_decode(token.substr(first + 1, second - first - 1));
  auto signature = base64url_decode(token.substr(second + 1));
  if (!header || !payload || !signature || signature->empty()) return std::nullopt;
  auto header_json = parse_json_object(*header);
  auto payload_json = parse_json_object(*payload);
  if (!header_json || !payload_json) return std::nullopt;
  return Parts{std::move(**header_json), std::move(**payload_json), *std::move(signature),
               std::string(token.substr(0, second))};
}

/// What a key has to be to verify this algorithm (RFC 7518 3.1, RFC 8037).
struct KeyShape {
  const char* kty;
  const char* crv;
};

std::optional<KeyShape> shape_for(const std::string& algorithm) {
  if (algorithm == "RS256" || algorithm == "PS256") return KeyShape{"RSA", nullptr};
  if (algorithm == "ES256") return KeyShape{"EC", "P-256"};
  if (algorithm == "EdDSA") return KeyShape{"OKP", "Ed25519"};
  return std::nullopt;
}

bool fits(const Json& key, const KeyShape& shape, const std::string& algorithm) {
  if (!key.is_object() || text_member(key, "kty") != shape.kty) return false;
  if (shape.crv && text_member(key, "crv") != shape.crv) return false;
  if (key.contains("use") && text_member(key, "use") != "sig") return false;
  if (key.contains("alg") && text_member(key, "alg") != algorithm) return false;
  if (const auto ops = key.find("key_ops"); ops != key.end())
    if (!ops->is_array() || std::find(ops->begin(), ops->end(), "verify") == ops->end())
      return false;
  if (std::string_view(shape.kty) == "RSA") {
    auto modulus = base64url_decode(text_member(key, "n").value_or(""));
    if (!modulus) return false;
    const auto leading = std::min(modulus->find_first_not_of('\0'), modulus->size());
    if (modulus->size() - leading < 2048 / 8) return false;
  }
  return true;
}

/// The members that cjose needs; it never sees what else a key set carries.
std::string public_part(const Json& key) {
  Json out;
  for (const char* name : {"kty", "n", "e", "crv", "x", "y"})
    if (const auto value = text_member(key, name)) out[name] = *value;
  return to_text(out);
}

bool verify_ed25519(const Parts& parts, const Json& key) {
  const auto x = base64url_decode(text_member(key, "x").value_or(""));
  if (!x || x->size() != crypto_sign_PUBLICKEYBYTES || parts.signature.size() != crypto_sign_BYTES)
    return false;
  return crypto_sign_verify_detached(bytes_of(parts.signature), bytes_of(parts.signed_text),
                                     parts.signed_text.size(), bytes_of(*x)) == 0;
}

bool verify_with_cjose(std::string_view token, const Json& key) {
  const auto text = public_part(key);
  cjose_err error{};
  const std::unique_ptr<cjose_jwk_t, bool (*)(cjose_jwk_t*)> jwk(
      cjose_jwk_import(text.data(), text.size(), &error), cjose_jwk_release);
  if (!jwk) return false;
  const std::unique_ptr<cjose_jws_t, void (*)(cjose_jws_t*)> jws(
      cjose_jws_import(token.data(), token.size(), &error), cjose_jws_release);
  return jws && cjose_jws_verify(jws.get(), jwk.get(), &error);
}

bool verify_with(std::string_view token, const Parts& parts, const Json& key,
                 const std::string& algorithm) {
  if (algorithm == "EdDSA") return verify_ed25519(parts, key);
  if (algorithm == "ES256") {
    // RFC 7518 3.4: r and s, 32 bytes each, never DER, never zero.
    const auto& s = parts.signature;
    if (s.size() != 64 || s.find_first_not_of('\0') >= 32 ||
        std::string_view(s).substr(32).find_first_not_of('\0') == std::string_view::npos)
      return false;
  }
  return verify_with_cjose(token, key);
}

std::optional<IdTokenResult> check_signature(std::string_view token, const Parts& parts,
                                             std::string_view jwks,
                                             const IdTokenExpectation& expected) {
  const auto algorithm = text_member(parts.header, "alg").value_or("");
  const auto shape = shape_for(algorithm);
  const std::vector<std::string> rs256{"RS256"};
  const auto& allowed = expected.algorithms.empty() ? rs256 : expected.algorithms;
  if (!shape || std::find(allowed.begin(), allowed.end(), algorithm) == allowed.end())
    return refuse("its algorithm '" + printable(algorithm, 20) + "' is not allowed");
  if (parts.header.contains("crit") || parts.header.contains("b64"))
    return refuse("it demands extensions that are not understood");
  if (parts.header.contains("typ") && lower(text_member(parts.header, "typ").value_or("")) != "jwt")
    return refuse("its typ is not JWT");
  const bool has_kid = parts.header.contains("kid");
  const auto kid = text_member(parts.header, "kid");
  if (has_kid && !kid) return refuse("its kid is not a text");

  const auto set = parse_json_object(jwks);
  const auto* keys = set ? list_member(**set, "keys") : nullptr;
  if (!keys) return refuse("the provider's key set is malformed");
  bool tried = false;
  for (const auto& key : *keys) {
    if (!fits(key, *shape, algorithm) || (kid && text_member(key, "kid") != kid)) continue;
    tried = true;
    if (verify_with(token, parts, key, algorithm)) return std::nullopt;
  }
  if (tried) return refuse("its signature is wrong");
  return IdTokenResult{std::nullopt, IdTokenFault::unknown_key, "no key of the provider fits it"};
}

std::optional<double> number(const Json& payload, const char* name) {
  const auto found = payload.find(name);
  if (found == payload.end() || !found->is_number()) return std::nullopt;
  const auto value = found->get<double>();
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::string time_text(double time) {
  constexpr double kLast = 253402300799;  // 9999-12-31T23:59:59Z
  return rfc3339(static_cast<UnixTime>(std::clamp(time, 0.0, kLast)));
}

std::string check_times(const Json& payload, UnixTime now) {
  const auto at = static_cast<double>(now);
  const auto exp = number(payload, "exp");
  const auto iat = number(payload, "iat");
  if (!exp) return "exp is missing or not a number";
  // Nobody can say whose clock is wrong: both are named.
  const auto told = [&](const std::string& what, double time) {
    return what + " at " + time_text(time) + ", and here it is " + rfc3339(now);
  };
  if (*exp + kSkew <= at) return told("it expired", *exp);
  if (!iat) return "iat is missing or not a number";
  if (*iat > at + kSkew) return told("it was issued", *iat);
  if (payload.contains("nbf")) {
    const auto nbf = number(payload, "nbf");
    if (!nbf) return "nbf is not a number";
    if (*nbf > at + kSkew) return told("it becomes valid", *nbf);
  }
  return {};
}

std::string check_audience(const Json& payload, const std::string& client_id) {
  const auto aud = payload.find("aud");
  if (aud == payload.end()) return "aud is missing";
  const bool ours = aud->is_string()
                        ? *aud == client_id
                        : aud->is_array() && aud->size() == 1 && aud->front() == client_id;
  if (!ours) return "aud is not this client alone";
  if (payload.contains("azp") && text_member(payload, "azp") != client_id)
    return "azp is another client";
  return {};
}

std::string check_at_hash(const Json& payload, const std::string& algorithm,
                          std::string_view access_token) {
  if (!payload.contains("at_hash")) return {};
  std::string digest = sha256(access_token);
  if (algorithm == "EdDSA") {  // Ed25519 hashes with SHA-512
    digest.resize(crypto_hash_sha512_BYTES);
    crypto_hash_sha512(room_of(digest), bytes_of(access_token), access_token.size());
  }
  if (text_member(payload, "at_hash") != base64url(digest.substr(0, digest.size() / 2)))
    return "at_hash does not match the access token";
  return {};
}

std::string check_nonce(const Json& payload, const IdTokenExpectation& expected) {
  const auto nonce = text_member(payload, "nonce");
  if (expected.nonce) return nonce == *expected.nonce ? "" : "nonce is not the one that was sent";
  if (payload.contains("nonce") && !expected.nonce_if_present.empty() &&
      nonce != expected.nonce_if_present)
    return "nonce differs from the first one's";
  return {};
}

std::string check_claims(const Parts& parts, const IdTokenExpectation& expected) {
  const auto& payload = parts.payload;
  if (text_member(payload, "iss") != expected.issuer) return "iss is not the provider's issuer";
  const auto subject = text_member(payload, "sub");
  if (!subject || subject->empty() || subject->size() > 255) return "sub is missing or malformed";
  if (!expected.subject.empty() && *subject != expected.subject) return "sub is another person";
  if (auto fault = check_audience(payload, expected.client_id); !fault.empty()) return fault;
  if (auto fault = check_times(payload, expected.now); !fault.empty()) return fault;
  if (auto fault = check_nonce(payload, expected); !fault.empty()) return fault;
  return check_at_hash(payload, parts.header.at("alg").get<std::string>(), expected.access_token);
}

}  // namespace

IdTokenResult verify_id_token(std::string_view token, std::string_view jwks,
                              const IdTokenExpectation& expected) {
  const auto parts = take_apart(token);
  if (!parts) return refuse("it is not a signed JWT");
  if (auto fault = check_signature(token, *parts, jwks, expected)) return *std::move(fault);
  if (auto fault = check_claims(*parts, expected); !fault.empty()) return refuse(fault);
  IdTokenClaims claims;
  claims.issuer = expected.issuer;
  claims.subject = text_member(parts->payload, "sub").value_or("");
  claims.account = account_in(parts->payload);
  return {std::move(claims), {}, {}};
}

}  // namespace nexus
