// Bazel's credential helpers: a request for a URI, headers for it.
#include "cli/credential/helpers.h"
#include "common/json.h"
#include "common/json_fields.h"
#include "common/rfc3339.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// Where gRPC is spoken is a site like others.
Result<std::string> url_in(std::string_view request) {
  std::string uri;
  const auto fields = JsonFields::parse(request);
  if (!fields || !fields->text("uri", uri) || uri.empty())
    return Error{ErrorCode::usage, "the request names no uri",
                 "it is {\"uri\":\"https://...\"}, on standard input"};
  const auto scheme = lower(uri.substr(0, uri.find(':')));
  if (scheme == "https" || scheme == "http") return uri;
  if (scheme == "grpcs") return "https" + uri.substr(5);
  if (scheme == "grpc") return "http" + uri.substr(4);
  return Error{ErrorCode::usage, "there are no credentials for URIs of this scheme",
               "use https or grpcs"};
}

}  // namespace

Result<int> run_bazel_helper(Context& context, const HelperArgs& args) {
  NEXUS_TRY(const auto request, read_request());
  NEXUS_TRY(const auto url, url_in(request));
  SecretJsonWriter json;
  json.begin();
  if (const auto mapping = answering(context, args, parse_site(url))) {
    NEXUS_TRY(const auto credentials, fetch_credentials(context, mapping->connection));
    NEXUS_TRY(const auto header, header_in(credentials, ""));
    json.begin("headers").begin_list(header.name).item(header.value).end_list().end();
    if (const auto end = expiry_of(credentials)) json.member("expires", rfc3339(*end));
  }
  print_line(context, json.end().take());
  return 0;
}

}  // namespace nexus::cli
