#include "daemon/oauth/error_words.h"

#include <array>
#include <string_view>
#include <utility>

namespace nexus::oauth {
namespace {

constexpr std::string_view kNotAsked =
    "the provider has something to ask the person, and was told not to";
constexpr std::string_view kNoRequestObject =
    "the provider does not take the request object that it was given";

constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kWords{{
    {"access_denied", "consent was denied"},
    {"invalid_request", "the provider finds a fault in the request"},
    {"unauthorized_client", "the provider does not let this client ask for consent"},
    {"unsupported_response_type", "the provider gives out no authorization codes"},
    {"invalid_scope", "the provider knows no such scope, or not for this client"},
    {"server_error", "the provider has a fault of its own; try again later"},
    {"temporarily_unavailable", "the provider cannot answer for the moment; try again later"},
    {"interaction_required", kNotAsked},
    {"login_required", "the person has to sign in at the provider first"},
    {"account_selection_required", "the person has to choose an account at the provider first"},
    {"consent_required", kNotAsked},
    {"invalid_request_uri", kNoRequestObject},
    {"invalid_request_object", kNoRequestObject},
    {"request_not_supported", kNoRequestObject},
    {"request_uri_not_supported", kNoRequestObject},
    {"registration_not_supported", kNoRequestObject},
    {"expired_token", "nobody entered the code in time"},
}};

}  // namespace

std::string in_plain_words(const std::string& error) {
  const auto behind = " (" + error + ")";
  for (const auto& [code, words] : kWords)
    if (code == error) return std::string(words) + behind;
  return "the provider refused" + behind;
}

}  // namespace nexus::oauth
