#include "daemon/api/proxied_request.h"

#include <algorithm>

#include "common/text.h"
#include "daemon/access/key_text.h"
#include "daemon/access/runs.h"
#include "daemon/crypto/encoding.h"

namespace nexus::api {
namespace {

/// The first key of ours in a text, "" where there is none.
std::string_view key_in(std::string_view text) {
  for (const auto prefix : {Runs::kPrefix, ApiKeys::kPrefix})
    if (const auto key = find_key(prefix, text); !key.empty()) return key;
  return {};
}

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

Secret key_in_header(const std::string& name, const std::string& value) {
  if (const auto key = key_in(value); !key.empty()) return Secret(key);
  if (name != "authorization" || lower(value.substr(0, 6)) != "basic ") return {};
  auto decoded = base64_decode(trim(std::string_view(value).substr(6)));
  if (!decoded) return {};
  Secret key(key_in(*decoded));
  wipe(*decoded);
  return key;
}

/// Leaves the parameter out of the target that has it.
Secret take_from_query(std::string& target) {
  const auto begin = target.find('?');
  if (begin == std::string::npos || key_in(std::string_view(target).substr(begin)).empty())
    return {};
  Secret key;
  std::vector<std::string> kept;
  for (auto& parameter : split(std::string_view(target).substr(begin + 1), '&')) {
    const auto found = key_in(parameter);
    if (found.empty()) {
      kept.push_back(std::move(parameter));
    } else {
      key = Secret(found);
    }
  }
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
  if (!key_in(request.target).empty())
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
    auto found = key_in_header(name, value);
    if (found.empty()) continue;
    key = std::move(found);
    wipe(value);
    name.clear();
  }
  std::erase_if(request.headers, [](const auto& header) { return header.first.empty(); });
  return key;
}

}  // namespace nexus::api
