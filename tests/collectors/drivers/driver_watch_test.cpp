#include "collectors/drivers/driver_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "collectors/base/log.h"
#include "collectors/drivers/image_tags.h"
#include "collectors/drivers/pooltag_text.h"
#include "pe_bytes.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temp_folder.h"

namespace kmem::drivers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string driver(std::string_view text) {
  return PeBytes().code(hex({0xBA}) + le32(tag(text)) + hex({0xE8, 0, 0, 0, 0, 0xC3})).str();
}

class DriverWatchTest : public testing::Test {
 protected:
  struct View final : SystemView {
    explicit View(const DriverWatchTest& test) : test_(test) {}
    std::vector<WantedImage> images(base::FileSystem&) override { return test_.loaded_; }
    std::vector<std::string> pooltag_files() override { return test_.installed_; }
    const DriverWatchTest& test_;
  };

  DriverWatchTest() {
    config_.source.procfs = folder_.path() + "proc";
    config_.source.sysfs = folder_.path() + "sys";
    config_.storage.path = folder_.path() + "state";
    std::filesystem::create_directories(config_.storage.path);
    base::set_log_sink([this](std::string_view line) { said_.emplace_back(line); });
  }
  ~DriverWatchTest() override { base::set_log_sink({}); }

  std::string put(const std::string& name, const std::string& bytes) {
    const std::string path = folder_.path() + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  std::unique_ptr<DriverWatch> watch(bool live = true) {
    return std::make_unique<DriverWatch>(config_, live ? std::make_unique<View>(*this) : nullptr, known_,
                                         base::os_file_system(), clock_);
  }
  std::vector<std::string> who(Pool pool, std::string_view tag) {
    std::vector<std::string> all;
    for (const Candidate& one : known_.candidates(pool, tag)) all.push_back(one.driver + " " + one.source);
    return all;
  }
  std::vector<std::string> said(const std::string& words) {
    std::vector<std::string> lines;
    for (const std::string& line : said_)
      if (line.find(words) != std::string::npos) lines.push_back(line);
    return lines;
  }

  test::TempFolder folder_{"kmem-drivers"};
  config::Config config_;
  test::ManualClock clock_;
  Attribution known_;
  std::vector<WantedImage> loaded_;
  std::vector<std::string> installed_;
  std::vector<std::string> said_;
};

TEST_F(DriverWatchTest, PooltagTextWhereItIsInstalledOrNamed) {
  installed_ = {folder_.path() + "absent.txt", put("empty.txt", "// nothing\n"), put("kit.txt", "Zqx7 - kit.sys - x\n")};
  watch()->load();
  EXPECT_THAT(who(Pool::kPaged, "Zqx7"), ElementsAre("kit.sys pooltag.txt"));
  config_.drivers.pooltag_file = put("mine.txt", "Zqx7 - mine.sys - x\n");
  watch()->load();
  EXPECT_THAT(who(Pool::kPaged, "Zqx7"), ElementsAre("mine.sys pooltag.txt"));
  EXPECT_THAT(said("cannot be used"), IsEmpty());
  config_.drivers.pooltag_file = folder_.path() + "no.txt";
  watch()->load();
  EXPECT_THAT(said("drivers.pooltag_file cannot be used"), SizeIs(1));
  config_.drivers.pooltag_file = put("big.txt", std::string(PoolTagText::kMaxBytes + 1, 'x'));
  watch()->load();
  EXPECT_THAT(said("drivers.pooltag_file cannot be used"), SizeIs(2));
}

TEST_F(DriverWatchTest, ModulesOfALinuxKernel) {
  put("proc/modules", "ext4 100 2 - Live 0x0\nmine 5 0 - Live 0x0\n");
  put("sys/module/built_in/parameters/x", "1\n");
  put("sys/kernel/slab/odd/ctor", "init_once+0x0/0x10 [mine]\n");
  put("sys/kernel/slab/plain/ctor", "\n");
  watch()->load();
  EXPECT_THAT(who(Pool::kSlabUnreclaimable, "odd"), ElementsAre("mine modules"));
  EXPECT_THAT(who(Pool::kSlabUnreclaimable, "built_in_things"), ElementsAre("built_in modules"));
  EXPECT_THAT(who(Pool::kSlabUnreclaimable, "plain"), IsEmpty());
  Attribution untouched;
  DriverWatch(config_, nullptr, untouched, base::os_file_system(), clock_).load();
  EXPECT_THAT(untouched.candidates(Pool::kSlabUnreclaimable, "odd"), IsEmpty()) << "a recording is of another kernel";
}

TEST_F(DriverWatchTest, ImagesAreSearchedAndKeptForTheNextRun) {
  loaded_ = {{put("drivers/a.sys", driver("Zqx7")), true}, {put("drivers/bad.sys", "no image"), false}};
  config_.drivers.folders = {folder_.path() + "more", folder_.path() + "absent"};
  put("more/b.sys", driver("Zqx8"));
  put("more/b.txt", driver("Zqx9"));
  const auto first = watch();
  first->load();
  EXPECT_THAT(who(Pool::kPaged, "Zqx7"), IsEmpty()) << "the search has not begun";
  const std::uint64_t before = known_.generation();
  EXPECT_TRUE(first->look({}, false));
  EXPECT_THAT(who(Pool::kPaged, "Zqx7"), ElementsAre("a.sys image_scan"));
  EXPECT_THAT(who(Pool::kNonpaged, "Zqx8"), ElementsAre("b.sys image_scan"));
  EXPECT_THAT(who(Pool::kPaged, "Zqx9"), IsEmpty());
  EXPECT_EQ(known_.generation(), before + 1);
  EXPECT_THAT(said("images=2"), ElementsAre(HasSubstr("read=3 not_usable=1")));

  EXPECT_TRUE(first->look({}, false));
  EXPECT_EQ(known_.generation(), before + 1) << "nothing new";
  EXPECT_THAT(said("images=2"), SizeIs(1));

  known_.use(std::shared_ptr<const ImageTags>());
  watch()->load();
  EXPECT_THAT(who(Pool::kPaged, "Zqx7"), ElementsAre("a.sys image_scan")) << "known before any search";
}

TEST_F(DriverWatchTest, DamagedStateIsSaidAndTheImagesAreReadAgain) {
  loaded_ = {{put("a.sys", driver("Zqx7")), true}};
  put("state/drivers.state", "damaged");
  const auto one = watch();
  one->load();
  EXPECT_THAT(said("cannot be used; they are read again"), SizeIs(1));
  EXPECT_TRUE(one->look({}, false));
  EXPECT_THAT(who(Pool::kPaged, "Zqx7"), ElementsAre("a.sys image_scan"));
  said_.clear();
  known_.use(std::shared_ptr<const ImageTags>());
  watch()->load();
  EXPECT_THAT(who(Pool::kPaged, "Zqx7"), ElementsAre("a.sys image_scan"));
  EXPECT_THAT(said("cannot"), IsEmpty());
}

TEST_F(DriverWatchTest, AStopEndsASearchAndKeepsWhatIsFound) {
  loaded_ = {{put("a.sys", driver("Zqx7")), true}, {put("b.sys", driver("Zqx8")), true}};
  std::stop_source stop;
  stop.request_stop();
  const auto one = watch();
  EXPECT_FALSE(one->look(stop.get_token(), true));
  EXPECT_THAT(who(Pool::kPaged, "Zqx7"), IsEmpty());
  watch()->load();
  EXPECT_THAT(who(Pool::kPaged, "Zqx7"), ElementsAre("a.sys image_scan"));
  EXPECT_THAT(who(Pool::kPaged, "Zqx8"), IsEmpty());
}

TEST_F(DriverWatchTest, NothingIsSearchedThatIsNotWanted) {
  loaded_ = {{put("a.sys", driver("Zqx7")), true}};
  config_.drivers.scan = false;
  EXPECT_TRUE(watch()->look({}, false));
  EXPECT_THAT(who(Pool::kPaged, "Zqx7"), IsEmpty());
  config_.drivers = {};
  config_.drivers.enabled = false;
  installed_ = {put("kit.txt", "Zqx7 - kit.sys - x\n")};
  const auto off = watch();
  off->load();
  off->start();
  EXPECT_THAT(who(Pool::kPaged, "Zqx7"), IsEmpty());
}

TEST_F(DriverWatchTest, TheThreadStopsAtOnce) {
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    const auto one = watch();
    one->load();
    one->start();
    one->start();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(50)) << "20 first looks would come after 5 s each";
}

TEST(SystemView, TellsWithoutFailing) {
  const auto view = make_system_view();
  ASSERT_NE(view, nullptr);
  for (const WantedImage& one : view->images(base::os_file_system())) EXPECT_FALSE(one.path.empty());
  for (const std::string& path : view->pooltag_files()) EXPECT_THAT(path, testing::EndsWith("pooltag.txt"));
}

}  // namespace
}  // namespace kmem::drivers
