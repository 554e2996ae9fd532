#include "exporter/commands/progress.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "exporter/terminal/terminal.h"

namespace kmem {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShort{1'000};  // what is done by then shows no bar
constexpr milliseconds kRedraw{200};
constexpr milliseconds kBetweenLines{5'000};
constexpr std::size_t kBarColumns = 30;

}  // namespace

ProgressMeter ProgressMeter::on_stderr(const base::Clock& clock) {
  return {clock, terminal::stderr_is_terminal(), [](std::string_view text) {
            std::fwrite(text.data(), 1, text.size(), stderr);
            std::fflush(stderr);
          }};
}

void ProgressMeter::start(std::string task) {
  finish();
  task_ = std::move(task);
  due_ = clock_.steady() + (is_terminal_ ? kShort : kBetweenLines);
}

void ProgressMeter::update(const history::Progress& progress, std::uint64_t snapshots) {
  const auto now = clock_.steady();
  if (now < due_) return;
  due_ = now + (is_terminal_ ? kRedraw : kBetweenLines);
  std::string text = task_;
  if (progress.bytes_total > 0) {
    const double part = std::min(1.0, static_cast<double>(progress.bytes_read) / static_cast<double>(progress.bytes_total));
    if (is_terminal_) {
      const auto full = static_cast<std::size_t>(part * kBarColumns);
      text += " [" + std::string(full, '#') + std::string(kBarColumns - full, '.') + "]";
    }
    text += " " + std::to_string(static_cast<int>(part * 100)) + "%";
  }
  text += ", " + std::to_string(snapshots) + " snapshots";
  if (!is_terminal_) return write_(text + "\n");
  const std::size_t columns = text.size();
  text.resize(std::max(columns, drawn_), ' ');
  drawn_ = columns;
  write_("\r" + text);
}

void ProgressMeter::finish() {
  if (drawn_ > 0) write_("\r" + std::string(drawn_, ' ') + "\r");
  drawn_ = 0;
}

}  // namespace kmem
