#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"

namespace nexus {

/// An absolute http or https URL, taken apart by libcurl's parser so that what is checked is what
/// is connected to.
struct Url {
  std::string scheme;  ///< lower case
  std::string host;    ///< lower case; IPv6 in brackets; numeric IPv4 forms normalised
  int port = 0;        ///< the scheme's own where none is given
  std::string path;    ///< as given, "/" when empty
  std::string query;   ///< as given, without '?'
  std::string fragment;
  bool has_query = false;
  bool has_fragment = false;
  bool has_userinfo = false;

  bool is_loopback() const;  ///< 127.0.0.0/8, [::1] or localhost
  /// As in the Host header (RFC 9110 7.2): without a port that is the scheme's own.
  std::string authority() const {
    const bool is_usual = port == (scheme == "https" ? 443 : 80);
    return host + (is_usual ? "" : ":" + std::to_string(port));
  }
  std::string origin() const { return scheme + "://" + host + ":" + std::to_string(port); }
};

/// The scheme that a URL begins with (RFC 3986 3.1), "" where it begins with none in lower case.
std::string scheme_of(std::string_view text);

/// Errors: invalid_field. `what` names the URL in the message ("the token endpoint").
Result<Url> parse_url(std::string_view text, const std::string& what);

/// An endpoint of a provider (RFC 8414 section 2, E3 and C20): https, or http on
/// loopback where the provider's entry allows it; no userinfo, no fragment.
Result<Url> parse_endpoint(std::string_view text, const std::string& what,
                           bool allow_insecure_http);

/// Where a person may be sent back to (K5): absolute, https or http on loopback, no userinfo, and
/// nothing that another parser might read differently (backslashes, control characters, blanks).
Result<Url> parse_return_url(std::string_view text);

/// `url` without the parameters of that name, however it is written in it; nothing else changes.
std::string without_parameter(const std::string& url, std::string_view name);

/// `url` with the parameters appended to its own query, encoded, before its fragment.
std::string with_parameters(const std::string& url,
                            const std::vector<std::pair<std::string, std::string>>& parameters);

}  // namespace nexus
