#include "collectors/windows/registry.h"

#include <gtest/gtest.h>

#include "tests/collectors/windows/fake_kernel.h"

namespace kmem::windows {
namespace {

TEST(RegistryText, HasTheValuesThatExistAndNoOthers) {
  test::FakeRegistry registry;
  registry.values = {{"PagedPoolSize", 0xffffffff}, {"PoolUsageMaximum", 60}, {"WriteWatch", 1}};
  std::string text = "old";
  EXPECT_EQ(read_memory_management(registry, text), kStatusOk);
  EXPECT_EQ(text, "PagedPoolSize=4294967295\nPoolUsageMaximum=60\n");

  std::vector<Setting> settings;
  EXPECT_EQ(parse_registry_text(text, settings), 0u);
  ASSERT_EQ(settings.size(), 2u);
  EXPECT_EQ(settings[0].name, "PagedPoolSize");
  EXPECT_EQ(settings[0].value, 4294967295.0);
  EXPECT_EQ(settings[1].name, "PoolUsageMaximum");
  EXPECT_EQ(settings[1].value, 60.0);
}

TEST(RegistryText, AKeyThatCannotBeOpenedGivesItsStatus) {
  test::FakeRegistry registry;
  registry.status = kStatusAccessDenied;
  registry.values = {{"PagedPoolSize", 1}};
  std::string text = "old";
  EXPECT_EQ(read_memory_management(registry, text), kStatusAccessDenied);
  EXPECT_EQ(text, "");
}

TEST(RegistryText, DamagedLinesAreCountedAndTheRestIsRead) {
  std::vector<Setting> settings;
  const std::string_view text = "A=1\nnonsense\n=5\nB=\nC=-1\nD=12x\nE=4294967296\n\nF\x01=7\nG=9";
  EXPECT_EQ(parse_registry_text(text, settings), 7u);
  ASSERT_EQ(settings.size(), 3u);
  EXPECT_EQ(settings[0].name, "A");
  EXPECT_EQ(settings[1].name, "F\\x01");
  EXPECT_EQ(settings[1].value, 7.0);
  EXPECT_EQ(settings[2].name, "G");
}

TEST(RegistryText, SettingsHaveABound) {
  std::string text;
  for (int i = 0; i < 300; ++i) text.append("N").append(std::to_string(i)).append("=1\n");
  std::vector<Setting> settings;
  EXPECT_EQ(parse_registry_text(text, settings), 44u);
  EXPECT_EQ(settings.size(), 256u);
}

}  // namespace
}  // namespace kmem::windows
