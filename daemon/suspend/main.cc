// nexus-suspend: has systemd-logind tell nexusd when the machine is about to sleep, and has the
// machine wait (an inhibitor lock, in mode "delay") until nexusd has forgotten the vault's key. A
// program of its own, as nexusd connects to no service of this machine: its sandbox keeps whoever
// takes it over from having others do what it may not. This one has nothing to be taken.
//
// Its standard streams are a socket of messages. It says
//
//   holding   that the machine will wait, and a sleep be told
//   sleep     that the machine waits
//   awake     that it has slept, or was not to after all
//
// and in the end, in other words, why it cannot. The machine waits until something is said to it,
// or nobody has the other end any more, as a nexusd that has executed itself anew; then it ends.
// It does not wait for one that is stuck.
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/descriptor.h"
#include "common/text.h"

namespace {

using namespace nexus;
using namespace std::chrono_literals;

constexpr const char* kLogind = "org.freedesktop.login1";
constexpr const char* kPath = "/org/freedesktop/login1";
constexpr const char* kManager = "org.freedesktop.login1.Manager";
constexpr const char* kBusItself = "org.freedesktop.DBus";
constexpr const char* kSleep =
    "type='signal',sender='org.freedesktop.login1',path='/org/freedesktop/login1',"
    "interface='org.freedesktop.login1.Manager',member='PrepareForSleep'";
constexpr const char* kOwner =
    "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
    "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='org.freedesktop.login1'";

/// logind waits for 5 s (InhibitDelayMaxSec=), and complains of who made it wait for all of that.
constexpr auto kPatience = 4500ms;
/// A bus that accepts and is silent would have it wait for minutes, also for its own end.
constexpr unsigned kAnswerSeconds = 10;

// libsystemd is loaded and not linked: where the setting is off, or there is no systemd, it need
// not be there. elogind has the same functions. These are their own declarations (sd-bus.h).
struct Bus;
struct Slot;
struct Message;
struct BusError {
  const char* name;
  const char* message;
  int needs_free;
};
using Handler = int (*)(Message*, void*, BusError*);

struct SdBus {
  int (*open_system)(Bus**) = nullptr;
  int (*add_match)(Bus*, Slot**, const char*, Handler, void*) = nullptr;
  int (*call_method)(Bus*, const char*, const char*, const char*, const char*, BusError*, Message**,
                     const char*, ...) = nullptr;
  int (*read)(Message*, const char*, ...) = nullptr;
  const char* (*sender)(Message*) = nullptr;
  Message* (*unref)(Message*) = nullptr;
  int (*process)(Bus*, Message**) = nullptr;
  int (*descriptor)(Bus*) = nullptr;
  int (*events)(Bus*) = nullptr;
};

template <class Function>
bool find(void* library, const char* name, Function& into) {
  into = reinterpret_cast<Function>(dlsym(library, name));
  return into != nullptr;
}

std::optional<SdBus> load_sd_bus() {
  void* library = dlopen("libsystemd.so.0", RTLD_NOW);
  if (!library) library = dlopen("libelogind.so.0", RTLD_NOW);
  SdBus bus;
  if (library && find(library, "sd_bus_open_system", bus.open_system) &&
      find(library, "sd_bus_add_match", bus.add_match) &&
      find(library, "sd_bus_call_method", bus.call_method) &&
      find(library, "sd_bus_message_read", bus.read) &&
      find(library, "sd_bus_message_get_sender", bus.sender) &&
      find(library, "sd_bus_message_unref", bus.unref) &&
      find(library, "sd_bus_process", bus.process) &&
      find(library, "sd_bus_get_fd", bus.descriptor) &&
      find(library, "sd_bus_get_events", bus.events))
    return bus;
  return std::nullopt;
}

void say(const std::string& text) {
  send(STDOUT_FILENO, text.data(), text.size(), MSG_NOSIGNAL);
}

void end_without_answer(int) {
  constexpr std::string_view kReason = "the system bus does not answer";
  send(STDOUT_FILENO, kReason.data(), kReason.size(), MSG_NOSIGNAL);
  _exit(0);
}

std::string because(const std::string& what, int error) {
  return what + ": " + std::strerror(-error);
}

/// logind's manager, over the system's bus.
class Logind {
 public:
  explicit Logind(const SdBus& sd) : sd_(sd) {}

  /// Until nobody listens. Returns why it ends before, or nothing.
  std::string watch() {
    signal(SIGALRM, end_without_answer);
    alarm(kAnswerSeconds);
    if (const int error = sd_.open_system(&bus_); error < 0)
      return because("there is no system bus", error);
    // Before the inhibitor lock is taken: no sleep is missed.
    if (const int error = subscribe(); error < 0)
      return because("the system bus does not answer", error);
    hold();
    // First what came before the answers: while that is there, the bus is not to be waited for.
    do {
      take_messages();
    } while (reason_.empty() && wait());
    return reason_;
  }

 private:
  using Time = std::chrono::steady_clock::time_point;

  int subscribe() {
    const int error = sd_.add_match(bus_, nullptr, kSleep, on_sleep, this);
    return error < 0 ? error : sd_.add_match(bus_, nullptr, kOwner, on_owner, this);
  }

  /// Takes the inhibitor lock; whoever answered is who tells of a sleep.
  void hold() {
    let_sleep_at_.reset();
    alarm(kAnswerSeconds);
    BusError error{};
    Message* answer = nullptr;
    int lock = -1;
    int result = sd_.call_method(bus_, kLogind, kPath, kManager, "Inhibit", &error, &answer, "ssss",
                                 "sleep", "nexusd", "the vault's key leaves memory", "delay");
    if (result >= 0) result = sd_.read(answer, "h", &lock);
    alarm(0);
    if (result < 0) {
      reason_ = error.message ? std::string("systemd-logind does not answer: ") + error.message
                              : because("systemd-logind does not answer", result);
      return;
    }
    lock_ = Descriptor(fcntl(lock, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    owner_ = sd_.sender(answer);
    sd_.unref(answer);
    say("holding");
  }

  /// A signal that is sent to this program alone passes the bus's filter, whoever sends it.
  bool is_from(const std::string& name, Message* message) const {
    const char* sender = sd_.sender(message);
    return sender && name == sender;
  }

  static int on_sleep(Message* message, void* logind, BusError*) {
    auto& self = *static_cast<Logind*>(logind);
    int begins = 0;
    if (self.is_from(self.owner_, message) && self.sd_.read(message, "b", &begins) >= 0)
      self.note_sleep(begins != 0);
    return 0;
  }

  static int on_owner(Message* message, void* logind, BusError*) {
    auto& self = *static_cast<Logind*>(logind);
    const char* name = nullptr;
    const char* before = nullptr;
    const char* now = nullptr;
    if (self.is_from(kBusItself, message) &&
        self.sd_.read(message, "sss", &name, &before, &now) >= 0 && *before != '\0')
      self.reason_ = "systemd-logind has ended";
    return 0;
  }

  void note_sleep(bool begins) {
    say(begins ? "sleep" : "awake");
    if (begins)
      let_sleep_at_ = std::chrono::steady_clock::now() + kPatience;
    else
      has_slept_ = true;
  }

  void let_sleep() {
    lock_ = Descriptor(-1);
    let_sleep_at_.reset();
  }

  int left_ms() const {
    if (!let_sleep_at_) return -1;
    const auto left = *let_sleep_at_ - std::chrono::steady_clock::now();
    return std::max(0,
                    static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count()));
  }

  /// Until there is something to do. False once nobody listens.
  bool wait() {
    pollfd from[] = {{STDIN_FILENO, POLLIN, 0},
                     {sd_.descriptor(bus_), static_cast<short>(sd_.events(bus_)), 0}};
    if (poll(from, 2, left_ms()) == 0) let_sleep();
    if (from[0].revents == 0) return true;
    char word[16];
    if (recv(STDIN_FILENO, word, sizeof word, MSG_DONTWAIT) <= 0) return false;
    let_sleep();
    return true;
  }

  void take_messages() {
    int result = 0;
    do {
      result = sd_.process(bus_, nullptr);
    } while (result > 0);
    if (result < 0 && reason_.empty()) reason_ = because("the system bus is gone", result);
    if (reason_.empty() && std::exchange(has_slept_, false)) hold();
  }

  const SdBus& sd_;
  Bus* bus_ = nullptr;
  Descriptor lock_{-1};
  std::string owner_;
  std::optional<Time> let_sleep_at_;
  bool has_slept_ = false;
  std::string reason_;
};

}  // namespace

int main() {
  // It goes on by itself, for nobody to wait for.
  if (fork() != 0) _exit(0);
  const auto sd = load_sd_bus();
  const auto reason =
      sd ? Logind(*sd).watch() : "libsystemd is not installed (Debian: libsystemd0)";
  if (!reason.empty()) say(printable(reason, 300));
  _exit(0);  // what it holds ends with it
}
