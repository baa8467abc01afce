#include "daemon/net/url.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "common/site.h"
#include "common/text.h"

namespace nexus {
namespace {

using Handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string part(CURLU* handle, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle, which, &text, flags) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

bool has(CURLU* handle, CURLUPart which) {
  char* text = nullptr;
  const bool present = curl_url_get(handle, which, &text, 0) == CURLUE_OK;
  curl_free(text);
  return present;
}

/// Readers of URLs disagree about these; a URL without them means the same to all.
bool is_ambiguous(std::string_view text) {
  for (const char c : text)
    if (c <= 0x20 || c >= 0x7f || c == '\\' || c == '"' || c == '<' || c == '>' || c == '^' ||
        c == '`' || c == '{' || c == '|' || c == '}')
      return true;
  return false;
}

}  // namespace

bool Url::is_loopback() const {
  // libcurl has turned every numeric spelling into the usual one.
  return nexus::is_loopback(host);
}

std::string scheme_of(std::string_view text) {
  const auto scheme = text.substr(0, text.find(':'));
  constexpr auto letters = "abcdefghijklmnopqrstuvwxyz";
  constexpr auto allowed = "abcdefghijklmnopqrstuvwxyz0123456789+.-";
  if (scheme.size() == text.size() || scheme.empty() ||
      std::string_view(letters).find(scheme.front()) == std::string_view::npos ||
      scheme.find_first_not_of(allowed) != std::string_view::npos)
    return {};
  return std::string(scheme);
}

Result<Url> parse_url(std::string_view text, const std::string& what) {
  Error refused{ErrorCode::invalid_field, what + " is not an absolute http or https URL",
                "give one like https://example.com/path"};
  refused.field = what;
  if (text.size() > 8192 || is_ambiguous(text)) return refused;
  // "https:host" and "https:///host" are mended by some parsers: the two slashes have to be there.
  const auto scheme = lower(text.substr(0, text.find(':')));
  if ((scheme != "https" && scheme != "http") || text.substr(scheme.size(), 3) != "://" ||
      text.substr(scheme.size() + 3).starts_with('/'))
    return refused;
  const Handle handle(curl_url(), curl_url_cleanup);
  if (curl_url_set(handle.get(), CURLUPART_URL, std::string(text).c_str(), 0) != CURLUE_OK)
    return refused;
  Url url;
  url.scheme = scheme;
  url.host = lower(part(handle.get(), CURLUPART_HOST));
  // libcurl has undone its escapes: what they stood for has to be as plain as the rest.
  if (url.host.empty() || url.host.find('%') != std::string::npos || is_ambiguous(url.host))
    return refused;
  const auto port = parse_number(part(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT));
  if (!port || *port < 1 || *port > 65535) return refused;
  url.port = static_cast<int>(*port);
  // From the text itself, not libcurl's: it would normalise what has to stay as it was given.
  auto rest = text.substr(scheme.size() + 3);
  const auto authority_end = rest.find_first_of("/?#");
  rest = authority_end == std::string_view::npos ? std::string_view() : rest.substr(authority_end);
  if (const auto hash = rest.find('#'); hash != std::string_view::npos) {
    url.has_fragment = true;
    url.fragment = rest.substr(hash + 1);
    rest = rest.substr(0, hash);
  }
  if (const auto mark = rest.find('?'); mark != std::string_view::npos) {
    url.has_query = true;
    url.query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  url.path = rest.empty() ? "/" : std::string(rest);
  url.has_userinfo = has(handle.get(), CURLUPART_USER) || has(handle.get(), CURLUPART_PASSWORD);
  return url;
}

Result<Url> parse_endpoint(std::string_view text, const std::string& what,
                           bool allow_insecure_http) {
  const auto refused = [&](const std::string& why, const std::string& hint) {
    Error error{ErrorCode::invalid_field, what + why, hint};
    error.field = what;
    return error;
  };
  NEXUS_TRY(auto url, parse_url(text, what));
  if (url.has_userinfo || url.has_fragment)
    return refused(" must not carry a user name or a fragment", "remove them from the URL");
  if (url.scheme == "http" && !url.is_loopback())
    return refused(" is not https", "plain http is possible on loopback hosts only");
  if (url.scheme == "http" && !allow_insecure_http)
    return refused(" is not https",
                   "for a provider on this machine, allow it with --allow-insecure-http");
  return url;
}

Result<Url> parse_return_url(std::string_view text) {
  auto url = parse_url(text, "return_url");
  if (!url || url->has_userinfo || (url->scheme == "http" && !url->is_loopback()))
    return Error{ErrorCode::return_url_not_allowed,
                 "return_url has to be an absolute https URL, or an http one on loopback",
                 "for example https://app.example.com/oauth/return"};
  return url;
}

std::string without_parameter(const std::string& url, std::string_view name) {
  const auto end = std::min(url.find('#'), url.size());
  const auto mark = url.find('?');
  if (mark >= end) return url;
  std::string out = url.substr(0, mark);
  char before = '?';
  for (auto at = mark + 1; at <= end;) {
    const auto stop = std::min(url.find('&', at), end);
    const auto part = std::string_view(url).substr(at, stop - at);
    const auto given = part.substr(0, part.find('='));
    // Some read a plus sign as a blank, and some do not.
    if (given != name && percent_decode(given, true) != name &&
        percent_decode(given, false) != name) {
      out += before;
      out += part;
      before = '&';
    }
    at = stop + 1;
  }
  return out + url.substr(end);
}

std::string with_parameters(const std::string& url,
                            const std::vector<std::pair<std::string, std::string>>& parameters) {
  const auto hash = url.find('#');
  std::string out = url.substr(0, hash);
  const auto mark = out.find('?');
  bool first = mark == std::string::npos;
  if (!first && mark + 1 == out.size()) out.pop_back(), first = true;
  for (const auto& [name, value] : parameters) {
    out += first ? '?' : '&';
    first = false;
    out += percent_encode(name) + "=" + percent_encode(value);
  }
  if (hash != std::string::npos) out += url.substr(hash);
  return out;
}

}  // namespace nexus
