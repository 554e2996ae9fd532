#include "collectors/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kmem::base {
namespace {

using testing::ElementsAre;
using namespace std::string_literals;

class Log : public testing::Test {
 protected:
  Log() {
    set_log_sink([this](std::string_view line) { lines_.emplace_back(line); });
  }
  ~Log() override {
    set_log_sink({});
    set_log(LogLevel::kInfo, LogFormat::kLogfmt);
  }

  // What follows the time.
  std::vector<std::string> tails() const {
    std::vector<std::string> found;
    for (const std::string& line : lines_) {
      const std::size_t at = line.find("level");
      found.push_back(at == std::string::npos ? line : line.substr(at));
    }
    return found;
  }

  std::vector<std::string> lines_;
};

TEST_F(Log, LogfmtQuotesOnlyWhatNeedsIt) {
  set_log(LogLevel::kInfo, LogFormat::kLogfmt);
  log_info("listening", {{"address", ":10054"}, {"empty", ""}, {"two", "a b"}, {"quote", "a\"b\\"}, {"eq", "a=b"}});
  EXPECT_THAT(tails(), ElementsAre("level=info msg=\"listening\" address=:10054 empty=\"\" two=\"a b\" "
                                   "quote=\"a\\\"b\\\\\" eq=\"a=b\""));
}

TEST_F(Log, WithoutAKeyThereIsNoPair) {
  log_info("a", {{"x", "1"}, {"", "unknown"}, {"y", "2"}});
  set_log(LogLevel::kInfo, LogFormat::kJson);
  log_info("b", {{"", "unknown"}});
  EXPECT_THAT(lines_.at(0), testing::EndsWith("msg=\"a\" x=1 y=2"));
  EXPECT_THAT(lines_.at(1), testing::EndsWith(",\"msg\":\"b\"}"));
}

TEST_F(Log, BeginsWithTheTimeInUtc) {
  set_log(LogLevel::kInfo, LogFormat::kLogfmt);
  log_info("x");
  set_log(LogLevel::kInfo, LogFormat::kJson);
  log_info("x");
  ASSERT_EQ(lines_.size(), 2U);
  const auto shape = [](std::string line) {
    for (char& c : line)
      if (c >= '0' && c <= '9') c = '0';
    return line;
  };
  EXPECT_EQ(shape(lines_[0]), "time=0000-00-00T00:00:00.000Z level=info msg=\"x\"");
  EXPECT_EQ(shape(lines_[1]), "{\"time\":\"0000-00-00T00:00:00.000Z\",\"level\":\"info\",\"msg\":\"x\"}");
}

TEST_F(Log, JsonQuotesEverything) {
  set_log(LogLevel::kInfo, LogFormat::kJson);
  log_error("disk \"full\"", {{"path", "C:\\state"}, {"tries", "3"}});
  EXPECT_THAT(tails(),
              ElementsAre("level\":\"error\",\"msg\":\"disk \\\"full\\\"\",\"path\":\"C:\\\\state\",\"tries\":\"3\"}"));
}

TEST_F(Log, ALineStaysOneLineOfValidUtf8) {
  for (const LogFormat format : {LogFormat::kLogfmt, LogFormat::kJson}) {
    set_log(LogLevel::kInfo, format);
    lines_.clear();
    log_info("a\nb", {{"v", "\x1b[31m\x7f gr\xc3\xbcn \xff\xc3 \xed\xa0\x80 \xf0\x9f\x98\x80\r\0z"s}});
    ASSERT_EQ(lines_.size(), 1U);
    const std::string msg = format == LogFormat::kJson ? "\"msg\":" : "msg=";
    const std::string v = format == LogFormat::kJson ? ",\"v\":" : " v=";
    EXPECT_NE(lines_[0].find(msg + "\"a\\u000ab\"" + v +
                             "\"\\u001b[31m\\u007f gr\xc3\xbcn \\ufffd\\ufffd \\ufffd\\ufffd\\ufffd "
                             "\xf0\x9f\x98\x80\\u000d\\u0000z\""),
              std::string::npos)
        << lines_[0];
  }
}

TEST_F(Log, LongValuesEnd) {
  set_log(LogLevel::kInfo, LogFormat::kLogfmt);
  log_info("m", {{"v", std::string(kMaxLogValueBytes, 'x')}});
  log_info("m", {{"v", std::string(1'000'000, 'x')}});
  EXPECT_THAT(tails(), ElementsAre("level=info msg=\"m\" v=" + std::string(kMaxLogValueBytes, 'x'),
                                   "level=info msg=\"m\" v=\"" + std::string(kMaxLogValueBytes, 'x') + "...\""));
}

TEST_F(Log, LevelsBelowTheSetOneAreLeftOut) {
  set_log(LogLevel::kWarn, LogFormat::kLogfmt);
  log_debug("d");
  log_info("i");
  log_warn("w");
  log_error("e");
  EXPECT_THAT(tails(), ElementsAre("level=warning msg=\"w\"", "level=error msg=\"e\""));
  set_log(LogLevel::kDebug, LogFormat::kLogfmt);
  log_debug("d");
  EXPECT_EQ(tails().back(), "level=debug msg=\"d\"");
}

TEST_F(Log, WithoutASinkLinesGoToStderr) {
  set_log(LogLevel::kInfo, LogFormat::kLogfmt);
  set_log_sink({});
  testing::internal::CaptureStderr();
  log_info("one");
  log_info("two");
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(lines_.empty());
  EXPECT_NE(written.find("level=info msg=\"one\"\n"), std::string::npos) << written;
  EXPECT_NE(written.find("level=info msg=\"two\"\n"), std::string::npos) << written;
}

}  // namespace
}  // namespace kmem::base
