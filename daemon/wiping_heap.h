#pragma once

namespace nexus {

/// libcurl and OpenSSL keep what was sent and received in buffers of theirs: these are wiped when
/// they are freed. What of ours holds a secret is a Secret or SecretText, and SQLite is only given
/// what is sealed. To be called first in main, before either library has made anything.
void wipe_what_libraries_free();

}  // namespace nexus
