#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/audit.h"
#include "daemon/connect/activation.h"
#include "daemon/connect/flows.h"
#include "daemon/provider/providers.h"

namespace nexus {

/// Where the page that asks for credentials lies, and where it sends them.
inline constexpr const char* kCapturePagePath = "/auth/capture-schema";
inline constexpr const char* kCaptureSubmitPath = "/auth/capture-credential";

/// What an open capture asks for.
struct CaptureForm {
  std::string connection_id;
  std::string provider;     ///< its name
  std::string description;  ///< what its entry says of it, "" for nothing
  std::string console_url;  ///< where its keys are made, "" where nobody knows
  std::string return_url;
  CredentialSchema schema;
};

/// What came of the credentials that somebody gave.
struct Captured {
  std::vector<FieldFault> faults;  ///< what has to be corrected; the connection is active when none
  FlowOutcome outcome;
};

/// Static credentials (API keys, passwords, signing keys): asked for by a page of ours, a prompt or
/// an application, checked with the provider, then stored. A state is good for one connection and
/// ends with it; what is refused leaves it open. Blocks on the network. Thread-safe.
class Captures {
 public:
  Captures(Providers& providers, Activation& activation, Flows& flows, HttpClient& http,
           Audit& audit, Clock wall_clock, const std::string& callback_base_url);

  /// Stores the pending connection. Errors: those of Flows::begin.
  Result<StartedFlow> begin(ConnectionRow& row, const Caller& caller);

  /// Errors: invalid_state.
  Result<CaptureForm> form(const std::string& state);

  /// Takes what was typed or sent; texts in `credentials` are wiped. Errors: invalid_state, and
  /// those of ask_provider, after which the same state may be tried again.
  Result<Captured> complete(const std::string& state, nlohmann::json& credentials,
                            const Caller& caller);

 private:
  struct Open {
    FlowRow flow;
    ConnectionRow row;
    Provider provider;
  };
  Result<Open> find(const std::string& state);

  Providers& providers_;
  Activation& activation_;
  Flows& flows_;
  HttpClient& http_;
  Audit& audit_;
  Clock wall_clock_;
  std::string page_url_;
};

}  // namespace nexus
