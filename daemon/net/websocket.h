#pragma once

#include <string>
#include <string_view>

#include "common/error.h"
#include "daemon/net/answer_head.h"

namespace nexus {

/// A request's offer to go on as a WebSocket (RFC 6455 4.1).
struct WebSocketOffer {
  std::string accept;  ///< what Sec-WebSocket-Accept has to be in the answer that takes it
};

/// Whether a request has one, well-formed or not (RFC 9110 7.8).
bool offers_websocket(const HeaderLines& headers);

/// Reads it: GET without a body, `Connection: Upgrade`, a key of 16 bytes and version 13. Error:
/// invalid_field.
Result<WebSocketOffer> read_websocket_offer(std::string_view method, bool has_body,
                                            const HeaderLines& headers);

/// Why an answer of status 101 does not take the offer (RFC 6455 4.2.2), "" if it does. Extensions
/// and the subprotocol are for whoever made the offer to look at.
const char* fault_of_switch(const AnswerHead& head, const WebSocketOffer& offer);

}  // namespace nexus
