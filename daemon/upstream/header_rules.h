#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/secret.h"
#include "daemon/net/answer_head.h"
#include "daemon/net/request_head.h"

namespace nexus {

/// The credentials that a request was sent with, to be told nowhere: they become ***, as they are,
/// percent-encoded and in base64. A text in which one is encoded in some other way (small digits,
/// or in part) becomes *** as a whole.
class Masked {
 public:
  explicit Masked(const std::vector<std::string_view>& credentials);
  void mask(std::string& text) const;
  bool is_in(std::string_view text) const;

 private:
  std::vector<Secret> forms_;
};

/// What of a caller's headers goes on to the server: not those of its connection to us (RFC 9110
/// 7.6.1) and of the framing, no credentials of its own, no cookies, nothing that is meant for us.
Headers headers_for_server(const HeaderLines& from_caller);

/// Whether a server may take the request for one of another method or path: by its headers, or by
/// the query of its target.
bool overrides_request(const HeaderLines& from_caller, std::string_view query);

/// What of a server's headers goes back to the caller: not those of its connection to us and of
/// the framing, no cookies, and no credential that it tells back. What is passed on must not be
/// kept by anybody in between.
HeaderLines headers_for_caller(const HeaderLines& from_server, const Masked& masked);

}  // namespace nexus
