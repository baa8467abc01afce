#include "daemon/net/http_client.h"

#include <curl/curl.h>
#include <string.h>

#include <cstring>

#include "common/text.h"
#include "daemon/net/answer_head.h"
#include "daemon/net/curl_options.h"

namespace nexus {
namespace {

/// What the callbacks of one exchange share.
struct Exchange {
  const OutgoingRequest& request;
  AddressCheck check;
  IncomingResponse response;
  std::size_t header_bytes = 0;
  bool too_large = false;
};

std::size_t on_header(char* data, std::size_t, std::size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  exchange.header_bytes += size;
  if (exchange.header_bytes > kMaxHeadBytes) {
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

Error failed(const Exchange& exchange, CURLcode code, const char* detail) {
  const auto& url = exchange.request.head.url;
  if (exchange.too_large && !exchange.check.refused)
    return {ErrorCode::provider_protocol,
            printable(url.substr(0, url.find_first_of("?#")), 200) +
                " answered with more than is allowed",
            "check that it is the right endpoint"};
  return curl_error(code, detail, url, exchange.check);
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

    Exchange exchange{request, {request.addresses}, {}};
    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    set_common_options(curl, request.head.url, settings_);
    check_addresses(curl, exchange.check);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request.total_ms);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "nexusd");
    NEXUS_CHECK(set_proxy(curl, request.head.url, settings_, exchange.check));

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
    if (request.head.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
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
  NetworkSettings settings_;
};

}  // namespace

std::unique_ptr<HttpClient> make_http_client(const NetworkSettings& settings) {
  return std::make_unique<CurlClient>(settings);
}

}  // namespace nexus
