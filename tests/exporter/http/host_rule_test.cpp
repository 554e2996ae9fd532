#include "exporter/http/host_rule.h"

#include <gtest/gtest.h>

#include "exporter/http/http_date.h"

namespace kmem::http {
namespace {

TEST(HostRule, WhatNoOneElseCanBeIsFine) {
  const HostRule rule({"kmem.example.org", "other.example."}, "server1.corp.example");
  for (const char* good : {"",
                           "127.0.0.1",
                           "10.1.2.3:10054",
                           "[::1]",
                           "[::1]:10054",
                           "[fe80::1]",
                           "localhost",
                           "LOCALHOST:1",
                           "localhost.",
                           "a.localhost",
                           "server1",
                           "Server1:10054",
                           "server1.corp.example",
                           "server1.elsewhere.example.:1",
                           "kmem_exporter:1",
                           "t",
                           "kmem.monitoring.svc.cluster.local",
                           "vm.internal",
                           "box.home.arpa",
                           "KMEM.example.ORG:10054",
                           "kmem.example.org.",
                           "other.example"})
    EXPECT_TRUE(rule.allows(good)) << good;
}

TEST(HostRule, ANameOfSomeoneElsesIsNot) {
  const HostRule rule({"kmem.example.org"}, "server1");
  for (const char* bad :
       {"evil.example", "evil.example:10054", "127.0.0.1.evil.example", "1.2.3.4.5", "1.2.3.256", "1.2.3.", "1..2.3",
        "localhost.evil.example", "xlocalhost.example", "a.kmem.example.org", "server11.evil.example", "[evil.example]", "[",
        "[]", "[::1", "evil.locals", "evil.local.example", "1.2.3.0x4"})
    EXPECT_FALSE(rule.allows(bad)) << bad;
  EXPECT_TRUE(HostRule({"*"}, "server1").allows("evil.example"));
  EXPECT_FALSE(HostRule({}, "").allows("evil.example"));
}

TEST(HttpDate, IsOfTheOneForm) {
  EXPECT_EQ(http_date(784'111'777'000), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(1'709'164'799'999), "Wed, 28 Feb 2024 23:59:59 GMT");
  EXPECT_EQ(http_date(1'709'164'800'000), "Thu, 29 Feb 2024 00:00:00 GMT");
}

}  // namespace
}  // namespace kmem::http
