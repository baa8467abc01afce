#include "daemon/provider/api_base.h"

#include <algorithm>
#include <cctype>

#include "common/text.h"
#include "daemon/connection_errors.h"
#include "daemon/net/url.h"
#include "daemon/oauth/token_fields.h"

namespace nexus {
namespace {

/// What a value stands for: it cannot be more.
enum class Place { url, host, label, segment };

bool is_label(const std::string& text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

/// A name of several labels, and no address in disguise: the last one is not numeric.
bool is_host_name(const std::string& text) {
  if (text.empty() || text.size() > 253 || text.back() == '.' || text.front() == '.' ||
      text.find("..") != std::string::npos)
    return false;
  const auto labels = split(text, '.');
  return labels.size() > 1 && std::all_of(labels.begin(), labels.end(), is_label) &&
         std::isalpha(static_cast<unsigned char>(labels.back().front())) != 0;
}

bool is_base_url(const std::string& text, bool allow_insecure_http) {
  const auto url = parse_endpoint(text, "it", allow_insecure_http);
  if (!url || url->has_query) return false;
  auto path = url->path;
  if (path.ends_with('/')) path.pop_back();
  return path.empty() || is_plain_path(path);
}

/// The value as it goes in there; nothing where it would be more than its place.
std::optional<std::string> fitted(const std::string& value, Place place, bool allow_insecure_http) {
  switch (place) {
    case Place::url:
      if (!is_base_url(value, allow_insecure_http)) return std::nullopt;
      return value.ends_with('/') ? value.substr(0, value.size() - 1) : value;
    case Place::host:
      return is_host_name(lower(value)) ? std::optional(lower(value)) : std::nullopt;
    case Place::label:
      return is_label(lower(value)) ? std::optional(lower(value)) : std::nullopt;
    case Place::segment:
      break;
  }
  const bool climbs = value == "." || value == "..";
  return !value.empty() && !climbs && percent_encode(value) == value ? std::optional(value)
                                                                     : std::nullopt;
}

const char* name_of(Place place) {
  switch (place) {
    case Place::url:
      return "an https URL";
    case Place::host:
      return "the name of a host";
    case Place::label:
      return "a part of a host's name";
    case Place::segment:
      break;
  }
  return "a segment of a path";
}

/// The place at `open`, nothing for one where a value would decide more than that: a scheme, a
/// user, a port, a query, or the domain itself that a part of a host's name belongs to.
std::optional<Place> place_at(const std::string& base, std::size_t open, std::size_t close) {
  const auto next = close + 1 < base.size() ? base[close + 1] : '/';
  if (open == 0) return next == '/' ? std::optional(Place::url) : std::nullopt;
  if (base.find_first_of("?#") < open) return std::nullopt;
  const auto scheme = base.find("://");
  if (scheme == std::string::npos && !base.starts_with('{')) return std::nullopt;
  const auto host = base.starts_with('{') ? 0 : scheme + 3;
  const auto slash = base.find('/', host);
  if (slash < open)
    return base[open - 1] == '/' && next == '/' ? std::optional(Place::segment) : std::nullopt;
  if (open < host) return std::nullopt;
  if (open == host && next == '/') return Place::host;
  const auto authority = base.substr(host, slash - host);
  const auto domain =
      base.substr(close + 1, slash == std::string::npos ? slash : slash - close - 1);
  const bool ours = domain.starts_with('.') && domain.find_first_of("{@") == std::string::npos &&
                    std::count(domain.begin(), domain.end(), '.') > 1;
  return ours && authority.find('@') == std::string::npos ? std::optional(Place::label)
                                                          : std::nullopt;
}

Error bad(const std::string& what) {
  Error error{ErrorCode::invalid_field, "api_base_url " + what,
              "for example {instance_url}, https://{host}/api or https://{dc}.api.example.com, "
              "with the setting token_fields"};
  error.field = "api_base_url";
  return error;
}

/// `value_of` gives what goes into a place, by its name.
template <class ValueOf>
Result<std::string> filled(const std::string& base, const ValueOf& value_of) {
  std::string out;
  std::size_t at = 0;
  for (auto open = base.find('{'); open != std::string::npos; open = base.find('{', at)) {
    const auto close = base.find('}', open);
    if (close == std::string::npos) return bad("has a { that no } closes");
    const auto place = place_at(base, open, close);
    if (!place) return bad("has a {…} where a token's answer would decide more than a part of it");
    NEXUS_TRY(const std::string value, value_of(base.substr(open + 1, close - open - 1), *place));
    out += base.substr(at, open - at) + value;
    at = close + 1;
  }
  return out + base.substr(at);
}

}  // namespace

Result<void> check_api_base(const Provider& provider) {
  const auto& base = provider.api_base_url;
  if (base.empty()) return {};
  const auto& known = provider.settings.dialect.token_fields;
  NEXUS_TRY(const auto example,
            filled(base, [&](const std::string& name, Place place) -> Result<std::string> {
              if (std::find(known.begin(), known.end(), name) == known.end())
                return bad("has {" + printable(name, 60) +
                           "}, which the setting token_fields does not name");
              return std::string(place == Place::url    ? "https://api.example"
                                 : place == Place::host ? "api.example"
                                                        : "a");
            }));
  NEXUS_CHECK(parse_endpoint(example, "api_base_url", provider.allow_insecure_http));
  if (example != base && provider.user_info_endpoint.starts_with('/')) {
    Error error{ErrorCode::invalid_field,
                "user_info_endpoint has to be a URL: api_base_url is another one for each token",
                "give the whole URL"};
    error.field = "user_info_endpoint";
    return error;
  }
  return {};
}

Result<std::string> api_base_of(const Provider& provider, const ConnectionRow& connection) {
  if (provider.api_base_url.empty())
    return Error{ErrorCode::provider_misconfigured,
                 "nothing says where the API of " + provider.name + " is",
                 "set it: nexus provider edit " + provider.name + " --api-base-url URL"};
  const auto value_of = [&](const std::string& name, Place place) -> Result<std::string> {
    const auto value = token_field(connection.token.token_fields, name);
    if (!value)
      return about(connection, {ErrorCode::provider_protocol,
                                provider.name + " has not told its " + printable(name, 60) +
                                    " with the token, so that nobody knows where its API is",
                                "run: " + connect_in_place_of(connection)});
    if (auto fit = fitted(*value, place, provider.allow_insecure_http)) return *std::move(fit);
    return about(
        connection,
        {ErrorCode::provider_protocol,
         "what " + provider.name + " told as " + printable(name, 60) + " is not " + name_of(place),
         "see it: nexus token " + connection.id + " --field " + shell_quote(name)});
  };
  NEXUS_TRY(auto base, filled(provider.api_base_url, value_of));
  while (base.ends_with('/')) base.pop_back();
  NEXUS_CHECK(parse_endpoint(base, "the API's address", provider.allow_insecure_http));
  return base;
}

}  // namespace nexus
