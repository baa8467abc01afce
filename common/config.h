#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/site.h"

namespace nexus {

/// `[gateway]`: the API over TCP, for applications. Off while `listen` is empty.
struct GatewayConfig {
  std::string listen;              ///< "127.0.0.1:8090", "[::1]:8090", "0.0.0.0:8090"
  std::vector<std::string> hosts;  ///< names beyond loopback that requests may call it by
  bool insecure_http = false;      ///< plain http beyond loopback
  std::string tls_certificate;     ///< chain in PEM form; with `tls_key` the gateway is https
  std::string tls_key;
  bool open_check = true;                 ///< check-connection answers without a key
  bool environment_keys = false;          ///< API_KEY and its like are keys (a container's)
  std::vector<std::string> return_urls;   ///< allow-list; empty: any https, http on loopback
  std::vector<std::string> cors_origins;  ///< CORS_ALLOWED_ORIGINS, ALLOWED_ORIGINS
};

/// `[proxy]`: the APIs of connections, on a port of their own, for programs on this machine.
struct ForwardingConfig {
  std::string listen;              ///< "127.0.0.1:8070"; "": once it is asked for
  std::vector<std::string> rules;  ///< of what applications may ask for, see nexus-api(7)
};

/// `[limits]`: requests a minute, 0 for no limit. `callback` counts what belongs to no connection
/// that waits, for each address; the others for each API key and workspace.
/// `_per_key`: whatever the workspace. `pending`: connections that may wait for an answer at a
/// time.
struct LimitsConfig {
  std::int64_t request_connection = 60;
  std::int64_t token = 0;
  std::int64_t refresh = 60;
  std::int64_t resolve = 0;
  std::int64_t callback = 120;
  std::int64_t request_connection_per_key = 600;
  std::int64_t resolve_per_key = 0;
  std::int64_t pending = 10'000;
  std::int64_t pending_per_key = 1'000;
};

/// `[audit]`: what of the audit log is kept, 0 for all. The oldest goes first.
struct AuditConfig {
  std::int64_t keep_days = 400;
  std::int64_t max_mib = 1024;  ///< that records take
};

/// `[access]`: who else may call at the control socket, and how uses are confirmed.
struct AccessConfig {
  std::string group;                ///< whose members use connections, and no more; "": nobody's
  std::vector<std::string> prompt;  ///< a program that asks, and its arguments; empty: the caller's
};

/// `[vault]`: where the root key is, and when the vault is locked.
struct VaultConfig {
  std::string key_source;                ///< of a new vault: a KeySource's word, "" by default
  std::vector<std::string> key_command;  ///< prints the key, where that is the source
  std::int64_t lock_after_minutes = 0;   ///< without a use of any credential; 0: never
  bool lock_on_suspend = false;          ///< before the machine sleeps
};

/// An entry of `[credential]`: whose credentials programs get for a site.
struct CredentialMapping {
  Site site{};
  std::string connection;  ///< as a command takes it
  std::string username{};  ///< where the program wants one; "" for its usual one
};

/// What nexus.toml, the environment and the flags settle for both programs.
/// Precedence: flag, environment, nexus.toml, default.
struct Config {
  std::string file;                ///< the nexus.toml that was looked for
  std::string workspace;           ///< `workspace`, NEXUS_WORKSPACE: "default"
  std::string data_dir;            ///< `daemon.data_dir`, NEXUS_DATA_DIR; "" without a HOME
  std::string socket;              ///< `daemon.socket`, NEXUS_SOCKET
  bool socket_is_named = false;    ///< by one of these: it is there or nowhere
  std::string log_level = "info";  ///< `daemon.log_level`: error, warn, info, debug
  /// `daemon.sandbox`: "auto", "require" or "off".
  std::string sandbox = "auto";
  /// `callback.base_url`: scheme, loopback host and port of the redirect URI.
  std::string callback_base_url = "http://127.0.0.1:8090";
  std::string callback_path = "/auth/callback";  ///< `callback.path`
  std::string proxy = "env";                     ///< `network.proxy`: "env", "none" or a URL
  std::string ca_file;                           ///< `network.ca_file`: a CA bundle in PEM form
  std::string url;  ///< NEXUS_URL: a remote nexusd for `nexus` to talk to; "" for the local one
  /// `refresh.idle_days`: a connection that nobody has used for so long is only kept alive, by a
  /// refresh each so many days, and refreshed when it is used again; 0: all are kept fresh.
  std::int64_t refresh_idle_days = 30;
  /// `hooks.on_attention`: a program and its arguments, run when a connection needs a person.
  std::vector<std::string> on_attention;
  GatewayConfig gateway;
  ForwardingConfig forwarding;
  LimitsConfig limits;
  AuditConfig audit;
  AccessConfig access;
  VaultConfig vault;
  std::vector<CredentialMapping> credential;
  /// What nexus.toml says that cannot be followed; the settings are as if it did not. nexusd does
  /// not start with any, a client warns and goes on: `nexus daemon stop` has to work all the same.
  std::vector<Error> flaws;
};

/// What the command line says; empty where it says nothing.
struct ConfigFlags {
  std::string file;
  std::string data_dir;
  std::string socket;
  std::string ca_file;
};

/// Reads nexus.toml (a missing file is an empty one, unless it was named) and fills in the rest.
/// Flaws of the file name it and the line. Errors: usage, for what flags and environment say.
Result<Config> load_config(const ConfigFlags& flags);

}  // namespace nexus
