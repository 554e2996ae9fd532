#include "exporter/agent/reading_log.h"

#include "collectors/base/log.h"

namespace kmem {
namespace {

void log_part(const PartStatus& part) {
  switch (part.state) {
    case PartState::kOk: return base::log_info("collector works", {{"collector", part.collector}});
    case PartState::kUnsupported:
      return base::log_info("not on this system", {{"collector", part.collector}, {"reason", part.reason}});
    case PartState::kPartial:
    case PartState::kFailed: break;
  }
  base::log_warn(part.state == PartState::kFailed ? "collector failed" : "collector skipped rows",
                 {{"collector", part.collector}, {"reason", part.reason}});
}

}  // namespace

void ReadingLog::note(const base::Result<void>& read, Snapshot& snapshot, std::chrono::nanoseconds now) {
  const std::string error = read ? std::string() : read.error().message;
  const bool changed = error != last_error_;
  last_error_ = error;
  if (const auto often = flapping_.told_late(now))
    base::log_warn("the kernel answers now and then only", {{"changes", std::to_string(*often)}, {"error", error}});
  if (changed && flapping_.changed(now)) {
    if (read) {
      base::log_info("the kernel answers again");
    } else {
      base::log_error("nothing can be read", {{"error", error}});
    }
  }
  if (read) note_parts(snapshot, now);
}

void ReadingLog::note_parts(Snapshot& snapshot, std::chrono::nanoseconds now) {
  for (PartStatus& part : snapshot.parts) {
    auto found = parts_.find(part.collector);
    if (found == parts_.end()) found = parts_.emplace(part.collector, Part()).first;
    Part& known = found->second;
    if (part.state == PartState::kOk || part.state == PartState::kPartial)
      known.last_success = part.time != 0 ? part.time : snapshot.time;
    part.last_success = known.last_success;
    if (const auto often = known.flapping.told_late(now))
      base::log_warn("collector goes to and fro", {{"collector", part.collector},
                                                   {"changes", std::to_string(*often)},
                                                   {"works_now", part.state == PartState::kFailed ? "false" : "true"}});
    if (known.state == part.state) continue;
    known.state = part.state;
    if (known.flapping.changed(now)) log_part(part);
  }
}

}  // namespace kmem
