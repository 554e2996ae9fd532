#include "exporter/promapi/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kmem::promapi {
namespace {

std::string refusal(const std::string& url) {
  const auto made = make_http_client(url, {}, std::chrono::seconds(1));
  return made.ok() ? "" : made.error().message;
}

TEST(HttpClient, RefusesAddressesThatAreNone) {
  EXPECT_EQ(refusal("http://127.0.0.1:9090"), "");
  EXPECT_EQ(refusal("http://127.0.0.1:9090/prometheus/"), "");
  EXPECT_EQ(refusal("127.0.0.1:9090"), "expected http://HOST:PORT or https://HOST:PORT");
  EXPECT_EQ(refusal("http://:9090"), "expected a host in it");
  EXPECT_EQ(refusal("http://me:secret@h:9090"), "expected no password in it; --prometheus.config names a file");
  EXPECT_EQ(refusal("http://h:9090/graph?g0=1"), "expected no query in it");
  EXPECT_EQ(refusal("http://h:9090/a b"), "expected no blanks and no other letters than ASCII in it");
}

TEST(HttpClient, SaysThatNobodyAnswers) {
  // A port that nothing listens on: reserved, and bound by nobody in tests.
  const auto client = make_http_client("http://127.0.0.1:1", {}, std::chrono::seconds(1));
  ASSERT_TRUE(client.ok());
  const auto answer = (*client)->get("/");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().message, "http://127.0.0.1:1: no connection");
}

}  // namespace
}  // namespace kmem::promapi
