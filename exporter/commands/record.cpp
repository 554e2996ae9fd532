#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "collectors/base/log.h"
#include "collectors/make_source.h"
#include "collectors/replay/capture.h"
#include "collectors/source.h"
#include "exporter/commands/commands.h"
#include "exporter/service/signals.h"

namespace kmem {

namespace {

/// Of the capture that is there already, if it has a whole one.
std::optional<RawFrame> first_frame(base::FileSystem& files, const std::string& path) {
  auto reader = replay::CaptureReader::open(files, path);
  RawFrame frame;
  if (!reader) return std::nullopt;
  const auto more = reader->next(frame);
  return more && *more ? std::optional(std::move(frame)) : std::nullopt;
}

std::string kernel_words(const RawFrame& frame, const Snapshot& snapshot) {
  return system_words(snapshot) + ", " + std::to_string(8 * frame.pointer_bytes) + " bit, pages of " +
         std::to_string(frame.page_bytes) + " bytes";
}

/// Empty: `now` may go on with what `before` began.
std::string difference(const RawFrame& before, const RawFrame& now) {
  Snapshot there, here;
  parse_frame(before, there);
  parse_frame(now, here);
  if (!is_other_system(there, here) && before.pointer_bytes == now.pointer_bytes && before.page_bytes == now.page_bytes)
    return {};
  return "it is of " + kernel_words(before, there) + "; this is " + kernel_words(now, here) +
         ". Another system's capture is not gone on with: give --output another name";
}

}  // namespace

int record(const Options& options, Environment& environment) {
  const auto resolved = resolve_or_explain(options, environment);
  if (!resolved) return kExitUnusable;
  auto frames = make_frames(resolved->config.source, environment.clock);
  if (!frames) {
    base::log_error("no source", {{"error", frames.error().message}});
    return kExitUnusable;
  }
  service::Signals signals;  // from here on there is a capture to end well
  std::optional<RawFrame> before = first_frame(environment.files, options.output);
  auto capture = replay::CaptureWriter::open(environment.files, options.output);
  if (!capture) {
    base::log_error("the capture cannot be written", {{"error", capture.error().message}});
    return capture.error().code == base::ErrorCode::kMalformed ? kExitUnusable : kExitFailed;
  }
  base::log_info("recording", {{"path", options.output},
                               {"frames_before", std::to_string(capture->frames_found())},
                               {"torn_bytes_cut", std::to_string(capture->torn_bytes_cut())}});

  (*frames)->want_object_handles(true);
  RawFrame frame;
  std::uint64_t written = 0;
  bool complete = true;
  std::set<std::string> silent;
  const auto start = environment.clock.steady();
  auto due = start;
  while (true) {
    if (const auto got = (*frames)->acquire(frame); !got) {
      base::log_error("the kernel cannot be read", {{"error", got.error().message}});
      return kExitFailed;
    }
    for (const RawPart& part : frame.parts) {
      if (frame.repeated || (part.status == no_answer(frame.system) && silent.insert(part.name).second)) {
        base::log_error("the kernel does not answer", {{"part", part.name}});
        complete = false;
        if (frame.repeated) break;
      }
    }
    if (frame.repeated) return kExitFailed;
    if (before)
      if (const std::string other = difference(*before, frame); !other.empty()) {
        base::log_error("the capture is not continued", {{"path", options.output}, {"error", other}});
        return kExitUnusable;
      }
    before.reset();
    if (const auto put = capture->append(frame); !put) {
      base::log_error("the capture cannot be written", {{"error", put.error().message}});
      return kExitFailed;
    }
    ++written;
    due += options.record_interval;
    if (options.record_duration && due - start > *options.record_duration) break;
    // A replayed capture as source ends by itself; a live kernel never does.
    if (!(*frames)->advance()) break;
    bool stopped = false;
    while (!stopped && environment.clock.steady() < due) {
      const auto left = due - environment.clock.steady();
      stopped = signals.wait(std::chrono::ceil<std::chrono::milliseconds>(left)) == service::Event::kStop;
    }
    if (stopped) break;
  }
  base::log_info(
      "recorded",
      {{"path", options.output}, {"frames", std::to_string(written)}, {"size_bytes", std::to_string(capture->size_bytes())}});
  return complete ? kExitFine : kExitFailed;
}

}  // namespace kmem
