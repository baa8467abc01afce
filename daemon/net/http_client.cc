#include "daemon/net/http_client.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "common/text.h"
#include "daemon/net/proxy.h"
#include "daemon/net/url.h"

namespace nexus {
namespace {

constexpr long kConnectMs = 5'000;
constexpr std::size_t kMaxHeaders = 64 * 1024;

/// What the callbacks of one exchange share.
struct Exchange {
  const OutgoingRequest& request;
  AddressPolicy addresses;
  IncomingResponse response;
  std::size_t header_bytes = 0;
  bool too_large = false;
  bool address_refused = false;
};

curl_socket_t open_socket(void* data, curlsocktype, curl_sockaddr* address) {
  auto& exchange = *static_cast<Exchange*>(data);
  if (!allows(exchange.addresses, &address->addr)) {
    exchange.address_refused = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  exchange.header_bytes += size;
  if (exchange.header_bytes > kMaxHeaders) {
    exchange.too_large = true;
    return 0;
  }
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) exchange.response.headers.clear();  // after a 1xx, or the proxy's
  if (const auto colon = line.find(':'); colon != std::string_view::npos)
    exchange.response.headers[lower(trim(line.substr(0, colon)))] = trim(line.substr(colon + 1));
  return size;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  if (exchange.response.body.size() + size > exchange.request.max_body) {
    exchange.too_large = true;
    return 0;
  }
  exchange.response.body.append(data, size);
  return size;
}

Error address_refused(const std::string& where) {
  return {ErrorCode::upstream_error, where + " leads to an address that nexusd does not talk to",
          "allow it on the provider: --allow-insecure-http for loopback, "
          "--allow-private-network for private networks"};
}

Error failed(const Exchange& exchange, CURLcode code, const char* detail) {
  const auto host =
      exchange.request.head.url.substr(0, exchange.request.head.url.find_first_of("?#"));
  const auto where = printable(host, 200);
  if (exchange.address_refused) return address_refused(where);
  if (exchange.too_large)
    return {ErrorCode::provider_protocol, where + " answered with more than is allowed",
            "check that it is the right endpoint"};
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

class CurlClient : public HttpClient {
 public:
  explicit CurlClient(NetworkSettings settings) : settings_(std::move(settings)) {
    static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    static_cast<void>(ready);
  }

  Result<IncomingResponse> send(const OutgoingRequest& request) override {
    using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
    using List = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;
    const Easy easy(curl_easy_init(), curl_easy_cleanup);
    if (!easy) return Error{ErrorCode::internal_error, "out of memory", ""};
    CURL* curl = easy.get();

    Exchange exchange{request, request.addresses, {}};
    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(curl, CURLOPT_URL, request.head.url.c_str());
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
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request.total_ms);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "nexusd");
    if (!settings_.ca_file.empty())
      curl_easy_setopt(curl, CURLOPT_CAINFO, settings_.ca_file.c_str());
    NEXUS_CHECK(apply_proxy(curl, exchange));

    List headers(nullptr, curl_slist_free_all);
    const auto add = [&](const std::string& line) {
      headers.reset(curl_slist_append(headers.release(), line.c_str()));
    };
    for (const auto& [name, value] : request.head.headers) {
      auto line = name + ": " + std::string(value.expose());
      add(line);
      wipe(line);
    }
    add("Accept-Encoding: identity");
    if (request.head.method == "POST") {
      add("Content-Type: " + request.content_type);
      add("Expect:");
      curl_easy_setopt(curl, CURLOPT_POST, 1L);
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());

    const auto code = curl_easy_perform(curl);
    for (auto* line = headers.get(); line; line = line->next)
      explicit_bzero(line->data, std::strlen(line->data));
    if (code != CURLE_OK) {
      auto error = failed(exchange, code, detail);
      // What was sent, or began to be, may have been read and acted upon.
      long request_bytes = 0;
      curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &request_bytes);
      error.may_have_arrived = request_bytes > 0;
      return error;
    }
    const auto encoding = lower(exchange.response.header("content-encoding"));
    if (!encoding.empty() && encoding != "identity") {
      Error error{ErrorCode::provider_protocol,
                  "the answer of " + printable(request.head.url, 200) +
                      " came in an encoding that nobody asked for",
                  "check that it is the right endpoint"};
      error.may_have_arrived = true;
      return error;
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    exchange.response.status = static_cast<int>(status);
    return std::move(exchange.response);
  }

 private:
  /// The proxy is the operator's own choice, wherever it is; what it may reach is its own policy,
  /// but for an address that the URL itself names. What is in plain http it could read.
  Result<void> apply_proxy(CURL* curl, Exchange& exchange) const {
    NEXUS_TRY(const auto url, parse_url(exchange.request.head.url, "the URL of a request"));
    const auto proxy = proxy_for(url, settings_.proxy);
    // Said of every request, so that libcurl does not choose for itself.
    curl_easy_setopt(curl, CURLOPT_PROXY, proxy.c_str());
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
    if (proxy.empty()) return {};
    if (url.scheme != "https")
      return Error{ErrorCode::upstream_error,
                   "the proxy would read what is sent to " + printable(url.origin(), 200),
                   "use an https URL, or set network.proxy to \"none\" in nexus.toml"};
    if (!allows(exchange.addresses, url.host)) return address_refused(url.origin());
    exchange.addresses = {true, true};
    return {};
  }

  NetworkSettings settings_;
};

}  // namespace

std::unique_ptr<HttpClient> make_http_client(const NetworkSettings& settings) {
  return std::make_unique<CurlClient>(settings);
}

}  // namespace nexus
