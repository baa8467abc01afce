#include "daemon/locked_daemon.h"

#include <unistd.h>

#include <algorithm>
#include <memory>

#include "common/api/daemon_status.h"
#include "common/json.h"
#include "common/json_fields.h"
#include "common/secret_pages.h"
#include "common/version.h"
#include "daemon/api/members.h"
#include "daemon/crypto/passphrase_key.h"
#include "daemon/custody/root_keys.h"
#include "daemon/groups.h"
#include "daemon/http/passed_sockets.h"
#include "daemon/http/responses.h"
#include "daemon/http/sockets.h"
#include "daemon/log.h"
#include "daemon/owner.h"

namespace nexus {
namespace {

using namespace std::chrono_literals;

constexpr auto kGoodbye = 1s;
constexpr auto kStuck = 10s;

Error locked() {
  return {ErrorCode::vault_locked, "the vault is locked", "run: nexus unlock"};
}

bool asks(const http::Request& request, std::string_view method, std::string_view path) {
  return request.method == method && request.path == path;
}

/// What was typed, under the name that fits.
Result<Secret> given_in(const http::Request& request) {
  NEXUS_TRY(auto fields, JsonFields::parse(request.body));
  auto passphrase = fields.take("passphrase");
  return passphrase.empty() ? fields.take("key") : std::move(passphrase);
}

}  // namespace

LockedDaemon::LockedDaemon(const Config& config, LockedVault vault, const Sandbox& sandbox)
    : config_(config),
      vault_(std::move(vault)),
      sandbox_(sandbox),
      server_(reactor_, [](auto&) {}, {.connections = 256}) {}

Result<void> LockedDaemon::listen(int control_socket) {
  const auto handler = [this](const http::Request& request, http::Respond respond) {
    handle(request, std::move(respond));
  };
  NEXUS_TRY(const auto members, group_of_members(config_.access.group));
  server_.listen(control_socket,
                 {.via = Caller::Via::control_socket,
                  .same_user_only = true,
                  .members = api::members_at(control_socket, members),
                  .keep_alive = true},
                 handler);
  NEXUS_TRY(const auto gateway, api::Gateway::read(config_));
  if (gateway) {
    NEXUS_TRY(const auto sockets, http::listen_on_tcp(gateway->address, "gateway.listen"));
    for (const auto& socket : sockets)
      server_.listen(socket.fd, {.via = Caller::Via::gateway, .tls = gateway->tls}, handler);
  }
  // Of the nexusd before: the proxy's and the callback's. Nobody else gets these ports meanwhile.
  for (const int socket : http::take_passed_sockets())
    server_.listen(socket, {.via = Caller::Via::proxy}, handler);
  return {};
}

void LockedDaemon::stop() {
  stopped_ = true;
  end_loop();
}

void LockedDaemon::end_loop() {
  server_.drain(kGoodbye, [this] { reactor_.stop(); });
}

std::optional<LockedDaemon::Opened> LockedDaemon::opened() {
  worker_.drain(kStuck);
  if (stopped_) return std::nullopt;
  return std::move(opened_);
}

void LockedDaemon::handle(const http::Request& request, http::Respond respond) {
  if (asks(request, "GET", "/health"))
    return respond(http::json_response(
        JsonWriter().begin().member("status", "ok").flag("healthy", true).end().take()));
  // Members of the group that uses connections are told no more than an application is.
  if (request.caller.via != Caller::Via::control_socket || request.caller.access)
    return respond(http::own_error(locked()));
  if (asks(request, "GET", "/v1/daemon")) return respond(http::json_response(daemon_status()));
  if (asks(request, "GET", "/v1/vault"))
    return respond(http::json_response(api::to_json(vault_status())));
  if (asks(request, "POST", "/v1/vault/unlock")) return unlock(request, std::move(respond));
  respond(http::error_response(locked()));
}

/// One at a time: deriving a key from a passphrase takes memory and a processor.
void LockedDaemon::unlock(const http::Request& request, http::Respond respond) {
  if (const auto owner = check_owner(request.caller); !owner)
    return respond(http::error_response(owner.error()));
  if (opened_) return respond(http::error_response(locked()));
  if (trying_) {
    Error busy{ErrorCode::rate_limited, "another passphrase is being tried", "wait for that"};
    busy.retry_after_s = 1;
    return respond(http::error_response(busy));
  }
  auto given = given_in(request);
  if (!given) return respond(http::error_response(given.error()));
  trying_ = true;
  // Shared, as what a worker runs has to be copied.
  auto secret = std::make_shared<const Secret>(*std::move(given));
  worker_.submit([this, secret, caller = request.caller, respond = std::move(respond)]() mutable {
    auto outcome = std::make_shared<Result<Foundations>>(open_foundations(config_, *secret));
    secret.reset();
    reactor_.post([this, outcome, caller = std::move(caller), respond = std::move(respond)] {
      take_outcome(std::move(*outcome), caller, respond);
    });
  });
}

void LockedDaemon::take_outcome(Result<Foundations> outcome, const Caller& caller,
                                http::Respond respond) {
  if (outcome) {
    opened_ = Opened{*std::move(outcome), http::listening_sockets(), wrong_, caller};
    std::erase_if(opened_->sockets, [](const auto& socket) { return !http::is_tcp(socket.get()); });
    respond(http::json_response(JsonWriter().begin().flag("locked", false).end().take()));
    return end_loop();
  }
  if (outcome.error().code != ErrorCode::vault_key_wrong) {
    trying_ = false;
    return respond(http::error_response(outcome.error()));
  }
  log(LogLevel::warn, "unlock_refused", {{"error", outcome.error().message}});
  reactor_.after(delay_after_wrong(wrong_++), [this, error = outcome.error(), respond] {
    trying_ = false;
    respond(http::error_response(error));
  });
}

std::string LockedDaemon::daemon_status() const {
  api::DaemonStatus status;
  status.pid = getpid();
  status.version = kVersion;
  status.socket = config_.socket;
  status.gateway = config_.gateway.listen;
  status.callback = config_.callback_base_url + config_.callback_path;
  status.data_dir = config_.data_dir;
  status.uptime_s =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started_)
          .count();
  status.key_source = word(vault_.source);
  status.locked = true;
  status.landlock = sandbox_.landlock;
  status.seccomp = sandbox_.seccomp;
  return api::to_json(status);
}

api::VaultStatus LockedDaemon::vault_status() const {
  api::VaultStatus status;
  status.locked = true;
  status.is_new = vault_.is_new;
  status.key_source = vault_.source;
  status.data_dir = config_.data_dir;
  if (const auto derivation = PassphraseDerivation::parse(vault_.derivation)) {
    status.passes = derivation->passes;
    status.memory_kib = derivation->memory_kib;
  }
  status.memory_locked = secret_memory_locked();
  status.lock_after_minutes = config_.vault.lock_after_minutes;
  status.lock_on_suspend = config_.vault.lock_on_suspend;
  return status;
}

}  // namespace nexus
