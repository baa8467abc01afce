#pragma once

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "daemon/net/http_client.h"
#include "tests/support/id_token_signer.h"

namespace nexus::test {

/// A request as it reached a provider, taken apart.
struct SeenRequest {
  std::string method;
  std::string host;
  std::string path;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::map<std::string, std::string> form;
  long total_ms = 0;  ///< how long we wait for its answer

  bool has(const std::string& parameter) const { return form.contains(parameter); }
  std::string operator[](const std::string& parameter) const {
    const auto found = form.find(parameter);
    return found == form.end() ? std::string() : found->second;
  }
};

IncomingResponse json_answer(int status, const nlohmann::json& body);

/// An authorization server that keeps to the RFCs, in memory: it counts its tokens ("at-1", "rt-1",
/// …), and a refresh token that was replaced and comes again ends its grant (RFC 9700 4.14.2).
/// Thread-safe.
class AuthorizationServer {
 public:
  struct Manners {
    std::optional<UnixTime> lifetime = 3600;  ///< of access tokens; nothing: it does not say
    bool refresh_tokens = true;
    bool rotates = true;
    bool forgives = false;   ///< a replaced refresh token brings its successor once more
    std::string scope;       ///< told as granted; "" says nothing
    bool sends_iss = false;  ///< RFC 9207, in its metadata
    std::string subject = "alice";
  };

  explicit AuthorizationServer(Clock clock) : clock_(std::move(clock)) {}

  void behave(const Manners& manners);

  /// A person's consent: the code of a new grant. With a nonce, id_tokens come with its tokens.
  std::string consent(const std::string& nonce = {});
  /// A grant that was consented to elsewhere: its refresh token.
  std::string grant_elsewhere();
  /// Whether it would still take this refresh token.
  bool takes(const std::string& refresh_token) const;

  IncomingResponse answer(const SeenRequest& request);
  /// As a server would whose clock says that.
  IncomingResponse answer_at(const SeenRequest& request, UnixTime now);

 private:
  struct Grant {
    std::string refresh_token;
    std::string replaced;  ///< the one before
    std::string nonce;
    bool openid = false;
    bool over = false;
  };

  IncomingResponse token(const SeenRequest& request);
  IncomingResponse refresh(const SeenRequest& request);
  IncomingResponse revoke(const SeenRequest& request);
  IncomingResponse metadata(const SeenRequest& request) const;
  nlohmann::json tokens(const SeenRequest& request);
  std::string id_token(const SeenRequest& request, const std::string& nonce) const;
  std::string new_refresh_token();
  Grant* grant_of(const std::string& refresh_token);

  Clock clock_;
  IdTokenSigner signer_;
  mutable std::mutex mutex_;
  Manners manners_;
  int codes_ = 0;
  int access_tokens_ = 0;
  int refresh_tokens_ = 0;
  std::map<std::string, Grant> consented_;  ///< by code
  std::vector<Grant> grants_;
};

}  // namespace nexus::test
