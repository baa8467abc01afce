// What people write down: nexus.toml, an entry of the catalogue, a manifest as TOML and as YAML.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "cli/catalogue.h"
#include "cli/credential/text_edits.h"
#include "cli/data_file.h"
#include "cli/manifest_entry.h"
#include "common/config.h"
#include "common/json.h"
#include "tests/fuzz/fuzz.h"

using namespace nexus;
using namespace nexus::fuzz;

namespace {

/// The command line's output cleans what it shows; there has to be something to show.
void require_told(const Error& error, int line = __builtin_LINE()) {
  require(!error.message.empty() && !error.hint.empty(), __FILE__, line);
}

/// nexus.toml as it would be read from a file with that text.
Result<Config> config_of(std::string_view text) {
  static const int file = memfd_create("nexus.toml", 0);
  require(ftruncate(file, 0) == 0);
  require(pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  return load_config({.file = "/proc/self/fd/" + std::to_string(file),
                      .data_dir = "/nonexistent",
                      .socket = "/nonexistent/socket",
                      .ca_file = ""});
}

void follow_config(std::string_view text) {
  const auto config = config_of(text);
  require(config.ok());  // whatever is in it: a client goes on
  for (const auto& flaw : config->flaws) require_told(flaw);
  require(config->callback_path.starts_with('/') && !config->workspace.empty());
  require(config->limits.token >= 0 && config->audit.max_mib >= 0);
  // `nexus credential setup` may write into it, and takes it back to the byte; what it wrote before
  // it may clear away.
  if (text.find("# written by nexus") != std::string_view::npos) return;
  const std::string host = "fuzz.example.com";
  const auto has_host = [&](const Config& from) {
    return std::any_of(from.credential.begin(), from.credential.end(),
                       [&](const auto& each) { return each.site.host == host; });
  };
  if (!config->flaws.empty() || has_host(*config) || text.find(host) != std::string_view::npos)
    return;
  const auto edited = cli::with_mapping(text, host, "fuzz");
  require(cli::without_mapping(edited, host) == text);
  // Where a heading has no place in it, it asks a person to write there.
  if (cli::parse_toml(edited, "nexus.toml")) require(config_of(edited)->flaws.empty());
}

void follow_entry(std::string_view text) {
  const auto entry = cli::read_catalogue_entry(std::string(text), "fuzz", "fuzz.toml");
  if (!entry) return require_told(entry.error());
  require(entry->name == "fuzz" && entry->profile && entry->profile->is_object());
  std::map<std::string, std::string> values;
  for (const auto& variable : entry->variables)
    values[variable.name] = variable.choices.empty() ? "acme" : variable.choices.front();
  const auto filled = entry->filled_in(values);
  if (!filled) return require_told(filled.error());
  // What is filled in is in the registration, and no placeholder of it is left.
  const auto written = to_text(*filled);
  require(is_json_object(written));
  for (const auto& variable : entry->variables)
    require(written.find("{" + variable.name + "}") == std::string::npos);
}

void follow_document(const Result<cli::DataFile>& file) {
  if (!file) return require_told(file.error());
  for (const auto& [pointer, line] : file->lines) require(line >= 1);
  const auto& document = file->document;
  if (!document.is_object()) return;
  if (const auto providers = document.find("providers");
      providers != document.end() && providers->is_structured())
    for (const auto& entry : *providers)
      if (entry.is_object())
        if (const auto registration = cli::registration_of(entry); !registration)
          require_told(registration.error());
}

void follow_toml(std::string_view text) {
  const auto file = cli::parse_toml(text, "fuzz.toml");
  follow_document(file);
  if (!file) return;
  const auto again = cli::parse_toml(cli::to_toml(file->document), "again.toml");
  require(again && to_text(again->document) == to_text(file->document));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [kind, text] = input_of(data, size, 4);
  switch (kind) {
    case 0:
      follow_config(text);
      break;
    case 1:
      follow_entry(text);
      break;
    case 2:
      follow_toml(text);
      break;
    case 3:
      follow_document(cli::parse_yaml(std::string(text), "fuzz.yaml"));
      break;
  }
  return 0;
}
