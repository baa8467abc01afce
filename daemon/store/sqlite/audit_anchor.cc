#include "daemon/store/sqlite/audit_anchor.h"

namespace nexus::sqlite {

std::optional<AuditAnchor> read_anchor(Database& database, const AuditChain& chain) {
  auto query = database.query("SELECT seq, chain, mac FROM audit_anchor WHERE id = 1");
  if (!query.next()) return std::nullopt;
  const AuditPlace place{query.number(0), query.text(1)};
  for (const auto use : {AuditChain::Use::beginning, AuditChain::Use::pruned})
    if (query.text(2) == chain.code(use, place)) return AuditAnchor{place, use};
  return std::nullopt;
}

void put_anchor(Database& database, const AuditChain& chain, const AuditAnchor& anchor) {
  const auto code = chain.code(anchor.use, anchor.place);
  database
      .query(
          "INSERT OR REPLACE INTO audit_anchor (id, seq, chain, mac) "
          "VALUES (1, ?1, CAST(?2 AS BLOB), CAST(?3 AS BLOB))")
      .bind(anchor.place.sequence, anchor.place.link, code)
      .run();
}

}  // namespace nexus::sqlite
