#include "collectors/drivers/named_files.h"

#include <utility>

#include "collectors/drivers/image_survey.h"
#include "collectors/drivers/leak_signatures.h"
#include "collectors/drivers/pooltag_text.h"

namespace kmem::drivers {
namespace {

/// What Notepad calls Unicode.
bool is_utf16(const std::string& text) { return text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"); }

constexpr const char* kUtf16 = ": is UTF-16; save it as UTF-8 or ANSI";

}  // namespace

std::vector<std::string> faults_of_named_files(const config::Drivers& drivers, base::FileSystem& files) {
  std::vector<std::string> faults;
  if (const std::string& path = drivers.pooltag_file; !path.empty()) {
    auto text = base::read_file(files, path, PoolTagText::kMaxBytes);
    if (!text) faults.push_back("drivers.pooltag_file: " + text.error().message);
    else if (is_utf16(*text)) faults.push_back("drivers.pooltag_file: " + path + kUtf16);
    else if (PoolTagText(std::move(*text)).size() == 0)
      faults.push_back("drivers.pooltag_file: " + path + ": no line is TAG - binary - description");
  }
  if (const std::string& path = drivers.leak_signatures_file; !path.empty()) {
    auto text = base::read_file(files, path, PoolTagText::kMaxBytes);
    if (!text) {
      faults.push_back("drivers.leak_signatures_file: " + text.error().message);
    } else if (is_utf16(*text)) {
      faults.push_back("drivers.leak_signatures_file: " + path + kUtf16);
    } else if (const LeakSignatures table(std::move(*text)); table.skipped() > 0) {
      faults.push_back("drivers.leak_signatures_file: " + path + ": expected TAG - driver - versions - words in " +
                       table.skipped_lines() +
                       "; versions are any, 5.1.3 or 5.0..5.1.3 (the lower first), a hyphen has a blank on both sides, "
                       "comments begin with //");
    }
  }
  for (const std::string& folder : drivers.folders)
    if (const auto images = images_in_folder(files, folder); !images)
      faults.push_back("drivers.folders: " + images.error().message);
  return faults;
}

}  // namespace kmem::drivers
