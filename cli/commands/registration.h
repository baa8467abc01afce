#pragma once

#include <string>
#include <vector>

#include "cli/catalogue.h"
#include "cli/commands/provider_fields.h"
#include "cli/context.h"
#include "common/api/provider.h"
#include "common/error.h"

namespace nexus::cli {

/// What to register at the provider for an entry, as nexusd makes it.
Result<api::RedirectUri> redirect_uri_for(Context& context, const CatalogueEntry& entry,
                                          const std::string& name);

/// Registers a provider from its entry; what `args` says stands above it. What is missing (the
/// client's id and secret, variables) is asked for, after saying where and how a client is made,
/// when a person is there to answer. Else an error says what to run. Errors: usage,
/// provider_not_found, and the daemon's.
Result<api::Provider> register_from_catalogue(Context& context, const CatalogueEntry& entry,
                                              ProviderArgs args);

/// An entry explained: endpoints, client, what is special about it.
void print_entry(const Output& output, const CatalogueEntry& entry);
/// The entry's quirks and what nobody has checked of it, as notes.
void print_quirks(const Output& output, const CatalogueEntry& entry);

/// The names of those that are registered, as far as they can be had.
std::vector<std::string> registered_providers(Context& context);
/// provider_not_found, with those that are registered or in the catalogue and may be meant.
Error unknown_provider(Context& context, const std::string& name);

}  // namespace nexus::cli
