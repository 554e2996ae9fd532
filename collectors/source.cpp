#include "collectors/source.h"

#include <utility>

#include "collectors/linux/linux_parse.h"
#include "collectors/windows/limits.h"
#include "collectors/windows/windows_parse.h"

namespace kmem {

namespace {

void parse_with(const RawFrame& frame, Snapshot& out, linux::SlabMemo* memo) {
  out.clear();
  out.system = frame.system;
  out.time = frame.time;
  out.repeated = frame.repeated;
  switch (frame.system) {
    case System::kLinux: linux::parse_linux_frame(frame, out, memo); break;
    case System::kWindows: windows::parse_windows_frame(frame, out); break;
  }
}

class FrameBackedSource final : public KernelSource {
 public:
  explicit FrameBackedSource(std::unique_ptr<FrameSource> frames) : frames_(std::move(frames)) {}

  base::Result<void> read(Snapshot& out) override { return read_within(out, {}); }
  base::Result<void> read_within(Snapshot& out, const Patience& patience) override {
    if (auto got = frames_->acquire_within(frame_, patience); !got) return got;
    parse_with(frame_, out, &memo_);
    return {};
  }
  void last_without_old(Snapshot& out) override {
    RawFrame fresh = frame_;
    for (RawPart& part : fresh.parts)
      if (part.status != 0) part.bytes.clear();
    parse_frame(fresh, out);
  }
  void stop_waiting() override { frames_->stop_waiting(); }
  bool advance() override { return frames_->advance(); }
  void resume_events(const EventCursor& cursor) override { frames_->resume_events(cursor); }
  void want_object_handles(bool wanted) override { frames_->want_object_handles(wanted); }
  [[nodiscard]] bool is_live() const override { return frames_->is_live(); }

 private:
  std::unique_ptr<FrameSource> frames_;
  RawFrame frame_;
  linux::SlabMemo memo_;
};

}  // namespace

void parse_frame(const RawFrame& frame, Snapshot& out) { parse_with(frame, out, nullptr); }

void limit_by_settings(Snapshot& snapshot, std::span<const Setting> settings) {
  if (snapshot.system == System::kWindows) windows::limit_by_settings(snapshot, settings);
}

std::string system_words(const Snapshot& snapshot) {
  const bool is_windows = snapshot.system == System::kWindows;
  std::string words = is_windows ? "Windows" : "Linux";
  if (!snapshot.os) return words;
  if (is_windows) words += " " + snapshot.os->version;
  return words + " (" + snapshot.os->architecture + ")";
}

bool is_other_system(const Snapshot& one, const Snapshot& other) {
  return one.system != other.system || (one.os && other.os && system_words(one) != system_words(other));
}

std::unique_ptr<KernelSource> make_frame_backed_source(std::unique_ptr<FrameSource> frames) {
  return std::make_unique<FrameBackedSource>(std::move(frames));
}

}  // namespace kmem
