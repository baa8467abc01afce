#include "daemon/http/response_head.h"

#include <string>
#include <utility>

namespace nexus::http {
namespace {

constexpr std::pair<int, const char*> kReasons[] = {{101, "Switching Protocols"},
                                                    {200, "OK"},
                                                    {201, "Created"},
                                                    {204, "No Content"},
                                                    {302, "Found"},
                                                    {400, "Bad Request"},
                                                    {401, "Unauthorized"},
                                                    {403, "Forbidden"},
                                                    {404, "Not Found"},
                                                    {405, "Method Not Allowed"},
                                                    {409, "Conflict"},
                                                    {410, "Gone"},
                                                    {413, "Content Too Large"},
                                                    {415, "Unsupported Media Type"},
                                                    {421, "Misdirected Request"},
                                                    {429, "Too Many Requests"},
                                                    {431, "Request Header Fields Too Large"},
                                                    {500, "Internal Server Error"},
                                                    {501, "Not Implemented"},
                                                    {502, "Bad Gateway"},
                                                    {503, "Service Unavailable"},
                                                    {504, "Gateway Timeout"}};

const char* reason_phrase(int status) {
  for (const auto& [code, phrase] : kReasons)
    if (code == status) return phrase;
  return "Unknown";
}

void write_line_and_headers(SecretText& out, const Response& response) {
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(reason_phrase(response.status)).append("\r\n");
  for (const auto& [name, value] : response.headers)
    out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

void write_head(SecretText& out, const Response& response, std::string_view request_id,
                bool keep_alive) {
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(reason_phrase(response.status));
  if (response.status != 204) {
    out.append("\r\nContent-Type: ").append(response.content_type);
    out.append("\r\nContent-Length: ").append(std::to_string(response.body.size()));
  }
  out.append("\r\nX-Request-Id: ").append(request_id);
  out.append("\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
  for (const auto& [name, value] : response.headers)
    out.append(name).append(": ").append(value).append("\r\n");
  if (!keep_alive) out.append("Connection: close\r\n");
  out.append("\r\n");
}

void write_passed_on_head(SecretText& out, const Response& response, bool in_chunks,
                          bool keep_alive) {
  write_line_and_headers(out, response);
  if (response.length)
    out.append("Content-Length: ").append(std::to_string(*response.length)).append("\r\n");
  if (in_chunks) out.append("Transfer-Encoding: chunked\r\n");
  if (!keep_alive) out.append("Connection: close\r\n");
  out.append("\r\n");
}

void write_switch_head(SecretText& out, const Response& response) {
  write_line_and_headers(out, response);
  out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
}

}  // namespace nexus::http
