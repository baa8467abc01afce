#include "daemon/store/sqlite/audit_chain_writer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "daemon/log.h"
#include "daemon/store/sqlite/row_macs.h"

namespace nexus::sqlite {

AuditChainWriter::AuditChainWriter(Database& writer, const Secret& audit_key, VaultStage stage,
                                   std::optional<AuditHead> head,
                                   const std::optional<AuditPlace>& head_said)
    : writer_(writer), chain_(audit_key), head_(std::move(head)) {
  if (stage >= VaultStage::chained) {
    go_on_or_behind(head_said);
  } else {
    const auto newest = last();
    begin({newest ? newest->sequence : 0, AuditChain::beginning()});
  }
  committed(end_);
}

void AuditChainWriter::begin(const AuditPlace& at) {
  Transaction transaction(writer_);
  put_anchor(writer_, chain_, {at, AuditChain::Use::beginning});
  transaction.commit();
  end_ = at;
}

/// What a disk has damaged keeps nobody from what is not.
void AuditChainWriter::go_on_or_behind(const std::optional<AuditPlace>& head_said) try {
  go_on(head_said);
} catch (const Failure& failure) {
  if (!failure.is_damage() || !head_said) throw;
  trouble_ = std::string("the newest records cannot be read: ") + failure.what();
  end_ = *head_said;
}

void AuditChainWriter::go_on(const std::optional<AuditPlace>& head_said) {
  const auto newest = last();
  const auto anchor = read_anchor(writer_, chain_);
  if (!anchor) {
    trouble_ = newest ? "where its chain begins is gone, or not what was written"
                      : "all that was on record is gone";
    return begin({std::max(newest ? newest->sequence : 0, head_said ? head_said->sequence : 0),
                  AuditChain::beginning()});
  }
  end_ = newest && newest->sequence > anchor->place.sequence ? *newest : anchor->place;
  if (head_said) return compare(*anchor, *head_said);
  trouble_ =
      "audit.head is gone, or not what was written: whether the newest records are there "
      "cannot be told";
}

void AuditChainWriter::compare(const AuditAnchor& anchor, const AuditPlace& head_said) {
  const auto number = head_said.sequence;
  if (number > end_.sequence) {
    trouble_ = "the records " + std::to_string(end_.sequence + 1) + " to " +
               std::to_string(number) +
               " are gone: the machine lost power before they were written, or somebody took them "
               "away";
    end_.sequence = number;  // their numbers stay theirs
  } else if (number > anchor.place.sequence && link_of(number) != head_said.link) {
    trouble_ = "record " + std::to_string(number) + " is not the one that was written";
  }
}

/// A number that none of ours can have come to is nobody's end.
std::optional<AuditPlace> AuditChainWriter::last() {
  auto query = writer_.query(
      "SELECT seq, chain FROM audit WHERE seq < 9007199254740992 ORDER BY seq DESC LIMIT 1");
  if (!query.next()) return std::nullopt;
  return AuditPlace{query.number(0), query.text(1)};
}

std::string AuditChainWriter::link_of(std::int64_t sequence) {
  auto query = writer_.query("SELECT chain FROM audit WHERE seq = ?1");
  query.bind(sequence);
  return query.next() ? query.text(0) : std::string();
}

AuditPlace AuditChainWriter::insert(const AuditPlace& before, const std::string& record) {
  const auto sequence = before.sequence + 1;
  AuditPlace place{sequence, chain_.link(before.link, sequence, record)};
  // What has a number that was not given yet is none of ours.
  writer_
      .query(
          "INSERT OR REPLACE INTO audit (seq, record, mac, chain) "
          "VALUES (?1, ?2, " AUDIT_MAC("?1", "?2") ", CAST(?3 AS BLOB))")
      .bind(sequence, record, place.link)
      .run();
  return place;
}

void AuditChainWriter::begin_behind(std::int64_t sequence) {
  const auto anchor = read_anchor(writer_, chain_);
  if (anchor && sequence <= anchor->place.sequence) return;  // those before the chain
  put_anchor(writer_, chain_, {{sequence, link_of(sequence)}, AuditChain::Use::pruned});
}

void AuditChainWriter::committed(AuditPlace end) {
  end_ = std::move(end);
  if (!head_ || head_->write(end_, chain_)) return;
  log(LogLevel::error, "audit_head_not_written", {{"error", std::strerror(errno)}});
}

}  // namespace nexus::sqlite
