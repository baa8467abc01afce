#include "common/api/audit_verdict.h"

namespace nexus::api {
namespace {

std::string records(const AuditFinding& finding) {
  if (finding.first == finding.last) return "record " + std::to_string(finding.first);
  return "records " + std::to_string(finding.first) + " to " + std::to_string(finding.last);
}

}  // namespace

std::string in_words(const AuditFinding& finding) {
  switch (finding.fault) {
    case AuditFault::altered:
      return records(finding) + ": not what was written there";
    case AuditFault::missing:
      return records(finding) + ": missing";
    case AuditFault::lost:
      return records(finding) + ": gone when nexusd started, as record " +
             std::to_string(finding.last + 1) + " tells";
    case AuditFault::cut:
      return records(finding) + ": cut off, they were the newest";
    case AuditFault::beginning:
      return "where the records begin is gone, or not what was written";
    case AuditFault::head:
      return "audit.head, which says where they end, is gone, or not what was written";
  }
  return records(finding);
}

Result<void> read(const Reader& from, AuditVerdict& into) {
  into.records = from.number("records").value_or(0);
  into.first = from.number("first").value_or(0);
  into.last = from.number("last").value_or(0);
  into.unchained = from.number("unchained").value_or(0);
  into.more_findings = from.flag("more_findings");
  from.each("findings", [&into](const Reader& finding) {
    // Of a newer nexusd's faults it is told at least that there is one.
    into.findings.push_back({finding.word<AuditFault>("fault").value_or(AuditFault::altered),
                             finding.number("first").value_or(0),
                             finding.number("last").value_or(0)});
  });
  // Whoever answers something else does not say that all is well.
  return from.number("records") ? Result<void>() : Result<void>(unknown_answer());
}

void write(JsonWriter& to, const AuditVerdict& verdict) {
  to.flag("intact", verdict.findings.empty())
      .member("records", verdict.records)
      .member("first", verdict.first)
      .member("last", verdict.last)
      .member("unchained", verdict.unchained)
      .begin_list("findings");
  for (const auto& finding : verdict.findings)
    to.begin()
        .member("fault", word(finding.fault))
        .member("first", finding.first)
        .member("last", finding.last)
        .end();
  to.end_list().flag("more_findings", verdict.more_findings);
}

}  // namespace nexus::api
