#pragma once

#include "common/error.h"

namespace nexus {

/// Has descriptors 0, 1 and 2 taken where the caller closed them (`>&-`), by what can be neither
/// read nor written. Otherwise the next file or socket to be opened would be the standard output,
/// and results or log lines would go into it. Before anything is opened.
void occupy_standard_streams();

/// That the standard output could not be written, by the errno that said why.
Error unwritten(int error_number);

}  // namespace nexus
