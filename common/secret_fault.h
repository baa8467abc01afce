#pragma once

#include <string>
#include <string_view>

namespace nexus {

enum class SecretForm {
  line,   ///< a client secret, a token, a password, an API key
  lines,  ///< a PEM key or a JSON document: with line breaks and tabs
};

/// What a secret has that nobody can see, and that it got on its way: copied from a web page
/// (U+200B, a no-break space), saved by an editor (a byte order mark, UTF-16), of another encoding.
/// It would be stored, sent and refused far away from where it came in.
///
/// Goes on from a name: "has U+200B (a zero width space) as its character 7"; it tells the place
/// and nothing else of the secret. "" where there is nothing.
std::string fault_of_secret(std::string_view text, SecretForm form);

}  // namespace nexus
