#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/arguments.h"

namespace nexus::cli {

/// A word that may stand where the cursor is.
struct Candidate {
  std::string word;
  std::string description{};
};

/// What may stand where the cursor is.
struct Expected {
  enum class Kind : std::uint8_t {
    words,    ///< those below, and the names
    file,     ///< which the shell knows best
    program,  ///< another one, and its words: the shell's own completion goes on from there
  };

  Kind kind = Kind::words;
  std::vector<Candidate> words{};    ///< those that are known without asking anybody
  Names names = Names::nothing;      ///< of what there are others, which come and go
  std::string prefix{};              ///< what has to stand before a name: "--replace=", "VAR="
  std::vector<std::string> given{};  ///< words that stand there already, and are not wanted twice
  std::string what{};                ///< what is to be written, for people
};

/// What may follow the words, which begin behind the program's name; `current` is what is written
/// of the next one. The values of options that are among the words go where the parser would put
/// them.
Expected expected_at(const CommandLine& program, const std::vector<std::string>& words,
                     const std::string& current);

}  // namespace nexus::cli
