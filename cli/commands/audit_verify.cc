#include <string>

#include "cli/commands/audit.h"
#include "common/api/audit_verdict.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

void print_intact(const Output& output, const api::AuditVerdict& verdict) {
  if (verdict.records == 0) return output.note("nothing is on record");
  if (verdict.records == 1)
    output.line("record " + std::to_string(verdict.last) + ", the only one, is as it was written");
  else
    output.line(std::to_string(verdict.records) + " records, " + std::to_string(verdict.first) +
                " to " + std::to_string(verdict.last) +
                ": each is as it was written, and none is missing");
  if (verdict.unchained == 0) return;
  output.note(std::to_string(verdict.unchained) +
              " of them are of an older nexusd: each is as it was written, whether one of those is "
              "missing cannot be told");
}

}  // namespace

Result<int> verify_audit_log(Context& context) {
  NEXUS_TRY(const auto text, context.client.call_raw("GET", "/v1/audit/verify", ""));
  NEXUS_TRY(const auto verdict, api::parse<api::AuditVerdict>(text));
  const auto& output = context.output;
  if (output.json) {
    output.json_line(text);
  } else if (verdict.findings.empty()) {
    print_intact(output, verdict);
  } else {
    for (const auto& finding : verdict.findings) output.line(api::in_words(finding));
    if (verdict.more_findings) output.line("and more");
    output.note("of " + std::to_string(verdict.records) +
                " records; nexus-audit(1), VERIFICATION, tells what that means");
  }
  return verdict.findings.empty() ? 0 : 1;
}

}  // namespace nexus::cli
