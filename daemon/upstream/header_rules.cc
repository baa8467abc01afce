#include "daemon/upstream/header_rules.h"

#include <algorithm>
#include <array>
#include <set>

#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/strategy/strategy.h"

namespace nexus {
namespace {

/// Of one connection, or made anew for the next one.
constexpr std::array kHopByHop{"connection",         "keep-alive", "proxy-connection",
                               "proxy-authenticate", "te",         "trailer",
                               "transfer-encoding",  "upgrade",    "content-length"};
/// A caller's own, which are for us or for nobody.
constexpr std::array kOfCaller{"host",   "authorization", "proxy-authorization",
                               "cookie", "expect",        "x-api-key"};
/// A server's, which are about its address, not ours.
constexpr std::array kOfServer{
    "set-cookie",      "set-cookie2",   "alt-svc",        "strict-transport-security",
    "public-key-pins", "cache-control", "clear-site-data"};

/// What frameworks take for the method (Rails, Laravel, Google's APIs) or the path (IIS, Symfony).
constexpr std::array kOverriding{"x-http-method-override", "x-http-method",  "x-method-override",
                                 "x-original-url",         "x-rewrite-url",  "x-original-uri",
                                 "x-override-url",         "x-forwarded-uri"};
constexpr std::array kOverridingInQuery{"_method", "x-http-method-override", "$httpmethod"};

template <class List>
bool is_in(const List& list, const std::string& name) {
  return std::any_of(list.begin(), list.end(), [&](const char* each) { return name == each; });
}

/// The headers that `Connection` names.
std::set<std::string> named_by_connection(const HeaderLines& lines) {
  std::set<std::string> names;
  for (const auto& [name, value] : lines)
    if (lower(name) == "connection")
      for (const auto& each : split(value, ',')) names.insert(lower(trim(each)));
  return names;
}

/// Whether nobody can read more than one header into it.
bool is_header(const std::string& name, const std::string& value) {
  return is_header_name(name) && std::none_of(value.begin(), value.end(), [](char c) {
           return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f;
         });
}

void replace(std::string& text, std::string_view what) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 3))
    text.replace(at, what.size(), "***");
}

}  // namespace

Masked::Masked(const std::vector<std::string_view>& credentials) {
  constexpr std::size_t kShortest = 4;  // less is found everywhere
  for (const auto& credential : credentials) {
    if (credential.size() < kShortest) continue;
    forms_.emplace_back(credential);
    std::array encoded{percent_encode(credential), base64(credential), base64url(credential)};
    for (auto& form : encoded) {
      while (form.ends_with('=')) form.pop_back();
      const bool is_new = std::none_of(forms_.begin(), forms_.end(),
                                       [&](const Secret& known) { return known.expose() == form; });
      if (is_new) forms_.emplace_back(form);
      wipe(form);
    }
  }
}

bool Masked::is_in(std::string_view text) const {
  return std::any_of(forms_.begin(), forms_.end(), [&](const auto& form) {
    return text.find(form.expose()) != std::string_view::npos;
  });
}

void Masked::mask(std::string& text) const {
  for (const auto& form : forms_) replace(text, form.expose());
  if (text.find('%') == std::string::npos) return;
  auto decoded = percent_decode(text, false);
  if (decoded && is_in(*decoded)) text = "***";
  if (decoded) wipe(*decoded);
}

Headers headers_for_server(const HeaderLines& from_caller) {
  const auto named = named_by_connection(from_caller);
  Headers out;
  for (const auto& [name, value] : from_caller) {
    const auto known = lower(name);
    if (is_in(kHopByHop, known) || is_in(kOfCaller, known) || named.contains(known)) continue;
    if (known.starts_with("x-nexus-") || known.starts_with("proxy-")) continue;
    out.emplace_back(name, Secret(value));
  }
  return out;
}

bool overrides_request(const HeaderLines& from_caller, std::string_view query) {
  const bool by_header =
      std::any_of(from_caller.begin(), from_caller.end(), [](const auto& header) {
        auto known = lower(header.first);
        std::replace(known.begin(), known.end(), '_', '-');  // the same to CGI and its heirs
        return is_in(kOverriding, known);
      });
  const auto parameters = split(query, '&');
  return by_header || std::any_of(parameters.begin(), parameters.end(), [](const auto& parameter) {
           const auto name = percent_decode(parameter.substr(0, parameter.find('=')), true);
           return name && is_in(kOverridingInQuery, lower(*name));
         });
}

HeaderLines headers_for_caller(const HeaderLines& from_server, const Masked& masked) {
  const auto named = named_by_connection(from_server);
  HeaderLines out;
  for (const auto& [name, value] : from_server) {
    const auto known = lower(name);
    if (is_in(kHopByHop, known) || is_in(kOfServer, known) || named.contains(known)) continue;
    if (known.starts_with("x-nexus-") || known.starts_with("access-control-")) continue;
    if (!is_header(name, value) || masked.is_in(name)) continue;
    out.emplace_back(name, value);
    masked.mask(out.back().second);
  }
  out.emplace_back("Cache-Control", "private, no-store");
  return out;
}

}  // namespace nexus
