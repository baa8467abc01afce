#include "cli/exec/variable_name.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "common/text.h"

namespace nexus::cli {
namespace {

/// Of the dynamic linkers and the C library.
constexpr std::string_view kPrefixes[] = {"LD_", "DYLD_", "BASH_FUNC_"};

/// Of the C library, shells, interpreters, git and programs that start an editor, pager or browser.
constexpr std::string_view kNames[] = {
    // The system's own.
    "PATH", "HOME", "SHELL", "TMPDIR", "GCONV_PATH", "GLIBC_TUNABLES", "LOCPATH", "NLSPATH",
    "HOSTALIASES", "TERMINFO", "TERMINFO_DIRS", "TERMCAP", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    // Shells.
    "IFS", "ENV", "BASH_ENV", "BASHOPTS", "SHELLOPTS", "PS1", "PS2", "PS4", "PROMPT_COMMAND",
    "CDPATH", "ZDOTDIR", "FPATH",
    // Interpreters and virtual machines.
    "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PERL5LIB", "PERLLIB", "PERL5OPT", "PERL5DB",
    "RUBYLIB", "RUBYOPT", "NODE_OPTIONS", "NODE_PATH", "CLASSPATH", "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "LUA_PATH", "LUA_CPATH", "LUA_INIT", "PHPRC",
    "PHP_INI_SCAN_DIR", "DOTNET_STARTUP_HOOKS", "CORECLR_PROFILER_PATH",
    // What other programs are started by.
    "EDITOR", "VISUAL", "PAGER", "BROWSER", "LESSOPEN", "LESSCLOSE", "SSH_ASKPASS", "SUDO_ASKPASS",
    "GIT_ASKPASS", "GIT_EDITOR", "GIT_EXEC_PATH", "GIT_EXTERNAL_DIFF", "GIT_PAGER",
    "GIT_PROXY_COMMAND", "GIT_SEQUENCE_EDITOR", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_TEMPLATE_DIR"};

bool is_valid(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && name.size() <= 255 && is_letter(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

bool leads_to_code(std::string_view name) {
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [name](std::string_view prefix) { return name.starts_with(prefix); }) ||
         std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace

Result<void> check_variable_name(const std::string& name) {
  if (!is_valid(name))
    return Error{ErrorCode::usage,
                 "'" + printable(name, 60) + "' cannot be the name of an environment variable",
                 "use letters, digits and _, for example MY_TOKEN"};
  if (leads_to_code(name))
    return Error{ErrorCode::usage, name + " tells programs where code is, and a credential is none",
                 "choose another variable, for example MY_TOKEN"};
  return {};
}

}  // namespace nexus::cli
