#include "daemon/net/websocket.h"

#include "tests/support/catch.h"

using namespace nexus;

namespace {

const std::string kKey = "dGhlIHNhbXBsZSBub25jZQ==";
const std::string kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";  // RFC 6455 1.3

HeaderLines offering(const HeaderLines& more = {}) {
  HeaderLines headers{
      {"host", "x"}, {"upgrade", "websocket"}, {"connection", "keep-alive, Upgrade"}};
  headers.insert(headers.end(), more.begin(), more.end());
  return headers;
}

HeaderLines whole() {
  return offering({{"sec-websocket-version", "13"}, {"sec-websocket-key", kKey}});
}

std::string refusal(std::string_view method, bool has_body, const HeaderLines& headers) {
  const auto offer = read_websocket_offer(method, has_body, headers);
  return offer ? "taken" : offer.error().message;
}

AnswerHead taking(const HeaderLines& headers) {
  AnswerHead head;
  head.status = 101;
  head.headers = headers;
  return head;
}

}  // namespace

TEST_CASE("an offer of a WebSocket is what RFC 6455 has", "[websocket][L15]") {
  CHECK(offers_websocket(whole()));
  CHECK(offers_websocket({{"Upgrade", "h2c, WebSocket"}}));
  CHECK(offers_websocket({{"upgrade", "h2c"}, {"upgrade", "websocket"}}));
  CHECK_FALSE(offers_websocket({{"upgrade", "h2c"}, {"connection", "upgrade"}}));
  CHECK_FALSE(offers_websocket({{"upgrade", "websockets"}, {"x-upgrade", "websocket"}}));

  CHECK(read_websocket_offer("GET", false, whole())->accept == kAccept);
  CHECK(refusal("POST", false, whole()).ends_with("is no GET"));
  CHECK(refusal("GET", true, whole()).ends_with("has a body"));
  CHECK(refusal("GET", false, {{"upgrade", "websocket"}}).ends_with("lacks Connection: Upgrade"));
  for (const char* version : {"8", "013", "13, 8", ""})
    CHECK(refusal("GET", false,
                  offering({{"sec-websocket-version", version}, {"sec-websocket-key", kKey}}))
              .ends_with("(Sec-WebSocket-Version)"));
  for (const char* key : {"", "dG9vIHNob3J0", "dGhlIHNhbXBsZSBub25jZQ",
                          "dGhlIHNhbXBsZSBub25j!Q==", "dGhlIHNhbXBsZSBub25jZSBpcyBsb25n"})
    CHECK(refusal("GET", false,
                  offering({{"sec-websocket-version", "13"}, {"sec-websocket-key", key}}))
              .ends_with("(Sec-WebSocket-Key)"));
  auto twice = whole();
  twice.emplace_back("sec-websocket-key", kKey);
  CHECK(refusal("GET", false, twice).ends_with("(Sec-WebSocket-Key)"));
}

TEST_CASE("an offer is taken by the accept of its own key alone", "[websocket][L15]") {
  const WebSocketOffer offer{kAccept};
  const HeaderLines right{{"Upgrade", "WebSocket"}, {"Connection", "upgrade"}};
  const auto with = [&](const HeaderLines& more) {
    auto headers = right;
    headers.insert(headers.end(), more.begin(), more.end());
    return std::string(fault_of_switch(taking(headers), offer));
  };
  CHECK(with({{"Sec-WebSocket-Accept", kAccept}, {"Sec-WebSocket-Protocol", "chat"}}).empty());
  CHECK(with({}).find("Accept") != std::string::npos);
  CHECK(with({{"Sec-WebSocket-Accept", kKey}}).find("Accept") != std::string::npos);
  CHECK(
      with({{"Sec-WebSocket-Accept", kAccept}, {"sec-websocket-accept", kAccept}}).find("Accept") !=
      std::string::npos);
  for (const char* framing : {"Content-Length", "transfer-encoding"})
    CHECK(with({{"Sec-WebSocket-Accept", kAccept}, {framing, "0"}}).find("a body") !=
          std::string::npos);
  for (const auto& [name, value] : right)
    CHECK(std::string(
              fault_of_switch(taking({{name, value}, {"Sec-WebSocket-Accept", kAccept}}), offer))
              .find("another protocol") != std::string::npos);
}

TEST_CASE("a head tells how its body ends, or is refused", "[websocket][L7]") {
  const auto read = [](std::vector<std::string> lines) {
    AnswerHead head;
    for (const auto& line : lines)
      if (const char* fault = head.add_line(line); *fault != '\0') return std::string(fault);
    const std::string fault = head.read_framing();
    if (!fault.empty()) return fault;
    return std::to_string(head.status) + (head.is_chunked ? " chunked" : "") +
           (head.length ? " " + std::to_string(*head.length) : "");
  };
  CHECK(read({"HTTP/1.1 200 OK"}) == "200");
  CHECK(read({"HTTP/1.1 404 Not Found", "content-length: 5"}) == "404 5");
  CHECK(read({"HTTP/1.1 200", "Transfer-Encoding: CHUNKED"}) == "200 chunked");
  for (const char* before : {"Content-Length: 5", "Transfer-Encoding: chunked", "X-A: b"})
    CHECK(read({"HTTP/1.1 401 Unauthorized", before, "HTTP/1.1 200 OK"}) ==
          "it has two status lines");
  CHECK(read({"HTTP/1.1 x", "HTTP/1.1 200 OK"}) == "it has two status lines");
  CHECK(read({"X-A: b\r\n", "HTTP/1.1 200 OK\r\n"}) == "it has two status lines");
  CHECK(read({"HTTP/1.1 x"}) == "its status is none");
  CHECK(read({"HTTP/1.1 200 OK", "folded", " Content-Length: 5"}) ==
        "a line of its head is no header");
  CHECK(read({"HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 5"}) ==
        "its Content-Length is malformed, or given twice");
  CHECK(read({"HTTP/1.1 200 OK", "Content-Length: 5", "Transfer-Encoding: chunked"}) ==
        "it has both Content-Length and Transfer-Encoding");
}
