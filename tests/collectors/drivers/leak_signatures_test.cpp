#include "collectors/drivers/leak_signatures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectors/drivers/attribution.h"
#include "collectors/drivers/image_tags.h"
#include "collectors/drivers/named_files.h"
#include "tests/support/memory_files.h"

namespace kmem::drivers {
namespace {

/// A version resource as it lies in a file, 4-aligned.
std::string version_resource(std::uint32_t high, std::uint32_t low, bool with_head = true) {
  std::string out;
  const auto put16 = [&out](unsigned value) { out += {static_cast<char>(value & 255), static_cast<char>(value >> 8 & 255)}; };
  const auto put32 = [&](std::uint32_t value) { put16(value & 0xFFFF), put16(value >> 16); };
  put16(600), put16(52), put16(0);
  for (const char c : std::string(with_head ? "VS_VERSION_INFO" : "VS_VERSION_INFX")) put16(static_cast<unsigned char>(c));
  put16(0), put16(0);
  put32(0xFEEF04BD), put32(0x00010000), put32(high), put32(low);
  out.append(36, 'x');
  return out;
}

std::optional<FileVersion> version_of(const std::string& file) { return file_version(std::as_bytes(std::span(file))); }

TEST(FileVersions, AreReadBehindTheirHeadAndNowhereElse) {
  const std::string mz(256, 'M');
  EXPECT_EQ(version_text(version_of(mz + version_resource(0x00050001, 0x00030190)).value()), "5.1.3.400");
  EXPECT_EQ(version_of(mz), std::nullopt);
  EXPECT_EQ(version_of(mz + version_resource(0x00050001, 3, false)), std::nullopt);
  EXPECT_EQ(version_of(mz + version_resource(0, 0)), std::nullopt);
  // The same one twice is one; two that differ are none.
  EXPECT_EQ(version_of(version_resource(0x10000, 0) + version_resource(0x10000, 0)), parse_version("1"));
  EXPECT_EQ(version_of(version_resource(0x10000, 0) + version_resource(0x20000, 0)), std::nullopt);
  const std::string whole = version_resource(0x10000, 0);
  EXPECT_EQ(version_of(whole.substr(0, 50)), std::nullopt);
}

TEST(FileVersions, OneToFourNumbers) {
  EXPECT_EQ(parse_version("5.1.3.400"), FileVersion{0x0005000100030190});
  EXPECT_EQ(parse_version("5.1"), FileVersion{0x0005000100000000});
  EXPECT_EQ(parse_version("5.1", 0xFFFF), FileVersion{0x00050001FFFFFFFF});
  for (const char* const wrong : {"", ".", "5.", "5.1.3.4.5", "a", "5.x", "65536", "-1", "5 1"})
    EXPECT_EQ(parse_version(wrong), std::nullopt) << wrong;
}

TEST(LeakSignatures, RowsRangesAndWhatIsNone) {
  const LeakSignatures table(
      "// comment\n\nrem another\n"
      "Abcd - abc.sys - any - words - with a dash\r\n"
      "Ver1 - v.sys - 5.0..5.1 - range\n"
      "Ver2 - v.sys - ..2.3 - to\n"
      "Ver3 - v.sys - 2.3.. - from\n"
      "Ver4 - v.sys - 2.3 - one\n"
      "Fsb - f.sys - any - a tag of three\n"
      "Bad1 - v.sys - 5..4 - backwards\n"
      "Bad2 - v.sys - - words\n"
      "Bad3 - v.sys - any\n"
      "Bad4 - v.sys - .. - nothing\n"
      "Bad5 - <unknown> - any - nobody\n"
      "Bad6\n");
  EXPECT_EQ(table.size(), 6U);
  EXPECT_EQ(table.skipped(), 6U);
  EXPECT_EQ(table.skipped_lines(), "lines 10, 11, 12, 13, 14 and 15");
  ASSERT_EQ(table.find("Abcd").size(), 1U);
  EXPECT_EQ(table.find("Abcd")[0].driver, "abc.sys");
  EXPECT_EQ(table.find("Abcd")[0].words, "words - with a dash");
  EXPECT_TRUE(table.find("Abcd")[0].has(0));
  EXPECT_EQ(table.find("Fsb ").size(), 1U);
  EXPECT_TRUE(table.find("Bad1").empty());
  const auto has = [&table](const char* tag, const char* version) {
    return table.find(tag).at(0).has(parse_version(version).value());
  };
  EXPECT_TRUE(has("Ver1", "5.0"));
  EXPECT_TRUE(has("Ver1", "5.1.65535.1"));
  EXPECT_FALSE(has("Ver1", "5.2"));
  EXPECT_FALSE(has("Ver1", "4.65535"));
  EXPECT_TRUE(has("Ver2", "2.3.9"));
  EXPECT_FALSE(has("Ver2", "2.4"));
  EXPECT_TRUE(has("Ver3", "9.9"));
  EXPECT_FALSE(has("Ver3", "2.2"));
  EXPECT_TRUE(has("Ver4", "2.3.7"));
  EXPECT_FALSE(has("Ver4", "2.4"));
  EXPECT_FALSE(table.find("Ver4")[0].has(0)) << "not known is in no range";
}

TEST(LeakSignatures, EveryRowThatMatchesIsFoundInTheFilesOrder) {
  const LeakSignatures table(
      "Th?? - a.sys - any - first\n"
      "Thre - b.sys - any - second\n"
      "???? - c.sys - any - third\n"
      "Even - d.sys - any - fourth\n"
      "Th?? - e.sys - 5..4 - backwards\n");
  const auto words = [&table](std::string_view tag) {
    std::vector<std::string> all;
    for (const LeakSignatures::Row& row : table.find(tag)) all.emplace_back(row.words);
    return all;
  };
  EXPECT_THAT(words("Thre"), testing::ElementsAre("first", "second", "third"));
  EXPECT_THAT(words("Thxx"), testing::ElementsAre("first", "third"));
  EXPECT_THAT(words("Even"), testing::ElementsAre("third", "fourth"));
  EXPECT_THAT(words("Eve"), testing::IsEmpty());
  EXPECT_EQ(table.size(), 4U);
  EXPECT_EQ(table.skipped(), 1U);
}

ImageFile image(const std::string& path, bool loaded, const char* version) {
  ImageFile out;
  out.path = path;
  out.loaded = loaded;
  if (*version != 0) out.version = parse_version(version).value();
  return out;
}

class KnownLeaksTest : public testing::Test {
 protected:
  void images(std::vector<ImageFile> all) { known_.use(std::make_shared<const ImageTags>(std::move(all))); }
  void table(const std::string& text) { known_.use(std::make_shared<const LeakSignatures>(text)); }
  std::vector<std::string> found(Pool pool, std::string_view tag) {
    std::vector<std::string> all;
    for (const KnownLeak& leak : known_.known_leaks(pool, tag))
      all.push_back(leak.driver + " " + leak.version + ": " + leak.words);
    return all;
  }
  Attribution known_;
};

TEST_F(KnownLeaksTest, TheDriverIsThereAndRunsInThatVersion) {
  using testing::ElementsAre;
  using testing::IsEmpty;
  EXPECT_THAT(found(Pool::kNonpaged, "Thre"), IsEmpty());
  table("Thre - xyz.sys - 5.0..5.1 - update to 5.2\n");
  EXPECT_THAT(found(Pool::kNonpaged, "Thre"), IsEmpty()) << "no images";
  images({image(R"(C:\Windows\System32\drivers\XYZ.SYS)", true, "5.1.3.400"), image("/d/other.sys", true, "5.1")});
  EXPECT_THAT(found(Pool::kNonpaged, "Thre"), ElementsAre("xyz.sys 5.1.3.400: update to 5.2"));
  EXPECT_THAT(found(Pool::kPaged, "Thre"), ElementsAre("xyz.sys 5.1.3.400: update to 5.2"));
  EXPECT_THAT(found(Pool::kSlabUnreclaimable, "Thre"), IsEmpty());
  EXPECT_THAT(found(Pool::kNonpaged, "Even"), IsEmpty());
  images({image("/d/xyz.sys", true, "5.2")});
  EXPECT_THAT(found(Pool::kNonpaged, "Thre"), IsEmpty()) << "mended";
  images({image("/d/xyz.sys", true, "")});
  EXPECT_THAT(found(Pool::kNonpaged, "Thre"), IsEmpty()) << "its version is not known";
  images({image("/d/xyz.sys", false, "5.1"), image("/d/other.sys", true, "1")});
  EXPECT_THAT(found(Pool::kNonpaged, "Thre"), IsEmpty()) << "it does not run";
  images({image("/d/xyz.sys", false, "5.1"), image("/d/other.sys", false, "1")});
  EXPECT_THAT(found(Pool::kNonpaged, "Thre"), ElementsAre("xyz.sys 5.1.0.0: update to 5.2")) << "nobody says what runs";
}

TEST_F(KnownLeaksTest, ADriverIsKnownByAnyOfItsNames) {
  using testing::ElementsAre;
  table("Thre - xyz - any - w\nDdk  - nt - any - k\nMmSt - nt!mm - any - m\n");
  images(
      {image(R"(C:\Windows\System32\drivers\XYZ.SYS)", true, "5.1"), image(R"(C:\Windows\System32\ntoskrnl.exe)", true, "")});
  EXPECT_THAT(found(Pool::kNonpaged, "Thre"), ElementsAre("xyz 5.1.0.0: w"));
  EXPECT_THAT(found(Pool::kNonpaged, "Ddk "), ElementsAre("nt : k"));
  EXPECT_THAT(found(Pool::kPaged, "MmSt"), ElementsAre("nt!mm : m"));
  images({image(R"(C:\Windows\System32\ntkrnlpa.exe)", true, "")});
  EXPECT_THAT(found(Pool::kNonpaged, "Ddk "), ElementsAre("nt : k"));
  EXPECT_THAT(found(Pool::kNonpaged, "Thre"), testing::IsEmpty());
}

TEST(LeakSignatures, TellTheLinesThatAreNone) {
  EXPECT_EQ(LeakSignatures("Even - a.sys - any - words\n").skipped_lines(), "");
  EXPECT_EQ(LeakSignatures("// \nEven - a.sys - banana - words\n").skipped_lines(), "line 2");
  std::string many;
  for (int i = 0; i < 25; ++i) many += i % 2 == 0 ? "nonsense\n" : "Even - a.sys - banana - words\n";
  EXPECT_EQ(LeakSignatures(many).skipped_lines(), "lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 15 more");
}

TEST(NamedFiles, AreReadBeforeTheProgramRunsWithThem) {
  test::MemoryFiles files;
  files.put("tags.txt", "Even - nt!ke - Event objects\n");
  files.put("leaks.txt", "Leak - foo.sys - banana - words\nEven - a.sys - any - words\nnonsense\n");
  files.put("none.txt", "nonsense\n");
  config::Drivers drivers;
  EXPECT_THAT(faults_of_named_files(drivers, files), testing::IsEmpty());
  drivers.pooltag_file = "tags.txt";
  drivers.leak_signatures_file = "leaks.txt";
  EXPECT_THAT(
      faults_of_named_files(drivers, files),
      testing::ElementsAre(
          "drivers.leak_signatures_file: leaks.txt: expected TAG - driver - versions - words in lines 1 and 3; versions are "
          "any, 5.1.3 or 5.0..5.1.3 (the lower first), a hyphen has a blank on both sides, comments begin with //"));
  files.put("wide.txt", std::string("\xFF\xFE"
                                    "E\0v\0",
                                    6));
  drivers.leak_signatures_file = drivers.pooltag_file = "wide.txt";
  EXPECT_THAT(faults_of_named_files(drivers, files),
              testing::ElementsAre("drivers.pooltag_file: wide.txt: is UTF-16; save it as UTF-8 or ANSI",
                                   "drivers.leak_signatures_file: wide.txt: is UTF-16; save it as UTF-8 or ANSI"));
  drivers.pooltag_file = "none.txt";
  drivers.leak_signatures_file = "absent.txt";
  EXPECT_THAT(faults_of_named_files(drivers, files),
              testing::ElementsAre("drivers.pooltag_file: none.txt: no line is TAG - binary - description",
                                   "drivers.leak_signatures_file: absent.txt: absent"));
}

}  // namespace
}  // namespace kmem::drivers
