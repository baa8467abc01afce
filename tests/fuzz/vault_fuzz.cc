// A sealed value of the vault's file, and the header that the vault is opened by, as somebody with
// the file but without the key may have altered them: nothing but what was sealed ever opens.
#include "daemon/vault/vault.h"
#include "tests/fuzz/fuzz.h"

using namespace nexus;
using namespace nexus::fuzz;

namespace {

const Secret& root_key() {
  static const Secret key(std::string(32, 'r'));
  return key;
}

struct Made {
  VaultHeader header;
  Vault vault = Vault::create(root_key(), header);
};

const Made& made() {
  static const Made made;
  return made;
}

/// Kind, owner and field are a line each; what is sealed stands behind them.
void follow_value(std::string_view text) {
  const auto& vault = made().vault;
  const SealedPlace place{take_line(text), take_line(text), take_line(text), 1};
  require(!vault.open(place, text));
  const auto sealed = vault.seal(place, text);
  const auto opened = vault.open(place, sealed);
  require(opened && opened->expose() == text);
  // Each byte counts: one that the text chooses, and the end.
  const auto at = text.empty() ? 0 : static_cast<unsigned char>(text[0]) * 31 % sealed.size();
  auto altered = sealed;
  altered[at] = static_cast<char>(altered[at] ^ 1);
  require(!vault.open(place, altered));
  require(!vault.open(place, std::string_view(sealed).substr(0, sealed.size() - 1)));
  require(!vault.open(place, sealed + '\0'));
  // And so does each part of the place, and where one ends and the next begins.
  require(!vault.open({place.kind, place.owner, place.field, 2}, sealed));
  const auto whole = std::string(place.kind).append(place.owner).append(place.field);
  const std::string_view all(whole);
  for (std::size_t first = 0; first <= std::min<std::size_t>(all.size(), 8); ++first) {
    const SealedPlace moved{all.substr(0, first), all.substr(first), "", 1};
    const bool is_same =
        moved.kind == place.kind && moved.owner == place.owner && place.field.empty();
    require(vault.open(moved, sealed).ok() == is_same);
  }
}

void follow_header(std::string_view text) {
  const auto& header = made().header;
  require(Vault::open(root_key(), header).ok());
  const VaultHeader others[] = {{header.vault_id, std::string(text)},
                                {std::string(text), header.wrapped_key},
                                {header.vault_id, header.wrapped_key + std::string(text)}};
  for (const auto& other : others) {
    const bool is_same =
        other.vault_id == header.vault_id && other.wrapped_key == header.wrapped_key;
    require(Vault::open(root_key(), other).ok() == is_same);
    if (!is_same) require(!Vault::at_stage(root_key(), other, VaultStage::tallied));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [kind, text] = input_of(data, size, 2);
  kind == 0 ? follow_value(text) : follow_header(text);
  return 0;
}
