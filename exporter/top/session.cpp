#include "exporter/top/session.h"

#include <algorithm>

namespace kmem::top {

base::Result<void> Session::read() {
  if (table_.readings() > 0 && !source_.advance()) {
    ended_ = true;
    return {};
  }
  // The last reading stays when this one fails.
  Snapshot fresh;
  if (const auto read = source_.read(fresh); !read) {
    error_ = read.error().message;
    return read.error();
  }
  error_.clear();
  snapshot_ = std::move(fresh);
  const Boot& boot = boots_.note(snapshot_, source_.is_live());
  settings_.note(snapshot_, boot);
  table_.update(snapshot_, boot);
  notes_.refresh();
  for (UsageRow& row : table_.rows()) notes_.note(row);
  return {};
}

std::string Session::silent_part() const {
  for (const PartStatus& part : snapshot_.parts)
    if (part.no_answer) return part.collector + ": " + part.reason;
  return {};
}

Scene Session::scene() const {
  Scene out{
      snapshot_, table_.rows(), table_.readings(), interval_, {}, notes_.ends ? notes_.ends() : std::vector<std::string>()};
  if (!error_.empty()) out.notice = error_;
  else if (const std::string silent = silent_part(); !silent.empty()) out.notice = silent;
  else if (ended_) out.notice = "the recording is over";
  else out.notice = notes_.problem();
  return out;
}

std::string Session::text(const RowChoice& choice) const { return print(scene(), choice); }

base::Result<void> Session::run(terminal::Terminal& terminal, View view) {
  using What = terminal::Input::What;
  if (auto first = read(); !first) return first;
  auto due = clock_.steady() + interval_;
  Extent extent;
  while (true) {
    terminal::Frame frame = draw(scene(), view, terminal.size(), extent);
    keep_in(view, extent);
    if (auto drawn = terminal.draw(frame); !drawn) return drawn;

    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - clock_.steady());
    const terminal::Input input = terminal.wait(std::max(left, std::chrono::milliseconds(0)));
    if (input.what == What::kStop) return {};
    Asked asked = Asked::kNothing;
    if (input.what == What::kKey) asked = apply(view, input.key, extent);
    if (input.what != What::kTimeout) extent.layout = {};
    if (asked == Asked::kQuit) return {};
    const auto now = clock_.steady();
    if (now >= due || asked == Asked::kReading) {
      (void)read();  // its error is on the screen
      due = now + interval_;
    }
  }
}

}  // namespace kmem::top
