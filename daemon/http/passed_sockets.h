#pragma once

#include <string>
#include <vector>

#include "common/descriptor.h"
#include "common/error.h"

namespace nexus::http {

// Sockets that this process was started with: a service manager's, or those of the nexusd that was
// this process before (handover.h). They have gone on listening meanwhile: who calls there waits,
// and is not refused. Like the environment they are the whole process's.

/// Those of a service manager (sd_listen_fds(3): LISTEN_FDS descriptors from 3 on, for the process
/// LISTEN_PID). These variables are gone from the environment then.
std::vector<int> passed_by_service_manager();

/// Keeps the TCP sockets among them for whoever asks to listen there. Returns the one that listens
/// on a path, -1 where none does. Error: failure for what is neither, or a second path.
Result<int> adopt_sockets(const std::vector<int>& passed);

/// The one that listens on this address ("127.0.0.1:8090"); -1 where there is none any more.
int take_passed_socket(const std::string& address);
/// All that are left, in no order.
std::vector<int> take_passed_sockets();
/// Closes those that nobody has asked for: the settings have changed.
void close_passed_sockets();

/// Duplicates of all that this process listens on.
std::vector<Descriptor> listening_sockets();
/// That it listens on TCP, not on a path.
bool is_tcp(int socket);

}  // namespace nexus::http
