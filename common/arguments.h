#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/error.h"

namespace nexus {

/// Where an argument's value goes, which is also what it is: a flag, a flag with a negation
/// (`--no-…`), a number, a text, or texts. Texts are an option that may be repeated or, without a
/// dash, all the words that are left. What stands there before is the default that the help shows.
using Destination = std::variant<bool*, std::optional<bool>*, int*, std::string*,
                                 std::optional<std::string>*, std::vector<std::string>*>;

/// What the value of an argument names, for the shells that complete it.
enum class Names : std::uint8_t {
  nothing,  ///< it is a text of its own, or one of the words that it may be
  file,
  connection,
  connection_by_variable,  ///< VAR=CONN
  provider,
  known_provider,  ///< registered or in the catalogue
  catalogue_entry,
  key,
  key_scope,  ///< what an API key reaches: provider:P
  workspace,
  audit_event,
};

struct ArgumentRules {
  bool required = false;
  std::vector<std::string> one_of{};  ///< the words that it may be; empty: any
  std::optional<std::pair<int, int>> between{};
  bool hidden = false;     ///< understood, but not in the help
  const char* value = "";  ///< what stands for its value in the help; "": its name tells
  const char* group = "";  ///< the heading that it stands under in the help; "": the usual one
  Names names = Names::nothing;
};

struct Argument {
  const char* name;  ///< "--alias" or "-f,--file"; without a dash its position tells it
  Destination into;
  const char* help;
  ArgumentRules rules{};
};

/// What a program takes, or one of its commands.
struct CommandLine {
  std::string name;
  std::string summary;
  std::vector<Argument> arguments{};
  std::string alias{};  ///< a command's other name, "" for none
  std::string footer{};
  std::vector<std::string> examples{};
  std::string manual{};      ///< its manual page, "nexus-token(1)"; "" for none
  std::string version{};     ///< what --version prints; "" for a command
  std::size_t columns = 80;  ///< that the help has, 40 at least; a program's
  /// Where there are some, one of them has to be given, unless the line itself can be chosen.
  std::vector<CommandLine> commands{};
  /// Words that other programs have for a command or, of a command without any, for an option, and
  /// what is to be said here.
  std::map<std::string, std::string> known_as{};
  std::function<void()> chosen{};  ///< called for the command that was given
  /// Where the words behind "--" go, for a command that runs another program with them.
  std::vector<std::string>* runs = nullptr;
};

/// Reads a program's words. Where they ask for help or the version instead, the text to be printed.
/// Error: usage, naming what is wrong and what may have been meant, or the help to ask for.
Result<std::optional<std::string>> parse_arguments(const CommandLine& program,
                                                   std::vector<std::string> words);

}  // namespace nexus
