#include "common/api/backup.h"

#include "common/rfc3339.h"

namespace nexus::api {

Result<void> read(const Reader& from, VaultBackup& into) {
  into = {from.text("file"), from.number("bytes").value_or(0),
          from.number("connections").value_or(0), parse_rfc3339(from.text("made_at")).value_or(0)};
  if (into.file.empty()) return unknown_answer();
  return {};
}

void write(JsonWriter& to, const VaultBackup& backup) {
  to.member("file", backup.file)
      .member("bytes", backup.bytes)
      .member("connections", backup.connections)
      .member("made_at", rfc3339(backup.made_at));
}

Result<void> read(const Reader& from, RestoredVault& into) {
  const auto source = from.word<KeySource>("key_source");
  if (!source) return unknown_answer();
  into.made_at = parse_rfc3339(from.text("made_at")).value_or(0);
  into.data_dir = from.text("data_dir");
  into.other_vault = from.flag("other_vault");
  into.connections = from.number("connections").value_or(0);
  into.providers = from.texts("providers");
  into.api_keys = from.texts("api_keys");
  into.key_source = *source;
  into.rotating = from.texts("rotating");
  into.findings = from.texts("findings");
  into.put_aside = from.text("put_aside");
  return {};
}

void write(JsonWriter& to, const RestoredVault& restored) {
  to.member("made_at", rfc3339(restored.made_at))
      .member("data_dir", restored.data_dir)
      .flag("other_vault", restored.other_vault)
      .member("connections", restored.connections)
      .member("providers", restored.providers)
      .member("api_keys", restored.api_keys)
      .member("key_source", word(restored.key_source))
      .member("rotating", restored.rotating)
      .member("findings", restored.findings)
      .member_or_null("put_aside", restored.put_aside);
}

}  // namespace nexus::api
