#include "daemon/store/sqlite/audit_verification.h"

#include <optional>
#include <string>

#include "daemon/store/sqlite/audit_anchor.h"
#include "daemon/store/sqlite/row_macs.h"

namespace nexus::sqlite {
namespace {

/// Read in one transaction: as long as one lasts the log's file is not emptied.
constexpr std::int64_t kAtOnce = 2000;
constexpr std::size_t kMostFindings = 100;

struct Row {
  std::int64_t sequence = 0;
  std::string record;
  std::string link;
  bool has_code = false;  ///< its own, for this text and this number
};

class Verification {
 public:
  Verification(const AuditChain& chain, const AuditPlace& end) : chain_(chain), end_(end) {}

  /// Before the first record, and whenever the beginning may have moved since.
  void begin_at(const std::optional<AuditAnchor>& anchor) {
    if (!anchor && !anchor_ && verdict_.records == 0) {
      add(AuditFault::beginning, 0, 0);
      knows_previous_ = false;
    }
    if (!anchor) return;
    anchor_ = anchor;
    if (anchor->place.sequence <= previous_.sequence) return;
    previous_ = anchor->place;
    knows_previous_ = true;
  }

  void take(const Row& row) {
    if (verdict_.records++ == 0) verdict_.first = row.sequence;
    verdict_.last = row.sequence;
    const bool is_chained = !anchor_ || row.sequence > anchor_->place.sequence;
    if (is_chained) return take_chained(row);
    if (row.has_code && anchor_->use == AuditChain::Use::beginning)
      ++verdict_.unchained;
    else  // once some were removed, there are none before the chain
      add(AuditFault::altered, row.sequence, row.sequence);
  }

  /// `all`: that there were no more.
  api::AuditVerdict finish(bool all) {
    if (all && previous_.sequence < end_.sequence)
      add(AuditFault::cut, previous_.sequence + 1, end_.sequence);
    return std::move(verdict_);
  }

 private:
  void take_chained(const Row& row) {
    if (!anchor_ && verdict_.records == 1) previous_.sequence = row.sequence - 1;
    const bool fits = row.link == chain_.link(previous_.link, row.sequence, row.record);
    const bool is_next = row.sequence == previous_.sequence + 1;
    const bool is_told = fits && knows_previous_;
    if (!is_next)
      add(is_told ? AuditFault::lost : AuditFault::missing, previous_.sequence + 1,
          row.sequence - 1);
    // What follows one that is altered, or missing, has its own code alone to be told by.
    const bool is_linked = fits || !is_next || !knows_previous_;
    const bool is_as_ended = row.sequence != end_.sequence || row.link == end_.link;
    knows_previous_ = row.has_code && is_linked && is_as_ended;
    if (!knows_previous_) add(AuditFault::altered, row.sequence, row.sequence);
    previous_ = {row.sequence, row.link};
  }

  void add(AuditFault fault, std::int64_t first, std::int64_t last) {
    auto& list = verdict_.findings;
    if (!list.empty() && list.back().fault == fault && list.back().last + 1 == first) {
      list.back().last = last;
    } else if (list.size() < kMostFindings) {
      list.push_back({fault, first, last});
    } else {
      verdict_.more_findings = true;
    }
  }

  const AuditChain& chain_;
  const AuditPlace end_;
  std::optional<AuditAnchor> anchor_;
  AuditPlace previous_{0, AuditChain::beginning()};
  bool knows_previous_ = true;
  api::AuditVerdict verdict_;
};

/// The next ones behind a number; false where there are none.
bool read_some(Readers& readers, const AuditChain& chain, std::optional<std::int64_t>& behind,
               Verification& verification) {
  auto reader = readers.borrow();
  const Snapshot one_moment(*reader);
  verification.begin_at(read_anchor(*reader, chain));
  auto query = reader->query("SELECT seq, record, chain, mac IS " AUDIT_MAC(
      "seq", "record") " FROM audit WHERE seq > coalesce(?1, -9223372036854775808) "
                       "ORDER BY seq LIMIT ?2");
  query.bind(behind, kAtOnce);
  std::int64_t count = 0;
  for (; query.next(); ++count) {
    behind = query.number(0);
    verification.take({query.number(0), query.text(1), query.text(2), query.number(3) != 0});
  }
  return count == kAtOnce;
}

}  // namespace

api::AuditVerdict verify_audit(Readers& readers, const AuditChain& chain, const AuditPlace& end,
                               const std::atomic<bool>& stop) {
  Verification verification(chain, end);
  std::optional<std::int64_t> behind;
  while (read_some(readers, chain, behind, verification))
    if (stop) return verification.finish(false);
  return verification.finish(true);
}

}  // namespace nexus::sqlite
