#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/json_fields.h"
#include "daemon/access/route_rules.h"
#include "daemon/caller.h"
#include "daemon/store/store.h"

namespace nexus {

/// What can be done with a connection, each with what stands before it: to see how it is, to have
/// requests sent on with its credentials, to have these. An admin may do everything.
enum class Right { read, forward, use };

/// A right over one connection, over those of a provider or of a workspace, or over all.
struct Grant {
  enum class Over { all, workspace, provider, connection };
  Right right = Right::read;
  Over over = Over::all;
  std::string name;  ///< the workspace, the provider's name or the connection's id

  /// "all", "workspace:NAME", "provider:NAME" or a connection's id. Error: invalid_field.
  static Result<Grant> parse(Right right, std::string_view text);
  std::string text() const;
};

/// What one API key may do.
struct Access {
  bool admin = false;
  std::vector<Grant> grants;
  RouteRules rules{};      ///< of what may be sent on; only where nothing more than that is granted
  bool only_uses = false;  ///< makes no connection, and changes or ends none
};

/// Of members of the group of [access]: to use all connections that rules do not keep from them.
std::shared_ptr<const Access> access_of_members();

/// `{"admin":bool,"read":["all",…],"forward":[…],"use":[…],"rules":[…]}`, as it is stored.
std::string to_text(const Access& access);
Result<Access> access_from_text(std::string_view json);
/// From a request. Errors: invalid_field, missing_fields when it would allow nothing.
Result<Access> read_access(const JsonFields& from);
/// What the grants of a right are over, as texts.
std::vector<std::string> grants_of(const Access& access, Right right);

// Who comes without an Access (the control socket's own user, the daemon itself) may do everything.

bool may(const Caller& caller, Right right, const ConnectionRow& connection);
/// Whether the caller may make connections there, and end them: a right over a single connection is
/// not enough for either.
bool may_connect(const Caller& caller, std::string_view workspace, std::string_view provider);
bool is_admin(const Caller& caller);
/// Whether it has a right over this very connection, not over all or those of a kind.
bool is_for(const Caller& caller, Right right, const ConnectionRow& connection);
/// Whether a provider is there for the caller: it may be about any, or about this one. What it may
/// not see is told as what does not exist.
bool may_see_provider(const Caller& caller, std::string_view name);
/// Whether it may know of everything that goes on, if only to look at it.
bool may_see_all(const Caller& caller);

/// Errors: connection_out_of_scope, which is told to the caller as connection_not_found is, where
/// it may not even see the connection; access_denied where it may see it, and no more.
Result<void> require(const Caller& caller, Right right, const ConnectionRow& connection,
                     const std::string& reference);

}  // namespace nexus
