#pragma once

#include <string>

#include "common/error.h"
#include "daemon/backup/manifest.h"
#include "daemon/crypto/envelope.h"

namespace nexus {

/// Opens a backup's file and puts what is in it into a directory, which is empty. Errors: those of
/// SealedFileReader and backup_manifest_from_text; failure where that cannot be written.
Result<BackupManifest> unpack_backup(const std::string& file, const EnvelopeOpener& opener,
                                     const std::string& directory);

}  // namespace nexus
