#include "daemon/backup/manifest.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/json.h"
#include "common/json_fields.h"
#include "daemon/vault/key_text.h"

namespace nexus {
namespace {

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kLongestList = 4096;
/// SQLite's own limit is beyond it, and sums of a few stay countable.
constexpr std::int64_t kLargestFile = std::int64_t{1} << 44;

Error bad(const std::string& what) {
  return {ErrorCode::invalid_backup, "the backup does not begin as one of nexus does: " + what,
          "use another one; nothing was changed"};
}

Result<BackupFile> file_in(const Json& json) {
  if (!json.is_object()) return bad("files");
  const JsonFields fields(json);
  BackupFile file;
  std::optional<std::int64_t> size;
  if (!fields.text("name", file.name) || !fields.number("size", size)) return bad("files");
  if (!size || *size < 0 || *size > kLargestFile) return bad("the size of a file");
  file.size = static_cast<std::uint64_t>(*size);
  return file;
}

}  // namespace

SecretText to_text(const BackupManifest& manifest) {
  SecretJsonWriter json;
  json.begin()
      .member("format", kFormat)
      .member("made_at", manifest.made_at)
      .member("version", manifest.version)
      .member("root_key", key_text(manifest.root_key))
      .begin_list("files");
  for (const auto& file : manifest.files)
    json.begin()
        .member("name", file.name)
        .member("size", static_cast<std::int64_t>(file.size))
        .end();
  return json.end_list().end().take();
}

Result<BackupManifest> backup_manifest_from_text(std::string_view text) {
  auto fields = JsonFields::parse(text);
  if (!fields) return bad("it is no JSON");
  std::optional<std::int64_t> format;
  std::optional<std::int64_t> made_at;
  BackupManifest manifest;
  if (!fields->number("format", format) || format != kFormat) return bad("its format");
  if (!fields->number("made_at", made_at) || !made_at) return bad("made_at");
  if (!fields->text("version", manifest.version)) return bad("version");
  manifest.made_at = *made_at;
  const auto key = read_key_text(fields->take("root_key").expose(), "root_key", true);
  if (!key) return bad("root_key");
  manifest.root_key = key->copy();
  std::string listed;
  if (!fields->json("files", kLongestList, listed)) return bad("files");
  const auto files = parse_json_structure(listed);
  if (!files || !(*files)->is_array()) return bad("files");
  for (const auto& each : **files) {
    NEXUS_TRY(auto file, file_in(each));
    manifest.files.push_back(std::move(file));
  }
  if (!std::equal(manifest.files.begin(), manifest.files.end(), std::begin(kBackupFiles),
                  std::end(kBackupFiles),
                  [](const BackupFile& file, const char* name) { return file.name == name; }))
    return bad("it has other files than a vault has");
  return manifest;
}

}  // namespace nexus
