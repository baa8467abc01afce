#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "common/secret.h"

namespace nexus::cli {

/// What is not to be seen of some secrets: themselves, percent-encoded, and in base64 (both
/// alphabets), also as a part of something longer that was encoded. What is shorter than four
/// characters is no secret, and would take everything else with it.
class MaskedTexts {
 public:
  explicit MaskedTexts(const std::vector<SecretText>& secrets);

  /// How much of `text` comes before the first character that one begins with.
  std::size_t plain(std::string_view text) const;
  /// The length of the longest one that `text` begins with, 0 for none.
  std::size_t match(std::string_view text) const;
  /// Whether one begins with all of `text` and goes on.
  bool may_go_on(std::string_view text) const;

 private:
  void add(SecretText text);
  std::vector<SecretText> texts_;  ///< the longest first
  std::array<bool, 256> begins_{};
};

/// One stream in which each of them becomes ***, however it comes in pieces. Nothing else is held
/// back or changed.
class MaskedStream {
 public:
  explicit MaskedStream(const MaskedTexts& texts) : texts_(texts) {}
  /// What can be told now of what has come.
  SecretText pass(std::string_view text);
  /// The rest, once nothing more comes.
  SecretText end();

 private:
  SecretText take(bool is_all);
  const MaskedTexts& texts_;
  SecretText held_;          ///< may be the beginning of one
  std::size_t covered_ = 0;  ///< so much of it is of one that was told
};

}  // namespace nexus::cli
