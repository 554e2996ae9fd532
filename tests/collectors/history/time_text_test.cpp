#include "collectors/history/time_text.h"

#include <gtest/gtest.h>

#include "collectors/history/date_line.h"

namespace kmem::history {
namespace {

constexpr base::UnixMillis kMay1 = 1'714'521'600'000;  // 2024-05-01T00:00:00Z
constexpr std::int64_t kOneMinute = 60'000;

TEST(TimeText, Timestamps) {
  const std::pair<const char*, base::UnixMillis> cases[] = {
      {"631152000", 631'152'000'000},
      {"1714521600", kMay1},
      {" 1714521600.1239 ", kMay1 + 123},
      {"2024-05-01T00:00:00Z", kMay1},
      {"2024-05-01t00:00:00.5z", kMay1 + 500},
      {"2024-05-01 02:00:00.000001+02:00", kMay1},
      {"2024-04-30T19:30:00-0430", kMay1},
      {"2024-04-30T23:59:60Z", kMay1},
      {"2024-02-29T00:00:00Z", kMay1 - 62 * 1440 * kOneMinute},
  };
  for (const auto& [text, millis] : cases) {
    const auto time = parse_timestamp(text);
    ASSERT_TRUE(time.ok()) << text << time.error().message;
    EXPECT_EQ(*time, millis) << text;
  }
  for (const char* text : {"", "-5", "1e9", "0", "5", "46327.75", "631151999", "253402300800", "2023-02-29T00:00:00Z",
                           "2024-05-01", "2024-05-01T24:00:00Z", "2024-05-01T00:60:00Z", "2024-05-01T00:00:00+25:00",
                           "2024-05-01T00:00:00Zx", "2024-05-01T00:00:00+02:60", "1969-12-31T00:00:00Z"})
    EXPECT_FALSE(parse_timestamp(text).ok()) << text;
}

TEST(TimeText, UsTimes) {
  EXPECT_EQ(parse_us_time("05/01/2024 01:02:03.456"), kMay1 + 62 * kOneMinute + 3456);
  EXPECT_EQ(parse_us_time("05\\01\\2024 01:02:03.0456 (GMT)"), kMay1 + 62 * kOneMinute + 3456);
  EXPECT_EQ(parse_us_time("5/1/2024 1:02:03"), kMay1 + 62 * kOneMinute + 3000);
  EXPECT_EQ(parse_us_time("13/01/2024 01:02:03"), std::nullopt);
  EXPECT_EQ(parse_us_time("05/01/2024"), std::nullopt);
  EXPECT_EQ(parse_us_time(""), std::nullopt);
}

std::optional<base::UnixMillis> utc(const DateLine& line) {
  if (!line.midnight) return std::nullopt;
  return *line.midnight + line.time_of_day.value_or(0) -
         minutes_east(line.zone.value_or(Zone{}), *line.midnight + line.time_of_day.value_or(0)) * kOneMinute;
}

TEST(DateLine, AsConsolesAndScriptsWriteThem) {
  const std::pair<const char*, base::UnixMillis> cases[] = {
      {"2024-05-01T06:00:00Z", kMay1 + 360 * kOneMinute},
      {"2024-05-01T06:00:00.250+02:00", kMay1 + 240 * kOneMinute + 250},
      {"2024/05/01 6:00", kMay1 + 360 * kOneMinute},
      {"Wed 05/01/2024  6:00:00.12", kMay1 + 360 * kOneMinute + 120},
      {"[05/01/2024 18:00:00,12]", kMay1 + 1080 * kOneMinute + 120},
      {"5/1/2024 12:00:05 AM", kMay1 + 5000},
      {"5/1/2024 12:00PM", kMay1 + 720 * kOneMinute},
      {"31/05/2024", kMay1 + 30 * 1440 * kOneMinute},
      {"Mi. 01.05.2024", kMay1},
      {"01.05.2024 06:00:00,50", kMay1 + 360 * kOneMinute + 500},
      {"Wednesday, May 1, 2024 6:00:00 PM", kMay1 + 1080 * kOneMinute},
      {"Wed May  1 06:00:00 UTC 2024", kMay1 + 360 * kOneMinute},
      {"Debug session time: Wed May  1 06:00:00.123 2024 (GMT-4)", kMay1 + 600 * kOneMinute + 123},
      {"Debug session time: Wed May  1 06:00:00.123 2024 (UTC + 1:30)", kMay1 + 270 * kOneMinute + 123},
      {"The current date is: Wed 05/01/2024", kMay1},
  };
  for (const auto& [text, millis] : cases) EXPECT_EQ(utc(parse_date_line(text)), millis) << text;
  const DateLine time = parse_date_line("The current time is: 18:00:00.50");
  EXPECT_FALSE(time.midnight);
  EXPECT_EQ(time.time_of_day, 1080 * kOneMinute + 500);
  EXPECT_FALSE(parse_date_line("2024-05-01 06:00").zone);
}

TEST(DateLine, OtherLinesAreNot) {
  for (const char* text :
       {"", "in May", "Memory: 5K", "version 1.2", "10.0.0.1", "2024-13-01", "2024-05-01 x99", "5/1/2024 1:00 2:00", "13:30 PM",
        "0: kd> !vm 1", "Physical Memory: 524142 ( 2096568 Kb)", "2024-05-01 2024-05-02", "12 May 2024 13", "---",
        "Microsoft Windows [Version 6.1.7601]", "build 5.2.3790", "On Thu, Nov 5, 2026 at 6:00 PM Bob wrote:"})
    EXPECT_TRUE(parse_date_line(text).empty()) << text;
  EXPECT_TRUE(parse_date_line("2024-05-01 " + std::string(100, ' ')).empty());
}

}  // namespace
}  // namespace kmem::history
