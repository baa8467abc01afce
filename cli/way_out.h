#pragma once

#include <string>

#include "cli/context.h"
#include "common/error.h"

namespace nexus::cli {

/// Whether `nexus connect` knows the provider, as far as can be told: it is registered, or in the
/// catalogue.
bool is_connectable(Context& context, const std::string& provider);

/// "nexus provider add acme …, then: nexus connect acme …", for a connection whose provider was
/// removed.
std::string after_registering(const std::string& provider, const std::string& connect);

/// An answer about a connection that was asked for by `reference`, with a hint that helps here: one
/// that is not there can be connected where the catalogue has a provider of that name; for one that
/// needs a person, its provider may have to be registered again.
Error with_way_out(Context& context, const std::string& reference, Error error);
template <class T>
Result<T> with_way_out(Context& context, const std::string& reference, Result<T> answer) {
  if (!answer) return with_way_out(context, reference, std::move(answer).error());
  return answer;
}

}  // namespace nexus::cli
