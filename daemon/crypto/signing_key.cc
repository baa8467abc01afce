#include "daemon/crypto/signing_key.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>

#include "common/bytes.h"
#include "common/json.h"
#include "daemon/crypto/encoding.h"

namespace nexus {
namespace {

constexpr int kLeastRsaBits = 2048;

Error unusable(const std::string& what) {
  return {
      ErrorCode::invalid_field, "the private key " + what,
      "give an RSA (2048 bits or more), EC (P-256, P-384, P-521) or Ed25519 key as PEM, without "
      "a passphrase"};
}

template <class T, void (*release)(T*)>
struct Freed {
  void operator()(T* pointer) const { release(pointer); }
};
using Bignum = std::unique_ptr<BIGNUM, Freed<BIGNUM, BN_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX, EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG, ECDSA_SIG_free>>;

std::string bytes_of(const BIGNUM* number, std::size_t size) {
  const auto needed = static_cast<std::size_t>(BN_num_bytes(number));
  std::string out(std::max(size, needed), '\0');
  BN_bn2binpad(number, room_of(out), static_cast<int>(out.size()));
  return out;
}

/// Never asks anybody: an encrypted key is refused.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

}  // namespace

void SigningKey::Free::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

Result<SigningKey> SigningKey::from_pem(const Secret& pem) {
  const auto text = pem.expose();
  if (text.find("ENCRYPTED") != std::string_view::npos) return unusable("has a passphrase");
  const std::unique_ptr<BIO, Freed<BIO, BIO_free_all>> bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (!key) return unusable("cannot be read");
  SigningKey read(std::move(key));
  const auto* raw = read.key_.get();
  const int type = EVP_PKEY_get_base_id(raw);
  if (type == EVP_PKEY_RSA && EVP_PKEY_get_bits(raw) < kLeastRsaBits)
    return unusable("has fewer than 2048 bits");
  if (type == EVP_PKEY_EC && read.coordinate_size() == 0) return unusable("is on another curve");
  if (type != EVP_PKEY_RSA && type != EVP_PKEY_EC && type != EVP_PKEY_ED25519)
    return unusable("is of another kind");
  return read;
}

bool SigningKey::is_rsa() const {
  return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_RSA;
}

std::size_t SigningKey::coordinate_size() const {
  std::array<char, 64> group{};
  if (EVP_PKEY_get_group_name(key_.get(), group.data(), group.size(), nullptr) != 1) return 0;
  const std::string_view name(group.data());
  if (name == "prime256v1" || name == "P-256") return 32;
  if (name == "secp384r1" || name == "P-384") return 48;
  if (name == "secp521r1" || name == "P-521") return 66;
  return 0;
}

std::string SigningKey::algorithm(bool pss) const {
  if (is_rsa()) return pss ? "PS256" : "RS256";
  switch (coordinate_size()) {
    case 32:
      return "ES256";
    case 48:
      return "ES384";
    case 66:
      return "ES512";
    default:
      return "EdDSA";
  }
}

std::string SigningKey::number(const char* name, std::size_t size) const {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key_.get(), name, &raw) != 1) return {};
  const Bignum owned(raw);
  return base64url(bytes_of(raw, size));
}

std::string SigningKey::required_members() const {
  if (is_rsa())
    return R"("e":")" + number(OSSL_PKEY_PARAM_RSA_E, 0) + R"(","kty":"RSA","n":")" +
           number(OSSL_PKEY_PARAM_RSA_N, 0) + "\"";
  if (const auto size = coordinate_size(); size > 0) {
    const char* curve = size == 32 ? "P-256" : size == 48 ? "P-384" : "P-521";
    return std::string(R"("crv":")") + curve + R"(","kty":"EC","x":")" +
           number(OSSL_PKEY_PARAM_EC_PUB_X, size) + R"(","y":")" +
           number(OSSL_PKEY_PARAM_EC_PUB_Y, size) + "\"";
  }
  std::string x(32, '\0');
  auto length = x.size();
  EVP_PKEY_get_raw_public_key(key_.get(), room_of(x), &length);
  return R"("crv":"Ed25519","kty":"OKP","x":")" + base64url(x) + "\"";
}

std::string SigningKey::thumbprint() const {
  return base64url(sha256("{" + required_members() + "}"));
}

std::string SigningKey::public_jwk(const std::string& key_id, bool pss) const {
  JsonWriter named;
  named.begin()
      .member("kid", key_id.empty() ? thumbprint() : key_id)
      .member("alg", algorithm(pss))
      .member("use", "sig")
      .end();
  return "{" + required_members() + "," + named.take().substr(1);
}

Result<std::string> SigningKey::sign(std::string_view text, bool pss) const {
  const Error failed{ErrorCode::failure, "the private key cannot sign", "check the key"};
  const auto size = coordinate_size();
  const EVP_MD* digest = is_rsa() || size == 32 ? EVP_sha256()
                         : size == 48           ? EVP_sha384()
                         : size == 66           ? EVP_sha512()
                                                : nullptr;
  const Context context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;  // belongs to `context`
  if (EVP_DigestSignInit(context.get(), &settings, digest, nullptr, key_.get()) != 1) return failed;
  if (is_rsa() && pss &&
      (EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) != 1))
    return failed;
  const auto* input = bytes_of(text);
  std::size_t length = 0;
  if (EVP_DigestSign(context.get(), nullptr, &length, input, text.size()) != 1) return failed;
  std::string out(length, '\0');
  auto* output = room_of(out);
  if (EVP_DigestSign(context.get(), output, &length, input, text.size()) != 1) return failed;
  out.resize(length);
  if (size == 0) return out;
  const auto* der = output;
  const Signature pair(d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(length)));
  if (!pair) return failed;
  return bytes_of(ECDSA_SIG_get0_r(pair.get()), size) +
         bytes_of(ECDSA_SIG_get0_s(pair.get()), size);
}

}  // namespace nexus
