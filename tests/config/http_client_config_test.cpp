#include "config/http_client_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/memory_files.h"

namespace kmem::config {
namespace {

using testing::ElementsAre;

std::vector<std::string> faults_of(const std::string& text) {
  test::MemoryFiles files;
  files.put("/etc/token", "two\nlines\n");
  std::vector<std::string> faults;
  for (const Fault& fault : load_http_client_config(text, "/etc/c.yml", files).faults) faults.push_back(fault.text());
  return faults;
}

TEST(HttpClientConfig, ReadsUserAndCertificates) {
  test::MemoryFiles files;
  for (const char* const name : {"/etc/ca.pem", "/etc/client.pem", "/keys/client.key"}) files.put(name, "x");
  files.put("/etc/password", "secret\r\n");
  const auto loaded = load_http_client_config(
      "basic_auth: {username: kmem, password_file: password}\n"
      "tls_config: {ca_file: ca.pem, cert_file: client.pem, key_file: /keys/client.key, insecure_skip_verify: true}\n",
      "/etc/c.yml", files);
  ASSERT_TRUE(loaded.ok()) << loaded.faults[0].text();
  EXPECT_EQ(loaded.config.username, "kmem");
  EXPECT_EQ(loaded.config.password, "secret");
  EXPECT_EQ(loaded.config.ca_file, "/etc/ca.pem");
  EXPECT_EQ(loaded.config.cert_file, "/etc/client.pem");
  EXPECT_EQ(loaded.config.key_file, "/keys/client.key");
  EXPECT_FALSE(loaded.config.verifies_server);
}

TEST(HttpClientConfig, ReadsAToken) {
  test::MemoryFiles files;
  const auto loaded = load_http_client_config("authorization: {credentials: abc}\n", "c.yml", files);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.config.bearer_token, "abc");
  EXPECT_TRUE(loaded.config.verifies_server);
}

TEST(HttpClientConfig, TellsEveryFaultAndNoSecret) {
  EXPECT_THAT(faults_of("basic_auth: {username: 'a:b', password: [s3cret]}\n"),
              ElementsAre("/etc/c.yml:1:13: basic_auth: expected a username without colon",
                          "/etc/c.yml:1:41: password: expected text in one line"));
  EXPECT_THAT(faults_of("oauth2: {}\nbasic_aut: {}\n"),
              ElementsAre("/etc/c.yml:1:1: key \"oauth2\" is not supported here: expected it to be left out",
                          "/etc/c.yml:2:1: unknown key \"basic_aut\"; did you mean \"basic_auth\"?"));
  EXPECT_THAT(faults_of("bearer_token_file: token\n"),
              ElementsAre("/etc/c.yml:1:20: bearer_token_file: expected one line in the file"));
  EXPECT_THAT(faults_of("tls_config: {server_name: x, insecure_skip_verify: maybe}\n"),
              ElementsAre("/etc/c.yml:1:14: key \"server_name\" is not supported here: expected it to be left out",
                          "/etc/c.yml:1:52: insecure_skip_verify: expected true or false, got \"maybe\""));
  EXPECT_THAT(faults_of("authorization: {type: Basic, credentials: x}\n"),
              ElementsAre("/etc/c.yml:1:16: authorization: expected the type Bearer, got \"Basic\""));
  EXPECT_THAT(faults_of("bearer_token: x\nbasic_auth: {username: a}\n"),
              ElementsAre("/etc/c.yml:1:1: expected one of basic_auth and a token, got both"));
}

}  // namespace
}  // namespace kmem::config
