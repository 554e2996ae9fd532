#include "collectors/replay/replay_source.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "collectors/base/log.h"
#include "collectors/replay/capture.h"

namespace kmem::replay {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

/// Of a reader that has met an error.
bool resume_at_whole_frame(CaptureReader& reader) {
  const auto passed = reader.resume();
  return passed && passed->frame_follows;
}

/// False: there is none. An Error: none either, and the first that stood in the way.
Result<bool> first_whole_frame(CaptureReader& reader, RawFrame& frame) {
  auto first = reader.next(frame);
  if (first) return first;
  for (auto more = first; !more;) {
    if (more.error().code != ErrorCode::kMalformed || !resume_at_whole_frame(reader)) return first;
    more = reader.next(frame);
    if (more && *more) return true;
  }
  return first;
}

class ReplayFrames final : public FrameSource {
 public:
  ReplayFrames(base::FileSystem& files, std::vector<std::string> paths) : files_(files), paths_(std::move(paths)) {}

  Result<void> acquire(RawFrame& frame) override {
    frame = current_;
    return {};
  }

  bool advance() override {
    for (;;) {
      if (!reader_ && !open_next()) return false;
      auto more = reader_->next(next_);
      if (more && *more) {
        std::swap(current_, next_);
        return true;
      }
      const bool goes_on = !more && resume_at_whole_frame(*reader_);
      if (!more)
        base::log_warn(goes_on ? "recording is damaged, the whole frames around that are used"
                               : "recording is damaged, the frames before that are used",
                       {{"error", more.error().message}});
      if (!goes_on) reader_.reset();
    }
  }

 private:
  bool open_next() {
    while (at_ < paths_.size()) {
      auto opened = CaptureReader::open(files_, paths_[at_++]);
      if (opened) {
        reader_.emplace(std::move(*opened));
        return true;
      }
      base::log_warn("recording can no longer be read", {{"error", opened.error().message}});
    }
    return false;
  }

  base::FileSystem& files_;
  std::vector<std::string> paths_;
  std::size_t at_ = 0;
  std::optional<CaptureReader> reader_;
  RawFrame current_;
  RawFrame next_;
};

struct Beginning {
  base::UnixMillis time = 0;
  std::string path;
};

}  // namespace

Result<std::unique_ptr<FrameSource>> make_replay_frames(base::FileSystem& files, const std::vector<std::string>& paths) {
  std::vector<Beginning> usable;
  std::string reasons;
  RawFrame frame;
  for (const std::string& path : paths) {
    auto reader = CaptureReader::open(files, path);
    if (!reader) {
      if (reader.error().code != ErrorCode::kMalformed) return reader.error();
    } else if (const auto first = first_whole_frame(*reader, frame); first && *first) {
      usable.push_back({frame.time, path});
      continue;
    } else {
      reader = first ? Error{ErrorCode::kMalformed, path + ": no frames yet"} : first.error();
    }
    base::log_warn("recording is left out", {{"error", reader.error().message}});
    if (reasons.empty()) reasons = reader.error().message;
  }
  if (usable.empty())
    return Error{ErrorCode::kMalformed, "nothing to replay: " + (reasons.empty() ? "no file is named" : reasons)};
  std::stable_sort(usable.begin(), usable.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
  std::vector<std::string> in_order;
  in_order.reserve(usable.size());
  for (Beginning& one : usable) in_order.push_back(std::move(one.path));
  auto source = std::make_unique<ReplayFrames>(files, std::move(in_order));
  if (!source->advance()) return Error{ErrorCode::kIo, "nothing to replay: the files changed while they were read"};
  return std::unique_ptr<FrameSource>(std::move(source));
}

}  // namespace kmem::replay
