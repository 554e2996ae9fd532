// Whole pages of both systems in both formats. KMEM_UPDATE_GOLDEN=1 writes them anew; read the diff before committing.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "exporter/encode/encode.h"
#include "tests/exporter/metrics/sample_input.h"

namespace kmem::metrics {
namespace {

void compare(const SampleInput& in, encode::Format format, const std::string& path) {
  std::string page;
  ASSERT_EQ(encode::encode(in.families(), format, page), 0U);
  if (std::getenv("KMEM_UPDATE_GOLDEN") != nullptr) { std::ofstream(path, std::ios::binary) << page; }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path << " is not there; the tests run in the folder tests";
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(page, golden.str()) << path;
}

TEST(Golden, LinuxText) { compare(linux_input(), encode::Format::kText004, "golden/linux.prom"); }
TEST(Golden, LinuxOpenMetrics) { compare(linux_input(), encode::Format::kOpenMetrics100, "golden/linux.openmetrics"); }
TEST(Golden, WindowsText) { compare(windows_input(), encode::Format::kText004, "golden/windows.prom"); }
TEST(Golden, WindowsOpenMetrics) { compare(windows_input(), encode::Format::kOpenMetrics100, "golden/windows.openmetrics"); }

}  // namespace
}  // namespace kmem::metrics
