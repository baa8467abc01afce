#pragma once

#include <string>

#include "cli/credential.h"
#include "common/error.h"
#include "common/secret.h"

namespace nexus::cli {

// A token payload as other programs read it, each a line or lines with their ends. `field` is what
// `--field` names; "" for what the connection is for.

/// `NEXUS_TOKEN='…'`, for eval.
Result<SecretText> env_line(const SecretText& payload, const std::string& field);

/// `Authorization: Bearer …`, or the header that a static credential travels in.
Result<SecretText> header_line(const SecretText& payload, const std::string& field);

/// What curl reads with `-K -`: the header, or the query parameter, that authenticates.
Result<SecretText> curl_config(const SecretText& payload, const std::string& field);

/// A netrc file's line. Error: usage, for what netrc's readers do not all read alike.
Result<SecretText> netrc_line(const std::string& host, const Login& login);

}  // namespace nexus::cli
