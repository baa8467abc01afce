#include "common/api/connection_request.h"

#include <map>

namespace nexus::api {
namespace {

/// Lists carry it: a thousand connections have to fit into an answer.
constexpr std::size_t kLongestMetadata = 16 * 1024;

}  // namespace

Result<std::string> read_workspace(const JsonFields& from) {
  std::string workspace;
  NEXUS_CHECK(from.text("workspace_id", workspace));
  if (workspace.empty()) NEXUS_CHECK(from.text("user_id", workspace));
  return workspace;
}

Result<ConnectionRequest> read_connection_request(const JsonFields& from) {
  ConnectionRequest request;
  NEXUS_TRY(request.workspace, read_workspace(from));
  NEXUS_CHECK(from.text("provider_name", request.provider_name));
  NEXUS_CHECK(from.text("provider_id", request.provider_id));
  NEXUS_CHECK(from.texts("scopes", request.scopes));
  NEXUS_CHECK(from.text("return_url", request.return_url));
  NEXUS_CHECK(from.text("alias", request.alias));
  NEXUS_CHECK(from.text("replaces", request.replaces));
  NEXUS_CHECK(from.json("metadata", kLongestMetadata, request.metadata));
  NEXUS_CHECK(from.flag("paste", request.pasted));
  NEXUS_CHECK(from.flag("device", request.device));
  std::map<std::string, std::string> params;
  NEXUS_CHECK(from.map("params", params));
  request.params.assign(params.begin(), params.end());
  if (request.provider_name.empty() && request.provider_id.empty())
    return Error{ErrorCode::missing_fields, "provider_name is missing", "name a provider"};
  return request;
}

template <class Text>
void write(BasicJsonWriter<Text>& to, const ConnectionRequest& request) {
  const auto text = [&to](const char* name, const std::string& value) {
    if (!value.empty()) to.member(name, value);
  };
  text("workspace_id", request.workspace);
  text("provider_name", request.provider_name);
  text("provider_id", request.provider_id);
  if (!request.scopes.empty()) to.member("scopes", request.scopes);
  text("return_url", request.return_url);
  text("alias", request.alias);
  text("replaces", request.replaces);
  if (!request.metadata.empty()) to.member_json("metadata", request.metadata);
  if (request.pasted) to.flag("paste", true);
  if (request.device) to.flag("device", true);
  if (request.params.empty()) return;
  to.begin("params");
  for (const auto& [name, value] : request.params) to.member(name, value);
  to.end();
}

template void write(JsonWriter&, const ConnectionRequest&);
template void write(SecretJsonWriter&, const ConnectionRequest&);

}  // namespace nexus::api
