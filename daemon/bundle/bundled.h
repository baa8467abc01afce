#pragma once

#include "common/error.h"
#include "daemon/bundle/document.h"
#include "daemon/provider/registration.h"

namespace nexus {

// What the parts of a bundle's document mean, and whether another nexusd can take that in: looked
// at before a bundle is sealed, and again where it is opened.

/// The provider as it would be registered, with its secret. Error: invalid_bundle.
Result<ProviderRegistration> registration_of(const BundledProvider& bundled);

/// That a connection is one of this provider's, and sound. Error: invalid_bundle.
Result<void> check_bundled(const BundledConnection& connection, const Provider& provider);

}  // namespace nexus
