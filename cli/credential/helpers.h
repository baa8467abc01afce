#pragma once

#include "cli/credential/helper.h"

namespace nexus::cli {

// Those that are run seldom enough for a program with all of the commands. A file each.
Result<int> run_bazel_helper(Context& context, const HelperArgs& args);
Result<int> run_cargo_helper(Context& context, const HelperArgs& args);
Result<int> run_gcp_helper(Context& context, const HelperArgs& args);
Result<int> run_goauth_helper(Context& context, const HelperArgs& args);
Result<int> run_keyring_helper(Context& context, const HelperArgs& args);
Result<int> run_kubectl_helper(Context& context, const HelperArgs& args);
Result<int> run_kubelet_helper(Context& context, const HelperArgs& args);
Result<int> run_pnpm_helper(Context& context, const HelperArgs& args);
Result<int> run_terraform_helper(Context& context, const HelperArgs& args);
Result<int> erase_git_token(Context& context, const HelperArgs& args);

}  // namespace nexus::cli
