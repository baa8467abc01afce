#include <memory>

#include "cli/command.h"
#include "cli/completion/scripts.h"

namespace nexus::cli {
namespace {

Result<int> run_completion(Context& context, const std::string& shell) {
  context.output.raw(shell == "bash"  ? kBashCompletion
                     : shell == "zsh" ? kZshCompletion
                                      : kFishCompletion);
  return 0;
}

}  // namespace

Command completion_command() {
  auto shell = std::make_shared<std::string>();
  return {
      .name = "completion",
      .summary = "Print what has a shell complete nexus' words and names",
      .arguments = {{"shell",
                     shell.get(),
                     "whose script",
                     {.required = true, .one_of = {"bash", "zsh", "fish"}}}},
      .action = [shell](Context& context) { return run_completion(context, *shell); },
      .footer =
          "Once installed, the scripts are where each shell looks for them. Elsewhere, have the "
          "shell read them when it starts, from ~/.bashrc, ~/.zshrc (behind compinit) or "
          "~/.config/fish/config.fish.",
      .examples = {"source <(nexus completion bash)", "source <(nexus completion zsh)",
                   "nexus completion fish | source"}};
}

}  // namespace nexus::cli
