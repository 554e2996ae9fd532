#include "collectors/make_source.h"

#include <array>
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

Frames make_live(const config::Source& source, std::string_view, const base::Clock& clock) {
  return make_live_frames(source, clock);
}

Frames make_named(const config::Source& source, std::string_view, const base::Clock& clock) {
  if (source.kind == live_kernel()) return make_live_frames(source, clock);
  return Error{ErrorCode::kUnsupported, "source " + source.kind + ": this program runs on " + std::string(live_kernel()) +
                                            "; it can auto, " + std::string(live_kernel()) + ", replay:FILE"};
}

Frames make_replay(const config::Source&, std::string_view path, const base::Clock&) {
  if (path.empty()) return Error{ErrorCode::kInvalid, "source replay: names no file; write replay:FILE"};
  return replay::make_replay_frames(base::os_file_system(), {std::string(path)});
}

struct Kind {
  std::string_view name;
  bool takes_path;
  Frames (*make)(const config::Source&, std::string_view path, const base::Clock&);
};
constexpr std::array kKinds = {
    Kind{"auto", false, make_live},
    Kind{"linux", false, make_named},
    Kind{"windows", false, make_named},
    Kind{"replay", true, make_replay},
};

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
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view path = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  std::array<std::string_view, kKinds.size()> names;
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    names[i] = kKinds[i].name;
    if (kKinds[i].name == name && (kKinds[i].takes_path || colon == std::string_view::npos))
      return kKinds[i].make(source, path, clock);
  }
  std::string message = "source \"" + source.kind + "\" is none of auto, linux, windows, replay:FILE";
  if (const auto near = base::nearest(name, names)) message += "; did you mean " + *near + (*near == "replay" ? ":FILE?" : "?");
  return Error{ErrorCode::kInvalid, message};
}

}  // namespace kmem
