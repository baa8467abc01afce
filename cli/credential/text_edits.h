#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"

namespace nexus::cli {

// How other programs' configurations change: a piece of text goes in or out, and every other byte
// stays. What was put in is taken out again exactly. "" stands for a file that is not there.
// Errors: usage, where something else than ours stands in that place, or the file cannot be read.

/// `credential.URL.helper` of git's configuration, as the only one for that URL.
std::string with_git_helper(std::string_view config, const std::string& url,
                            const std::string& helper);
std::string without_git_helper(std::string_view config, const std::string& url);

/// `credHelpers` of docker's config.json: this registry's helper is nexus.
Result<std::string> with_docker_helper(std::string_view json, const std::string& host);
Result<std::string> without_docker_helper(std::string_view json, const std::string& host);

/// `credential_process` of a profile of AWS's config file.
Result<std::string> with_aws_process(std::string_view ini, const std::string& profile,
                                     const std::string& command);
Result<std::string> without_aws_process(std::string_view ini, const std::string& profile);

/// `[credential]` of nexus.toml.
std::string with_mapping(std::string_view toml, const std::string& site,
                         const std::string& connection);
/// The line that `with_mapping` wrote; the same text where there is none.
std::string without_mapping(std::string_view toml, const std::string& site);

}  // namespace nexus::cli
