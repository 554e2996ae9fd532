#include "config/listen_address.h"

#include <gtest/gtest.h>

#include <string>

namespace kmem::config {
namespace {

TEST(ListenAddress, IsTakenApart) {
  const auto expect = [](const char* text, const std::string& host, int port) {
    const auto address = parse_listen_address(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(address->host, host);
    EXPECT_EQ(address->port, port);
  };
  expect(":10054", "", 10054);
  expect(":0", "", 0);
  expect("127.0.0.1:9100", "127.0.0.1", 9100);
  expect("localhost:65535", "localhost", 65535);
  expect("my-host.example:1", "my-host.example", 1);
  expect("[::1]:9100", "::1", 9100);
  expect("[::]:9100", "::", 9100);
  expect("[fe80::1%eth0]:9100", "fe80::1%eth0", 9100);
}

#ifndef _WIN32
TEST(ListenAddress, MayBeASocketInTheFileSystem) {
  const auto address = parse_listen_address("unix:/run/kmem_exporter/web.sock");
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->unix_path, "/run/kmem_exporter/web.sock");
  EXPECT_EQ(address->port, 0);
  EXPECT_TRUE(parse_listen_address(":1")->unix_path.empty());
  EXPECT_TRUE(parse_listen_address("unix:/" + std::string(106, 'a')).has_value());
  for (const std::string& bad : {std::string("unix:"), std::string("unix:/"), std::string("unix:run/x"),
                                 std::string("unix:/run/"), "unix:/" + std::string(107, 'a')})
    EXPECT_FALSE(parse_listen_address(bad).has_value()) << bad;
}
#endif

TEST(ListenAddress, RefusesWhatCannotBeBound) {
  for (const char* bad : {"", "10054", ":", ":65536", ":-1", ":1x", ":000001", "host", "host:", "::1:9100", "[]:1", "[:]:1",
                          "[host]:1", "[::1]", "a b:1", "-h:1", "http://host:1", "host:1/x", "[::1:9100"})
    EXPECT_FALSE(parse_listen_address(bad).has_value()) << bad;
  EXPECT_FALSE(parse_listen_address(std::string(300, 'a') + ":1").has_value());
}

}  // namespace
}  // namespace kmem::config
