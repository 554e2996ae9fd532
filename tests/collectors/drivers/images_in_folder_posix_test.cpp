// What lies in a folder and is no file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "collectors/drivers/image_survey.h"
#include "tests/support/temp_folder.h"

namespace kmem::drivers {
namespace {

TEST(ImagesInFolder, APipeIsNone) {
  const test::TempFolder folder;
  const std::string drivers = folder.path() + "drivers";
  ASSERT_EQ(::mkdir(drivers.c_str(), 0700), 0);
  ASSERT_EQ(::mkfifo((drivers + "/fifo.sys").c_str(), 0600), 0);
  ASSERT_TRUE(base::replace_file(base::os_file_system(), drivers + "/a.sys", "x").ok());
  const auto images = images_in_folder(base::os_file_system(), drivers);
  ASSERT_TRUE(images.ok());
  EXPECT_EQ(*images, std::vector<std::string>{drivers + "/a.sys"});
}

}  // namespace
}  // namespace kmem::drivers
