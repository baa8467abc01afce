// AWS Signature Version 4, after "Create a signed AWS API request" of the IAM User Guide.
#include "daemon/strategy/aws_sigv4.h"

#include <algorithm>
#include <ctime>
#include <vector>

#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/net/url.h"
#include "daemon/strategy/hmac_payload.h"

namespace nexus::aws {
namespace {

/// "20150830T123600Z", whatever the machine's zone and language are.
std::string basic_utc(UnixTime now) {
  const std::time_t time = now;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts)};
}

std::string credential_scope(const Scope& scope, const std::string& timestamp) {
  return timestamp.substr(0, 8) + "/" + scope.region + "/" + scope.service + "/aws4_request";
}

/// The segments behind the leading slash, empty ones among them.
std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  for (std::size_t at = 1; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    segments.emplace_back(path.substr(at, end - at));
    at = end + 1;
  }
  return segments;
}

/// Not quite RFC 3986 5.2.4: AWS ends a path with a slash only where it was given one.
std::string normalised(std::string_view path) {
  std::vector<std::string> kept;
  for (const auto& segment : segments_of(path)) {
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  return "/" + join(kept, "/") + (path.ends_with('/') && !kept.empty() ? "/" : "");
}

std::string canonical_path(std::string_view path, PathRules rules) {
  std::string encoded;
  for (const auto& segment : segments_of(rules.normalised ? normalised(path) : std::string(path)))
    encoded += "/" + percent_encode(rules.encoded_twice
                                        ? segment
                                        : percent_decode(segment, false).value_or(segment));
  return encoded;
}

/// AWS reads a plus sign in a query as a blank.
std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& pair : query.empty() ? std::vector<std::string>() : split(query, '&')) {
    const auto equals = pair.find('=');
    const auto encode = [](const std::string& text) {
      return percent_encode(percent_decode(text, true).value_or(text));
    };
    pairs.emplace_back(encode(pair.substr(0, equals)),
                       equals == std::string::npos ? "" : encode(pair.substr(equals + 1)));
  }
  std::sort(pairs.begin(), pairs.end());
  std::vector<std::string> parts;
  for (const auto& [name, value] : pairs) parts.push_back(name + "=" + value);
  return join(parts, "&");
}

/// Runs of blanks are one, none at the ends.
SecretText canonical_value(std::string_view value) {
  SecretText out;
  for (const char c : trim(value))
    if (c != ' ' && c != '\t')
      out += c;
    else if (!out.ends_with(' '))
      out += ' ';
  return out;
}

/// What is between us and the next hop alone, or what those on the way may rewrite.
bool may_change(const std::string& name) {
  static const std::vector<std::string> names{"accept-encoding", "authorization",
                                              "connection",      "expect",
                                              "keep-alive",      "te",
                                              "traceparent",     "tracestate",
                                              "trailer",         "transfer-encoding",
                                              "upgrade",         "user-agent",
                                              "x-amzn-trace-id"};
  return name.starts_with("proxy-") || std::find(names.begin(), names.end(), name) != names.end();
}

/// The services of S3's own protocol. What else is called like it (s3tables) is signed as others.
PathRules rules_of(const std::string& service) {
  for (const char* s3 : {"s3", "s3-outposts", "s3-object-lambda", "s3express"})
    if (service == s3) return {.normalised = false, .encoded_twice = false};
  return {};
}

Error cannot_be_signed(const std::string& why, const std::string& hint) {
  Error error{ErrorCode::invalid_field, "the request cannot be signed: " + why, hint};
  error.field = "url";
  return error;
}

/// An earlier signature of the URL (a presigned one) would be a second one.
void remove_signature(RequestHead& request) {
  for (const char* name :
       {"Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256"})
    request.remove_header(name);
  for (const char* name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
                           "X-Amz-Security-Token", "X-Amz-SignedHeaders", "X-Amz-Signature"})
    request.url = without_parameter(request.url, name);
}

/// What goes into the Host header of a request to that URL. Refused is what one HTTP library sends
/// as it is and another in its normal form.
Result<std::string> host_of(const Url& url, const RequestHead& request) {
  const auto port = ":" + std::to_string(url.port);
  auto rest = std::string_view(request.url).substr(url.scheme.size() + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (url.has_userinfo || (rest != url.host && rest != url.host + port))
    return cannot_be_signed(
        "its host is not in the usual form",
        "write " + url.scheme + "://" + printable(url.host, 200) + " in lower case");
  const auto host = url.port == (url.scheme == "https" ? 443 : 80) ? url.host : url.host + port;
  for (const auto& [name, value] : request.headers)
    if (lower(name) == "host" && value.expose() != host)
      return cannot_be_signed("its Host header is not that of its URL", "leave the header out");
  return host;
}

/// An escape that is none is read differently by everybody.
Result<void> check_escapes(const Url& url) {
  for (const auto& part : {url.path, url.query})
    if (!percent_decode(part, false))
      return cannot_be_signed("its URL has a percent sign that begins no escape",
                              "write %25 for the sign itself");
  return {};
}

Result<std::string> payload_hash(const Payload& payload, const Url& url, bool is_s3) {
  if (!payload.is_unsigned) return hex(sha256(payload.body));
  if (!is_s3)
    return cannot_be_signed("only S3 takes a body that is not signed",
                            "send a body whose length is known");
  if (url.scheme != "https")
    return cannot_be_signed("a body that is not signed needs https", "use an https URL");
  return std::string("UNSIGNED-PAYLOAD");
}

}  // namespace

CanonicalRequest canonical_request(const Signable& request, PathRules rules) {
  std::vector<std::pair<std::string, SecretText>> headers{{"host", SecretText(request.host)}};
  for (const auto& [name, value] : request.headers)
    if (const auto key = lower(name); key != "host" && !may_change(key))
      headers.emplace_back(key, canonical_value(value.expose()));
  // Stable: values of a repeated header stay in their order and are joined by commas.
  std::stable_sort(headers.begin(), headers.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  SecretText lines;
  std::vector<std::string> names;
  for (const auto& [name, value] : headers) {
    if (!names.empty() && names.back() == name) {
      lines.back() = ',';
    } else {
      names.push_back(name);
      lines.append(name).append(":");
    }
    lines.append(value).append("\n");
  }
  CanonicalRequest canonical{{}, join(names, ";")};
  canonical.text.append(request.method)
      .append("\n")
      .append(canonical_path(request.path, rules))
      .append("\n")
      .append(canonical_query(request.query))
      .append("\n")
      .append(lines)
      .append("\n")
      .append(canonical.signed_headers)
      .append("\n")
      .append(request.payload_hash);
  return canonical;
}

std::string string_to_sign(const Scope& scope, const std::string& timestamp,
                           std::string_view canonical_request) {
  return "AWS4-HMAC-SHA256\n" + timestamp + "\n" + credential_scope(scope, timestamp) + "\n" +
         hex(sha256(canonical_request));
}

std::string authorization(const Keys& keys, const Scope& scope, const std::string& timestamp,
                          const CanonicalRequest& canonical_request) {
  auto key = "AWS4" + std::string(keys.secret_key);
  for (const auto& part :
       {timestamp.substr(0, 8), scope.region, scope.service, std::string("aws4_request")}) {
    auto next = hmac(HmacAlgorithm::sha256, key, part);
    wipe(key);
    key = std::move(next);
  }
  const auto signature = hex(
      hmac(HmacAlgorithm::sha256, key, string_to_sign(scope, timestamp, canonical_request.text)));
  wipe(key);
  return "AWS4-HMAC-SHA256 Credential=" + std::string(keys.access_key) + "/" +
         credential_scope(scope, timestamp) +
         ", SignedHeaders=" + canonical_request.signed_headers + ", Signature=" + signature;
}

Result<void> sign(RequestHead& request, const Keys& keys, const Scope& scope,
                  const Payload& payload, UnixTime now) {
  remove_signature(request);
  NEXUS_TRY(const auto url, parse_url(request.url, "the request's URL"));
  NEXUS_CHECK(check_escapes(url));
  NEXUS_TRY(const auto host, host_of(url, request));
  const auto rules = rules_of(scope.service);
  NEXUS_TRY(const auto hash, payload_hash(payload, url, !rules.encoded_twice));

  const auto timestamp = basic_utc(now);
  request.headers.emplace_back("X-Amz-Date", Secret(timestamp));
  if (scope.service.starts_with("s3"))
    request.headers.emplace_back("X-Amz-Content-Sha256", Secret(hash));
  if (!keys.session_token.empty())
    request.headers.emplace_back("X-Amz-Security-Token", Secret(keys.session_token));
  const auto canonical =
      canonical_request({request.method, host, url.path, url.query, request.headers, hash}, rules);
  request.headers.emplace_back("Authorization",
                               Secret(authorization(keys, scope, timestamp, canonical)));
  return {};
}

}  // namespace nexus::aws
