#pragma once

#include <optional>
#include <string>

#include "daemon/store/audit_head.h"
#include "daemon/store/sqlite/audit_anchor.h"
#include "daemon/vault/vault.h"

namespace nexus::sqlite {

/// Adds to the chain of the audit log, and knows where it has come to. Within the transactions, and
/// under the lock, of whoever writes the log.
class AuditChainWriter {
 public:
  /// Goes on where the log ends, or begins the chain there while the vault's stage says that there
  /// is none. `head`: none in memory. `head_said`: what was beside the log until now.
  AuditChainWriter(Database& writer, const Secret& audit_key, VaultStage stage,
                   std::optional<AuditHead> head, const std::optional<AuditPlace>& head_said);

  /// The newest committed record's place.
  const AuditPlace& end() const { return end_; }
  const AuditChain& chain() const { return chain_; }
  const std::string& trouble() const { return trouble_; }

  /// Adds a record behind `before`; says where that is.
  AuditPlace insert(const AuditPlace& before, const std::string& record);
  /// From here on the chain begins behind this record: it and those before it are to be removed.
  void begin_behind(std::int64_t sequence);
  /// All up to there is committed.
  void committed(AuditPlace end);

 private:
  void begin(const AuditPlace& at);
  void go_on_or_behind(const std::optional<AuditPlace>& head_said);
  void go_on(const std::optional<AuditPlace>& head_said);
  std::optional<AuditPlace> last();
  std::string link_of(std::int64_t sequence);
  void compare(const AuditAnchor& anchor, const AuditPlace& head_said);

  Database& writer_;
  AuditChain chain_;
  std::optional<AuditHead> head_;
  AuditPlace end_;
  std::string trouble_;
};

}  // namespace nexus::sqlite
