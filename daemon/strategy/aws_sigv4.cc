// AWS Signature Version 4, after "Create a signed AWS API request" of the IAM User Guide.
#include "daemon/strategy/aws_sigv4.h"

#include <algorithm>
#include <ctime>
#include <vector>

#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/net/url.h"
#include "daemon/strategy/hmac_payload.h"

namespace nexus {
namespace {

/// "20150830T123600Z", whatever the machine's zone and language are.
std::string basic_utc(UnixTime now) {
  const std::time_t time = now;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts)};
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

/// RFC 3986 5.2.4 on what the path means, plus empty segments taken out.
std::string normalised(const std::string& path) {
  std::vector<std::string> kept;
  for (const auto& segment : segments_of(path)) {
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  const bool directory = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
  return "/" + join(kept, "/") + (directory && !kept.empty() ? "/" : "");
}

/// Each segment encoded as it stands: the URL's own encoding makes it the second time, except for
/// S3, which takes the path's meaning and encodes that once.
std::string canonical_path(const std::string& path, bool s3) {
  std::string encoded;
  for (const auto& segment : segments_of(s3 ? path : normalised(path)))
    encoded +=
        "/" + percent_encode(s3 ? percent_decode(segment, false).value_or(segment) : segment);
  return encoded;
}

std::string canonical_query(const std::string& query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& pair : query.empty() ? std::vector<std::string>() : split(query, '&')) {
    const auto equals = pair.find('=');
    const auto encode = [](const std::string& text) {
      return percent_encode(percent_decode(text, false).value_or(text));
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
std::string canonical_value(std::string_view value) {
  std::string out;
  for (const char c : trim(value))
    if (c != ' ' || !out.ends_with(' ')) out += c;
  return out;
}

bool is_signed(const std::string& name) {
  return name == "host" || name == "content-type" || name.starts_with("x-amz-");
}

}  // namespace

Result<void> sign_aws_sigv4(OutgoingRequest& request, const std::string& service,
                            const std::string& region, const AwsCredentials& credentials,
                            UnixTime now) {
  NEXUS_TRY(const auto url, parse_url(request.head.url, "the request's URL"));
  const auto timestamp = basic_utc(now);
  const auto date = timestamp.substr(0, 8);
  const bool s3 = service == "s3";
  const auto payload_hash = hex(sha256(request.body));

  std::erase_if(request.head.headers, [](const auto& header) {
    const auto name = lower(header.first);
    return name == "authorization" || name == "x-amz-date" || name == "x-amz-security-token" ||
           name == "x-amz-content-sha256";
  });
  request.head.headers.emplace_back("X-Amz-Date", Secret(timestamp));
  if (s3) request.head.headers.emplace_back("X-Amz-Content-Sha256", Secret(payload_hash));
  if (!credentials.session_token.empty())
    request.head.headers.emplace_back("X-Amz-Security-Token", Secret(credentials.session_token));

  const bool default_port = url.port == (url.scheme == "https" ? 443 : 80);
  std::vector<std::pair<std::string, std::string>> headers{
      {"host", default_port ? url.host : url.host + ":" + std::to_string(url.port)}};
  for (const auto& [name, value] : request.head.headers)
    if (is_signed(lower(name))) headers.emplace_back(lower(name), canonical_value(value.expose()));
  // Stable: values of a repeated header stay in their order and are joined by commas.
  std::stable_sort(headers.begin(), headers.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string canonical_headers;
  std::vector<std::string> names;
  for (const auto& [name, value] : headers) {
    if (!names.empty() && names.back() == name) {
      canonical_headers.back() = ',';
    } else {
      names.push_back(name);
      canonical_headers += name + ":";
    }
    canonical_headers += value + "\n";
  }
  const auto signed_headers = join(names, ";");
  const auto canonical_request = request.head.method + "\n" + canonical_path(url.path, s3) + "\n" +
                                 canonical_query(url.query) + "\n" + canonical_headers + "\n" +
                                 signed_headers + "\n" + payload_hash;

  const auto scope = date + "/" + region + "/" + service + "/aws4_request";
  const auto string_to_sign =
      "AWS4-HMAC-SHA256\n" + timestamp + "\n" + scope + "\n" + hex(sha256(canonical_request));
  auto key = "AWS4" + std::string(credentials.secret_key);
  for (const auto& part : {date, region, service, std::string("aws4_request")}) {
    auto next = hmac(HmacAlgorithm::sha256, key, part);
    wipe(key);
    key = std::move(next);
  }
  const auto signature = hex(hmac(HmacAlgorithm::sha256, key, string_to_sign));
  wipe(key);
  request.head.headers.emplace_back(
      "Authorization",
      Secret("AWS4-HMAC-SHA256 Credential=" + std::string(credentials.access_key) + "/" + scope +
             ", SignedHeaders=" + signed_headers + ", Signature=" + signature));
  return {};
}

}  // namespace nexus
