#include "collectors/make_source.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/base/file_io.h"
#include "collectors/base/log.h"
#include "collectors/base/suggest.h"
#include "collectors/history/history.h"
#include "collectors/live_frames.h"
#include "collectors/replay/replay_source.h"

namespace kmem {
namespace {

using base::Error;
using base::ErrorCode;
using Frames = base::Result<std::unique_ptr<FrameSource>>;

class LoggedHistory final : public KernelSource {
 public:
  explicit LoggedHistory(std::unique_ptr<history::HistorySource> source) : source_(std::move(source)) { log_warnings(); }

  base::Result<void> read(Snapshot& out) override { return source_->read(out); }

  bool advance() override {
    const bool more = source_->advance();
    log_warnings();
    if (more || std::exchange(ended_, true) || source_->skipped_count() == 0) return more;
    const history::Skipped& first = source_->skipped().front();
    base::log_warn("parts of the recorded history were skipped",
                   {{"count", std::to_string(source_->skipped_count())},
                    {"first", first.file + ":" + std::to_string(first.line) + ": " + first.reason}});
    return more;
  }

 private:
  void log_warnings() {
    for (; warnings_logged_ < source_->warnings().size(); ++warnings_logged_)
      base::log_warn("recorded history", {{"warning", source_->warnings()[warnings_logged_]}});
  }

  std::unique_ptr<history::HistorySource> source_;
  std::size_t warnings_logged_ = 0;
  bool ended_ = false;
};

}  // namespace

base::Result<std::unique_ptr<KernelSource>> make_kernel_source(const config::Source& source, const base::Clock& clock) {
  const std::string_view kind = source.kind;
  if (source.is_recording() && kind != config::kReplay) {
    auto opened = history::open_history(base::os_file_system(), {std::string(kind.substr(config::kReplay.size()))});
    if (!opened) return opened.error();
    return std::unique_ptr<KernelSource>(std::make_unique<LoggedHistory>(std::move(*opened)));
  }
  auto frames = make_frames(source, clock);
  if (!frames) return frames.error();
  return make_frame_backed_source(std::move(*frames));
}

Frames make_frames(const config::Source& source, const base::Clock& clock) {
  const std::string_view text = source.kind;
  if (source.is_recording()) {
    const std::string path(text.substr(config::kReplay.size()));
    if (path.empty()) return Error{ErrorCode::kInvalid, "source replay: names no file; write replay:FILE"};
    return replay::make_replay_frames(base::os_file_system(), {path});
  }
  const auto& live = config::kLiveSources;
  if (text == live.front() || text == live_kernel()) return make_live_frames(source, clock);
  if (std::find(live.begin(), live.end(), text) != live.end())
    return Error{ErrorCode::kUnsupported, "source " + source.kind + ": this program runs on " + std::string(live_kernel()) +
                                              "; it can " + std::string(live.front()) + ", " + std::string(live_kernel()) +
                                              ", replay:FILE"};
  std::string message = "source \"" + source.kind + "\" is none of " + std::string(config::kSourceWords);
  auto names = config::kSourceNames;
  names.back().remove_suffix(1);  // the colon, which the other side lacks as well
  if (const auto near = base::nearest(text.substr(0, text.find(':')), names))
    message += "; did you mean " + *near + (*near == names.back() ? ":FILE?" : "?");
  return Error{ErrorCode::kInvalid, message};
}

}  // namespace kmem
