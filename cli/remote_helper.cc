// nexus-remote: one HTTP request to a remote nexusd, for nexus. It reads from standard input the
// method, URL, API key, CA file and proxy setting, each ended by NUL, then the body; it writes the
// status and the answer's body, or an error's code and message, the first on a line of its own.
//
// With the method STREAM it only connects, says so on a line, and moves bytes in both directions
// from there on: nexus speaks HTTP on it by itself.
#include <curl/curl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>

#include "common/descriptor.h"
#include "common/error.h"
#include "common/secret.h"
#include "common/text.h"
#include "common/version.h"

namespace {

using namespace nexus;

constexpr long kConnectMs = 10'000;
constexpr long kTotalMs = 60'000;
constexpr std::size_t kLargestAnswer = 64 * 1024 * 1024;

constexpr std::size_t kParts = 5;  // method, URL, key, CA file, proxy

/// Nothing where there are fewer.
std::optional<std::array<SecretText, kParts>> read_parts() {
  std::array<SecretText, kParts> parts;
  for (auto& part : parts) {
    char c = 0;
    while (true) {
      const auto got = read(STDIN_FILENO, &c, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return std::nullopt;
      if (c == '\0') break;
      part.push_back(c);
    }
  }
  return parts;
}

int say(std::string_view word, std::string_view rest) {
  SecretText out(word);
  out.append("\n").append(rest);
  return write_all(STDOUT_FILENO, out) ? 0 : 1;
}

std::size_t keep(char* data, std::size_t, std::size_t size, void* into) {
  auto& answer = *static_cast<SecretText*>(into);
  if (answer.size() + size > kLargestAnswer) return 0;
  answer.append(data, size);
  return size;
}

std::size_t keep_cursor(char* data, std::size_t, std::size_t size, void* into) {
  constexpr std::string_view name = "x-next-cursor:";
  const std::string_view line(data, size);
  if (line.size() > name.size() && lower(line.substr(0, name.size())) == name)
    *static_cast<std::string*>(into) = printable(trim(line.substr(name.size())), 200);
  return size;
}

/// What has come, to the end of it for now. False where the connection, or who reads, has ended.
bool receive_all(CURL* curl) {
  static std::array<char, 64 * 1024> buffer;
  while (true) {
    std::size_t got = 0;
    const auto code = curl_easy_recv(curl, buffer.data(), buffer.size(), &got);
    if (code == CURLE_AGAIN) return true;
    if (code != CURLE_OK || got == 0 || !write_all(STDOUT_FILENO, {buffer.data(), got}))
      return false;
  }
}

/// Moves bytes between our streams and the connection until one of them has ended. It never waits
/// for the server to take something while that waits for us to take its answer; and when standard
/// input ends nexus has gone, which keeps it open until it has the answer.
int relay(CURL* curl) {
  curl_socket_t fd = CURL_SOCKET_BAD;
  curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd);
  if (!write_all(STDOUT_FILENO, "connected\n")) return 1;
  static std::array<char, 64 * 1024> buffer;
  std::string_view pending;
  while (true) {
    std::array<pollfd, 2> waited{
        pollfd{fd, static_cast<short>(POLLIN | (pending.empty() ? 0 : POLLOUT)), 0},
        pollfd{pending.empty() ? STDIN_FILENO : -1, POLLIN, 0}};
    if (poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) return 1;
    if (waited[1].revents != 0) {
      const auto got = read(STDIN_FILENO, buffer.data(), buffer.size());
      if (got == 0 || (got < 0 && errno != EINTR)) return 0;
      if (got > 0) pending = {buffer.data(), static_cast<std::size_t>(got)};
    }
    if (!pending.empty()) {
      std::size_t sent = 0;
      const auto code = curl_easy_send(curl, pending.data(), pending.size(), &sent);
      if (code == CURLE_OK) pending.remove_prefix(sent);
      // A server that has seen enough closes; what it answered before is read below.
      if (code != CURLE_OK && code != CURLE_AGAIN) pending = {};
      if (pending.empty()) explicit_bzero(buffer.data(), buffer.size());
    }
    // TLS may hold what poll does not see.
    if (!receive_all(curl)) return 0;
  }
}

}  // namespace

int main() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
  const auto parts = read_parts();
  if (!parts) return say("usage", "nexus-remote is run by nexus");
  const auto& [method, url, key, ca_file, proxy] = *parts;
  const bool is_stream = method == "STREAM";
  SecretText input;
  if (!is_stream) static_cast<void>(read_all(STDIN_FILENO, input));

  curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  if (!curl) return say("failure", "libcurl cannot be initialised");
  curl_slist* list = nullptr;
  if (!key.empty()) list = curl_slist_append(list, (SecretText("X-API-Key: ") + key).c_str());
  list = curl_slist_append(list, "Content-Type: application/json");
  list = curl_slist_append(list, "Expect:");
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(list,
                                                                            curl_slist_free_all);
  SecretText answer;
  std::string next_cursor;
  std::array<char, CURL_ERROR_SIZE> reason{};
  const auto set = [&](auto option, auto value) { curl_easy_setopt(curl.get(), option, value); };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "https,http");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
  if (!is_stream) set(CURLOPT_TIMEOUT_MS, kTotalMs);
  set(CURLOPT_USERAGENT, (std::string("nexus/") + kVersion).c_str());
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_WRITEFUNCTION, keep);
  set(CURLOPT_WRITEDATA, &answer);
  set(CURLOPT_HEADERFUNCTION, keep_cursor);
  set(CURLOPT_HEADERDATA, &next_cursor);
  set(CURLOPT_ERRORBUFFER, reason.data());
  if (!ca_file.empty()) set(CURLOPT_CAINFO, ca_file.c_str());
  if (proxy == "none") set(CURLOPT_PROXY, "");
  if (proxy != "none" && proxy != "env") set(CURLOPT_PROXY, proxy.c_str());
  if (is_stream) {
    set(CURLOPT_CONNECT_ONLY, 1L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));  // by ALPN
  } else {
    set(CURLOPT_CUSTOMREQUEST, method.c_str());
  }
  if (!input.empty() || method == "POST") {
    set(CURLOPT_POSTFIELDS, input.c_str());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(input.size()));
  }
  const auto result = curl_easy_perform(curl.get());
  if (result != CURLE_OK)
    return say(info(result == CURLE_OPERATION_TIMEDOUT ? ErrorCode::upstream_timeout
                                                       : ErrorCode::daemon_unreachable)
                   .wire,
               reason[0] ? reason.data() : curl_easy_strerror(result));
  if (is_stream) return relay(curl.get());
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return say(std::to_string(status) + " " + next_cursor, answer);
}
