#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/exporter/http/server_fixture.h"

namespace kmem::http {
namespace {

class UnixSocketTest : public HttpServerTest {
 protected:
  UnixSocketTest() {
    std::string folder = (std::filesystem::temp_directory_path() / "kmem_unix_XXXXXX").string();
    folder_ = ::mkdtemp(folder.data());
    path_ = folder_ + "/web.sock";
    web_.listen_addresses = {"unix:" + path_};
  }
  ~UnixSocketTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] sockaddr_un address() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    return address;
  }
  std::string ask(const std::string& host) {
    const int client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un to = address();
    std::string answer;
    if (::connect(client, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) {
      const std::string request = "GET /who HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
      (void)::send(client, request.data(), request.size(), MSG_NOSIGNAL);
      char buffer[4096];
      for (ssize_t count = 0; (count = ::read(client, buffer, sizeof buffer)) > 0;)
        answer.append(buffer, static_cast<std::size_t>(count));
    }
    ::close(client);
    return answer;
  }
  void expect_refused(const std::string& why) {
    server_ = std::make_unique<Server>(web_, routes(), observer_, clock_);
    const auto started = server_->start();
    ASSERT_FALSE(started.ok());
    EXPECT_NE(started.error().message.find(why), std::string::npos) << started.error().message;
  }

  std::string folder_, path_;
};

TEST_F(UnixSocketTest, IsForItsOwnerAndGroupAndGoesWithTheServer) {
  start();
  EXPECT_EQ(port_, 0);
  struct stat is {};
  ASSERT_EQ(::stat(path_.c_str(), &is), 0);
  EXPECT_TRUE(S_ISSOCK(is.st_mode));
  EXPECT_EQ(is.st_mode & 07777, 0660U);
  const std::string answer = ask("evil.example");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nunix")) << answer;
  server_->stop();
  EXPECT_NE(::stat(path_.c_str(), &is), 0) << "is left behind";
}

TEST_F(UnixSocketTest, WhatAnEndedProcessLeftIsReplaced) {
  const int stale = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un at = address();
  ASSERT_EQ(::bind(stale, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  ::close(stale);
  start();
  EXPECT_TRUE(ask("t").starts_with("HTTP/1.1 200"));
}

TEST_F(UnixSocketTest, WhatIsInUseOrNoSocketStays) {
  start();
  const auto first = std::move(server_);
  expect_refused("is in use");
  server_.reset();
  EXPECT_TRUE(ask("t").starts_with("HTTP/1.1 200")) << "the first one's";
  first->stop();
  std::ofstream(path_) << "precious";
  expect_refused("is there and is no socket");
  server_.reset();
  EXPECT_EQ(std::filesystem::file_size(path_), 8U);
}

TEST_F(UnixSocketTest, TheNameOfAnotherIsNotRemoved) {
  start();
  const auto first = std::move(server_);
  ASSERT_EQ(::unlink(path_.c_str()), 0);
  start();
  first->stop();
  EXPECT_TRUE(ask("t").starts_with("HTTP/1.1 200")) << "the second one's";
}

TEST_F(UnixSocketTest, AnotherAddressMayBeBesideIt) {
  web_.listen_addresses.emplace_back("127.0.0.1:0");
  start();
  EXPECT_EQ(Client(server_->ports().at(1)).get("/who").body, "127.0.0.1");
  EXPECT_TRUE(ask("t").ends_with("unix"));
}

}  // namespace
}  // namespace kmem::http
