// Recorded answers of an NT kernel (fixtures/nt52-i386 and the format in its README) as RawFrames.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collectors/raw_frame.h"

namespace kmem::test {

/// Throws std::runtime_error on a file that is not a whole number of readings.
[[nodiscard]] std::vector<RawFrame> read_nt_frames(const std::string& gz_path, std::uint8_t pointer_bytes);

}  // namespace kmem::test
