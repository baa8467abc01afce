#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "daemon/loop/reactor.h"

namespace nexus {

/// Bytes on their way from one loop to another, at most `kCapacity` of them at a time: whoever
/// writes faster than the other one reads is told to wait, and neither ever waits for a lock for
/// long. What it tells is told on the loop of who is told, once for each time that it was waited
/// for.
class Pipe : public std::enable_shared_from_this<Pipe> {
 public:
  static constexpr std::size_t kCapacity = 256 * 1024;
  static constexpr std::size_t kPiece = 64 * 1024;  ///< what its ends read and take at a time
  enum class State {
    open,
    ended,   ///< that was all of it
    broken,  ///< there should have been more
  };
  struct Taken {
    std::string bytes;
    State state = State::open;  ///< once what came before has been taken
  };

  /// Both loops have to outlive it.
  Pipe(Reactor& writer, Reactor& reader) : writer_(writer), reader_(reader) {}
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  // The writer's.

  /// How much may be written now. After 0 `on_room` is called when there is some again.
  std::size_t room();
  void write(std::string_view bytes);
  /// Nothing more is written; of what is not the whole, the reader is told so.
  void end() { close(State::ended); }
  void break_off() { close(State::broken); }
  /// Also called, once, when the reader wants no more.
  void on_room(Reactor::Task task);
  bool is_abandoned();

  // The reader's.

  /// What is there, at most so much. After nothing `on_data` is called when something comes, or the
  /// end does.
  Taken take(std::size_t most);
  void on_data(Reactor::Task task);
  /// Nobody reads any more: what is written from here on goes nowhere.
  void abandon();

  // Any thread's.

  /// What is in it does not arrive any more: it is broken for its reader, and its writer has no
  /// reader. Both are called, whatever they wait for.
  void cut();
  bool is_cut();
  /// Is there for as long as either end has the pipe.
  void keep(std::shared_ptr<const void> companion);

 private:
  void close(State state);
  void wake_reader(std::unique_lock<std::mutex>& lock);
  void wake_writer(std::unique_lock<std::mutex>& lock);

  Reactor& writer_;
  Reactor& reader_;
  std::mutex mutex_;
  std::string bytes_;
  std::size_t taken_ = 0;  ///< of `bytes_`
  State state_ = State::open;
  bool abandoned_ = false;
  bool cut_ = false;
  bool reader_waits_ = false;
  bool writer_waits_ = false;
  Reactor::Task data_;  ///< the reader's loop
  Reactor::Task room_;  ///< the writer's loop
  std::shared_ptr<const void> companion_;
};

}  // namespace nexus
