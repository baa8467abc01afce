#include "common/api/provider_profile.h"

namespace nexus::api {
namespace {

using Profile = ProviderProfile;

constexpr std::pair<const char*, std::string Profile::*> kTexts[] = {
    {"name", &Profile::name},
    {"auth_header", &Profile::auth_header},
    {"client_id", &Profile::client_id},
    {"auth_url", &Profile::auth_url},
    {"token_url", &Profile::token_url},
    {"issuer", &Profile::issuer},
    {"api_base_url", &Profile::api_base_url},
    {"user_info_endpoint", &Profile::user_info_endpoint},
    {"description", &Profile::description},
    {"category", &Profile::category},
    {"redirect_host", &Profile::redirect_host},
    {"redirect_path", &Profile::redirect_path}};

constexpr std::pair<const char*, bool Profile::*> kSwitches[] = {
    {"enable_discovery", &Profile::enable_discovery},
    {"allow_insecure_http", &Profile::allow_insecure_http},
    {"allow_private_network", &Profile::allow_private_network}};

}  // namespace

std::span<const std::pair<const char*, std::string ProviderProfile::*>> profile_texts() {
  return kTexts;
}

std::span<const std::pair<const char*, bool ProviderProfile::*>> profile_switches() {
  return kSwitches;
}

}  // namespace nexus::api
