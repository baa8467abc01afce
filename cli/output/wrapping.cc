#include "cli/output/wrapping.h"

#include <algorithm>
#include <iterator>

#include "common/layout.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// In less room than this a text reads badly.
constexpr std::size_t kReadable = 20;
/// A lead that takes no more is never alone in its line.
constexpr std::size_t kShortLead = 7;
/// How far a text below its lead is moved in.
constexpr std::size_t kBelow = 4;

/// In place of a blank at which no line is broken; what is printed has no control characters.
constexpr char kHeldBlank = '\x1f';

/// That what follows is a command.
constexpr std::string_view kAnnouncements[] = {
    "run: ", "see: ", "try: ", "with: ", "then: ", "or: "};
/// What stands behind a command.
constexpr std::string_view kEnds[] = {"; ", " (", ")", ", then", ", or", ", and"};

bool is_command(std::string_view text, std::size_t at) {
  const auto before = text.substr(0, at);
  const bool announced =
      std::any_of(std::begin(kAnnouncements), std::end(kAnnouncements),
                  [&](std::string_view words) { return before.ends_with(words); });
  return announced || (before.ends_with(": ") && text.substr(at).starts_with("nexus "));
}

std::size_t end_of_command(std::string_view text, std::size_t at) {
  auto end = text.size();
  for (const auto words : kEnds) end = std::min(end, text.find(words, at));
  return end;
}

std::string with_commands_held(std::string_view text) {
  std::string out(text);
  for (std::size_t at = 0; at < out.size(); ++at) {
    if (!is_command(text, at)) continue;
    const auto end = end_of_command(text, at);
    std::replace(out.begin() + static_cast<std::ptrdiff_t>(at),
                 out.begin() + static_cast<std::ptrdiff_t>(end), ' ', kHeldBlank);
    at = end;
  }
  return out;
}

std::size_t longest_word(std::string_view text) {
  std::size_t longest = 0;
  for (const auto& word : split(text, ' ')) longest = std::max(longest, columns_of(word));
  return longest;
}

}  // namespace

std::vector<LaidOutLine> laid_out(const std::string& lead, std::string_view text,
                                  std::optional<std::size_t> columns) {
  const auto indent = columns_of(lead);
  if (!columns || indent + columns_of(text) <= *columns) return {{lead, std::string(text)}};
  const auto held = with_commands_held(text);
  const bool below =
      indent > kShortLead && *columns < indent + std::max(kReadable, longest_word(held));
  std::vector<LaidOutLine> lines;
  if (below) lines.push_back({lead.substr(0, lead.find_last_not_of(' ') + 1), ""});
  const auto next = std::string(below ? kBelow : indent, ' ');
  const auto room = *columns > next.size() ? *columns - next.size() : 1;
  for (auto& line : wrapped(held, room)) {
    std::replace(line.begin(), line.end(), kHeldBlank, ' ');
    lines.push_back({lines.empty() ? lead : next, std::move(line)});
  }
  return lines;
}

}  // namespace nexus::cli
