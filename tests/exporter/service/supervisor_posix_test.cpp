#include "exporter/service/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

namespace kmem::service {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::MatchesRegex;

/// systemd's end of the socket, and the variables by which it tells of it.
class Systemd : public testing::Test {
 protected:
  Systemd() {
    socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }
  ~Systemd() override {
    close(socket_);
    if (!path_.empty() && path_[0] == '/') unlink(path_.c_str());
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }

  /// `name` as NOTIFY_SOCKET has it: '@' for an abstract one.
  void listen(const std::string& name) {
    path_ = name;
    std::string address = name;
    if (address[0] == '@') address[0] = '\0';
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, address.data(), address.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    ASSERT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&at), length), 0) << std::strerror(errno);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }

  std::string heard() const {
    char text[512];
    const ssize_t length = recv(socket_, text, sizeof text, 0);
    return length < 0 ? "nothing" : std::string(text, static_cast<std::size_t>(length));
  }

  int socket_ = -1;
  std::string path_;
};

std::string unique(const std::string& prefix) { return prefix + "kmem-notify-" + std::to_string(getpid()); }

TEST_F(Systemd, HearsEveryStateByAPath) {
  listen(unique("/tmp/"));
  Supervisor supervisor;
  EXPECT_EQ(heard(), "nothing");
  supervisor.ready();
  EXPECT_EQ(heard(), "READY=1\nSTATUS=serving");
  supervisor.alive();
  EXPECT_EQ(heard(), "WATCHDOG=1");
  supervisor.reloading();
  EXPECT_THAT(heard(), MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]{4,}"));
  supervisor.stopping();
  EXPECT_EQ(heard(), "STOPPING=1\nSTATUS=saving what was learnt");
}

TEST_F(Systemd, HearsByAnAbstractName) {
  listen(unique("@"));
  Supervisor supervisor;
  supervisor.ready();
  EXPECT_EQ(heard(), "READY=1\nSTATUS=serving");
}

TEST_F(Systemd, WithoutASocketNothingIsDue) {
  setenv("WATCHDOG_USEC", "2000000", 1);
  Supervisor supervisor;
  EXPECT_EQ(supervisor.heartbeat(), hours(1));
  supervisor.ready();
  setenv("NOTIFY_SOCKET", "not/absolute", 1);
  Supervisor misled;
  misled.ready();
  setenv("NOTIFY_SOCKET", std::string(200, '/').c_str(), 1);
  Supervisor too_long;
  too_long.ready();
  EXPECT_EQ(heard(), "nothing");
}

TEST_F(Systemd, TheHeartbeatIsHalfTheWatchdogsPeriod) {
  listen(unique("@"));
  setenv("WATCHDOG_USEC", "120000000", 1);
  EXPECT_EQ(Supervisor().heartbeat(), milliseconds(60'000));
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  EXPECT_EQ(Supervisor().heartbeat(), milliseconds(60'000));
  setenv("WATCHDOG_PID", "1", 1);  // another process is watched
  EXPECT_EQ(Supervisor().heartbeat(), hours(1));
  unsetenv("WATCHDOG_PID");
  for (const char* wrong : {"", "0", "-5", "2s", "99999999999999999999"}) {
    setenv("WATCHDOG_USEC", wrong, 1);
    EXPECT_EQ(Supervisor().heartbeat(), hours(1)) << wrong;
  }
  setenv("WATCHDOG_USEC", "1", 1);
  EXPECT_EQ(Supervisor().heartbeat(), milliseconds(1));
}

TEST(Hosted, RunsTheBodyRightHere) {
  int ran = 0;
  EXPECT_EQ(run_hosted([&ran] { return ++ran + 6; }), 7);
  EXPECT_EQ(ran, 1);
  EXPECT_FALSE(is_windows_service());
}

}  // namespace
}  // namespace kmem::service
