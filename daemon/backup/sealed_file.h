#pragma once

#include <sodium.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "common/descriptor.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/crypto/envelope.h"

namespace nexus {

/// The file that a backup is: of any length, and read and written piece by piece. nexus-vault(5),
/// BACKUPS, describes it for others.
///
///   "NXBK" version (1) for whom (1) what that needs (envelope.h) stream header (24) pieces
///
/// The pieces are libsodium's secretstream (XChaCha20-Poly1305): 64 KiB each before they are
/// sealed, the last one shorter and marked, so that a piece that was altered, moved, left out or
/// cut off is noticed. What stands before them is authenticated with the first one.
class SealedFileWriter {
 public:
  /// Makes the file, of this user alone; one that is there is replaced. Error: internal_error.
  static Result<SealedFileWriter> make(const std::string& path, const EnvelopeKey& envelope);

  /// Error: internal_error, as when the disk is full.
  Result<void> write(std::string_view bytes);
  /// All of it is on stable storage then. Error: internal_error.
  Result<void> finish();

 private:
  using Stream = crypto_secretstream_xchacha20poly1305_state;
  SealedFileWriter(Descriptor file, std::string head)
      : file_(std::move(file)), head_(std::move(head)), stream_(std::make_unique<Stream>()) {}
  Result<void> put_piece(unsigned char tag);

  Descriptor file_;
  std::string head_;  ///< until the first piece is written
  std::unique_ptr<Stream> stream_;
  SecretText pending_;
};

class SealedFileReader {
 public:
  /// Errors: invalid_backup for what is no backup, or another version's, or was altered;
  /// vault_key_wrong for a key or passphrase that does not open it, or is missing; usage for a file
  /// that cannot be read.
  static Result<SealedFileReader> open(const std::string& path, const EnvelopeOpener& opener);

  /// The next bytes, so many at the most; none behind the last. Error: invalid_backup.
  Result<SecretText> read(std::size_t most);
  /// That there is nothing more. Error: invalid_backup.
  Result<void> check_end();

 private:
  using Stream = crypto_secretstream_xchacha20poly1305_state;
  explicit SealedFileReader(Descriptor file)
      : file_(std::move(file)), stream_(std::make_unique<Stream>()) {}
  Result<void> begin(const EnvelopeOpener& opener);
  Result<void> next_piece();

  Descriptor file_;
  std::string head_;  ///< until the first piece is read
  SealedFor sealed_for_ = SealedFor::public_key;
  std::unique_ptr<Stream> stream_;
  SecretText piece_;
  std::size_t taken_ = 0;  ///< of it
  bool is_last_ = false;
};

}  // namespace nexus
