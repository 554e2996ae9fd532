#include "collectors/drivers/image_tags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pe_bytes.h"

namespace kmem::drivers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ImageFile image(std::string path, std::vector<ImageTag> tags, bool loaded = false) {
  return {std::move(path), 100, 0, loaded, std::move(tags)};
}
ImageTag held(std::string_view text, Evidence evidence, std::uint16_t places = 1) { return {tag(text), evidence, places}; }

std::vector<std::string> holders(const ImageTags& tags, std::string_view text) {
  std::vector<std::string> names;
  for (const ImageTags::Holder& holder : tags.find(tag(text))) names.emplace_back(holder.image->name());
  return names;
}

TEST(ImageTags, BestEvidenceFirst) {
  const ImageTags tags(
      {image("/d/weak.sys", {held("Leak", Evidence::kData)}), image("/d/b.sys", {held("Leak", Evidence::kArgument, 2)}),
       image("/d/a.sys", {held("Leak", Evidence::kArgument, 2)}), image("/d/often.sys", {held("Leak", Evidence::kArgument, 9)}),
       image("C:\\d\\runs.sys", {held("Leak", Evidence::kArgument)}, true),
       image("/d/read.sys", {held("Leak", Evidence::kLoaded)})});
  EXPECT_THAT(holders(tags, "Leak"), ElementsAre("runs.sys", "often.sys", "a.sys", "b.sys", "read.sys", "weak.sys"));
  EXPECT_THAT(holders(tags, "leak"), IsEmpty());
}

TEST(ImageTags, AWordThatManyHoldWeaklyIsNobodys) {
  std::vector<ImageFile> images;
  for (const char* name : {"a", "b", "c"})
    images.push_back(image(name, {held("Word", Evidence::kData), held("Mark", Evidence::kImmediate)}));
  EXPECT_THAT(holders(ImageTags(images), "Word"), ElementsAre("a", "b", "c"));
  images.push_back(image("d", {held("Word", Evidence::kData), held("Mark", Evidence::kArgument)}));
  const ImageTags tags(images);
  EXPECT_THAT(holders(tags, "Word"), IsEmpty());
  EXPECT_THAT(holders(tags, "Mark"), ElementsAre("d", "a", "b", "c")) << "three are not many";
  EXPECT_THAT(tags.tags(), ElementsAre(tag("Mark")));
  images.push_back(image("e", {held("Mark", Evidence::kImmediate)}));
  EXPECT_THAT(holders(ImageTags(images), "Mark"), ElementsAre("d"));
}

TEST(ImageTags, ListedAsTheirTextIsSorted) {
  const ImageTags tags(
      {image("x", {held("aZZZ", Evidence::kArgument), held("Zaaa", Evidence::kArgument), held("ZaZa", Evidence::kArgument)})});
  EXPECT_THAT(tags.tags(), ElementsAre(tag("ZaZa"), tag("Zaaa"), tag("aZZZ")));
}

TEST(ImageTags, TextAndNumber) {
  std::uint32_t number = 0;
  EXPECT_TRUE(tag_of_text("Leak", number));
  EXPECT_EQ(number, 0x6B61654CU);
  EXPECT_EQ(text_of_tag(0x6B61654C), "Leak");
  EXPECT_FALSE(tag_of_text("Irp", number));
  EXPECT_FALSE(tag_of_text("T\\xff\\x01g", number));
}

}  // namespace
}  // namespace kmem::drivers
