#pragma once

namespace nexus {

/// libcurl, OpenSSL, cjose and jansson keep what was sent, received and verified in buffers of
/// theirs: these are wiped when they are freed, as is all that C++ frees in this program. What of
/// ours holds a secret is a Secret or SecretText all the same, which is locked and kept together;
/// SQLite is only given what is sealed. To be called first in main, before any of these libraries
/// has made anything.
void wipe_what_libraries_free();

}  // namespace nexus
