// links: kmem_drivers
// Any bytes as what an earlier search of driver images has kept: refused with a reason, or taken up and kept the same.
#include "collectors/drivers/image_survey.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kmem;
  const auto require = [](bool holds) {
    if (!holds) std::abort();
  };
  const base::SystemClock clock;
  drivers::ImageSurvey survey(base::os_file_system(), clock);
  const auto taken = survey.load(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!taken) {
    require(!taken.error().message.empty() && survey.save().size() == 1);
    return 0;
  }
  const std::string kept = survey.save();
  drivers::ImageSurvey again(base::os_file_system(), clock);
  require(again.load(kept).ok());
  require(again.save().size() == kept.size());
  return 0;
}
