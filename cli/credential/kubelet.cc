// The kubelet's image credential providers: a login for the registry of an image.
#include <algorithm>

#include "cli/credential/helpers.h"
#include "common/json.h"
#include "common/json_fields.h"

namespace nexus::cli {
namespace {

constexpr UnixTime kLeeway = 60;  ///< seconds before its end in which a login is not kept

struct ImageRequest {
  std::string version;
  std::string image;
};

Result<ImageRequest> parse_request(std::string_view text) {
  ImageRequest asked;
  std::string kind;
  const auto fields = JsonFields::parse(text);
  const std::string group = "credentialprovider.kubelet.k8s.io/";
  const bool good = fields && fields->text("apiVersion", asked.version) &&
                    fields->text("kind", kind) && fields->text("image", asked.image) &&
                    kind == "CredentialProviderRequest" && !asked.image.empty() &&
                    (asked.version == group + "v1" || asked.version == group + "v1beta1" ||
                     asked.version == group + "v1alpha1");
  if (good) return asked;
  return Error{ErrorCode::usage, "the request is no CredentialProviderRequest of " + group + "v1",
               "the kubelet runs this helper itself"};
}

/// Where an image is, without tag and digest. Names without a registry are Docker Hub's.
std::string place_of(std::string image) {
  const auto digest = image.rfind('@');
  if (digest != std::string::npos && image.find('/', digest) == std::string::npos)
    image.resize(digest);
  const auto slash = image.find('/');
  const auto first = image.substr(0, slash);
  const bool has_registry =
      slash != std::string::npos &&
      (first.find_first_of(".:") != std::string::npos || first == "localhost");
  if (!has_registry) image = "docker.io/" + image;
  const auto colon = image.rfind(':');
  return colon != std::string::npos && colon > image.rfind('/') ? image.substr(0, colon) : image;
}

}  // namespace

Result<int> run_kubelet_helper(Context& context, const HelperArgs& args) {
  NEXUS_TRY(const auto text, read_request());
  NEXUS_TRY(const auto request, parse_request(text));
  const auto mapping = answering(context, args, parse_site(place_of(request.image)));
  const bool whole = !mapping || mapping->site.path.empty();
  SecretJsonWriter json;
  json.begin().member("apiVersion", request.version).member("kind", "CredentialProviderResponse");
  json.member("cacheKeyType", whole ? "Registry" : "Image");
  if (mapping) {
    NEXUS_TRY(const auto credentials, fetch_credentials(context, mapping->connection));
    NEXUS_TRY(const auto login, login_of(credentials, *mapping));
    if (const auto end = expiry_of(credentials))
      json.member("cacheDuration",
                  std::to_string(std::max<UnixTime>(0, *end - system_now() - kLeeway)) + "s");
    json.begin("auth").begin(mapping->site.host + mapping->site.path);
    json.member("username", *login.username).member("password", login.password).end().end();
  } else {
    json.member_or_null("auth", "");
  }
  print_line(context, json.end().take());
  return 0;
}

}  // namespace nexus::cli
