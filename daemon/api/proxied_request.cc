#include "daemon/api/proxied_request.h"

#include <algorithm>

#include "common/own_keys.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"

namespace nexus::api {
namespace {

struct Segment {
  std::string name;
  std::string_view rest;
};

/// The first one of a target, decoded. Error: invalid_field.
Result<Segment> first_segment(std::string_view target) {
  const auto path = target.substr(1);
  const auto end = std::min(path.find_first_of("/?"), path.size());
  const auto name = percent_decode(path.substr(0, end), false);
  if (name && !name->empty() && is_valid_utf8(*name)) return Segment{*name, path.substr(end)};
  return Error{ErrorCode::invalid_field, "the path names no connection",
               "send it to /CONNECTION/PATH; nexus proxy routes lists them"};
}

/// A copy: what it was found in is decoded, or about to go.
Secret key_in(std::string_view text) {
  return Secret(find_key(text));
}

/// Of a text that may be percent-encoded.
Secret key_in_encoded(std::string_view text) {
  if (auto key = key_in(text); !key.empty() || text.find('%') == std::string_view::npos) return key;
  auto decoded = percent_decode(text, true);
  if (!decoded) return {};
  auto key = key_in(*decoded);
  wipe(*decoded);
  return key;
}

Secret key_in_header(const std::string& value) {
  if (auto key = key_in(value); !key.empty()) return key;
  if (lower(value.substr(0, 6)) != "basic ") return {};
  auto decoded = base64_decode(trim(std::string_view(value).substr(6)));
  if (!decoded) return {};
  auto key = key_in(*decoded);
  wipe(*decoded);
  return key;
}

/// Of a list with commas: clients that cannot set headers send their key among the subprotocols.
std::string items_without_key(const std::string& list) {
  std::vector<std::string> kept;
  for (const auto& item : split(list, ','))
    if (find_key(item).empty()) kept.emplace_back(trim(item));
  return join(kept, ", ");
}

/// Leaves the parameters out of the target that have one.
Secret take_from_query(std::string& target) {
  const auto begin = target.find('?');
  if (begin == std::string::npos) return {};
  Secret key;
  std::vector<std::string> kept;
  for (auto& parameter : split(std::string_view(target).substr(begin + 1), '&')) {
    if (auto found = key_in_encoded(parameter); !found.empty()) {
      key = std::move(found);
    } else {
      kept.push_back(std::move(parameter));
    }
  }
  if (key.empty()) return {};
  target.resize(begin);
  if (!kept.empty()) target += "?" + join(kept, "&");
  return key;
}

}  // namespace

Result<Meant> read_proxied(const http::Request& request) {
  NEXUS_TRY(auto meant, meant_by_headers(request));
  if (!request.header("x-nexus-target").empty())
    return Error{ErrorCode::invalid_field, "the proxy takes the target from the path alone",
                 "X-Nexus-Target is for /v1/proxy/CONNECTION"};
  const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (!key_in_encoded(path).empty())
    return Error{ErrorCode::invalid_field, "a key has no place in the path",
                 "send it in a header; of APIs that want their credential in the path, write "
                 "{api_key} there"};
  meant.reference = request.header("x-nexus-connection-id");
  meant.provider = request.header("x-nexus-provider");
  if (!meant.provider.empty()) {
    if (meant.reference.empty()) meant.reference = meant.provider;
    meant.target = request.target;
    return meant;
  }
  NEXUS_TRY(auto first, first_segment(request.target));
  meant.target = first.rest;
  (meant.reference.empty() ? meant.reference : meant.provider) = std::move(first.name);
  return meant;
}

Secret take_key(http::Request& request) {
  Secret key = take_from_query(request.target);
  for (auto& [name, value] : request.headers) {
    auto found = key_in_header(value);
    if (found.empty()) continue;
    key = std::move(found);
    auto left = name == "sec-websocket-protocol" ? items_without_key(value) : "";
    wipe(value);
    value = std::move(left);
    if (value.empty()) name.clear();
  }
  std::erase_if(request.headers, [](const auto& header) { return header.first.empty(); });
  return key;
}

}  // namespace nexus::api
