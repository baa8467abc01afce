#include "common/api/vault_status.h"

#include <mutex>

#include "common/secret_pages.h"
#include "daemon/api/handlers.h"
#include "daemon/crypto/passphrase_key.h"
#include "daemon/custody/key_change.h"
#include "daemon/custody/verification.h"
#include "daemon/custody/weaknesses.h"
#include "daemon/log.h"
#include "daemon/owner.h"

namespace nexus::api {
namespace {

Result<void> check_kept(const Services& services) {
  if (!services.facts.data_dir.empty()) return {};
  return Error{ErrorCode::invalid_state, "this nexusd keeps nothing: there is no vault on a disk",
               "run it with a data directory"};
}

Result<KeySource> source_in(const JsonFields& body) {
  std::string text;
  NEXUS_CHECK(body.one_of("to", word_list<KeySource>(), text));
  const auto source = from_word<KeySource>(text);
  if (source) return *source;
  return Error{ErrorCode::missing_fields, "to is missing", "say where the key is to come from"};
}

/// What reads all of the vault is done for one caller at a time. Error: rate_limited.
Result<std::unique_lock<std::mutex>> alone_at(std::mutex& work, const char* taken) {
  std::unique_lock lock(work, std::try_to_lock);
  if (lock) return lock;
  Error busy{ErrorCode::rate_limited, taken, "wait for that"};
  busy.retry_after_s = 1;
  return busy;
}

}  // namespace

Result<Reply> get_vault(Services& services, const http::Request&, const Arguments&) {
  NEXUS_TRY(const auto header, services.store.vault_header());
  VaultStatus status;
  status.key_source = services.root_keys.source();
  status.rotation = services.rotation.progress();
  status.suspicion = services.trust.suspicion();
  status.data_dir = services.facts.data_dir;
  if (const auto derivation = PassphraseDerivation::parse(header->key_derivation)) {
    status.passes = derivation->passes;
    status.memory_kib = derivation->memory_kib;
  }
  status.memory_locked = secret_memory_locked();
  status.lock_after_minutes = services.facts.lock_after_minutes;
  status.lock_on_suspend = services.facts.lock_on_suspend;
  status.weaknesses =
      weaknesses_of_vault(status.key_source, status.data_dir, status.memory_locked,
                          services.suspend_trouble ? services.suspend_trouble() : "");
  return Reply{to_json(status)};
}

Result<Reply> lock_vault(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_CHECK(check_owner(request.caller));
  if (!services.lock)
    return Error{ErrorCode::invalid_state, "this nexusd keeps nothing, and would lose all of it",
                 "it ends with who started it: nexusd --ephemeral"};
  NEXUS_CHECK(services.lock(request.caller));
  return Reply{JsonWriter().begin().flag("locking", true).end().take(), 202};
}

Result<Reply> unlock_vault(Services&, const http::Request&, const Arguments&) {
  return Reply{JsonWriter().begin().flag("locked", false).end().take()};
}

Result<Reply> change_vault_key(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_CHECK(check_owner(request.caller));
  NEXUS_TRY(auto body, read_body(request));
  WantedKey wanted;
  NEXUS_TRY(wanted.to, source_in(body));
  wanted.current = body.take("current_passphrase");
  wanted.next = body.take(wanted.to == KeySource::passphrase ? "passphrase" : "key");
  NEXUS_CHECK(check_kept(services));
  const auto changed = change_key(services.root_keys, wanted);
  const auto to = std::string(" to ") + word(wanted.to);
  const auto detail = changed ? word(changed->from) + to : to + ": " + changed.error().message;
  const auto told =
      services.audit.commit({.event = AuditEvent::vault_key_changed,
                             .outcome = changed ? AuditOutcome::success : AuditOutcome::failure,
                             .detail = detail},
                            request.caller);
  if (!changed) return changed.error();
  // It is done: who were told otherwise would throw the key away that opens the vault now.
  if (!told) log(LogLevel::error, "audit_failed", {{"error", told.error().message}});
  return Reply{to_json(*changed)};
}

Result<Reply> rotate_vault(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_CHECK(check_owner(request.caller));
  NEXUS_CHECK(check_kept(services));
  NEXUS_TRY(auto body, read_body(request));
  NEXUS_CHECK(services.rotation.begin(body.take("current_passphrase"), request.caller));
  return Reply{JsonWriter().begin().flag("rotating", true).end().take(), 202};
}

Result<Reply> back_up_vault(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_CHECK(check_owner(request.caller));
  NEXUS_CHECK(check_kept(services));
  NEXUS_TRY(auto body, read_body(request));
  BackupOrder order;
  NEXUS_CHECK(body.text("public_key", order.public_key));
  order.passphrase = body.take("passphrase");
  order.current_passphrase = body.take("current_passphrase");
  if (order.public_key.empty() == order.passphrase.empty())
    return Error{ErrorCode::missing_fields,
                 "a backup is sealed for a public key, or with a passphrase",
                 "give one of public_key and passphrase"};
  static std::mutex one_at_a_time;
  NEXUS_TRY(const auto alone, alone_at(one_at_a_time, "a backup is being made already"));
  NEXUS_TRY(const auto made, services.backups.make(order, request.caller));
  return Reply{to_json(made)};
}

Result<Reply> accept_vault(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_CHECK(check_owner(request.caller));
  const auto suspicion = services.trust.suspicion();
  NEXUS_CHECK(services.trust.accept());
  NEXUS_CHECK(services.audit.commit({.event = AuditEvent::vault_accepted, .detail = suspicion},
                                    request.caller));
  return Reply{JsonWriter().begin().flag("accepted", true).end().take()};
}

Result<Reply> verify_vault(Services& services, const http::Request&, const Arguments&) {
  static std::mutex one_at_a_time;
  NEXUS_TRY(const auto alone, alone_at(one_at_a_time, "the vault is being verified already"));
  NEXUS_TRY(const auto verdict,
            nexus::verify_vault(services.store, services.vault, services.audit,
                                services.facts.data_dir, services.rotation.stopping()));
  return Reply{to_json(verdict)};
}

}  // namespace nexus::api
