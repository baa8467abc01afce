#include "cli/manifest.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/data_file.h"
#include "cli/manifest_entry.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// Environment variables that a manifest names and nobody has set, with the first line of each.
using Missing = std::map<std::string, int>;

bool is_variable_name(const std::string& name) {
  return !name.empty() && name.find_first_not_of(
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                              "0123456789_") == std::string::npos;
}

std::string expanded(const std::string& text, int line, Missing& missing) {
  std::string out;
  std::size_t at = 0;
  for (auto open = text.find("${"); open != std::string::npos; open = text.find("${", at)) {
    const bool escaped = open > 0 && text[open - 1] == '$';
    const auto close = text.find('}', open);
    if (escaped || close == std::string::npos) {
      out += text.substr(at, open - at - (escaped ? 1 : 0)) + "${";
      at = open + 2;
      continue;
    }
    const auto name = text.substr(open + 2, close - open - 2);
    const char* value = is_variable_name(name) ? std::getenv(name.c_str()) : nullptr;
    if (!value) missing.try_emplace(name, line);
    out += text.substr(at, open - at) + (value ? value : "");
    at = close + 1;
  }
  return out + text.substr(at);
}

void expand(Json& value, const std::string& pointer, const DataFile& file, Missing& missing) {
  if (value.is_string()) {
    value = expanded(value.get<std::string>(), file.line_of(pointer), missing);
  } else if (value.is_object()) {
    for (auto& [name, inner] : value.items()) expand(inner, pointer + "/" + name, file, missing);
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      expand(value[i], pointer + "/" + std::to_string(i), file, missing);
  }
}

/// The entries with their pointers, whichever of the two forms they have.
Result<std::vector<std::pair<std::string, Json>>> entries_in(const DataFile& file,
                                                             const std::string& name) {
  const auto bad = [&](const std::string& pointer, const std::string& what) {
    return Error{ErrorCode::usage, name + ":" + std::to_string(file.line_of(pointer)) + ": " + what,
                 "nexus-providers(5) shows how a manifest looks"};
  };
  if (!file.document.is_object()) return bad("", "the document has no providers");
  for (const auto& [member, value] : file.document.items())
    if (member != "providers") return bad("/" + member, "'" + member + "' has no meaning here");
  const auto providers = file.document.find("providers");
  if (providers == file.document.end() || !providers->is_structured())
    return bad("", "the document has no providers");
  std::vector<std::pair<std::string, Json>> entries;
  for (const auto& [key, value] : providers->items()) {
    const auto pointer = "/providers/" + key;
    if (!value.is_object()) return bad(pointer, "a provider has to be a table");
    auto entry = value;
    if (providers->is_object()) entry["name"] = key;
    if (!entry.contains("name")) return bad(pointer, "name is missing");
    for (const auto& [field, inner] : entry.items())
      if (!is_known_field(field))
        return bad(pointer + "/" + field, "'" + field + "' is no field of a provider");
    entries.emplace_back(pointer, std::move(entry));
  }
  return entries;
}

}  // namespace

std::string Manifest::place(std::size_t index, const std::string& field) const {
  if (index >= places.size()) return file;
  auto pointer = field;
  std::replace(pointer.begin(), pointer.end(), '.', '/');
  DataFile lines;
  lines.lines = places[index].lines;
  return file + ":" + std::to_string(lines.line_of(places[index].pointer + "/" + pointer));
}

Result<Manifest> read_manifest(const std::string& path) {
  NEXUS_TRY(const auto text, read_text_file(path));
  const bool yaml = path.ends_with(".yaml") || path.ends_with(".yml");
  NEXUS_TRY(const auto file, yaml ? parse_yaml(text, path) : parse_toml(text, path));
  NEXUS_TRY(auto entries, entries_in(file, path));
  Manifest manifest;
  manifest.file = path;
  Missing missing;
  for (auto& [pointer, entry] : entries) {
    for (const std::string member : {"client_secret", "private_key", "service_account"}) {
      const auto secret = text_member(entry, member.c_str()).value_or("");
      if (!secret.empty() && secret.find("${") == std::string::npos)
        manifest.warnings.push_back(
            path + ":" + std::to_string(file.line_of(pointer + "/" + member)) +
            ": a secret is written here; better ${…}, from the environment");
    }
    expand(entry, pointer, file, missing);
  }
  if (!missing.empty()) {
    std::vector<std::string> names;
    for (const auto& [name, line] : missing)
      names.push_back(printable(name, 80) + " (line " + std::to_string(line) + ")");
    return Error{ErrorCode::usage,
                 path + " needs environment variables that are not set: " + join(names, ", "),
                 "set them and try again"};
  }
  for (auto& [pointer, entry] : entries) {
    auto registration = registration_of(std::move(entry));
    if (!registration)
      return Error{
          ErrorCode::usage,
          path + ":" + std::to_string(file.line_of(pointer)) + ": " + registration.error().message,
          registration.error().hint};
    auto json = to_text(*registration);
    manifest.providers.emplace_back(json);
    wipe(json);
    manifest.places.push_back({pointer, file.lines});
  }
  return manifest;
}

}  // namespace nexus::cli
