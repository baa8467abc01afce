// client-go's credential plugins: ExecCredential, in the version that is asked for.
#include "cli/credential/helpers.h"
#include "cli/credential/id_token.h"
#include "common/json.h"
#include "common/json_fields.h"
#include "common/paths.h"
#include "common/rfc3339.h"

namespace nexus::cli {
namespace {

struct ClusterRequest {
  std::string version = "client.authentication.k8s.io/v1beta1";  ///< who says none knows no later
  std::string server;  ///< of the cluster, where kubectl tells (provideClusterInfo)
};

Result<ClusterRequest> asked() {
  ClusterRequest all;
  const auto info = environment("KUBERNETES_EXEC_INFO");
  const auto fields = JsonFields::parse(info);
  if (!fields || !fields->text("apiVersion", all.version))
    return Error{ErrorCode::usage, "KUBERNETES_EXEC_INFO is no ExecCredential",
                 "kubectl sets it when it runs this helper"};
  const std::string group = "client.authentication.k8s.io/";
  if (all.version != group + "v1" && all.version != group + "v1beta1" &&
      all.version != group + "v1alpha1")
    return Error{ErrorCode::usage, "kubectl asks for a version that nexus does not know",
                 "set apiVersion to " + group + "v1 in the kubeconfig"};
  const auto inner = [](const JsonFields& of, const char* name) -> Result<JsonFields> {
    NEXUS_TRY(const auto* object, of.object(name));
    if (!object) return JsonFields::parse("");
    return JsonFields(*object);
  };
  NEXUS_TRY(const auto spec, inner(*fields, "spec"));
  NEXUS_TRY(const auto cluster, inner(spec, "cluster"));
  NEXUS_CHECK(cluster.text("server", all.server));
  return all;
}

Result<IdToken> token_for(Context& context, const std::string& connection, bool access_token) {
  NEXUS_TRY(const auto credentials, fetch_credentials(context, connection));
  if (!access_token) {
    NEXUS_TRY(auto token, good_id_token(context, connection, credentials));
    if (token) return *std::move(token);
  }
  NEXUS_TRY(auto text, credential_in(credentials, ""));
  return IdToken{std::move(text), expiry_of(credentials)};
}

}  // namespace

Result<int> run_kubectl_helper(Context& context, const HelperArgs& args) {
  NEXUS_TRY(const auto request, asked());
  auto named = args;
  if (!args.words.empty()) named.connection = args.words.front();
  // A connection that is named is for whichever cluster; kubectl need not tell which.
  const auto site = request.server.empty() ? std::nullopt : parse_site(request.server);
  const auto mapping = answering(context, named, site);
  if (!mapping && named.connection.empty())
    return Error{ErrorCode::usage, "no connection is named for this cluster",
                 "name one in the kubeconfig's args: credential, kubectl, CONN"};
  const auto& connection = mapping ? mapping->connection : named.connection;
  NEXUS_TRY(const auto token, token_for(context, connection, args.access_token));
  SecretJsonWriter json;
  json.begin().member("apiVersion", request.version).member("kind", "ExecCredential");
  json.begin("status").member("token", token.text);
  if (token.expires_at) json.member("expirationTimestamp", rfc3339(*token.expires_at));
  print_line(context, json.end().end().take());
  return 0;
}

}  // namespace nexus::cli
