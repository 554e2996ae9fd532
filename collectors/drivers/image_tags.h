// What a scan of driver images found: tag -> images that hold it, with how good the evidence is.
// Thread: immutable once made. Failure: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/drivers/image_version.h"

namespace kmem::drivers {

/// From weak to strong. In x86 code a tag is an ordinary constant, so what is done with it tells.
enum class Evidence : std::uint8_t {
  kData = 1,       // a constant of its own among data, in no text
  kImmediate = 2,  // put into a register, a field or a local variable
  kLoaded = 3,     // a constant among data that code reads as a number
  kArgument = 4,   // handed to a call
};
[[nodiscard]] std::string_view evidence_name(Evidence evidence);

struct ImageTag {
  std::uint32_t tag = 0;  // little-endian: its bytes in memory are the tag's text
  Evidence evidence = Evidence::kData;
  std::uint16_t places = 0;

  bool operator==(const ImageTag&) const = default;
};

struct ImageFile {
  std::string path;
  std::uint64_t size_bytes = 0;
  base::UnixMillis modified = 0;
  bool loaded = false;         // the kernel says that it runs
  std::vector<ImageTag> tags;  // sorted by tag
  FileVersion version = 0;     // of its version resource; 0: it has none

  [[nodiscard]] std::string_view name() const;  // without folders

  bool operator==(const ImageFile&) const = default;
};

/// Four characters of text for what a kernel would show as this tag; nothing for other lengths, or \xNN.
[[nodiscard]] bool tag_of_text(std::string_view text, std::uint32_t& tag);
[[nodiscard]] std::string text_of_tag(std::uint32_t tag);

class ImageTags {
 public:
  struct Holder {
    const ImageFile* image = nullptr;
    ImageTag tag;
  };

  explicit ImageTags(std::vector<ImageFile> images);
  ImageTags(const ImageTags&) = delete;
  ImageTags& operator=(const ImageTags&) = delete;

  /// Best first: by evidence, then what runs, then in how many places, then by name. A tag that many images hold only
  /// weakly (a word of data, a number) is held by none of those.
  [[nodiscard]] std::vector<Holder> find(std::uint32_t tag) const;
  [[nodiscard]] const std::vector<ImageFile>& images() const { return images_; }
  /// Every tag that find() has an answer for, sorted by text.
  [[nodiscard]] std::vector<std::uint32_t> tags() const;

 private:
  std::vector<ImageFile> images_;
  std::unordered_map<std::uint32_t, std::vector<Holder>> holders_;
};

}  // namespace kmem::drivers
