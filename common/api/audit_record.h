#pragma once

#include <cstdint>
#include <string>

#include "common/api/reader.h"
#include "common/error.h"
#include "common/json.h"

namespace nexus::api {

/// One record of the audit log as /v1/audit tells it.
struct AuditRecord {
  std::int64_t sequence = 0;
  std::string event;
  std::string connection_id;  ///< "" where it is about none
  std::string address;        ///< of the peer, "" where it was none of the network's
  std::string agent;
  std::string created_at;  ///< RFC 3339
  std::string data;        ///< what else is on record, a JSON object

  // Of `data`; "" and 0 where it is not there.
  std::string outcome;
  std::string provider;
  std::string detail;
  std::string key;
  std::string via;
  std::int64_t uid = -1;  ///< -1 where it is not there
  std::int64_t pid = 0;
  std::string exe;  ///< the program that it was, where that was looked at
};

Result<void> read(const Reader& from, AuditRecord& into);
void write(JsonWriter& to, const AuditRecord& record);

}  // namespace nexus::api
