#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/daemon_stream.h"
#include "common/error.h"

namespace nexus::cli {

/// The words of nexus api.
struct ApiArgs {
  std::string connection;
  std::vector<std::string> words;
  std::vector<std::string> headers;
  std::string data;
  std::vector<std::string> typed_fields;
  std::vector<std::string> text_fields;
  std::string input;
  std::string output;
  std::string jq;
  bool include = false;
  bool paginate = false;
  bool slurp = false;
  bool dry_run = false;
  bool verbose = false;
  bool show_secrets = false;
};

/// A request as the command line means it.
struct Call {
  std::string connection;
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  StreamBody body;
};

/// Error: usage, naming what of the words is wrong.
Result<Call> read_call(const ApiArgs& args);

}  // namespace nexus::cli
