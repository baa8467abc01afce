// nexus-remote: one HTTP request to a remote nexusd, for nexus. It reads from standard input the
// method, URL, API key, CA file and proxy setting, each ended by NUL, then the body; it writes the
// status and the answer's body, or an error's code and message, the first on a line of its own.
#include <curl/curl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>

#include "common/error.h"
#include "common/secret.h"
#include "common/text.h"
#include "common/version.h"

namespace {

using namespace nexus;

constexpr long kConnectMs = 10'000;
constexpr long kTotalMs = 60'000;
constexpr std::size_t kLargestAnswer = 64 * 1024 * 1024;

SecretText read_input() {
  SecretText text;
  std::array<char, 16 * 1024> buffer;
  ssize_t got = 0;
  while ((got = read(STDIN_FILENO, buffer.data(), buffer.size())) != 0) {
    if (got < 0 && errno != EINTR) break;
    if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  explicit_bzero(buffer.data(), buffer.size());
  return text;
}

int say(std::string_view word, std::string_view rest) {
  SecretText out(word);
  out.append("\n").append(rest);
  std::string_view left = out;
  while (!left.empty()) {
    const auto written = write(STDOUT_FILENO, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return 1;
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
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

}  // namespace

int main() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
  auto input = read_input();
  std::array<SecretText, 5> parts;  // method, URL, key, CA file, proxy
  for (auto& part : parts) {
    const auto end = input.find('\0');
    if (end == SecretText::npos) return say("usage", "nexus-remote is run by nexus");
    part = input.substr(0, end);
    input.erase(0, end + 1);
  }
  const auto& [method, url, key, ca_file, proxy] = parts;

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
  set(CURLOPT_TIMEOUT_MS, kTotalMs);
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
  set(CURLOPT_CUSTOMREQUEST, method.c_str());
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
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return say(std::to_string(status) + " " + next_cursor, answer);
}
