#include "common/json.h"
#include "daemon/oauth/account.h"
#include "daemon/oauth/client.h"

namespace nexus::oauth {

Result<UserInfo> Client::userinfo(const Secret& access_token,
                                  const std::map<std::string, std::string>& headers) const {
  OutgoingRequest request{
      .head = {.url = endpoints_.userinfo}, .addresses = endpoints_.addresses, .total_ms = 5'000};
  SecretText authorization("Bearer ");
  authorization.append(access_token.expose());
  request.head.headers.emplace_back("Authorization", Secret(authorization));
  request.head.headers.emplace_back("Accept", Secret("application/json"));
  for (const auto& [name, value] : headers) request.head.headers.emplace_back(name, Secret(value));
  NEXUS_TRY(const auto response, http_.send(request));
  const auto document = parse_json_object(response.body);
  if (response.status != 200 || !document)
    return Error{ErrorCode::provider_protocol,
                 "the userinfo endpoint answered " + std::to_string(response.status) +
                     (document ? "" : ", not with a JSON object"),
                 "check the provider's user_info_endpoint"};
  auto account = account_in(**document);
  if (account.empty()) account = account_id_in(**document);
  return UserInfo{text_member(**document, "sub").value_or(""), std::move(account)};
}

}  // namespace nexus::oauth
