#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/api/reader.h"
#include "common/api/words.h"
#include "common/error.h"
#include "common/json.h"

namespace nexus::api {

/// Records of the audit log of which the same is to be said, by their numbers.
struct AuditFinding {
  AuditFault fault = AuditFault::altered;
  std::int64_t first = 0;
  std::int64_t last = 0;
};

/// "records 5 to 9: missing".
std::string in_words(const AuditFinding& finding);

/// What GET /v1/audit/verify tells: each record compared with its code and with the chain.
struct AuditVerdict {
  std::int64_t records = 0;
  std::int64_t first = 0;  ///< the oldest one's number, 0 where there is none
  std::int64_t last = 0;   ///< the newest one's
  std::int64_t unchained =
      0;  ///< those of a nexusd that made no chain: each one's code is compared
  std::vector<AuditFinding> findings;  ///< in the order of their numbers; no more than some
  bool more_findings = false;
};

Result<void> read(const Reader& from, AuditVerdict& into);
void write(JsonWriter& to, const AuditVerdict& verdict);

}  // namespace nexus::api
