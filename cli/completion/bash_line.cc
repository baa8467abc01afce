#include "cli/completion/bash_line.h"

namespace nexus::cli {
namespace {

constexpr std::string_view kBlanks = " \t\n";
/// What a backslash takes the meaning of between double quotes.
constexpr std::string_view kQuotedByBackslash = "$`\"\\\n";

bool is_among(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

/// What no shell takes for anything but itself.
bool is_plain(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter || static_cast<unsigned char>(c) >= 0x80 || is_among(c, "_-./:=@%+,");
}

std::string quoted(char c, char quote) {
  if (quote == '\'') return c == '\'' ? "'\\''" : std::string(1, c);
  if (quote == '"' && c == '!') return "\"'!'\"";  // the history is looked up between these, too
  const bool stands = quote == '"' ? !is_among(c, kQuotedByBackslash) : is_plain(c);
  return stands ? std::string(1, c) : std::string{'\\', c};
}

}  // namespace

BashLine read_bash_line(std::string_view line, std::string_view breaks) {
  BashLine read;
  bool in_word = false;
  std::size_t broken = 0;  // behind the last break of the word
  std::size_t opened = 0;  // where its last quote was opened
  const auto add = [&](char c) {
    read.current += c;
    in_word = true;
  };
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool has_next = i + 1 < line.size();
    if (read.quote != 0 && c == read.quote) {
      read.quote = 0;
    } else if (read.quote == '"' && c == '\\' && has_next &&
               is_among(line[i + 1], kQuotedByBackslash)) {
      add(line[++i]);
    } else if (read.quote != 0) {
      add(c);
    } else if (c == '\\') {
      if (has_next) add(line[++i]);
    } else if (c == '"' || c == '\'') {
      read.quote = c;
      opened = read.current.size();
      in_word = true;
    } else if (is_among(c, kBlanks)) {
      if (in_word) read.words.push_back(std::move(read.current));
      read.current.clear();
      in_word = false;
      broken = 0;
    } else {
      add(c);
      if (is_among(c, breaks)) broken = read.current.size();
    }
  }
  read.stands = read.quote != 0 ? opened : broken;
  return read;
}

std::string replacement(const BashLine& line, std::string_view word) {
  std::string text;
  for (const char c : word.substr(line.stands)) text += quoted(c, line.quote);
  if (line.quote == 0) return text;
  // A quote in front is taken for the one that is open, and at the end for the one that closes it,
  // which bash adds elsewhere.
  if (text.starts_with(line.quote)) text.insert(0, 1, line.quote);
  if (text.ends_with(line.quote)) text += line.quote;
  return text;
}

}  // namespace nexus::cli
