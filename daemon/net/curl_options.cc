#include "daemon/net/curl_options.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cstring>

#include "common/text.h"
#include "daemon/net/proxy.h"
#include "daemon/net/url.h"

namespace nexus {
namespace {

constexpr long kConnectMs = 5'000;

curl_socket_t open_socket(void* data, curlsocktype, curl_sockaddr* address) {
  auto& check = *static_cast<AddressCheck*>(data);
  if (!allows(check.allowed, &address->addr)) {
    check.refused = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

Error address_refused(const std::string& where) {
  return {ErrorCode::upstream_error, where + " leads to an address that nexusd does not talk to",
          "allow it on the provider: --allow-insecure-http for loopback, "
          "--allow-private-network for private networks"};
}

}  // namespace

void set_common_options(CURL* curl, const std::string& url, const NetworkSettings& settings) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
#if LIBCURL_VERSION_NUM >= 0x075700
  // Nobody waits for a name server that does not answer.
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
#endif
  if (!settings.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, settings.ca_file.c_str());
}

void check_addresses(CURL* curl, AddressCheck& check) {
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &check);
}

bool may_use(AddressCheck& check, const char* address) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  bool is_allowed = false;
  if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    is_allowed = allows(check.allowed, reinterpret_cast<const sockaddr*>(&v4));
  } else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    is_allowed = allows(check.allowed, reinterpret_cast<const sockaddr*>(&v6));
  }
  check.refused = check.refused || !is_allowed;
  return is_allowed;
}

Result<void> set_proxy(CURL* curl, const std::string& target, const NetworkSettings& settings,
                       AddressCheck& check) {
  NEXUS_TRY(const auto url, parse_url(target, "the URL of a request"));
  const auto proxy = proxy_for(url, settings.proxy);
  // Said of every request, so that libcurl does not choose for itself.
  curl_easy_setopt(curl, CURLOPT_PROXY, proxy.c_str());
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
  if (proxy.empty()) return {};
  if (url.scheme != "https")
    return Error{ErrorCode::upstream_error,
                 "the proxy would read what is sent to " + printable(url.origin(), 200),
                 "use an https URL, or set network.proxy to \"none\" in nexus.toml"};
  if (!allows(check.allowed, url.host)) return address_refused(url.origin());
  check.allowed = {true, true};
  return {};
}

Error curl_error(CURLcode code, const char* detail, const std::string& told,
                 const AddressCheck& check) {
  const auto where = printable(told.substr(0, told.find_first_of("?#")), 200);
  if (check.refused) return address_refused(where);
  if (code == CURLE_OPERATION_TIMEDOUT)
    return {ErrorCode::upstream_timeout, where + " did not answer in time",
            "check the network, then try again"};
  const std::string why = *detail ? detail : curl_easy_strerror(code);
  const bool tls = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
                   code == CURLE_SSL_CACERT_BADFILE;
  return {ErrorCode::upstream_error, "cannot talk to " + where + ": " + printable(why, 200),
          tls ? "for a private CA set network.ca_file in nexus.toml"
              : "check the network (and proxy settings), then try again"};
}

std::string server_of(const std::string& url) {
  const auto scheme = url.find("://");
  return url.substr(0, scheme == std::string::npos ? scheme : url.find_first_of("/?#", scheme + 3));
}

Error body_broke_off() {
  return {ErrorCode::invalid_field, "the request's body broke off, or is not framed as it says",
          "send as much as its Content-Length says, or chunks that are well-formed"};
}

}  // namespace nexus
