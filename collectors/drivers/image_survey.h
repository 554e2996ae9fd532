// Driver images on disk -> ImageTags, file by file, remembering what was found in files that have not changed (path,
// size and time of change). Bounded in files, bytes and time; a pace decides how fast it may go.
// Thread: one. Failure: a file that cannot be used is listed with its reason and passed over.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/file_io.h"
#include "collectors/base/result.h"
#include "collectors/drivers/image_tags.h"

namespace kmem::drivers {

struct WantedImage {
  std::string path;
  bool loaded = false;
};

struct SkippedImage {
  std::string path;
  std::string reason;
};

struct SurveyLimits {
  std::size_t files = 4096;
  std::uint64_t read_bytes = std::uint64_t{2} << 30;
};

struct Survey {
  std::vector<ImageFile> images;
  std::vector<SkippedImage> skipped;
  std::uint64_t read_bytes = 0;
  std::uint64_t scanned = 0;  // not known from before
  bool complete = true;       // false: stopped by the pace or a limit
};

class ImageSurvey {
 public:
  static constexpr std::uint32_t kStateVersion = 4;  // of the notation and of what a scan sees
  /// Called after each file that was read, with the time that it took; false stops the survey.
  using Pace = std::function<bool(std::chrono::nanoseconds worked)>;

  ImageSurvey(base::FileSystem& files, const base::Clock& clock) : files_(files), clock_(clock) {}

  /// Each path once. What is no longer wanted is forgotten, unless the survey was stopped.
  [[nodiscard]] Survey run(const std::vector<WantedImage>& wanted, const SurveyLimits& limits, const Pace& pace);
  /// Only what is known from before and has not changed.
  [[nodiscard]] Survey known(const std::vector<WantedImage>& wanted, const SurveyLimits& limits);

  [[nodiscard]] std::string save() const;
  [[nodiscard]] base::Result<void> load(std::string_view payload);

 private:
  base::FileSystem& files_;
  const base::Clock& clock_;
  std::unordered_map<std::string, ImageFile> known_;  // by path
};

/// The folder's program images, sorted: *.sys, *.exe, *.dll; no pipes.
[[nodiscard]] base::Result<std::vector<std::string>> images_in_folder(base::FileSystem& files, const std::string& folder);

}  // namespace kmem::drivers
