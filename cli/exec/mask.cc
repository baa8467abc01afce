#include "cli/exec/mask.h"

#include <algorithm>

#include "cli/base64.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr std::size_t kShortest = 4;

/// What all encodings have in common of texts that have the secret `before` bytes behind a group's
/// begin: the digits that tell of it and of nothing else.
SecretText base64_inside(const SecretText& secret, std::size_t before) {
  auto encoded = base64(SecretText(before, '\0').append(secret));
  const auto rest = (before + secret.size()) % 3;
  encoded.resize(encoded.size() - (rest == 0 ? 0 : 4 - rest));
  encoded.erase(0, before == 0 ? 0 : before + 1);
  return encoded;
}

SecretText url_alphabet(SecretText text) {
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

}  // namespace

MaskedTexts::MaskedTexts(const std::vector<SecretText>& secrets) {
  for (const auto& secret : secrets) {
    if (secret.size() < kShortest) continue;
    add(secret);
    auto encoded = percent_encode(secret);
    add(SecretText(encoded));
    wipe(encoded);
    std::vector<SecretText> forms{base64(secret)};
    for (std::size_t before = 0; before < 3; ++before)
      forms.push_back(base64_inside(secret, before));
    for (auto& form : forms) {
      add(url_alphabet(form));
      add(std::move(form));
    }
  }
  std::sort(texts_.begin(), texts_.end(), [](const SecretText& one, const SecretText& other) {
    return one.size() > other.size();
  });
}

void MaskedTexts::add(SecretText text) {
  if (std::find(texts_.begin(), texts_.end(), text) != texts_.end()) return;
  begins_[static_cast<unsigned char>(text[0])] = true;
  texts_.push_back(std::move(text));
}

std::size_t MaskedTexts::plain(std::string_view text) const {
  const auto first = std::find_if(
      text.begin(), text.end(), [this](char c) { return begins_[static_cast<unsigned char>(c)]; });
  return static_cast<std::size_t>(first - text.begin());
}

std::size_t MaskedTexts::match(std::string_view text) const {
  for (const auto& each : texts_)
    if (text.starts_with(each)) return each.size();
  return 0;
}

bool MaskedTexts::may_go_on(std::string_view text) const {
  return std::any_of(texts_.begin(), texts_.end(), [text](const SecretText& each) {
    return each.size() > text.size() && std::string_view(each).starts_with(text);
  });
}

SecretText MaskedStream::pass(std::string_view text) {
  held_.append(text);
  return take(false);
}

SecretText MaskedStream::end() {
  return take(true);
}

SecretText MaskedStream::take(bool is_all) {
  SecretText told;
  told.reserve(held_.size());
  std::size_t at = 0;
  while (at < held_.size()) {
    if (covered_ == 0) {
      const auto plain = texts_.plain(std::string_view(held_).substr(at));
      told.append(held_, at, plain);
      at += plain;
      if (at == held_.size()) break;
    }
    const auto rest = std::string_view(held_).substr(at);
    if (!is_all && texts_.may_go_on(rest)) break;
    if (const auto length = texts_.match(rest); length > 0) {
      if (covered_ == 0) told += "***";
      covered_ = std::max(covered_, length);
    }
    if (covered_ > 0)
      --covered_;
    else
      told += held_[at];
    ++at;
  }
  held_.erase(0, at);
  return told;
}

}  // namespace nexus::cli
