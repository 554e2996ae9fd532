// What cannot be used of the files that drivers.* names, before the program runs with it. Thread: as `files`.
// Failure: that is what it tells.
#pragma once

#include <string>
#include <vector>

#include "collectors/base/file_io.h"
#include "config/config.h"

namespace kmem::drivers {

/// A sentence each, with the knob's name in front; empty: all are fine.
[[nodiscard]] std::vector<std::string> faults_of_named_files(const config::Drivers& drivers, base::FileSystem& files);

}  // namespace kmem::drivers
