// What comes back from a server, byte by byte: the head of an answer, a body in pieces, and the
// handshake of a WebSocket.
#include "common/body_decoder.h"
#include "daemon/net/answer_head.h"
#include "daemon/net/websocket.h"
#include "tests/fuzz/fuzz.h"

using namespace nexus;
using namespace nexus::fuzz;

namespace {

/// Takes the lines with their ends; what is wrong with them, "" for nothing.
std::string read_lines(std::string_view lines, AnswerHead& head) {
  while (!lines.empty()) {
    const auto line = lines.substr(0, std::min(lines.find('\n'), lines.size() - 1) + 1);
    lines.remove_prefix(line.size());
    if (trim(line).empty()) return "";
    if (const char* fault = head.add_line(line); *fault != '\0') return fault;
  }
  return "";
}

void follow_head(std::string_view text) {
  AnswerHead head;
  if (!read_lines(text, head).empty() || *head.read_framing() != '\0') return;
  require(head.status >= 100 && head.status <= 999);
  require(!(head.is_chunked && head.length));
  std::string written = "HTTP/1.1 " + std::to_string(head.status) + "\r\n";
  for (const auto& [name, value] : head.headers) {
    require(is_http_token(name) && trim(value) == value);
    written += name + ": " + value + "\r\n";
  }
  AnswerHead again;
  require(read_lines(written, again).empty() && *again.read_framing() == '\0');
  require(again.headers == head.headers && again.length == head.length &&
          again.is_chunked == head.is_chunked);
}

struct Decoded {
  std::string content;
  std::size_t used = 0;
  bool is_over = false;
  bool is_malformed = false;
  friend bool operator==(const Decoded&, const Decoded&) = default;
};

/// As it is decoded when it comes in pieces of that size.
Decoded decode(std::string_view body, std::optional<std::uint64_t> length, std::size_t piece) {
  BodyDecoder decoder(length);
  Decoded decoded;
  for (std::size_t here = 0; !decoder.is_over() && !decoder.is_malformed();) {
    const auto step = decoder.step(body.substr(decoded.used, here - decoded.used));
    decoded.content += step.content;
    decoded.used += step.used;
    require(decoded.used <= here && step.content.size() <= step.used);
    if (step.used > 0 || decoder.is_over() || decoder.is_malformed()) continue;
    if (here == body.size()) break;
    here = std::min(here + piece, body.size());
  }
  decoded.is_over = decoder.is_over();
  decoded.is_malformed = decoder.is_malformed();
  return decoded;
}

/// The first byte: how large the pieces are, and whether it comes in chunks.
void follow_body(std::string_view text) {
  if (text.empty()) return;
  const auto first = static_cast<unsigned char>(text[0]);
  const auto body = text.substr(1);
  const auto length = first & 1 ? std::nullopt : std::optional<std::uint64_t>(first);
  const auto whole = decode(body, length, body.size() + 1);
  // What it is does not depend on how the network cuts it.
  for (const std::size_t piece : {std::size_t{1}, std::size_t{first / 2U + 1U}})
    require(decode(body, length, piece) == whole);
  if (!whole.is_over) return;
  require(decode(body.substr(0, whole.used), length, whole.used + 1) == whole);
  require(decode(whole.content, whole.content.size(), 7).content == whole.content);
}

void follow_websocket(std::string_view text) {
  AnswerHead request;  // its lines are headers' as much
  if (!read_lines(text, request).empty()) return;
  const auto offer = read_websocket_offer("GET", false, request.headers);
  if (!offer) return require_plain(offer.error());
  require(offer->accept.size() == 28);
  require(!read_websocket_offer("GET", true, request.headers));
  require(!read_websocket_offer("POST", false, request.headers));
  AnswerHead answer;
  require(read_lines("HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Accept: " +
                         offer->accept + "\r\n",
                     answer)
              .empty());
  require(*fault_of_switch(answer, *offer) == '\0');
  answer.headers.emplace_back("Sec-WebSocket-Accept", "x");
  require(*fault_of_switch(answer, *offer) != '\0');
}

void follow_switch(std::string_view text) {
  AnswerHead answer;
  if (!read_lines(text, answer).empty()) return;
  const WebSocketOffer offer{"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="};
  if (*fault_of_switch(answer, offer) != '\0') return;
  require(*fault_of_switch(answer, {"HSmrc0sMlYUkAGmm5OPpG2HaGWk="}) != '\0');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [kind, text] = input_of(data, size, 4);
  switch (kind) {
    case 0:
      follow_head(text);
      break;
    case 1:
      follow_body(text);
      break;
    case 2:
      follow_websocket(text);
      break;
    case 3:
      follow_switch(text);
      break;
  }
  return 0;
}
