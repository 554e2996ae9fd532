#include "collectors/drivers/image_survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/drivers/image_scan.h"
#include "pe_bytes.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_files.h"

namespace kmem::drivers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A driver that hands this tag to a call.
std::string driver_image(std::string_view text) {
  return PeBytes().code(hex({0xBA}) + le32(tag(text)) + hex({0xE8, 0, 0, 0, 0, 0xC3})).str();
}

class ImageSurveyTest : public testing::Test {
 protected:
  ImageSurveyTest() {
    files_.put("/d/a.sys", driver_image("Aaa1"));
    files_.put("/d/b.sys", driver_image("Bbb1"));
  }
  Survey run(ImageSurvey& survey, const SurveyLimits& limits = {}) {
    return survey.run(wanted_, limits, [](std::chrono::nanoseconds) { return true; });
  }

  test::MemoryFiles files_;
  test::ManualClock clock_;
  ImageSurvey survey_{files_, clock_};
  std::vector<WantedImage> wanted_ = {{"/d/a.sys", true}, {"/d/b.sys", false}};
};

TEST_F(ImageSurveyTest, FindsTheTagsOfEach) {
  const Survey found = run(survey_);
  ASSERT_THAT(found.images, SizeIs(2));
  EXPECT_EQ(found.images[0],
            (ImageFile{"/d/a.sys", driver_image("Aaa1").size(), 0, true, {{tag("Aaa1"), Evidence::kArgument, 1}}}));
  EXPECT_EQ(found.images[1].tags, (std::vector<ImageTag>{{tag("Bbb1"), Evidence::kArgument, 1}}));
  EXPECT_EQ(found.scanned, 2U);
  EXPECT_EQ(found.read_bytes, 2 * driver_image("Aaa1").size());
  EXPECT_TRUE(found.complete);
}

TEST_F(ImageSurveyTest, AFileIsReadAgainOnlyWhenItIsAnother) {
  (void)run(survey_);
  EXPECT_EQ(run(survey_).scanned, 0U);
  files_.set_modified(1000);
  EXPECT_EQ(run(survey_).scanned, 2U) << "written at another time";
  files_.put("/d/b.sys", driver_image("Bbb2") + "longer");
  const Survey found = run(survey_);
  EXPECT_EQ(found.scanned, 1U) << "of another size";
  EXPECT_EQ(found.images[1].tags[0].tag, tag("Bbb2"));
}

TEST_F(ImageSurveyTest, WhatIsNotUsableIsPassedOverWithItsReason) {
  files_.put("/d/c.sys", "#!/bin/sh");
  wanted_.push_back({"/d/c.sys", false});
  wanted_.push_back({"/d/gone.sys", false});
  const Survey found = run(survey_);
  EXPECT_THAT(found.images, SizeIs(2));
  ASSERT_THAT(found.skipped, SizeIs(2));
  EXPECT_EQ(found.skipped[0].path, "/d/c.sys");
  EXPECT_THAT(found.skipped[0].reason, HasSubstr("MZ"));
  EXPECT_EQ(found.skipped[1].reason, "absent");
}

TEST_F(ImageSurveyTest, HasBounds) {
  Survey found = run(survey_, {.files = 1});
  EXPECT_THAT(found.images, SizeIs(1));
  EXPECT_FALSE(found.complete);
  ImageSurvey fresh(files_, clock_);
  found = run(fresh, {.read_bytes = driver_image("Aaa1").size() + 1});
  EXPECT_THAT(found.images, SizeIs(1));
  ASSERT_THAT(found.skipped, SizeIs(1));
  EXPECT_THAT(found.skipped[0].reason, HasSubstr("too many bytes"));
  EXPECT_FALSE(found.complete);
  wanted_ = {{"/d/a.sys", false}, {"/d/a.sys", false}};
  EXPECT_THAT(run(fresh).images, SizeIs(1)) << "each path once";
}

TEST_F(ImageSurveyTest, APaceEndsItAndNothingIsForgotten) {
  (void)run(survey_);
  files_.set_modified(5);
  int asked = 0;
  const Survey found = survey_.run(wanted_, {}, [&asked](std::chrono::nanoseconds) { return ++asked < 1; });
  EXPECT_EQ(asked, 1);
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(run(survey_).scanned, 1U) << "the first one is known already";
  wanted_.pop_back();
  (void)run(survey_);
  wanted_.push_back({"/d/b.sys", false});
  EXPECT_EQ(run(survey_).scanned, 1U) << "no longer wanted, and forgotten";
}

TEST_F(ImageSurveyTest, OutlivesTheProcess) {
  const Survey before = run(survey_);
  ImageSurvey next(files_, clock_);
  ASSERT_TRUE(next.load(survey_.save()).ok());
  EXPECT_EQ(next.known(wanted_, {}).images, before.images);
  const Survey after = run(next);
  EXPECT_EQ(after.scanned, 0U);
  EXPECT_EQ(after.images, before.images);
  files_.set_modified(7);
  EXPECT_THAT(next.known(wanted_, {}).images, IsEmpty()) << "the files are others by now";
}

TEST_F(ImageSurveyTest, DamagedStateIsRefusedAndChangesNothing) {
  (void)run(survey_);
  const std::string good = survey_.save();
  ImageSurvey next(files_, clock_);
  ASSERT_TRUE(next.load(good).ok());
  for (std::size_t cut = 0; cut < good.size(); ++cut) EXPECT_FALSE(next.load(good.substr(0, cut)).ok()) << cut;
  EXPECT_FALSE(next.load(good + "x").ok());
  // The evidence is the last byte but one: varint places = 1 behind it.
  std::string lying = good;
  lying[lying.size() - 2] = 9;
  const auto refused = next.load(lying);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("cannot be"));
  EXPECT_EQ(run(next).scanned, 0U);
}

TEST(ImagesInFolder, ProgramsOnlyAndSorted) {
  test::MemoryFiles files;
  for (const char* name : {"/d/z.SYS", "/d/a.dll", "/d/m.exe", "/d/readme.txt", "/d/.sys", "/d/sys"}) files.put(name, "x");
  EXPECT_THAT(*images_in_folder(files, "/d/"), ElementsAre("/d/a.dll", "/d/m.exe", "/d/z.SYS"));
  files.fail_after(0);
  EXPECT_FALSE(images_in_folder(files, "/d/").ok());
}

}  // namespace
}  // namespace kmem::drivers
