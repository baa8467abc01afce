#include <memory>

#include "cli/command.h"
#include "cli/output/pager.h"
#include "cli/output/table.h"
#include "common/api/proxy.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr auto kPath = "/v1/daemon/proxy";

void print_proxy(const Context& context, const api::Proxy& proxy) {
  if (context.output.json) return context.output.json_line(api::to_json(proxy));
  print_record(context.output,
               {{"listens on", proxy.url.empty() ? "nothing" : proxy.url},
                {"until", proxy.url.empty() ? "-"
                          : proxy.stays     ? "nexus proxy stop"
                                            : "the programs that run with it end"},
                {"programs", std::to_string(proxy.programs) + " started with nexus exec --proxy"}});
}

Result<int> run_start(Context& context, const std::string& listen) {
  NEXUS_TRY(const auto proxy,
            context.client.post<api::Proxy>(
                kPath, JsonWriter().begin().member("listen", listen).end().take()));
  if (context.output.json) {
    print_proxy(context, proxy);
    return 0;
  }
  context.output.line(proxy.url);
  context.output.note("Programs reach a connection's API at " + proxy.url +
                      "/CONNECTION/PATH and show a key, which never is a credential of the API. "
                      "Make one with:");
  context.output.note("  nexus key create --name NAME --forward CONNECTION");
  context.output.note("or have one made for a single run:");
  context.output.note("  nexus exec --proxy CONNECTION -- PROGRAM");
  return 0;
}

Result<int> stop_proxy(Context& context) {
  NEXUS_TRY(const auto proxy, context.client.call<api::Proxy>("DELETE", kPath, ""));
  if (context.output.json)
    context.output.json_line(api::to_json(proxy));
  else if (proxy.url.empty())
    context.output.line("the proxy listens no more");
  else
    context.output.line("the proxy ends with the programs that use it: " +
                        std::to_string(proxy.programs));
  return 0;
}

Result<int> show_proxy(Context& context) {
  NEXUS_TRY(const auto proxy, context.client.get<api::Proxy>(kPath));
  print_proxy(context, proxy);
  return 0;
}

std::string allowed_by(const api::ProxyRoute& route) {
  if (!route.bound) return "all";
  return route.rules.empty() ? "nothing: no rule is about it" : join(route.rules, "; ");
}

Result<int> run_routes(Context& context) {
  NEXUS_TRY(const auto proxy, context.client.get<api::Proxy>(kPath));
  NEXUS_TRY(const auto answer,
            context.client.call_raw("GET",
                                    std::string(kPath) + "/routes?workspace_id=" +
                                        percent_encode(context.config.workspace),
                                    ""));
  if (context.output.json) {
    context.output.json_line(answer);
    return 0;
  }
  std::vector<Cells> rows;
  NEXUS_CHECK(api::read_object(answer, [&](const api::Reader& list) -> Result<void> {
    list.each("routes", [&](const api::Reader& from) {
      api::ProxyRoute route;
      static_cast<void>(read(from, route));
      rows.push_back({proxy.url + "/" + route.name, route.provider,
                      route.api.empty() ? "nobody says where" : route.api, allowed_by(route)});
    });
    return {};
  }));
  if (rows.empty()) {
    context.output.note("there are no connections that requests could be sent on for");
    return 0;
  }
  page(context.output);
  Table(context.output, {{"ADDRESS"}, {"PROVIDER", 8}, {"API", 12}, {"ALLOWED", 12}}).print(rows);
  if (proxy.url.empty()) context.output.note("it is closed; run: nexus proxy start");
  return 0;
}

Command start_command() {
  auto listen = std::make_shared<std::string>();
  return {.name = "start",
          .summary = "Listen on a loopback port until it is stopped",
          .arguments = {{"--listen",
                         listen.get(),
                         "where; 127.0.0.1:8070, or what nexus.toml says",
                         {.value = "ADDRESS:PORT"}}},
          .action = [listen](Context& context) { return run_start(context, *listen); },
          .footer = "To have it always, set listen under [proxy] in nexus.toml(5).",
          .examples = {"nexus proxy start", "nexus proxy start --listen 127.0.0.1:9000"}};
}

}  // namespace

Command proxy_command() {
  return {.name = "proxy",
          .summary = "A loopback port that adds the credentials to requests",
          .examples = {"nexus proxy start", "nexus exec --proxy github -- ./agent"},
          .commands = {start_command(),
                       {.name = "stop",
                        .summary = "Listen no more, once the programs that use it have ended",
                        .action = stop_proxy,
                        .examples = {"nexus proxy stop"}},
                       {.name = "status",
                        .summary = "Tell where it listens, and for how many programs",
                        .action = show_proxy,
                        .examples = {"nexus proxy status"}},
                       {.name = "routes",
                        .summary = "List where requests go, and what is allowed",
                        .action = run_routes,
                        .examples = {"nexus proxy routes", "nexus proxy routes --json"}}}};
}

}  // namespace nexus::cli
