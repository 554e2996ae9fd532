// How far a long reading has come, for people: a bar that is drawn over on a terminal, else a line now and then;
// nothing for short readings. Thread: one. Failure: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "collectors/base/clock.h"
#include "collectors/history/history.h"

namespace kmem {

class ProgressMeter {
 public:
  using Write = std::function<void(std::string_view)>;

  ProgressMeter(const base::Clock& clock, bool is_terminal, Write write)
      : clock_(clock), is_terminal_(is_terminal), write_(std::move(write)) {}
  /// Onto stderr.
  [[nodiscard]] static ProgressMeter on_stderr(const base::Clock& clock);

  /// A new reading begins, which people know as `task`: "reading".
  void start(std::string task);
  void update(const history::Progress& progress, std::uint64_t snapshots);
  /// Takes the bar away.
  void finish();

 private:
  const base::Clock& clock_;
  bool is_terminal_;
  Write write_;
  std::string task_;
  std::chrono::nanoseconds due_{};
  std::size_t drawn_ = 0;  // columns of the bar on the terminal
};

}  // namespace kmem
