#include "daemon/loop/pipe.h"

#include <algorithm>
#include <utility>

namespace nexus {
namespace {

// NOLINTNEXTLINE(performance-unnecessary-value-param): it may be replaced by what it does
void call(Reactor::Task task) {
  if (task) task();
}

}  // namespace

std::size_t Pipe::room() {
  const std::lock_guard lock(mutex_);
  if (abandoned_) return kCapacity;
  const auto held = bytes_.size() - taken_;
  const auto room = held < kCapacity ? kCapacity - held : 0;
  writer_waits_ = room == 0;
  return room;
}

void Pipe::write(std::string_view bytes) {
  std::unique_lock lock(mutex_);
  if (abandoned_ || state_ != State::open) return;
  if (taken_ > 0) {
    bytes_.erase(0, taken_);
    taken_ = 0;
  }
  bytes_.append(bytes);
  wake_reader(lock);
}

void Pipe::close(State state) {
  std::unique_lock lock(mutex_);
  if (state_ != State::open) return;
  state_ = state;
  wake_reader(lock);
}

void Pipe::on_room(Reactor::Task task) {
  writer_.expect_on_loop();
  room_ = std::move(task);
}

bool Pipe::is_abandoned() {
  const std::lock_guard lock(mutex_);
  return abandoned_;
}

Pipe::Taken Pipe::take(std::size_t most) {
  std::unique_lock lock(mutex_);
  Taken taken;
  const auto held = bytes_.size() - taken_;
  if (taken_ == 0 && held <= most) {
    taken.bytes = std::exchange(bytes_, std::string());
  } else {
    const auto count = std::min(held, most);
    taken.bytes.assign(bytes_, taken_, count);
    taken_ += count;
  }
  if (taken_ == bytes_.size()) {
    taken.state = state_;
    bytes_.clear();
    taken_ = 0;
  }
  reader_waits_ = taken.bytes.empty() && taken.state == State::open;
  // Not for every byte: half of it has to be free before the writer is called.
  if (writer_waits_ && bytes_.size() - taken_ <= kCapacity / 2) wake_writer(lock);
  return taken;
}

void Pipe::on_data(Reactor::Task task) {
  reader_.expect_on_loop();
  data_ = std::move(task);
}

void Pipe::abandon() {
  std::unique_lock lock(mutex_);
  if (abandoned_) return;
  abandoned_ = true;
  bytes_ = std::string();
  taken_ = 0;
  writer_waits_ = true;
  wake_writer(lock);
}

void Pipe::cut() {
  {
    const std::lock_guard lock(mutex_);
    if (cut_) return;
    cut_ = abandoned_ = true;
    state_ = State::broken;
    bytes_ = std::string();
    taken_ = 0;
  }
  reader_.post([self = shared_from_this()] { call(self->data_); });
  writer_.post([self = shared_from_this()] { call(self->room_); });
}

bool Pipe::is_cut() {
  const std::lock_guard lock(mutex_);
  return cut_;
}

void Pipe::keep(std::shared_ptr<const void> companion) {
  const std::lock_guard lock(mutex_);
  companion_ = std::move(companion);
}

void Pipe::wake_reader(std::unique_lock<std::mutex>& lock) {
  if (!std::exchange(reader_waits_, false)) return;
  lock.unlock();
  reader_.post([self = shared_from_this()] { call(self->data_); });
}

void Pipe::wake_writer(std::unique_lock<std::mutex>& lock) {
  if (!std::exchange(writer_waits_, false)) return;
  lock.unlock();
  writer_.post([self = shared_from_this()] { call(self->room_); });
}

}  // namespace nexus
