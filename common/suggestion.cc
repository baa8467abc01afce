#include "common/suggestion.h"

#include <algorithm>

namespace nexus {
namespace {

/// How many letters have to be changed, added, left out or swapped with their neighbour (optimal
/// string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::vector<std::string> suggestions(std::string_view word, const std::vector<std::string>& words) {
  constexpr std::size_t kLongest = 100;
  if (word.empty() || word.size() > kLongest) return {};
  std::vector<std::string> nearest;
  auto least = std::max<std::size_t>(1, word.size() / 4);  // more than that is another word
  for (const auto& candidate : words) {
    const auto far = candidate.size() > kLongest ? kLongest : distance(word, candidate);
    if (far > least) continue;
    if (far < least) nearest.clear();
    least = far;
    nearest.push_back(candidate);
  }
  return nearest;
}

std::optional<std::string> suggestion(std::string_view word,
                                      const std::vector<std::string>& words) {
  auto nearest = suggestions(word, words);
  return nearest.empty() ? std::nullopt : std::optional(std::move(nearest.front()));
}

}  // namespace nexus
