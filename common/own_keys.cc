#include "common/own_keys.h"

#include "common/text.h"

namespace nexus {

std::string_view find_key(std::string_view text) {
  for (auto at = text.find("nx"); at != std::string_view::npos; at = text.find("nx", at + 1)) {
    const auto key = text.substr(at, kKeySize);
    const auto after_id = kKeyPrefixSize + kKeyIdSize;
    const bool is_whole = key.size() == kKeySize &&
                          (key.starts_with(kApiKeyPrefix) || key.starts_with(kProgramKeyPrefix)) &&
                          key.find_first_not_of(kBase62, kKeyPrefixSize) == after_id &&
                          key[after_id] == '_' &&
                          key.find_first_not_of(kBase62, after_id + 1) == std::string_view::npos;
    if (is_whole) return key;
  }
  return {};
}

std::string printable_without_keys(std::string_view text, std::size_t most) {
  std::string masked;
  for (auto key = find_key(text); !key.empty(); key = find_key(text)) {
    const auto shown = static_cast<std::size_t>(key.data() - text.data()) + kKeySize -
                       kKeySecretSize - kKeyChecksumSize;
    masked.append(text.substr(0, shown)).append("***");
    text.remove_prefix(shown + kKeySecretSize + kKeyChecksumSize);
  }
  return printable(masked.append(text), most);
}

}  // namespace nexus
