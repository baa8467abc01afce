#include "cli/completion/complete.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string_view>

#include "cli/completion/bash_line.h"
#include "cli/completion/expected.h"
#include "cli/completion/names.h"
#include "common/config.h"
#include "common/descriptor.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// Where a command line is completed, and how the shell takes a word.
struct Question {
  std::vector<std::string> words;
  std::string current;
  std::function<std::string(const Candidate&)> line;  ///< "" for one that it cannot take
};

/// zsh's _describe wants a word's colons escaped, and has an opinion on backslashes then.
std::string line_for_zsh(const Candidate& candidate) {
  std::string line;
  for (const char c : candidate.word) {
    if (c == ':' || c == '\\') line += '\\';
    line += c;
  }
  return candidate.description.empty() ? line : line + ":" + candidate.description;
}

/// fish quotes all of a word but a tilde in front, which would be somebody's home directory.
std::string line_for_fish(const Candidate& candidate) {
  if (candidate.word.starts_with('~')) return {};
  return candidate.word + "\t" + candidate.description;
}

Question question_of_bash(const std::string& line, const std::string& breaks) {
  auto read = read_bash_line(line, breaks);
  if (!read.words.empty()) read.words.erase(read.words.begin());
  // bash shows what it is given, whether it begins like the word or not.
  return {read.words, read.current, [read](const Candidate& candidate) {
            return candidate.word.starts_with(read.current) ? replacement(read, candidate.word)
                                                            : std::string();
          }};
}

std::optional<Question> question_of(const std::vector<std::string>& words) {
  if (words.size() < 2) return std::nullopt;
  const auto& shell = words[0];
  if (shell == "bash") {
    if (words.size() != 3) return std::nullopt;
    return question_of_bash(words[1], words[2]);
  }
  if (shell != "zsh" && shell != "fish") return std::nullopt;
  return Question{{words.begin() + 1, words.end() - 1},
                  words.back(),
                  shell == "zsh" ? line_for_zsh : line_for_fish};
}

const char* word_of(Expected::Kind kind) {
  switch (kind) {
    case Expected::Kind::file:
      return "file";
    case Expected::Kind::program:
      return "program";
    case Expected::Kind::words:
      break;
  }
  return "words";
}

/// Those that are known, and those that there are; the settings tell where. Settings that cannot be
/// followed are for the command itself to complain of.
std::vector<Candidate> candidates_of(const Expected& expected, const GlobalOptions& options) {
  std::vector<Candidate> all;
  if (expected.names != Names::nothing) {
    auto config = load_config(options.config);
    if (config && !options.workspace.empty()) config->workspace = options.workspace;
    if (config) all = names_there_are(expected.names, *config);
    std::erase_if(all, [](const Candidate& name) { return name.word.starts_with('-'); });
    for (auto& name : all) name.word.insert(0, expected.prefix);
  }
  all.insert(all.end(), expected.words.begin(), expected.words.end());
  std::erase_if(all, [&](const Candidate& each) {
    const auto& given = expected.given;
    return each.word.empty() || printable(each.word, each.word.size()) != each.word ||
           std::find(given.begin(), given.end(), each.word) != given.end();
  });
  return all;
}

}  // namespace

int complete(const CommandLine& program, const GlobalOptions& options,
             const std::vector<std::string>& words) {
  const auto question = question_of(words);
  if (!question) return info(ErrorCode::usage).exit_code;
  const auto expected = expected_at(program, question->words, question->current);
  std::string text = std::string(word_of(expected.kind)) + "\n" + expected.what + "\n";
  for (auto& candidate : candidates_of(expected, options)) {
    candidate.description = printable(candidate.description);
    if (const auto line = question->line(candidate); !line.empty()) text += line + "\n";
  }
  write_all(STDOUT_FILENO, text);
  return 0;
}

}  // namespace nexus::cli
