#pragma once

#include <string>

#include "cli/output/output.h"

namespace nexus::cli {

/// The text as a QR code of half-block characters, in black and white of its own where `color`.
std::string qr_code(const std::string& text, bool color);

/// Shows it on stderr where that is a terminal which has the characters and the room; else nothing.
void show_qr_code(const Output& output, const std::string& text);

}  // namespace nexus::cli
