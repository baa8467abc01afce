#include "daemon/backup/sealed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/bytes.h"
#include "common/regular_file.h"
#include "common/standard_streams.h"

namespace nexus {
namespace {

constexpr std::string_view kMagic = "NXBK";
constexpr unsigned char kFormatVersion = 1;
constexpr std::size_t kFixed = kMagic.size() + 2;
constexpr std::size_t kPieceSize = 64 * 1024;
constexpr std::size_t kAround = crypto_secretstream_xchacha20poly1305_ABYTES;
constexpr std::size_t kStreamHeader = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr unsigned char kMore = crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
constexpr unsigned char kLast = crypto_secretstream_xchacha20poly1305_TAG_FINAL;

constexpr EnvelopeKind kBackup{"backup", "make another one", ErrorCode::invalid_backup,
                               ErrorCode::vault_key_wrong};

Error unwritten_backup() {
  return {ErrorCode::internal_error,
          std::string("the backup cannot be written: ") + std::strerror(errno),
          "free some disk space; nothing was lost"};
}

Error no_backup(const std::string& what) {
  return {ErrorCode::invalid_backup, what, "use another one; nothing was changed"};
}

/// As many bytes as there are, up to so many. Error: invalid_backup.
Result<std::string> read_up_to(const Descriptor& file, std::size_t bytes) {
  std::string text(bytes, '\0');
  std::size_t got = 0;
  while (got < bytes) {
    const auto more = ::read(file.get(), text.data() + got, bytes - got);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return no_backup(std::string("it cannot be read: ") + std::strerror(errno));
    if (more == 0) break;
    got += static_cast<std::size_t>(more);
  }
  text.resize(got);
  return text;
}

}  // namespace

Result<SealedFileWriter> SealedFileWriter::make(const std::string& path,
                                                const EnvelopeKey& envelope) {
  unlink(path.c_str());
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) return unwritten_backup();
  std::string head(kMagic);
  head += static_cast<char>(kFormatVersion);
  head += static_cast<char>(envelope.sealed_for);
  head += envelope.recipient;
  SealedFileWriter writer(std::move(file), std::move(head));
  std::string stream_header(kStreamHeader, '\0');
  crypto_secretstream_xchacha20poly1305_init_push(writer.stream_.get(), room_of(stream_header),
                                                  bytes_of(envelope.key.expose()));
  writer.head_ += stream_header;
  if (!write_all(writer.file_.get(), writer.head_)) return unwritten_backup();
  return writer;
}

Result<void> SealedFileWriter::write(std::string_view bytes) {
  while (!bytes.empty()) {
    // A full piece waits for what is behind it: it may be the last one.
    if (pending_.size() == kPieceSize) NEXUS_CHECK(put_piece(kMore));
    const auto some = bytes.substr(0, kPieceSize - pending_.size());
    pending_.append(some);
    bytes.remove_prefix(some.size());
  }
  return {};
}

Result<void> SealedFileWriter::put_piece(unsigned char tag) {
  std::string sealed(pending_.size() + kAround, '\0');
  crypto_secretstream_xchacha20poly1305_push(stream_.get(), room_of(sealed), nullptr,
                                             bytes_of(pending_), pending_.size(), bytes_of(head_),
                                             head_.size(), tag);
  pending_.clear();
  head_.clear();
  if (write_all(file_.get(), sealed)) return {};
  return unwritten_backup();
}

Result<void> SealedFileWriter::finish() {
  NEXUS_CHECK(put_piece(kLast));
  if (fsync(file_.get()) == 0) return {};
  return unwritten_backup();
}

Result<SealedFileReader> SealedFileReader::open(const std::string& path,
                                                const EnvelopeOpener& opener) {
  SealedFileReader reader(open_regular_file(path));
  if (reader.file_.get() < 0)
    return Error{ErrorCode::usage, path + " cannot be read: " + why_not_opened(),
                 "name the file of a backup"};
  NEXUS_CHECK(reader.begin(opener));
  return reader;
}

Result<void> SealedFileReader::begin(const EnvelopeOpener& opener) {
  NEXUS_TRY(head_, read_up_to(file_, kFixed));
  if (!head_.starts_with(kMagic) || head_.size() < kFixed)
    return no_backup("this is no backup of a vault");
  const auto byte_at = [this](std::size_t at) { return static_cast<unsigned char>(head_[at]); };
  if (byte_at(kMagic.size()) != kFormatVersion)
    return Error{ErrorCode::invalid_backup,
                 "the backup is of another version of nexus, which this one does not know",
                 "restore it with that version"};
  const auto needed = recipient_size(byte_at(kMagic.size() + 1));
  if (needed == 0) return no_backup("the backup was altered: for whom it is sealed is not known");
  sealed_for_ = static_cast<SealedFor>(head_.back());
  NEXUS_TRY(const auto rest, read_up_to(file_, needed + kStreamHeader));
  if (rest.size() < needed + kStreamHeader) return no_backup("the backup was cut");
  head_ += rest;
  NEXUS_TRY(const auto key, open_envelope(kBackup, sealed_for_, rest.substr(0, needed), opener));
  crypto_secretstream_xchacha20poly1305_init_pull(
      stream_.get(), bytes_of(std::string_view(rest).substr(needed)), bytes_of(key.expose()));
  return next_piece();
}

Result<void> SealedFileReader::next_piece() {
  const bool is_first = !head_.empty();
  NEXUS_TRY(const auto sealed, read_up_to(file_, kPieceSize + kAround));
  if (sealed.size() < kAround) return no_backup("the backup was cut");
  piece_.assign(sealed.size() - kAround, '\0');
  taken_ = 0;
  unsigned char tag = kMore;
  if (crypto_secretstream_xchacha20poly1305_pull(stream_.get(), room_of(piece_), nullptr, &tag,
                                                 bytes_of(sealed), sealed.size(), bytes_of(head_),
                                                 head_.size()) != 0) {
    if (is_first && sealed_for_ == SealedFor::passphrase)
      return Error{kBackup.does_not_open, "the backup does not open with this passphrase",
                   "check it, blanks and capitals too; nothing was changed"};
    return no_backup(sealed.size() < kPieceSize + kAround ? "the backup was cut or altered"
                                                          : "the backup was altered");
  }
  head_.clear();
  is_last_ = tag == kLast;
  return {};
}

Result<SecretText> SealedFileReader::read(std::size_t most) {
  if (taken_ == piece_.size() && !is_last_) NEXUS_CHECK(next_piece());
  const auto some = std::min(most, piece_.size() - taken_);
  SecretText bytes(piece_, taken_, some);
  taken_ += some;
  return bytes;
}

Result<void> SealedFileReader::check_end() {
  NEXUS_TRY(const auto more, read(1));
  NEXUS_TRY(const auto behind, read_up_to(file_, 1));
  if (more.empty() && behind.empty()) return {};
  return no_backup("the backup was altered: something was added to it");
}

}  // namespace nexus
