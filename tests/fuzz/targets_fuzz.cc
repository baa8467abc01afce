// Where a request is to go: escapes, URLs, sites, the rules of routes, and what is signed of it.
// Each of them is read again in another spelling, and has to mean the same.
#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>

#include "common/json.h"
#include "common/site.h"
#include "daemon/access/route_rules.h"
#include "daemon/net/url.h"
#include "daemon/strategy/aws_sigv4.h"
#include "tests/fuzz/fuzz.h"

#include <nlohmann/json.hpp>

using namespace nexus;
using namespace nexus::fuzz;

namespace {

void follow_text(std::string_view text) {
  const bool has_nul = text.find('\0') != std::string_view::npos;
  for (const auto& [encoded, plus_is_space] :
       {std::pair(percent_encode(text), false), std::pair(form_encode(text), true)}) {
    const auto decoded = percent_decode(encoded, plus_is_space);
    require(decoded.has_value() != has_nul && (has_nul || *decoded == text));
  }
  if (const auto pairs = has_nul ? std::nullopt : parse_form(text)) {
    std::string written;
    for (const auto& [name, value] : *pairs)
      written += form_encode(name) + "=" + form_encode(value) + "&";
    require(parse_form(written) == pairs);
  }
  for (const std::size_t limit : {std::size_t{5}, std::size_t{512}}) {
    const auto shown = printable(text, limit);
    require(shown.size() <= limit && is_valid_utf8(shown) && printable(shown, limit) == shown);
  }
  const auto document = parse_json_object(text);
  require(document.ok() == is_json_object(text));
  if (!document) return;
  const auto written = to_text(**document);
  const auto again = parse_json_object(written);
  require(again && to_text(**again) == written);
  const auto escaped = escape_controls(written);
  require(parse_json_object(escaped).ok() && printable(escaped, escaped.size()) == escaped.c_str());
}

void follow_url(std::string_view text) {
  const auto url = parse_url(text, "it");
  if (!url) return require_plain(url.error());
  auto written = url->origin() + url->path;
  if (url->has_query) written += "?" + url->query;
  const auto again = parse_url(written, "it");
  require(again && again->origin() == url->origin() && again->path == url->path &&
          again->query == url->query && again->authority() == url->authority());
  in_addr address{};
  if (url->is_loopback() && url->host != "localhost" && url->host != "[::1]")
    require(inet_pton(AF_INET, url->host.c_str(), &address) == 1);
  if (const auto endpoint = parse_endpoint(text, "it", false))
    require(endpoint->scheme == "https" && !endpoint->has_userinfo && !endpoint->has_fragment);
  const std::string given(text);
  const auto more = with_parameters(given, {{"a&b", "c d"}});
  const auto with_more = parse_url(more, "it");
  require(!with_more || (with_more->origin() == url->origin() && with_more->path == url->path &&
                         with_more->fragment == url->fragment));
  const auto less = without_parameter(more, "a&b");
  require(without_parameter(less, "a&b") == less);
}

void follow_site(std::string_view text) {
  const auto site = parse_site(text);
  if (!site) return;
  require(is_within(*site, *site) && is_within(*site, {site->host, ""}));
  require(make_site("https", site->host, site->path) == site || site->host.ends_with(":443") ||
          site->host.ends_with(":80"));
  // Who is sent there and who gets the credentials agree about the host.
  if (const auto url = parse_url("https://" + site->host + "/", "it"))
    require(url->authority() == site->host ||
            url->host.find_first_not_of("0123456789.[]:abcdef") == std::string::npos);
}

/// A rule on each line, then an empty one, a method, a path.
void follow_rules(std::string_view text) {
  std::vector<std::string> texts;
  for (auto line = take_line(text); !line.empty() && texts.size() < 8; line = take_line(text))
    texts.emplace_back(line);
  const auto rules = RouteRules::parse(texts);
  if (!rules) return require_plain(rules.error());
  require(rules->empty() == texts.empty() && rules->texts() == texts);
  const std::string method(take_line(text));
  const auto path = take_line(text);
  if (!is_http_token(method)) return;  // no request gets here with it
  const auto verdict = rules->check(method, path, path);
  if (!verdict) require_plain(verdict.error());
  if (texts.empty()) return require(verdict.ok());
  const auto decoded = percent_decode(path, false);
  if (!verdict || path.find("://") != std::string_view::npos) return;
  // The same path in other spellings has the same verdict, and there is one reading of it.
  require(decoded && is_valid_utf8(*decoded));
  std::string spelt;
  for (const char c : *decoded) spelt += c == '/' ? "/" : percent_encode(std::string(1, c));
  require(rules->check(method, spelt, spelt).ok());
  for (const auto& segment : split(*decoded, '/')) require(segment != "." && segment != "..");
}

std::string signature_of(const RequestHead& head) {
  std::string all = head.url;
  for (const auto& [name, value] : head.headers) all.append(name + ":").append(value.expose());
  return all;
}

/// A URL on the first line, then headers, then the body.
void follow_signature(std::string_view text) {
  RequestHead head;
  head.url = take_line(text);
  for (auto line = take_line(text); !line.empty(); line = take_line(text)) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_http_token(line.substr(0, colon))) return;
    head.headers.emplace_back(line.substr(0, colon), Secret(line.substr(colon + 1)));
  }
  const aws::Keys keys{"AKIDEXAMPLE", "secret", "session"};
  for (const char* service : {"s3", "execute-api"}) {
    RequestHead once;
    once.url = head.url;
    for (const auto& [name, value] : head.headers) once.headers.emplace_back(name, value.copy());
    const auto done = aws::sign(once, keys, {service, "us-east-1"}, {text, false}, 1440938160);
    if (!done) {
      require_plain(done.error());
      continue;
    }
    // A signature takes the place of one that is there: it is the same request.
    RequestHead twice;
    twice.url = once.url;
    for (const auto& [name, value] : once.headers) twice.headers.emplace_back(name, value.copy());
    require(aws::sign(twice, keys, {service, "us-east-1"}, {text, false}, 1440938160).ok());
    require(signature_of(once) == signature_of(twice));
    // What is signed of a path and a query is in its canonical form.
    const auto url = *parse_url(once.url, "it");
    const aws::PathRules rules{.normalised = false, .encoded_twice = false};
    const auto canonical =
        std::string(aws::canonical_request({"GET", "h", url.path, url.query, {}, ""}, rules).text);
    std::string_view rest(canonical);
    take_line(rest);
    const auto path = take_line(rest);
    const auto query = take_line(rest);
    require(std::string(aws::canonical_request({"GET", "h", path, query, {}, ""}, rules).text) ==
            canonical);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [kind, text] = input_of(data, size, 5);
  switch (kind) {
    case 0:
      follow_text(text);
      break;
    case 1:
      follow_url(text);
      break;
    case 2:
      follow_site(text);
      break;
    case 3:
      follow_rules(text);
      break;
    case 4:
      follow_signature(text);
      break;
  }
  return 0;
}
