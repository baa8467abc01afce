#include "cli/output/qr_code.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <qrcodegen/qrcodegen.hpp>

#include "common/paths.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// ISO/IEC 18004 wants four light modules around; cameras are content with two, windows are small.
constexpr int kQuiet = 2;

bool has_block_characters() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto locale = lower(environment(name));
    if (locale.empty()) continue;
    return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

int width_of(const std::string& code) {
  int width = 0;
  for (const char c : code.substr(0, code.find('\n')))
    width += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return width;
}

}  // namespace

std::string qr_code(const std::string& text, bool color) {
  const auto code = qrcodegen::QrCode::encodeText(text.c_str(), qrcodegen::QrCode::Ecc::LOW);
  // Light modules are drawn, dark ones left as the (black) background is.
  const auto light = [&](int x, int y) { return !code.getModule(x, y); };
  std::string out;
  for (int y = -kQuiet; y < code.getSize() + kQuiet; y += 2) {
    if (color) out += "\033[97;40m";
    for (int x = -kQuiet; x < code.getSize() + kQuiet; ++x) {
      const bool below_the_end = y + 1 >= code.getSize() + kQuiet;
      const bool top = light(x, y);
      const bool bottom = !below_the_end && light(x, y + 1);
      out += top && bottom ? "█" : top ? "▀" : bottom ? "▄" : " ";
    }
    out += color ? "\033[0m\n" : "\n";
  }
  return out;
}

void show_qr_code(const Output& output, const std::string& text) {
  if (!output.stderr_is_terminal() || environment("TERM") == "dumb" || !has_block_characters())
    return;
  // QR codes hold less than 3,000 bytes; what a person could scan is far shorter.
  if (text.size() > 500) return;
  winsize window{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
  const auto plain = qr_code(text, false);
  if (known && window.ws_col < width_of(plain)) return;
  output.picture(qr_code(text, output.color_allowed && environment("NO_COLOR").empty()));
}

}  // namespace nexus::cli
