// Files of the system on storage that hangs when a test says so.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "collectors/base/file_io.h"

namespace kmem::http {

/// The system's, until it is told to hang.
class HangingFiles final : public base::FileSystem {
 public:
  base::Result<std::unique_ptr<base::File>> open(const std::string& path, base::OpenMode mode) override {
    while (hangs) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return base::os_file_system().open(path, mode);
  }
  base::Result<void> rename(const std::string&, const std::string&) override { return none(); }
  base::Result<void> remove(const std::string&) override { return none(); }
  base::Result<std::vector<std::string>> names(const std::string&, std::string_view) override { return none(); }
  base::Result<void> make_folder(const std::string&) override { return none(); }

  std::atomic<bool> hangs = false;

 private:
  static base::Error none() { return {base::ErrorCode::kUnsupported, "not here"}; }
};

}  // namespace kmem::http
