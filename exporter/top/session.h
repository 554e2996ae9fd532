// `top` itself: kernel -> table -> screen, until a key or a signal ends it; or one text. Owns nothing of the outside.
// Thread: one. Failure: a reading that fails is shown and the last one stays; a screen that goes away ends it.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/result.h"
#include "collectors/boot_settings.h"
#include "collectors/source.h"
#include "exporter/terminal/terminal.h"
#include "exporter/top/picture.h"
#include "exporter/top/usage_table.h"
#include "exporter/top/view.h"

namespace kmem::top {

class Session {
 public:
  /// What is known of tags from elsewhere.
  struct Notes {
    std::function<void()> refresh;                        // before the rows of a reading are noted
    std::function<void(UsageRow&)> note;                  // fills driver, trend and mark
    std::function<std::string()> problem;                 // for the foot; empty = none
    std::function<std::vector<std::string>()> ends = {};  // what runs out, for the head; none = nothing is known
  };

  Session(KernelSource& source, const base::Clock& clock, std::chrono::milliseconds interval, Notes notes)
      : source_(source), clock_(clock), interval_(interval), notes_(std::move(notes)) {}

  [[nodiscard]] base::Result<void> run(terminal::Terminal& terminal, View view);

  /// The next reading; of a recording the next frame, the first time its first.
  [[nodiscard]] base::Result<void> read();
  [[nodiscard]] std::string text(const RowChoice& choice) const;
  /// A part of the last reading that did not answer, and what is shown instead; empty: none.
  [[nodiscard]] std::string silent_part() const;

 private:
  [[nodiscard]] Scene scene() const;

  KernelSource& source_;
  const base::Clock& clock_;
  std::chrono::milliseconds interval_;
  Notes notes_;
  Snapshot snapshot_;
  Boots boots_;
  BootSettings settings_;
  UsageTable table_;
  std::string error_;
  bool ended_ = false;  // a recording is over
};

}  // namespace kmem::top
