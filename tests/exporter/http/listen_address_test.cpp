#include "exporter/http/listen_address.h"

#include <gtest/gtest.h>

namespace kmem::http {
namespace {

TEST(ListenAddress, FormsThatTheEcosystemUses) {
  for (const auto& [text, host, port] : std::initializer_list<std::tuple<const char*, const char*, int>>{
           {":10054", "", 10054}, {"10054", "", 10054}, {"127.0.0.1:9", "127.0.0.1", 9}, {"[::1]:65535", "::1", 65535},
           {"localhost:0", "localhost", 0}, {"[fe80::1%eth0]:1", "fe80::1%eth0", 1}}) {
    const auto parsed = parse_listen_address(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(parsed->host, host);
    EXPECT_EQ(parsed->port, port);
  }
}

TEST(ListenAddress, FaultsNameTheText) {
  for (const char* text : {"", ":", "host", "host:", ":65536", ":-1", ":1x", ": 1", "::1:9", "::1", "[::1]", "[::1:9",
                           "[localhost]:9", "[]:9"}) {
    const auto parsed = parse_listen_address(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_NE(parsed.error().message.find('"' + std::string(text) + '"'), std::string::npos);
  }
}

}  // namespace
}  // namespace kmem::http
