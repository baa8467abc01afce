#pragma once

#include <optional>
#include <string>

#include "common/error.h"
#include "daemon/store/store.h"

namespace nexus {

/// What stands between a caller and a connection's token, told in the same words everywhere.

/// What a command of a hint needs to act in that workspace: " --workspace NAME", "" for the
/// default.
std::string in_workspace(const std::string& workspace);
/// The same for any of them: "--workspace NAME", to be pasted into a shell.
std::string workspace_option(const std::string& workspace);
/// The commands by which a person connects its provider once more, beside it or in its place.
std::string connect_again(const ConnectionRow& row);
std::string connect_in_place_of(const ConnectionRow& row);

/// `workspace`: where it was looked for by its name.
Error no_such_connection(const std::string& reference, const std::string& workspace = {});
/// What a bundle has is here already.
Error connection_exists(const std::string& id);
Error needs_attention(const ConnectionRow& row, const std::string& cause);
/// The error of a connection that has no token to give, nothing for an active one.
std::optional<Error> not_active(const ConnectionRow& row);
/// The error with whose it is; PROVIDER and CONNECTION in its hint are named.
Error about(const ConnectionRow& row, Error error);
/// The same for one of a provider that has no connection (yet).
Error about_provider(const std::string& name, Error error);
/// The error for whoever asked by that reference ("" for none): its hint names the connection so,
/// not by its id.
Error in_words_of(const std::string& reference, Error error);

}  // namespace nexus
