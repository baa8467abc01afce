// Go's GOAUTH: run without a word at first, then with each URL that was refused.
#include "cli/credential/helpers.h"

namespace nexus::cli {

Result<int> run_goauth_helper(Context& context, const HelperArgs& args) {
  if (args.words.empty()) return 0;  // nothing is fetched that nobody may need
  ignore_request();                  // how the URL was refused
  const auto& url = args.words.back();
  if (!url.starts_with("https://")) return 0;
  const auto mapping = answering(context, args, parse_site(url));
  if (!mapping) return 0;
  NEXUS_TRY(const auto credentials, fetch_credentials(context, mapping->connection));
  NEXUS_TRY(const auto header, header_in(credentials, ""));
  print_line(context, "https://" + mapping->site.host + mapping->site.path + "\n");
  print_line(context, header.line().append("\n"));
  return 0;
}

}  // namespace nexus::cli
