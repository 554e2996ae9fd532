// What `attribute` found, as text for people and as JSON. Pure. Thread: any. Failure: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collectors/drivers/attribution.h"
#include "collectors/drivers/image_survey.h"
#include "collectors/drivers/image_tags.h"
#include "collectors/snapshot.h"

namespace kmem {

struct DriverReport {
  struct Row {
    std::string tag;
    std::optional<Pool> pool;                         // of a live system's tags
    std::vector<drivers::ImageTags::Holder> holders;  // images that hold it, best first
    std::vector<drivers::Candidate> known;            // by pooltag.txt, table or module; not the images
  };
  std::vector<Row> rows;
  std::optional<std::uint64_t> images;  // searched; none: no search
  std::uint64_t image_bytes = 0;
  std::vector<drivers::SkippedImage> skipped;
};

/// Of images; every tag found, or only those asked for, also when nobody holds them.
[[nodiscard]] DriverReport report_on_images(const drivers::ImageTags& images, const drivers::Attribution& known,
                                            const std::vector<std::string>& only_tags);
/// Of a live system's tags, as far as somebody is known.
[[nodiscard]] DriverReport report_on_tags(const Snapshot& snapshot, const drivers::Attribution& known,
                                          const std::vector<std::string>& only_tags);

[[nodiscard]] std::string driver_report_text(const DriverReport& report);
[[nodiscard]] std::string driver_report_json(const DriverReport& report);

}  // namespace kmem
