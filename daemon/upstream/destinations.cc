#include "daemon/upstream/destinations.h"

#include <algorithm>

#include "common/text.h"

namespace nexus {
namespace {

/// A server may read "%2e%2e" as "..", and leave the base URL's path by it.
bool has_dot_segments(std::string_view path) {
  for (const auto& segment : split(path, '/')) {
    const auto meaning = percent_decode(segment, false).value_or(segment);
    if (meaning == "." || meaning == "..") return true;
  }
  return false;
}

Error refused(std::string_view target, const std::string& why, const std::string& hint) {
  return {ErrorCode::invalid_field, printable(target, 200) + " " + why, hint};
}

}  // namespace

Result<Destinations> Destinations::of(const Provider& provider, const std::string& base) {
  const auto misconfigured = [&](const std::string& what, const std::string& hint) {
    return Error{ErrorCode::provider_misconfigured, what, hint, "", provider.name};
  };
  if (base.empty())
    return misconfigured("nothing says where the API of " + provider.name + " is",
                         "run: nexus provider edit " + provider.name + " --api-base-url URL");
  Destinations destinations;
  destinations.provider_ = provider.name;
  auto own = parse_endpoint(base, "api_base_url", provider.allow_insecure_http);
  if (!own || own->has_query)
    return misconfigured("the API's base URL of " + provider.name +
                             " cannot be used: " + (own ? "it has a query" : own.error().message),
                         "run: nexus provider edit " + provider.name + " --api-base-url URL");
  destinations.own_ = *std::move(own);
  destinations.base_ = base;
  while (destinations.base_.ends_with('/')) destinations.base_.pop_back();
  for (const auto& host : provider.settings.api_hosts) {
    const bool is_wild = host.starts_with("*.");
    const auto url = parse_url(destinations.own_.scheme + "://" + (is_wild ? host.substr(2) : host),
                               "api_hosts");
    if (!url || url->path != "/" || url->has_query || url->has_userinfo || url->has_fragment ||
        (is_wild && url->host.find('.') == std::string::npos))
      return misconfigured(
          "api_hosts of " + provider.name + " has " + printable(host, 100) + ", which is no host",
          "give HOST or HOST:PORT, or *.DOMAIN for all below a domain");
    destinations.others_.push_back({(is_wild ? "*." : "") + url->host, url->port});
  }
  return destinations;
}

bool Destinations::allows(const Url& url) const {
  if (url.scheme != own_.scheme) return false;
  if (url.host == own_.host && url.port == own_.port) return true;
  return std::any_of(others_.begin(), others_.end(), [&](const Host& other) {
    if (url.port != other.port) return false;
    if (!other.name.starts_with("*.")) return url.host == other.name;
    return url.host.ends_with(std::string_view(other.name).substr(1)) &&
           url.host.size() > other.name.size() - 1;
  });
}

Result<std::string> Destinations::resolve(std::string_view target,
                                          std::string_view as_asked) const {
  const std::string text(target);
  const auto scheme = scheme_of(lower(target.substr(0, target.find('/'))));
  const bool is_url = scheme == "https" || scheme == "http" ||
                      (!scheme.empty() && target.substr(scheme.size()).starts_with("://"));
  // Only ever behind a host that is there already: nothing in it can be another one.
  const auto full = is_url ? text : base_ + (target.starts_with('/') ? "" : "/") + text;
  const auto url = parse_url(full, "the target");
  if (!url)
    return refused(as_asked, "is no path and no URL that can be sent as it stands",
                   "encode blanks and other odd characters, as %20");
  if (url->has_userinfo || url->has_fragment)
    return refused(as_asked, "has a user name or a fragment", "leave it out");
  if (has_dot_segments(url->path))
    return refused(as_asked, "has '.' or '..' in its path", "give the path that is meant");
  if (!allows(*url))
    return Error{ErrorCode::host_not_allowed,
                 "the credentials of this connection do not go to " + printable(url->origin(), 200),
                 "they go to " + own_.origin() +
                     "; for another host of the same service, run: "
                     "nexus provider edit " +
                     provider_ + " --param api_hosts='[\"HOST\"]'",
                 "", provider_};
  return full;
}

std::string_view Destinations::path_of(std::string_view url) const {
  const auto path = url.substr(0, url.find('?'));
  if (!path.starts_with(base_)) return path;
  const auto below = path.substr(base_.size());
  if (below.empty()) return "/";
  return below.starts_with('/') ? below : path;
}

}  // namespace nexus
