// The recorded NT readings as a capture, for tests of the shipped program: nt_capture FRAMES_GZ CAPTURE
#include <cstdio>
#include <exception>

#include "collectors/base/file_io.h"
#include "collectors/replay/capture.h"
#include "tests/support/nt_frames.h"

int main(int argc, char** argv) try {
  if (argc != 3) return 2;
  auto capture = kmem::replay::CaptureWriter::open(kmem::base::os_file_system(), argv[2]);
  if (!capture) {
    std::fprintf(stderr, "%s\n", capture.error().message.c_str());
    return 1;
  }
  for (const kmem::RawFrame& frame : kmem::test::read_nt_frames(argv[1], 4)) {
    if (const auto put = capture->append(frame); !put) {
      std::fprintf(stderr, "%s\n", put.error().message.c_str());
      return 1;
    }
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
