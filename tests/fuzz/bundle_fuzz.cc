// A bundle, the document in one, and the manifest of a backup, as somebody may have made them:
// whoever has a public key can seal anything for it. What is read is written and read again, and
// has to be the same.
#include <cstdlib>

#include "daemon/backup/manifest.h"
#include "daemon/bundle/document.h"
#include "daemon/crypto/sealed_bundle.h"

using namespace nexus;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // No key: as far as it goes without a derivation that takes half a second.
  if (open_bundle(text, {})) std::abort();
  if (const auto manifest = backup_manifest_from_text(text)) {
    const auto written = to_text(*manifest);
    const auto again = backup_manifest_from_text(written);
    if (!again || to_text(*again) != written) std::abort();
  }
  const auto document = bundle_from_text(text);
  if (!document) return 0;
  const auto written = to_text(*document);
  const auto again = bundle_from_text(written);
  if (!again || to_text(*again) != written) std::abort();
  return 0;
}
