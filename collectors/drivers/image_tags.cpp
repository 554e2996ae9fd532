#include "collectors/drivers/image_tags.h"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

#include "collectors/base/label_text.h"

namespace kmem::drivers {
namespace {

/// What more images than this hold without handing it to a call is a word of their trade, not a tag.
constexpr std::ptrdiff_t kMostWeakHolders = 3;

}  // namespace

std::string_view evidence_name(Evidence evidence) {
  switch (evidence) {
    case Evidence::kData: return "data";
    case Evidence::kImmediate: return "immediate";
    case Evidence::kLoaded: return "loaded";
    case Evidence::kArgument: break;
  }
  return "argument";
}

std::string_view ImageFile::name() const { return std::string_view(path).substr(path.find_last_of("/\\") + 1); }

bool tag_of_text(std::string_view text, std::uint32_t& tag) {
  if (text.size() != sizeof tag) return false;
  std::memcpy(&tag, text.data(), sizeof tag);
  return true;
}

std::string text_of_tag(std::uint32_t tag) {
  char raw[sizeof tag];
  std::memcpy(raw, &tag, sizeof tag);
  return base::label_text(std::string_view(raw, sizeof raw));
}

ImageTags::ImageTags(std::vector<ImageFile> images) : images_(std::move(images)) {
  for (const ImageFile& image : images_)
    for (const ImageTag& tag : image.tags) holders_[tag.tag].push_back({&image, tag});
  for (auto at = holders_.begin(); at != holders_.end();) {
    std::vector<Holder>& holders = at->second;
    const auto is_weak = [](const Holder& holder) {
      return holder.tag.evidence == Evidence::kData || holder.tag.evidence == Evidence::kImmediate;
    };
    if (std::count_if(holders.begin(), holders.end(), is_weak) > kMostWeakHolders) std::erase_if(holders, is_weak);
    std::sort(holders.begin(), holders.end(), [](const Holder& a, const Holder& b) {
      return std::tuple(b.tag.evidence, b.image->loaded, b.tag.places, a.image->name(), std::string_view(a.image->path)) <
             std::tuple(a.tag.evidence, a.image->loaded, a.tag.places, b.image->name(), std::string_view(b.image->path));
    });
    at = holders.empty() ? holders_.erase(at) : std::next(at);
  }
}

std::vector<ImageTags::Holder> ImageTags::find(std::uint32_t tag) const {
  const auto found = holders_.find(tag);
  return found == holders_.end() ? std::vector<Holder>() : found->second;
}

std::vector<std::uint32_t> ImageTags::tags() const {
  std::vector<std::uint32_t> all;
  all.reserve(holders_.size());
  for (const auto& [tag, holders] : holders_) all.push_back(tag);
  const auto as_text = [](std::uint32_t tag) {
    return (tag << 24) | ((tag & 0xFF00) << 8) | ((tag >> 8) & 0xFF00) | (tag >> 24);
  };
  std::sort(all.begin(), all.end(), [&](std::uint32_t a, std::uint32_t b) { return as_text(a) < as_text(b); });
  return all;
}

}  // namespace kmem::drivers
