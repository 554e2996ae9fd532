// Files that can be read and nothing else: what `top` looks at belongs to a running agent. Thread: as what it wraps.
// Failure: kPermission for all that would change something.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "collectors/base/file_io.h"

namespace kmem::top {

class ReadOnlyFiles final : public base::FileSystem {
 public:
  explicit ReadOnlyFiles(base::FileSystem& files) : files_(files) {}

  base::Result<std::unique_ptr<base::File>> open(const std::string& path, base::OpenMode mode) override {
    if (mode != base::OpenMode::kRead) return refused(path);
    return files_.open(path, mode);
  }
  base::Result<void> rename(const std::string& from, const std::string&) override { return refused(from); }
  base::Result<void> remove(const std::string& path) override { return refused(path); }
  base::Result<std::vector<std::string>> names(const std::string& folder, std::string_view prefix) override {
    return files_.names(folder, prefix);
  }
  base::Result<void> make_folder(const std::string& path) override { return refused(path); }
  base::Result<base::FileInfo> info(const std::string& path) override { return files_.info(path); }

 private:
  static base::Error refused(const std::string& path) { return {base::ErrorCode::kPermission, path + ": is only looked at"}; }

  base::FileSystem& files_;
};

}  // namespace kmem::top
