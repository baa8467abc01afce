#pragma once

#include <mutex>
#include <utility>

#include "daemon/metrics.h"
#include "daemon/store/sqlite/database.h"
#include "daemon/store/sqlite/recent_tokens.h"
#include "daemon/store/sqlite/row_macs.h"
#include "daemon/store/sqlite/tally.h"
#include "daemon/store/store.h"

namespace nexus::sqlite {

/// The SQLite store: one file (or memory, which nothing of this survives), WAL mode, one writer
/// connection with synchronous=FULL (a refresh token that was acknowledged survives power loss) and
/// read-only connections for everybody else. Its methods stand in *_queries.cc, by what they are
/// about.
class SqliteStore final : public Store {
 public:
  /// Throws Failure.
  explicit SqliteStore(const Place& place);

  // whole_vault.cc
  Result<std::optional<VaultHeader>> vault_header() override;
  Result<void> put_vault_header(const VaultHeader& header) override;
  Result<void> rewrap_vault_key(const VaultHeader& header) override;
  Result<void> authenticate_rows(const Vault& vault,
                                 const std::optional<VaultHeader>& adopted) override;
  Result<std::string> keep_tally(const std::string& head_path, bool adopted) override;
  Result<void> accept_tally() override;
  Result<void> copy_into(const std::string& directory) override;
  Result<void> mark_restored(UnixTime made_at) override;
  Result<Rotated> rotate_some(const Rotated& before) override;
  Result<void> end_rotation(const VaultHeader& header) override;
  Result<std::vector<SealedField>> sealed_fields(const SealedField& after,
                                                 std::int64_t limit) override;
  Result<std::vector<std::string>> altered_rows() override;
  // provider_queries.cc: providers, API keys
  Result<void> change_providers(const std::vector<ProviderWrite>& writes,
                                const std::vector<std::string>& deleted, UnixTime now) override;
  Result<void> check_provider_name(const ProviderRow& row) override;
  Result<std::optional<ProviderRow>> provider(const std::string& id) override;
  Result<std::optional<ProviderRecord>> provider_record(const std::string& id) override;
  Result<std::optional<ProviderRow>> provider_named(const std::string& name) override;
  Result<std::vector<ProviderRow>> providers(const NamePage& page) override;
  Result<void> put_api_key(const ApiKeyRow& row) override;
  Result<std::vector<ApiKeyRow>> api_keys(const NamePage& page) override;
  Result<void> save_key_use(const std::string& id, UnixTime at) override;
  Result<void> delete_api_key(const std::string& id) override;

  // connection_queries.cc
  Result<std::optional<ConnectionRow>> connection(const std::string& id) override;
  Result<std::optional<AliasedRow>> connection_aliased(const std::string& workspace,
                                                       const std::string& alias) override;
  Result<std::vector<ConnectionRow>> connections_of(const std::string& workspace,
                                                    const std::string& provider_name) override;
  Result<std::vector<ConnectionRow>> connections(const ConnectionPage& page) override;
  Result<std::map<ConnectionStatus, std::int64_t>> count_by_status() override;
  Result<WorkspaceCounts> count_elsewhere(const std::string& workspace,
                                          const std::string& name) override;
  Result<std::shared_ptr<const TokenRow>> token(const std::string& connection_id) override;
  Result<std::optional<ConnectionRecord>> connection_record(const std::string& id) override;
  Result<bool> set_status(const std::string& id, ConnectionStatus status,
                          const std::string& error_code, const std::string& error_message,
                          UnixTime now) override;
  Result<void> set_alias(const std::string& id, const std::string& alias, UnixTime now) override;
  Result<void> set_use_rules(const std::string& id, const api::UseRules* rules,
                             UnixTime now) override;
  Result<void> take_in(const TakenIn& taken_in) override;  // take_in.cc

  // flow_queries.cc
  Result<void> begin_flow(const ConnectionRow& connection, const FlowRow& flow,
                          const std::vector<SealedField>& fields) override;
  Result<std::optional<FlowRow>> flow(const std::string& state_hash) override;
  Result<std::optional<FlowRow>> flow_of(const std::string& connection_id) override;
  Result<bool> consume_flow(const std::string& connection_id) override;
  Result<std::optional<UnixTime>> nth_expiry(const std::string& api_key, UnixTime now,
                                             std::int64_t nth) override;
  Result<std::vector<std::string>> expire_flows(UnixTime now, UnixTime wall_now,
                                                std::int64_t limit) override;
  Result<std::optional<UnixTime>> next_expiry() override;
  Result<std::int64_t> forget_failed(UnixTime failed_by, std::int64_t limit) override;
  Result<std::optional<UnixTime>> first_failure() override;
  Result<std::vector<std::string>> awaited_redirect_uris() override;
  Result<bool> activate(const ConnectionRow& connection, const std::string& pinned,
                        const std::vector<SealedField>& fields) override;

  // refresh_queries.cc: refreshes and revocations
  Result<bool> begin_refresh(const std::string& id, std::int64_t generation) override;
  Result<bool> save_refresh(const std::string& id, const TokenFacts& token,
                            const std::vector<SealedField>& fields,
                            std::optional<UnixTime> refresh_at, UnixTime last_used_at,
                            UnixTime now) override;
  Result<void> save_refresh_failure(const ConnectionRow& connection, UnixTime now) override;
  Result<void> postpone_refreshes(const std::string& provider_id, UnixTime now,
                                  UnixTime until) override;
  Result<std::vector<std::string>> due_refreshes(UnixTime now, std::int64_t limit) override;
  Result<std::optional<UnixTime>> next_refresh_after(UnixTime now) override;
  Result<void> revoke(const std::string& id, const std::string& outcome,
                      const std::optional<RevocationRow>& pending, UnixTime now) override;
  Result<std::string> revocation_outcome(const std::string& id) override;
  Result<void> add_revocation(const RevocationRow& row,
                              const std::vector<SealedField>& fields) override;
  Result<std::optional<RevocationRow>> revocation(const std::string& id) override;
  Result<std::vector<RevocationRow>> due_revocations(UnixTime now, std::int64_t limit) override;
  Result<std::optional<UnixTime>> next_revocation() override;
  Result<void> postpone_revocation(const RevocationRow& row) override;
  Result<void> finish_revocation(const std::string& id, const std::string& outcome) override;

 private:
  /// Thrown inside a transaction whose row is not as it has to be: it is rolled back, the answer is
  /// no. Only methods that answer yes or no throw it.
  struct Abandoned {};

  /// Also where a write has failed, and may have come to be all the same.
  struct Forgets {
    RecentTokens& tokens;
    ~Forgets() { tokens.forget(); }
  };

  /// Thrown inside a transaction that may not be: it is rolled back, and this is why.
  struct Refused {
    Error error;
  };
  /// That no provider is called like the alias. Throws Refused.
  static void check_alias_free(Database& db, const std::string& alias);
  /// The error where the provider does not have its name already and a connection is called so.
  static std::optional<Error> name_taken(Database& db, const ProviderRow& provider);

  static Error storage_error(const Failure& failure);

  template <class Body>
  auto read(const char* repo, const char* method, Body body)
      -> Result<std::invoke_result_t<Body, Database&>> {
    static auto& histogram = metrics::store_operation(repo, method);  // one for each Body
    const metrics::Observed observed(histogram);
    try {
      auto reader = readers_.borrow();
      if constexpr (std::is_void_v<std::invoke_result_t<Body, Database&>>) {
        body(*reader);
        return {};
      } else {
        return body(*reader);
      }
    } catch (const Failure& failure) {
      return storage_error(failure);
    }
  }

  /// A transaction. `taken()` is the error where something in it has to be unique and is not;
  /// nothing where that is nobody's doing.
  template <class Body, class Taken>
  auto write(const char* repo, const char* method, Body body, Taken taken)
      -> Result<std::invoke_result_t<Body, Database&>> {
    static auto& histogram = metrics::store_operation(repo, method);  // one for each Body
    const metrics::Observed observed(histogram);
    const std::lock_guard lock(mutex_);
    const Forgets afterwards{recent_tokens_};
    try {
      Transaction transaction(writer_);
      if (tally_) tally_->begin();
      const auto commit = [&] {
        if (tally_) tally_->before_commit();
        transaction.commit();
        if (tally_) tally_->committed();
      };
      if constexpr (std::is_void_v<std::invoke_result_t<Body, Database&>>) {
        body(writer_);
        commit();
        return {};
      } else {
        auto value = body(writer_);
        commit();
        return value;
      }
    } catch (const Failure& failure) {
      if (failure.is_taken())
        if (std::optional<Error> error = taken()) return *std::move(error);
      return storage_error(failure);
    } catch (const Refused& refused) {
      return refused.error;
    } catch (const Abandoned&) {
      if constexpr (std::is_same_v<std::invoke_result_t<Body, Database&>, bool>) return false;
      std::terminate();
    }
  }

  template <class Body>
  auto write(const char* repo, const char* method, Body body) {
    return write(repo, method, std::move(body), [] { return std::optional<Error>(); });
  }

  std::optional<Tally> tally_;
  const Vault* vault_ = nullptr;  ///< once rows are authenticated
  RowKeySource row_keys_;
  std::mutex mutex_;  ///< guards writer_
  Database writer_;
  Readers readers_;
  RecentTokens recent_tokens_;
};

/// Neutral, as not everybody may know what has it (Connections::explain).
Error alias_taken(const std::string& alias);

}  // namespace nexus::sqlite
