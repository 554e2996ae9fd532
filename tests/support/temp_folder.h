// A folder of its own for a test, gone with the test. Its path is UTF-8 and ends in a slash.
#pragma once

#include <filesystem>
#include <random>
#include <string>

namespace kmem::test {

class TempFolder {
 public:
  explicit TempFolder(const std::string& name = "kmem") {
    std::random_device random;
    const std::string unique = name + "-" + std::to_string(random()) + std::to_string(random());
    folder_ = std::filesystem::temp_directory_path() / std::u8string(unique.begin(), unique.end());
    std::filesystem::create_directories(folder_);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::string path() const {
    const std::u8string text = folder_.generic_u8string();
    return std::string(text.begin(), text.end()) + "/";
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace kmem::test
