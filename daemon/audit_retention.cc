#include "daemon/audit_retention.h"

#include <algorithm>

#include "common/rfc3339.h"
#include "daemon/log.h"

namespace nexus {
namespace {

constexpr UnixTime kDay = 86400;
/// Records that go in one transaction: writers wait for it, and each makes a record itself.
constexpr std::int64_t kRemovedAtOnce = 2000;
/// Where nothing could be removed it is looked at again, but not at once.
constexpr UnixTime kNextLook = 3600;
constexpr UnixTime kAfterTrouble = 60;
/// A clock that is years ahead when the machine starts is set right by then: nothing has grown old
/// by it.
constexpr UnixTime kClockSettles = 900;
// Beyond these a bound is none, and does not overflow what is reckoned with it.
constexpr std::int64_t kMostDays = 100 * 366;
constexpr std::int64_t kMostMib = std::int64_t{1} << 30;

}  // namespace

AuditRetention::AuditRetention(AuditLog& log, Audit& audit, Due& due, const AuditConfig& config,
                               Clock clock, Clock wall_clock)
    : log_(log),
      audit_(audit),
      due_(due),
      keep_days_(std::min(config.keep_days, kMostDays)),
      max_mib_(std::min(config.max_mib, kMostMib)),
      clock_(std::move(clock)),
      wall_clock_(std::move(wall_clock)) {}

AuditRetention::~AuditRetention() {
  stop();
}

void AuditRetention::stop() {
  log_.on_growth({});
}

void AuditRetention::start() {
  settled_at_ = clock_() + kClockSettles;
  log_.on_growth([this] { due_.expect(Due::What::audit_retention, clock_()); });
  expect_next(clock_());
}

void AuditRetention::sweep() {
  const auto more = work();
  if (!more) {
    log(LogLevel::error, "audit_log_not_pruned", {{"error", more.error().message}});
    return due_.expect(Due::What::audit_retention, clock_() + kAfterTrouble);
  }
  if (*more) return due_.expect(Due::What::audit_retention, clock_());
  expect_next(clock_() + kNextLook);
}

Result<bool> AuditRetention::work() {
  NEXUS_TRY(const bool removed, prune());
  if (removed) return true;
  return log_.give_back_space();
}

void AuditRetention::expect_next(UnixTime not_before) {
  const auto now = clock_();
  const auto too_large = is_too_large();
  if (too_large && *too_large) return due_.expect(Due::What::audit_retention, not_before);
  if (keep_days_ == 0) return;
  auto next = now + kDay;  // where nobody knows the oldest one's time
  const auto oldest = log_.oldest(1);
  if (oldest && !oldest->empty() && oldest->front().at)
    next = now + *oldest->front().at + keep_days_ * kDay - wall_clock_();
  due_.expect(Due::What::audit_retention, std::max({next, not_before, settled_at_}));
}

Result<bool> AuditRetention::is_too_large() {
  if (max_mib_ == 0) return false;
  NEXUS_TRY(const auto size, log_.size());
  return size > max_mib_ * 1024 * 1024;
}

bool AuditRetention::has_outlived(const AuditLog::Age& record) const {
  return record.at && *record.at + keep_days_ * kDay <= wall_clock_();
}

/// Those in between whose time nobody knows go with the later ones.
std::size_t AuditRetention::outlived_of(const std::vector<AuditLog::Age>& oldest) const {
  if (keep_days_ == 0 || clock_() < settled_at_) return 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < oldest.size(); ++i) {
    if (has_outlived(oldest[i]))
      count = i + 1;
    else if (oldest[i].at && *oldest[i].at <= wall_clock_())
      break;
  }
  return count;
}

Result<bool> AuditRetention::prune() {
  NEXUS_TRY(const auto oldest, log_.oldest(kRemovedAtOnce));
  if (const auto count = outlived_of(oldest); count > 0) {
    NEXUS_CHECK(remove(oldest, count, Cause::age));
    return true;
  }
  NEXUS_TRY(const bool too_large, is_too_large());
  // The newest one stays, however small the file is to be.
  const bool are_all = oldest.size() < static_cast<std::size_t>(kRemovedAtOnce);
  const auto count = oldest.size() - (are_all && !oldest.empty() ? 1 : 0);
  if (!too_large || count == 0) return false;
  NEXUS_CHECK(remove(oldest, count, Cause::size));
  return true;
}

Result<void> AuditRetention::remove(const std::vector<AuditLog::Age>& oldest, std::size_t count,
                                    Cause cause) {
  const auto last = oldest.begin() + static_cast<std::ptrdiff_t>(count);
  const auto dated = std::find_if(std::make_reverse_iterator(last), oldest.rend(),
                                  [](const auto& record) { return record.at.has_value(); });
  const auto until = dated == oldest.rend() ? "an unknown time" : rfc3339(*dated->at);
  const auto why = cause == Cause::age
                       ? "older than " + std::to_string(keep_days_) + " days"
                       : "the file was to grow beyond " + std::to_string(max_mib_) + " MiB";
  const auto number = static_cast<std::int64_t>(count);
  return log_.remove_until(
      oldest[count - 1].sequence,
      audit_.record({.event = AuditEvent::audit_pruned,
                     .detail = std::to_string(number) + " records until " + until + ": " + why,
                     .count = number},
                    {}));
}

}  // namespace nexus
