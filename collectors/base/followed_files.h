// Files that are read again while the program runs, such as its configuration. A pipe in their place is refused: reading
// it may never end, or give nothing, and an empty configuration is a legal one.
// Thread: as what it wraps. Failure: kInvalid.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "collectors/base/file_io.h"

namespace kmem::base {

class FollowedFiles final : public FileSystem {
 public:
  explicit FollowedFiles(FileSystem& files) : files_(files) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    if (const auto is = files_.info(path); is && is->is_pipe)
      return Error{ErrorCode::kInvalid, path + ": is a pipe, which does not answer a second time; a file is wanted"};
    return files_.open(path, mode);
  }
  Result<void> rename(const std::string& from, const std::string& to) override { return files_.rename(from, to); }
  Result<void> remove(const std::string& path) override { return files_.remove(path); }
  Result<std::vector<std::string>> names(const std::string& folder, std::string_view prefix) override {
    return files_.names(folder, prefix);
  }
  Result<void> make_folder(const std::string& path) override { return files_.make_folder(path); }
  Result<OutputPlace> place_of(const std::string& path) override { return files_.place_of(path); }
  Result<FileInfo> info(const std::string& path) override { return files_.info(path); }

 private:
  FileSystem& files_;
};

}  // namespace kmem::base
