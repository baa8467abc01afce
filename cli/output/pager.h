#pragma once

#include "cli/output/output.h"

namespace nexus::cli {

/// From here on what is printed goes through the person's pager, where it is longer than the
/// terminal: NEXUS_PAGER, else PAGER, else less, each by the shell, as git does it. Nothing happens
/// where there is nobody to page for: standard output is no terminal (or TERM=dumb), it is JSON,
/// or they want no pager (--no-pager, "" or cat). What a pager that cannot be run would have shown
/// is printed as it is.
void page(Output& output);

}  // namespace nexus::cli
