// The metrics page and the probes, as the agent's routes serve them; agent_page_test.cpp has the page and the API.
#include "exporter/agent/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/exporter/agent/agent_fixture.h"

namespace kmem {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

TEST_F(AgentTest, AReadingThatGivesNothingIsAnsweredWith503AndTheReason) {
  kernel_.failure = "procfs is gone";
  const auto agent = make();
  agent->tick();
  const http::Response metrics = get(*agent, "/metrics");
  EXPECT_EQ(metrics.status, 503);
  EXPECT_THAT(metrics.body, HasSubstr("procfs is gone"));
  EXPECT_EQ(get(*agent, "/-/ready").status, 503);
  EXPECT_EQ(get(*agent, "/-/healthy").status, 200);
  kernel_.failure.clear();
  agent->tick();
  EXPECT_EQ(get(*agent, "/metrics").status, 200);
  EXPECT_EQ(get(*agent, "/-/ready").status, 200);
}

TEST_F(AgentTest, AReadingWaitsAsLongAsTheScraperDoes) {
  config_.scrape.timeout = milliseconds(5000);
  config_.scrape.min_interval = milliseconds(0);
  const auto agent = make();
  agent->tick();
  const auto waits = [&](const std::string& header) {
    http::Request request;
    request.scrape_timeout = header;
    (void)get(*agent, "/metrics", request);
    return FakeSource::patience_.whole;
  };
  EXPECT_EQ(waits(""), milliseconds(5000));
  EXPECT_EQ(waits("3"), milliseconds(2500)) << "its answer has to arrive";
  EXPECT_EQ(waits("1"), milliseconds(750));
  EXPECT_EQ(waits("10"), milliseconds(5000)) << "no longer than is configured";
  EXPECT_EQ(waits("0.001"), milliseconds(200)) << "others get the same answer";
  for (const char* nonsense : {"-1", "x", "nan", "inf", "1e300"}) EXPECT_EQ(waits(nonsense), milliseconds(5000)) << nonsense;
  EXPECT_FALSE(FakeSource::patience_.come_back);
}

TEST_F(AgentTest, TheServersOwnThreadDoesNotWaitForTheKernel) {
  config_.scrape.min_interval = milliseconds(0);
  const auto agent = make();
  agent->tick();
  kernel_.busy = true;
  http::Request request;
  request.at_once = true;
  EXPECT_EQ(get(*agent, "/metrics", request).status, http::kNotAtOnce);
  request.at_once = false;
  EXPECT_EQ(get(*agent, "/metrics", request).status, 200);
}

TEST_F(AgentTest, NegotiatesFormatAndCompression) {
  const auto agent = make();
  agent->tick();
  http::Request request;
  request.accept = "application/openmetrics-text;version=1.0.0";
  request.accept_encoding = "gzip";
  const http::Response packed = get(*agent, "/metrics", request);
  EXPECT_EQ(packed.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_EQ(packed.content_encoding, "gzip");
  EXPECT_EQ(packed.body.substr(0, 2), "\x1f\x8b");
  request.accept_encoding = "gzip;q=0";
  const http::Response plain = get(*agent, "/metrics", request);
  EXPECT_EQ(plain.content_encoding, "");
  EXPECT_TRUE(plain.body.ends_with("# EOF\n"));
}

}  // namespace
}  // namespace kmem
