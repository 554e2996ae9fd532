#include "collectors/drivers/image_survey.h"

#include <algorithm>
#include <cctype>
#include <span>
#include <unordered_set>
#include <utility>

#include "collectors/base/wire.h"
#include "collectors/drivers/image_scan.h"
#include "collectors/drivers/image_version.h"

namespace kmem::drivers {
namespace {

constexpr std::size_t kMaxPathBytes = 4096;

bool has_image_name(std::string_view name) {
  if (name.size() <= 4) return false;
  std::string ending(name.substr(name.size() - 4));
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".sys" || ending == ".exe" || ending == ".dll";
}

std::string reason_of(const base::Error& error, const std::string& path) {
  std::string_view message = error.message;
  if (message.starts_with(path + ": ")) message.remove_prefix(path.size() + 2);
  return std::string(message);
}

}  // namespace

Survey ImageSurvey::run(const std::vector<WantedImage>& wanted, const SurveyLimits& limits, const Pace& pace) {
  Survey out;
  std::unordered_set<std::string> seen;
  for (const WantedImage& want : wanted) {
    if (!seen.insert(want.path).second) continue;
    if (seen.size() > limits.files) {
      out.complete = false;
      break;
    }
    const auto info = files_.info(want.path);
    if (!info) {
      out.skipped.push_back({want.path, reason_of(info.error(), want.path)});
      continue;
    }
    ImageFile image{want.path, info->size_bytes, info->modified, want.loaded, {}, 0};
    if (const auto old = known_.find(want.path);
        old != known_.end() && old->second.size_bytes == image.size_bytes && old->second.modified == image.modified) {
      image.tags = old->second.tags;
      image.version = old->second.version;
      out.images.push_back(std::move(image));
      continue;
    }
    if (out.read_bytes + info->size_bytes > limits.read_bytes) {
      out.skipped.push_back({want.path, "too many bytes to read at once"});
      out.complete = false;
      continue;
    }
    const auto begun = clock_.steady();
    // Also of what has no size, such as a pipe, no more is read than this.
    auto content = base::read_file(files_, want.path, kMaxImageBytes);
    if (!content) {
      out.skipped.push_back({want.path, reason_of(content.error(), want.path)});
      continue;
    }
    out.read_bytes += content->size();
    ++out.scanned;
    image.version = file_version(std::as_bytes(std::span(*content))).value_or(0);
    auto tags = scan_image(std::as_bytes(std::span(*content)));
    content = base::Result<std::string>(std::string());  // the memory is given back before any pause
    if (tags) {
      image.tags = std::move(*tags);
      known_[want.path] = image;
      out.images.push_back(std::move(image));
    } else {
      out.skipped.push_back({want.path, tags.error().message});
    }
    if (!pace(clock_.steady() - begun)) {
      out.complete = false;
      break;
    }
  }
  if (out.complete) std::erase_if(known_, [&seen](const auto& entry) { return !seen.contains(entry.first); });
  return out;
}

Survey ImageSurvey::known(const std::vector<WantedImage>& wanted, const SurveyLimits& limits) {
  Survey out;
  std::unordered_set<std::string> seen;
  for (const WantedImage& want : wanted) {
    const auto old = known_.find(want.path);
    if (old == known_.end() || seen.size() == limits.files || !seen.insert(want.path).second) continue;
    const auto info = files_.info(want.path);
    if (!info || info->size_bytes != old->second.size_bytes || info->modified != old->second.modified) continue;
    out.images.push_back(old->second);
    out.images.back().loaded = want.loaded;
  }
  return out;
}

std::string ImageSurvey::save() const {
  std::string out;
  base::WireWriter writer(out);
  writer.varint(known_.size());
  for (const auto& [path, image] : known_) {
    writer.string(path);
    writer.varint(image.size_bytes);
    writer.fixed(image.modified);
    writer.fixed(image.version);
    writer.varint(image.tags.size());
    for (const ImageTag& tag : image.tags) {
      writer.fixed(tag.tag);
      writer.fixed(static_cast<std::uint8_t>(tag.evidence));
      writer.varint(tag.places);
    }
  }
  return out;
}

base::Result<void> ImageSurvey::load(std::string_view payload) {
  base::WireReader reader(payload);
  std::unordered_map<std::string, ImageFile> loaded;
  const std::size_t images = reader.count(19, SurveyLimits{}.files);
  for (std::size_t i = 0; i < images; ++i) {
    ImageFile image;
    image.path = reader.string(kMaxPathBytes);
    image.size_bytes = reader.varint();
    image.modified = reader.fixed<base::UnixMillis>();
    image.version = reader.fixed<FileVersion>();
    image.tags.resize(reader.count(6, kMaxTagsPerImage));
    for (ImageTag& tag : image.tags) {
      tag.tag = reader.fixed<std::uint32_t>();
      const auto evidence = reader.fixed<std::uint8_t>();
      const std::uint64_t places = reader.varint();
      if (evidence < static_cast<std::uint8_t>(Evidence::kData) || evidence > static_cast<std::uint8_t>(Evidence::kArgument) ||
          places > UINT16_MAX)
        return base::Error{base::ErrorCode::kMalformed, "a tag of " + image.path + " cannot be"};
      tag.evidence = static_cast<Evidence>(evidence);
      tag.places = static_cast<std::uint16_t>(places);
    }
    loaded.insert_or_assign(image.path, std::move(image));
  }
  if (auto whole = reader.finish(); !whole) return whole;
  known_ = std::move(loaded);
  return {};
}

base::Result<std::vector<std::string>> images_in_folder(base::FileSystem& files, const std::string& folder) {
  auto names = files.names(folder, "");
  if (!names) return names.error();
  std::erase_if(*names, [](const std::string& name) { return !has_image_name(name); });
  std::sort(names->begin(), names->end());
  const bool has_end = folder.ends_with('/') || folder.ends_with('\\');
  for (std::string& name : *names) name = folder + (has_end ? "" : "/") + name;
  // Nobody may ever write into a pipe that lies there.
  std::erase_if(*names, [&files](const std::string& path) {
    const auto info = files.info(path);
    return info && info->is_pipe;
  });
  return names;
}

}  // namespace kmem::drivers
