#include "daemon/store/audit_head.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/regular_file.h"
#include "daemon/private_file.h"

namespace nexus {
namespace {

// A slot: "NXAH", a format (1 byte, and 3 of zero), the number (8, little endian), the link, the
// code.
constexpr std::string_view kMagic{"NXAH\1\0\0\0", 8};
constexpr std::size_t kSlot = 64;
constexpr std::size_t kLinkAt = 16;
constexpr std::size_t kCodeAt = 48;

std::string slot_of(const AuditPlace& place, const AuditChain& chain) {
  std::string slot(kMagic);
  for (int i = 0; i < 8; ++i)
    slot += static_cast<char>(static_cast<std::uint64_t>(place.sequence) >> (8 * i));
  return slot + place.link + chain.code(AuditChain::Use::head, place);
}

std::optional<AuditPlace> place_in(std::string_view slot, const AuditChain& chain) {
  if (!slot.starts_with(kMagic)) return std::nullopt;
  AuditPlace place;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i)
    number |= std::uint64_t{static_cast<unsigned char>(slot[kMagic.size() + i])} << (8 * i);
  place.sequence = static_cast<std::int64_t>(number);
  place.link = slot.substr(kLinkAt, kCodeAt - kLinkAt);
  if (slot.substr(kCodeAt) != chain.code(AuditChain::Use::head, place)) return std::nullopt;
  return place;
}

}  // namespace

std::optional<AuditPlace> AuditHead::read(const std::string& path, const AuditChain& chain) {
  const auto file = open_regular_file(path, O_NOFOLLOW);
  std::array<char, 2 * kSlot> bytes{};
  const auto got = pread(file.get(), bytes.data(), bytes.size(), 0);
  std::optional<AuditPlace> latest;
  for (ssize_t end = kSlot; end <= got; end += kSlot) {
    const auto place = place_in({bytes.data() + end - kSlot, kSlot}, chain);
    if (place && (!latest || place->sequence > latest->sequence)) latest = place;
  }
  return latest;
}

Result<AuditHead> AuditHead::open(const std::string& path) {
  NEXUS_CHECK(check_private("the audit log's head", path));
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0)
    return Error{ErrorCode::vault_unusable, "cannot write " + path + ": " + std::strerror(errno),
                 "check the directory, its permissions and the free space"};
  return AuditHead(std::move(file));
}

std::string AuditHead::text(const AuditPlace& place, const AuditChain& chain) {
  return slot_of(place, chain);
}

bool AuditHead::write(const AuditPlace& place, const AuditChain& chain) {
  const auto slot = slot_of(place, chain);
  const auto written =
      pwrite(file_.get(), slot.data(), slot.size(), slot_ * static_cast<off_t>(kSlot));
  slot_ = 1 - slot_;
  return written == static_cast<ssize_t>(slot.size());
}

}  // namespace nexus
