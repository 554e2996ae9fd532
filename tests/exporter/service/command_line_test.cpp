#include "exporter/service/command_line.h"

#include <gtest/gtest.h>

#include "exporter/service/control.h"

namespace kmem::service {
namespace {

TEST(CommandLine, PlainArgumentsStayAsTheyAre) {
  EXPECT_EQ(quoted_argument("--web.listen-address=:10054"), "--web.listen-address=:10054");
  EXPECT_EQ(quoted_argument(R"(C:\state\)"), R"(C:\state\)");
}

// Each right side taken apart by the rules of Microsoft's C runtime gives the left side.
TEST(CommandLine, BlanksQuotesAndBackslashesSurviveTheRuntimesRules) {
  EXPECT_EQ(quoted_argument(""), R"("")");
  EXPECT_EQ(quoted_argument("a b"), R"("a b")");
  EXPECT_EQ(quoted_argument(R"(C:\Program Files\x\)"), R"("C:\Program Files\x\\")");
  EXPECT_EQ(quoted_argument(R"(say "hi")"), R"("say \"hi\"")");
  EXPECT_EQ(quoted_argument(R"(a\\"b)"), R"("a\\\\\"b")");
  EXPECT_EQ(quoted_argument("nonpaged/Irp "), R"("nonpaged/Irp ")");
}

TEST(CommandLine, TheProgramIsAlwaysInQuotes) {
  EXPECT_EQ(command_line(R"(C:\kmem.exe)", {"serve", "--config.file=C:\\a b.yml"}),
            R"("C:\kmem.exe" serve "--config.file=C:\a b.yml")");
}

#ifndef _WIN32
TEST(Control, IsForWindowsAndSaysWhatToDoElsewhere) {
  for (const Action action : {Action::kInstall, Action::kStart, Action::kReload}) {
    const auto done = control({action, {}, {}});
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, base::ErrorCode::kUnsupported);
    EXPECT_NE(done.error().message.find("systemctl"), std::string::npos);
  }
}
#endif

}  // namespace
}  // namespace kmem::service
