#include "collectors/source.h"

#include <utility>

#include "collectors/linux/linux_parse.h"
#include "collectors/windows/windows_parse.h"

namespace kmem {

void parse_frame(const RawFrame& frame, Snapshot& out) {
  out.clear();
  out.system = frame.system;
  out.time = frame.time;
  switch (frame.system) {
    case System::kLinux: linux::parse_linux_frame(frame, out); break;
    case System::kWindows: windows::parse_windows_frame(frame, out); break;
  }
}

namespace {

class FrameBackedSource final : public KernelSource {
 public:
  explicit FrameBackedSource(std::unique_ptr<FrameSource> frames) : frames_(std::move(frames)) {}

  base::Result<void> read(Snapshot& out) override {
    if (auto got = frames_->acquire(frame_); !got) return got;
    parse_frame(frame_, out);
    return {};
  }
  bool advance() override { return frames_->advance(); }
  void resume_events(const EventCursor& cursor) override { frames_->resume_events(cursor); }
  [[nodiscard]] bool is_live() const override { return frames_->is_live(); }

 private:
  std::unique_ptr<FrameSource> frames_;
  RawFrame frame_;
};

}  // namespace

std::unique_ptr<KernelSource> make_frame_backed_source(std::unique_ptr<FrameSource> frames) {
  return std::make_unique<FrameBackedSource>(std::move(frames));
}

}  // namespace kmem
