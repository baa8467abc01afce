#include "daemon/strategy/hmac_payload.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/bytes.h"

namespace nexus {

std::string hmac(HmacAlgorithm algorithm, std::string_view key, std::string_view message) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  HMAC(algorithm == HmacAlgorithm::sha1 ? EVP_sha1() : EVP_sha256(), key.data(),
       static_cast<int>(key.size()), bytes_of(message), message.size(), room_of(out), &size);
  out.resize(size);
  return out;
}

}  // namespace nexus
