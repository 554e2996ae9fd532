// Frames as both kernels give them, for the tests of this room.
#pragma once

#include <string>
#include <vector>

#include "collectors/raw_frame.h"
#include "collectors/replay/capture.h"
#include "tests/support/memory_files.h"

namespace kmem {

inline bool operator==(const RawPart& a, const RawPart& b) {
  return a.name == b.name && a.status == b.status && a.micros == b.micros && a.bytes == b.bytes;
}
inline bool operator==(const RawFrame& a, const RawFrame& b) {
  return a.system == b.system && a.pointer_bytes == b.pointer_bytes && a.page_bytes == b.page_bytes && a.time == b.time &&
         a.parts == b.parts;
}

namespace test {

inline RawFrame linux_frame(base::UnixMillis time) {
  RawFrame frame;
  frame.time = time;
  frame.parts = {{"proc/slabinfo", 0, 812, "slabinfo - version: 2.1\n" + std::to_string(time) + "\n"},
                 {"proc/vmallocinfo", 13, 0, ""}};
  return frame;
}

inline RawFrame windows_frame(base::UnixMillis time) {
  RawFrame frame;
  frame.system = System::kWindows;
  frame.pointer_bytes = 4;
  frame.page_bytes = 8192;
  frame.time = time;
  frame.parts = {{"nt/22", 0, 3, std::string("\x02\0\0\0Even", 8)}, {"nt/255", 0xc0000003, 1, ""}};
  return frame;
}

/// The capture's bytes with those frames.
inline std::string capture_of(const std::vector<RawFrame>& frames) {
  MemoryFiles files;
  auto writer = replay::CaptureWriter::open(files, "c");
  for (const RawFrame& frame : frames)
    if (!writer || !writer->append(frame)) return "broken";
  return *files.get("c");
}

struct ReadBack {
  std::vector<RawFrame> frames;
  std::string error;
};

inline ReadBack read_back(std::string bytes) {
  MemoryFiles files;
  files.put("c", std::move(bytes));
  auto reader = replay::CaptureReader::open(files, "c");
  if (!reader) return {{}, reader.error().message};
  ReadBack found;
  for (;;) {
    RawFrame frame;
    const auto more = reader->next(frame);
    if (!more) found.error = more.error().message;
    if (!more || !*more) return found;
    found.frames.push_back(frame);
  }
}

}  // namespace test
}  // namespace kmem
