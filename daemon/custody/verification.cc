#include "daemon/custody/verification.h"

#include "daemon/store/integrity.h"
#include "daemon/vault/sealed_fields.h"

namespace nexus {
namespace {

constexpr std::int64_t kOpenedAtOnce = 500;
constexpr std::size_t kMostFindings = 1000;

Result<void> open_all(Store& store, const Vault& vault, const std::atomic<bool>& stop,
                      api::VaultVerdict& verdict) {
  SealedField last;
  while (!stop && verdict.findings.size() <= kMostFindings) {
    NEXUS_TRY(const auto fields, store.sealed_fields(last, kOpenedAtOnce));
    for (const auto& each : fields) {
      ++verdict.values;
      const auto* kind = kind_of_owner(each.owner);
      if (vault.open({kind, each.owner, word(each.field), each.generation}, each.sealed)) continue;
      verdict.findings.push_back(std::string(word(each.field)) + " of " + kind + " " + each.owner +
                                 ": does not open");
    }
    if (static_cast<std::int64_t>(fields.size()) < kOpenedAtOnce) break;
    last = fields.back();
  }
  return {};
}

}  // namespace

Result<api::VaultVerdict> verify_vault(Store& store, const Vault& vault, Audit& audit,
                                       const std::string& data_dir, const std::atomic<bool>& stop) {
  api::VaultVerdict verdict;
  auto& found = verdict.findings;
  if (!data_dir.empty())
    for (const std::string file : {"nexus.db", "audit.db"})
      for (const auto& what : damage_of(data_dir + "/" + file, stop))
        found.push_back(file + ": " + what);
  NEXUS_TRY(const auto altered, store.altered_rows());
  found.insert(found.end(), altered.begin(), altered.end());
  NEXUS_CHECK(open_all(store, vault, stop, verdict));
  NEXUS_TRY(const auto chain, audit.verify());
  verdict.records = chain.records;
  for (const auto& finding : chain.findings) found.push_back("audit log: " + in_words(finding));
  verdict.more_findings = chain.more_findings || found.size() > kMostFindings;
  if (found.size() > kMostFindings) found.resize(kMostFindings);
  return verdict;
}

}  // namespace nexus
