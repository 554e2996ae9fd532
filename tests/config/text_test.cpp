#include "config/text.h"

#include <gtest/gtest.h>

#include <string>

namespace kmem::config {
namespace {

using std::chrono::milliseconds;
using std::literals::operator""s;

TEST(Count, TakesDigitsOnly) {
  EXPECT_EQ(parse_count("0"), 0U);
  EXPECT_EQ(parse_count("65536"), 65536U);
  EXPECT_EQ(parse_count("999999999999"), 999'999'999'999U);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1.0", "0x10", "1e3", "1_000", "1000000000000"})
    EXPECT_EQ(parse_count(bad), std::nullopt) << bad;
}

TEST(Duration, TakesEveryUnit) {
  EXPECT_EQ(parse_duration("1500ms"), milliseconds(1'500));
  EXPECT_EQ(parse_duration("60s"), milliseconds(60'000));
  EXPECT_EQ(parse_duration("5m"), milliseconds(300'000));
  EXPECT_EQ(parse_duration("2h"), milliseconds(7'200'000));
  EXPECT_EQ(parse_duration("28d"), milliseconds(2'419'200'000));
  EXPECT_EQ(parse_duration("1w"), milliseconds(604'800'000));
  EXPECT_EQ(parse_duration("1h30m"), milliseconds(5'400'000));
  EXPECT_EQ(parse_duration("1d2h3m4s5ms"), milliseconds(93'784'005));
  EXPECT_EQ(parse_duration("0"), milliseconds(0));
  EXPECT_EQ(parse_duration("0s"), milliseconds(0));
}

TEST(Duration, RefusesTheRest) {
  for (const char* bad :
       {"", "60", "s", "1.5h", "-1s", "1 s", "1S", "1min", "1m1h", "1s1s", "1h30", "1y", "9999999999999s", "999999999999w"})
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
}

TEST(Duration, IsWrittenWithTheLargestUnitThatFits) {
  EXPECT_EQ(duration_text(milliseconds(0)), "0s");
  EXPECT_EQ(duration_text(milliseconds(1)), "1ms");
  EXPECT_EQ(duration_text(milliseconds(1'500)), "1500ms");
  EXPECT_EQ(duration_text(milliseconds(60'000)), "1m");
  EXPECT_EQ(duration_text(milliseconds(90'000)), "90s");
  EXPECT_EQ(duration_text(std::chrono::hours(28 * 24)), "28d");
}

TEST(Bytes, TakesBinaryUnits) {
  EXPECT_EQ(parse_bytes("8192"), 8192U);
  EXPECT_EQ(parse_bytes("8192B"), 8192U);
  EXPECT_EQ(parse_bytes("8KiB"), 8192U);
  EXPECT_EQ(parse_bytes("3MiB"), 3'145'728U);
  EXPECT_EQ(parse_bytes("1GiB"), 1'073'741'824U);
  for (const char* bad : {"", "KiB", "8kB", "8KB", "8K", "8 KiB", "1.5KiB", "-1", "999999999999GiB"})
    EXPECT_EQ(parse_bytes(bad), std::nullopt) << bad;
  EXPECT_EQ(bytes_text(8192), "8KiB");
  EXPECT_EQ(bytes_text(1000), "1000B");
  EXPECT_EQ(bytes_text(0), "0B");
}

TEST(InQuotes, IsShortAndHarmless) {
  EXPECT_EQ(in_quotes("abc"), "\"abc\"");
  EXPECT_EQ(in_quotes("\xC3\xA4"), "\"\xC3\xA4\"");
  EXPECT_EQ(in_quotes("a\x1B[2J\n"), "\"a\\x1b[2J\\x0a\"");
  EXPECT_EQ(in_quotes("\xFF"), "\"\\xff\"");
  EXPECT_EQ(in_quotes("a\0b"s), "\"a\\x00b\"");
  EXPECT_EQ(in_quotes(std::string(61, 'x')), "\"" + std::string(60, 'x') + "...\"");
  // Not cut in the middle of a character.
  EXPECT_EQ(in_quotes(std::string(59, 'x') + "\xE2\x82\xAC\xE2\x82\xAC"), "\"" + std::string(59, 'x') + "...\"");
}

TEST(RelativeToFile, CountsFromTheFilesFolder) {
  EXPECT_EQ(relative_to_file("web.yml", "/etc/kmem/kmem.yml"), "/etc/kmem/web.yml");
  EXPECT_EQ(relative_to_file("../web.yml", "etc/kmem.yml"), "etc/../web.yml");
  EXPECT_EQ(relative_to_file("web.yml", "kmem.yml"), "web.yml");
  EXPECT_EQ(relative_to_file("web.yml", "C:\\kmem\\kmem.yml"), "C:\\kmem\\web.yml");
  EXPECT_EQ(relative_to_file("/web.yml", "/etc/kmem.yml"), "/web.yml");
  EXPECT_EQ(relative_to_file("D:\\web.yml", "C:\\kmem.yml"), "D:\\web.yml");
  EXPECT_EQ(relative_to_file("\\\\host\\web.yml", "C:\\kmem.yml"), "\\\\host\\web.yml");
  EXPECT_EQ(relative_to_file("", "/etc/kmem.yml"), "");
}

}  // namespace
}  // namespace kmem::config
