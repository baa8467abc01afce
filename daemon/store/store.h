#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/api/use_rules.h"
#include "common/api/words.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/workspace_counts.h"
#include "daemon/vault/sealed_field.h"
#include "daemon/vault/vault.h"

namespace nexus {

struct ProviderRow {
  std::string id;       ///< UUID
  std::string name;     ///< unique among those not deleted
  std::string profile;  ///< JSON of everything that is not secret; "" where it was altered
  UnixTime created_at = 0;
  UnixTime updated_at = 0;
  bool deleted = false;  ///< no longer listed; kept while connections still refresh through it
};

/// A provider with what is sealed of it, of one moment.
struct ProviderRecord {
  ProviderRow provider;
  std::vector<SealedField> fields;
};

/// A provider as it is to be from now on: inserted or, where the id exists, replaced. One that is
/// deleted leaves the list; its secrets go when no connection needs them any more.
struct ProviderWrite {
  ProviderRow row;
  std::vector<SealedField> fields;  ///< all of them
  /// Why its active connections need a person now; "" when they go on.
  std::string needs_person;
};

/// What a connection's access token is, beside its sealed text.
struct TokenFacts {
  std::string token_type;
  std::string scopes;  ///< granted, separated by spaces
  UnixTime obtained_at = 0;
  std::optional<UnixTime> expires_at;
  std::string token_fields{};  ///< what else its answer told, as JSON (oauth/token_fields.h)
};

struct ConnectionRow {
  std::string id;
  std::string workspace;
  std::string provider_id;
  std::string provider_name;              ///< read only: the provider's row holds it
  AuthType auth_type = AuthType::oauth2;  ///< as it was made; the provider's may have changed since
  std::string alias;
  ConnectionStatus status = ConnectionStatus::pending;
  std::string requested_scopes;
  std::string issuer;  ///< with `subject` the identity behind the connection (id_token)
  std::string subject;
  std::string account;
  std::string return_url;
  std::string metadata;  ///< the application's own, as JSON; "" for none
  std::string replaces;  ///< the connection that goes when this one becomes active
  // By the wall clock, as people read them; every other time is one that nexusd reckons with.
  UnixTime created_at = 0;
  UnixTime updated_at = 0;
  std::optional<UnixTime> last_refresh_at;
  UnixTime pending_until = 0;
  std::string error_code;
  std::string error_message;
  TokenFacts token;
  /// Who of those that reach nexusd may use it; null for all of them.
  std::shared_ptr<const api::UseRules> use_rules{};
  /// When it is refreshed without being asked for; while `refresh_failures` is not 0, not before.
  std::optional<UnixTime> refresh_at;
  std::int64_t refresh_failures = 0;  ///< in a row
  /// Read only: when the first of those was.
  std::optional<UnixTime> refresh_failing_since;
  /// The generation of the refresh token that was sent and whose answer is not stored: 0 for none.
  std::int64_t refresh_sent = 0;
  UnixTime last_used_at = 0;          ///< as of the last refresh or, before one, of its activation
  std::optional<FlowKind> waits_for;  ///< read only: while it is pending, what answers it
  /// Read only: what the provider's settings say of a token without an end.
  bool tokens_never_expire = false;

  bool asked_for_openid() const {
    return (" " + requested_scopes + " ").find(" openid ") != std::string::npos;
  }
};

/// The error_code of a connection whose record cannot be understood, or was altered.
inline constexpr const char* kRecordDamaged = "record_damaged";

/// A connection with what is sealed of it, of one moment.
struct ConnectionRecord {
  ConnectionRow connection;
  /// Where its tokens may be sent: JSON of the endpoints that it was made with, "" for a static
  /// one.
  std::string pinned;
  std::vector<SealedField> fields;
};

/// What a pending connection waits for. Each has at most one flow; it is found by the hash of its
/// state or, where its kind has none, by its connection.
struct FlowRow {
  std::string connection_id;
  FlowKind kind = FlowKind::code;
  std::string state_hash;     ///< "" where nobody brings a state
  std::string redirect_uri;   ///< where the answer comes to, "" where none comes
  bool awaited = false;       ///< a listener is to be open at `redirect_uri`
  std::string issuer;         ///< that the state was signed for
  std::string pinned;         ///< JSON of the endpoints as they were when it began
  std::int64_t interval = 0;  ///< of a device flow: seconds between polls, as the provider said
  UnixTime expires_at = 0;
  std::string api_key{};  ///< written only: the id of the key that began it, "" where none did
};

/// Tokens of a disconnected connection that the provider has not been asked to forget yet. They
/// stay sealed among the connection's fields until it was.
struct RevocationRow {
  std::string connection_id;
  UnixTime next_at = 0;       ///< when it is asked (again)
  std::int64_t failures = 0;  ///< in a row
  UnixTime give_up_at = 0;
};

/// The connection with an alias.
struct AliasedRow {
  ConnectionRow connection;
  /// A provider is called so, too: new aliases and providers are kept apart, older ones may not be.
  bool names_provider = false;
};

/// Everything a token fetch needs, read in one step.
struct TokenRow {
  ConnectionRow connection;
  /// access_token and, where there is one, id_token; `credentials` for a static connection.
  std::vector<SealedField> fields;
};

/// An API key of the gateway. The key itself is known to its holder alone.
struct ApiKeyRow {
  std::string id;
  std::string name;    ///< unique
  std::string hash;    ///< keyed, see daemon/access/api_keys
  std::string access;  ///< JSON, see access/access; "" where it was altered
  UnixTime created_at = 0;
  std::optional<UnixTime> expires_at;
  std::optional<UnixTime> last_used_at{};  ///< to some minutes
};

/// A page of things that have a name, in its order.
struct NamePage {
  std::string after;  ///< the name that the page before this one ended with, "" for the first
  std::int64_t limit = 1000;
};

/// A page of connections, newest first (their ids sort by the time they were made).
struct ConnectionPage {
  std::string workspace;  ///< "" for all
  bool pending = false;   ///< also those that wait for consent
  std::string before;     ///< the id that the page before this one ended with, "" for the first
  std::int64_t limit = 100;
};

/// What comes from another nexusd: connections, whole, and the providers that they need.
struct TakenIn {
  std::vector<ProviderWrite> providers;
  std::vector<ConnectionRecord> connections;
  bool replace = false;  ///< also connections that are here already, and alive
};

/// Where Nexus keeps its records. Thread-safe. Every write is one transaction, on stable storage
/// when the call returns; a failed one changes nothing. Errors: internal_error with the cause.
class Store {
 public:
  virtual ~Store() = default;

  virtual Result<std::optional<VaultHeader>> vault_header() = 0;
  virtual Result<void> put_vault_header(const VaultHeader& header) = 0;
  /// The same vault key, sealed in another way: in place of the one that is there.
  virtual Result<void> rewrap_vault_key(const VaultHeader& header) = 0;
  /// Once, before anything but the header is read or written: rows that decide where secrets go and
  /// who gets them carry message authentication codes under the vault's keys, and what is sealed is
  /// stored as sealed with its present one. The vault outlives the store. A row that somebody else
  /// has changed is out of service and says so: a connection has failed, a provider's profile is
  /// "", an API key's access is "", a flow is an error. With `adopted`, what is there is taken as
  /// it is, and this header replaces the one that says that there are no codes yet.
  virtual Result<void> authenticate_rows(const Vault& vault,
                                         const std::optional<VaultHeader>& adopted) = 0;

  /// Counts writes and rows from then on, after `authenticate_rows`, and the writes once more in
  /// the file `head_path` ("": in none), which does not lie beside the vault. In words what does
  /// not fit, for example that the vault was put back to what it was; "" for nothing. With
  /// `adopted`, what is there is taken as it is.
  virtual Result<std::string> keep_tally(const std::string& head_path, bool adopted) = 0;
  /// What is there now is taken as it is.
  virtual Result<void> accept_tally() = 0;

  /// All of it as it is at one moment, in a directory that has none yet: as `open_sqlite_store`
  /// opens it, whatever this store is kept in.
  virtual Result<void> copy_into(const std::string& directory) = 0;
  /// Counts as restored from a backup of that time, until it is taken as it is.
  virtual Result<void> mark_restored(UnixTime made_at) = 0;

  // A rotation. It begins with a header that has both keys (`rewrap_vault_key`), and a vault that
  // goes over to the new one.
  struct Rotated {
    std::string owner{};  ///< of the last one that was looked at; "" before the first
    std::string field{};
    std::int64_t fields = 0;  ///< so many, from the first on
    std::int64_t left = 0;    ///< of them, those that do not open: they stay as they are
    bool is_all = false;
  };
  /// Seals what comes next with the present key, some hundred values in one transaction. A row that
  /// fits has its code made anew with its last value.
  virtual Result<Rotated> rotate_some(const Rotated& before) = 0;
  /// All other codes, and the header without the earlier key: together.
  virtual Result<void> end_rotation(const VaultHeader& header) = 0;

  /// Those that come next in the order of owner and field.
  virtual Result<std::vector<SealedField>> sealed_fields(const SealedField& after,
                                                         std::int64_t limit) = 0;
  /// The rows that are not what was written, and the sealed values that are not the ones that their
  /// owners have, in words: "access_token of connection conn_…: missing".
  virtual Result<std::vector<std::string>> altered_rows() = 0;

  /// Writes and deletions of providers, all of them or none. Errors: provider_exists for a name in
  /// use, name_taken for a new one that is a connection's alias.
  virtual Result<void> change_providers(const std::vector<ProviderWrite>& writes,
                                        const std::vector<std::string>& deleted, UnixTime now) = 0;
  /// Whether `change_providers` would take that name as things are now. Error: name_taken.
  virtual Result<void> check_provider_name(const ProviderRow& row) = 0;
  virtual Result<std::optional<ProviderRow>> provider(const std::string& id) = 0;
  virtual Result<std::optional<ProviderRecord>> provider_record(const std::string& id) = 0;
  virtual Result<std::optional<ProviderRow>> provider_named(const std::string& name) = 0;
  virtual Result<std::vector<ProviderRow>> providers(const NamePage& page) = 0;

  virtual Result<std::optional<ConnectionRow>> connection(const std::string& id) = 0;
  virtual Result<std::optional<AliasedRow>> connection_aliased(const std::string& workspace,
                                                               const std::string& alias) = 0;
  /// Those of a provider's name that are active, need attention or wait, in this order, and of
  /// these the one first that was made last; 1,000 at most.
  virtual Result<std::vector<ConnectionRow>> connections_of(const std::string& workspace,
                                                            const std::string& provider_name) = 0;
  /// Revoked ones left out.
  virtual Result<std::vector<ConnectionRow>> connections(const ConnectionPage& page) = 0;
  virtual Result<std::map<ConnectionStatus, std::int64_t>> count_by_status() = 0;
  /// In every workspace but that one: connections that `name` could stand for, as their alias or
  /// their provider's name; "" for all that are not revoked. Looks at 1,000 of each at the most.
  virtual Result<WorkspaceCounts> count_elsewhere(const std::string& workspace,
                                                  const std::string& name) = 0;
  /// The hot path. Null where there is no such connection.
  virtual Result<std::shared_ptr<const TokenRow>> token(const std::string& connection_id) = 0;
  virtual Result<std::optional<ConnectionRecord>> connection_record(const std::string& id) = 0;

  /// Stores a pending connection with its flow. Error: alias_taken, also by a provider.
  virtual Result<void> begin_flow(const ConnectionRow& connection, const FlowRow& flow,
                                  const std::vector<SealedField>& fields) = 0;
  virtual Result<std::optional<FlowRow>> flow(const std::string& state_hash) = 0;
  virtual Result<std::optional<FlowRow>> flow_of(const std::string& connection_id) = 0;
  /// True for the one caller that gets to answer the flow; false when it was answered before.
  virtual Result<bool> consume_flow(const std::string& connection_id) = 0;
  /// Fails at most so many of the connections whose consent never came; returns their ids.
  virtual Result<std::vector<std::string>> expire_flows(UnixTime now, UnixTime wall_now,
                                                        std::int64_t limit) = 0;
  /// When the nth of those that wait now runs out, the first being 0, in the order in which they
  /// do; nothing where there are fewer. Of those that an API key began, or of all ("").
  virtual Result<std::optional<UnixTime>> nth_expiry(const std::string& api_key, UnixTime now,
                                                     std::int64_t nth) = 0;
  /// When the next one expires, nothing where nobody is awaited.
  virtual Result<std::optional<UnixTime>> next_expiry() = 0;
  /// Forgets at most so many of the connections that had failed by then, those that failed first;
  /// returns how many.
  virtual Result<std::int64_t> forget_failed(UnixTime failed_by, std::int64_t limit) = 0;
  /// When the one that failed first did, nothing where none has.
  virtual Result<std::optional<UnixTime>> first_failure() = 0;
  /// The redirect URIs on which answers of open flows are expected, each once.
  virtual Result<std::vector<std::string>> awaited_redirect_uris() = 0;

  /// Makes a pending connection active: identity, token, fields and the endpoints they are for;
  /// takes alias and use rules of the one it replaces, whose credentials go. False when it is not
  /// pending any more.
  virtual Result<bool> activate(const ConnectionRow& connection, const std::string& pinned,
                                const std::vector<SealedField>& fields) = 0;
  /// A refresh token is about to be sent: on stable storage before it leaves, so that a daemon that
  /// dies before it has stored the answer knows of it. False when the connection is not active.
  virtual Result<bool> begin_refresh(const std::string& id, std::int64_t generation) = 0;
  /// A refreshed token, and when to refresh it next. A connection that came to need a person
  /// meanwhile, or to be moved, still does. False when it was removed.
  virtual Result<bool> save_refresh(const std::string& id, const TokenFacts& token,
                                    const std::vector<SealedField>& fields,
                                    std::optional<UnixTime> refresh_at, UnixTime last_used_at,
                                    UnixTime now) = 0;
  /// A refresh that failed for now: why, how often, when to try again, and what is still
  /// unanswered.
  virtual Result<void> save_refresh_failure(const ConnectionRow& connection, UnixTime now) = 0;
  /// What is due of the provider waits until then.
  virtual Result<void> postpone_refreshes(const std::string& provider_id, UnixTime now,
                                          UnixTime until) = 0;
  /// The connections that are to be refreshed by now, those that wait longest first.
  virtual Result<std::vector<std::string>> due_refreshes(UnixTime now, std::int64_t limit) = 0;
  /// When the next one is, nothing where there is none.
  virtual Result<std::optional<UnixTime>> next_refresh_after(UnixTime now) = 0;
  /// Records what happened and the status it led to: failed, whose credentials go, or
  /// attention_required, moving, and active for one that comes back from there. False where that
  /// may not follow the status it has (transitions.h).
  virtual Result<bool> set_status(const std::string& id, ConnectionStatus status,
                                  const std::string& error_code, const std::string& error_message,
                                  UnixTime now) = 0;
  /// All of it or nothing. What was here of a connection goes, but for its use rules. Errors:
  /// connection_exists,
  /// alias_taken (also by a provider), and those of `change_providers`.
  virtual Result<void> take_in(const TakenIn& taken_in) = 0;
  /// Error: alias_taken, also by a provider.
  virtual Result<void> set_alias(const std::string& id, const std::string& alias, UnixTime now) = 0;
  /// Null: whoever reaches nexusd may use it.
  virtual Result<void> set_use_rules(const std::string& id, const api::UseRules* rules,
                                     UnixTime now) = 0;
  /// Destroys the credentials and leaves a record without secrets that says so. With `pending`,
  /// refresh and access token stay until `finish_revocation`: nobody can fetch them any more.
  virtual Result<void> revoke(const std::string& id, const std::string& outcome,
                              const std::optional<RevocationRow>& pending, UnixTime now) = 0;
  /// What `revoke` or `finish_revocation` recorded.
  virtual Result<std::string> revocation_outcome(const std::string& id) = 0;
  /// A token that came for a connection which is revoked already, to be forgotten as well.
  virtual Result<void> add_revocation(const RevocationRow& row,
                                      const std::vector<SealedField>& fields) = 0;
  virtual Result<std::optional<RevocationRow>> revocation(const std::string& id) = 0;
  /// Those that are due, and when the next one is.
  virtual Result<std::vector<RevocationRow>> due_revocations(UnixTime now, std::int64_t limit) = 0;
  virtual Result<std::optional<UnixTime>> next_revocation() = 0;
  virtual Result<void> postpone_revocation(const RevocationRow& row) = 0;
  /// It is over, one way or the other: the tokens go.
  virtual Result<void> finish_revocation(const std::string& id, const std::string& outcome) = 0;

  /// Error: key_exists for a name in use.
  virtual Result<void> put_api_key(const ApiKeyRow& row) = 0;
  virtual Result<std::vector<ApiKeyRow>> api_keys(const NamePage& page) = 0;
  virtual Result<void> save_key_use(const std::string& id, UnixTime at) = 0;
  virtual Result<void> delete_api_key(const std::string& id) = 0;
};

/// Opens (or makes) the SQLite store in this directory. Errors: vault_unusable.
Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& data_dir);
/// What that would say of the store, which nobody else may have open, and the header of the vault
/// in it. Nothing is made or changed.
Result<std::optional<VaultHeader>> look_into_sqlite_store(const std::string& data_dir);
/// What a vault has that a backup of it has not, and the other way round.
struct StoreDifference {
  std::int64_t providers = 0;        ///< here
  std::int64_t connections = 0;      ///< here, and not disconnected
  std::int64_t only_here = 0;        ///< of them, those that the backup does not have
  std::int64_t newer_here = 0;       ///< of them, those whose refresh token was replaced since
  std::int64_t ended_here = 0;       ///< disconnected here, and not in the backup
  std::int64_t keys = 0;             ///< API keys here
  std::int64_t keys_ended_here = 0;  ///< API keys of the backup that are not here any more
};
/// Both in directories, as `open_sqlite_store` takes them; nobody has them open. Error:
/// vault_unusable for one here that cannot be read.
Result<StoreDifference> compare_sqlite_stores(const std::string& data_dir,
                                              const std::string& backup_dir);
/// Has the vault of one directory (nexus.db and, where it comes along, audit.db with audit.head)
/// take the place of the one in another: what is moved into there is settled by one rename of the
/// directory, and the rest of it is done by whoever comes next, where somebody is killed. What was
/// there lies beside it then, under names that end in `.before-restore-` and the time: the path of
/// that vault, or "" where there was none. Nobody has them open. Error: vault_unusable.
Result<std::string> put_sqlite_vault_in_place(const std::string& from, const std::string& data_dir);
/// Finishes that. Before anything in there is opened.
Result<std::string> finish_restored_sqlite_vault(const std::string& data_dir);
/// Whether a vault that says of itself that it counts nothing yet has been counted before: a file
/// at `head_path` that was written under this key.
bool was_tallied(const Secret& tally_key, const std::string& head_path);
/// One that is in this process's memory and nowhere else, and empty. Error: vault_unusable.
Result<std::unique_ptr<Store>> open_sqlite_store_in_memory();

}  // namespace nexus
