#include "daemon/net/websocket.h"

#include <openssl/evp.h>

#include "common/text.h"
#include "daemon/crypto/encoding.h"

namespace nexus {
namespace {

constexpr std::size_t kKeySize = 16;
/// The protocol's own (RFC 6455 1.3).
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Whether one of the headers of that name has the word in its list.
bool has_word(const HeaderLines& headers, std::string_view name, std::string_view word) {
  for (const auto& [each, value] : headers) {
    if (lower(each) != name) continue;
    for (const auto& item : split(value, ','))
      if (lower(trim(item)) == word) return true;
  }
  return false;
}

/// The one header of that name; "" where there is none, or more than one.
std::string only(const HeaderLines& headers, std::string_view name) {
  std::string found;
  std::size_t count = 0;
  for (const auto& [each, value] : headers) {
    if (lower(each) != name) continue;
    found = value;
    ++count;
  }
  return count == 1 ? found : "";
}

std::string accept_for(const std::string& key) {
  const auto text = key + std::string(kGuid);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  return base64({reinterpret_cast<const char*>(digest), size});
}

Error malformed(const std::string& what) {
  return {ErrorCode::invalid_field, "the WebSocket handshake " + what,
          "use a client of RFC 6455, or leave the Upgrade header out"};
}

}  // namespace

bool offers_websocket(const HeaderLines& headers) {
  return has_word(headers, "upgrade", "websocket");
}

Result<WebSocketOffer> read_websocket_offer(std::string_view method, bool has_body,
                                            const HeaderLines& headers) {
  if (method != "GET") return malformed("is no GET");
  if (has_body) return malformed("has a body");
  if (!has_word(headers, "connection", "upgrade")) return malformed("lacks Connection: Upgrade");
  if (only(headers, "sec-websocket-version") != "13")
    return malformed("is not of version 13 (Sec-WebSocket-Version)");
  const auto key = only(headers, "sec-websocket-key");
  const auto bytes = base64_decode(key);
  if (!bytes || bytes->size() != kKeySize)
    return malformed("has no key of 16 bytes (Sec-WebSocket-Key)");
  return WebSocketOffer{accept_for(key)};
}

const char* fault_of_switch(const AnswerHead& head, const WebSocketOffer& offer) {
  if (!has_word(head.headers, "connection", "upgrade") ||
      !has_word(head.headers, "upgrade", "websocket"))
    return "it changes to another protocol than WebSocket";
  if (only(head.headers, "sec-websocket-accept") != offer.accept)
    return "its Sec-WebSocket-Accept is not that of the key that was sent";
  for (const auto& [name, value] : head.headers)
    if (const auto known = lower(name); known == "content-length" || known == "transfer-encoding")
      return "it changes to WebSocket, and tells of a body";
  return "";
}

}  // namespace nexus
