#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nexus {

/// Where a program wants to authenticate, as far as that decides which credentials it gets.
struct Site {
  std::string host;  ///< in lower case, with its port where that is not the scheme's own
  std::string path;  ///< "", or from its first '/' on, without one at the end

  friend bool operator==(const Site&, const Site&) = default;
};

/// Nothing for what credentials are not for: a scheme other than https (http on loopback hosts),
/// and a host that is more than a name or an address and a port. Two programs could read such a
/// one differently.
std::optional<Site> make_site(std::string_view scheme, std::string_view authority,
                              std::string_view path);

/// The same for a URL, or for HOST[:PORT][/PATH], which is taken for https.
std::optional<Site> parse_site(std::string_view text);

/// localhost, [::1], or an address of 127.0.0.0/8 in its usual form. What only begins like one
/// ("127.0.0.1.5", "127.0.0.1.") is a name, and whoever answers for names says where it leads.
bool is_loopback(std::string_view host);

/// Whether the host is the very same, and the path the same or below.
bool is_within(const Site& site, const Site& whole);

}  // namespace nexus
