#include "collectors/windows/logged_event.h"

#include <gtest/gtest.h>

#include "tests/collectors/windows/event_bytes.h"

namespace kmem::windows {
namespace {

using test::event_record;
using test::event_xml;
using test::srv_data;

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(SrvData, TheCodeAtByteTwelveTellsThePool) {
  const auto paged = decode_srv_data(bytes(srv_data(0xC00007E4)));
  ASSERT_TRUE(paged);
  EXPECT_EQ(paged->event_id, 2020U);
  EXPECT_EQ(paged->pool, Pool::kPaged);
  EXPECT_FALSE(paged->own_limit);
  EXPECT_EQ(paged->status, 0xC000009AU);
  const auto nonpaged = decode_srv_data(bytes(srv_data(0xC00007E3)));
  ASSERT_TRUE(nonpaged);
  EXPECT_EQ(nonpaged->event_id, 2019U);
  EXPECT_EQ(nonpaged->pool, Pool::kNonpaged);
  const auto own_nonpaged = decode_srv_data(bytes(srv_data(0xC00007E1)));
  ASSERT_TRUE(own_nonpaged);
  EXPECT_EQ(own_nonpaged->event_id, 2017U);
  EXPECT_EQ(own_nonpaged->pool, Pool::kNonpaged);
  EXPECT_TRUE(own_nonpaged->own_limit);
  const auto own_paged = decode_srv_data(bytes(srv_data(0xC00007E2)));
  ASSERT_TRUE(own_paged);
  EXPECT_EQ(own_paged->pool, Pool::kPaged);
  EXPECT_TRUE(own_paged->own_limit);

  EXPECT_FALSE(decode_srv_data(bytes(srv_data(0xC00007E5))));
  EXPECT_FALSE(decode_srv_data(bytes(srv_data(0x800007E4))));
  EXPECT_FALSE(decode_srv_data({}));
  EXPECT_EQ(decode_srv_data(bytes(srv_data(0xC00007E4).substr(0, 16)))->status, std::nullopt);
}

TEST(EventRecord, OfTheFileServer) {
  const std::string record = event_record(70'001, 1'200'000'000, 0xC00007E4, "Srv", srv_data(0xC00007E4));
  const auto event = parse_event_record(bytes(record));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->record_id, 70'001U);
  EXPECT_EQ(event->time, 1'200'000'000'000);
  EXPECT_EQ(event->provider, "Srv");
  EXPECT_EQ(event->event_id, 2020U);
  EXPECT_EQ(event->detail, "paged pool is empty, status 0xc000009a");
  EXPECT_EQ(parse_event_record(bytes(event_record(1, 1, 0xC00007E1, "srv", srv_data(0xC00007E1))))->detail,
            "nonpaged pool: the file server's own limit is reached, status 0xc000009a");
  // Of others only who, which and when.
  const std::string another = event_record(7, 8, 0x40001B7B, "Service Control Manager", srv_data(0xC00007E4));
  EXPECT_EQ(parse_event_record(bytes(another))->event_id, 7035U);
  EXPECT_EQ(parse_event_record(bytes(another))->detail, "");
}

TEST(EventRecord, DamagedOnesAreRefused) {
  const std::string record = event_record(7, 8, 0xC00007E4, "Srv", srv_data(0xC00007E4));
  for (std::size_t length = 0; length < 64; ++length)
    EXPECT_FALSE(parse_event_record(bytes(record.substr(0, length)))) << length;
  std::string unsigned_record = record;
  unsigned_record[4] = 'X';
  EXPECT_FALSE(parse_event_record(bytes(unsigned_record)));
  std::string far_data = record;
  far_data[55] = '\x7F';
  const auto event = parse_event_record(bytes(far_data));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->detail, "");
}

TEST(EventXml, OfTheFileServer) {
  const auto event = parse_event_xml(event_xml("srv", 2020, 5'000'000'000, "2008-01-31T23:59:58.7654321Z",
                                               "<EventData><Data>\\Device\\LanmanServer</Data><Binary>"
                                               "00000400010054000000000000E40700C0000000009A0000C0"
                                               "</Binary></EventData>"));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->provider, "srv");
  EXPECT_EQ(event->event_id, 2020U);
  EXPECT_EQ(event->record_id, 5'000'000'000U);
  EXPECT_EQ(event->time, 1'201'823'998'765);
  EXPECT_EQ(event->detail, "");  // the code is not at byte 12

  const auto right = parse_event_xml(event_xml("srv", 2020, 1, "2008-01-31T23:59:58Z",
                                               "<EventData><Binary>000004000100540000000000E40700C0000000009A0000C0"
                                               "</Binary></EventData>"));
  ASSERT_TRUE(right);
  EXPECT_EQ(right->time, 1'201'823'998'000);
  EXPECT_EQ(right->detail, "paged pool is empty, status 0xc000009a");
}

constexpr std::string_view kSystemInfo =
    "<SystemInfo><SystemCommitLimit>17179869184</SystemCommitLimit><SystemCommitCharge>17000000000</SystemCommitCharge>"
    "<ProcessCommitCharge>12000000000</ProcessCommitCharge><PagedPoolUsage>300000000</PagedPoolUsage></SystemInfo>"
    "<ProcessInfo><Process_1><Name>store.exe</Name><ID>7580</ID><CommitCharge>11282399232</CommitCharge></Process_1>"
    "<Process_2><Name>a&lt;b&amp;c.exe</Name><CommitCharge>590950400</CommitCharge></Process_2></ProcessInfo>";
constexpr std::string_view kDetail =
    "commit 17000000000 of 17179869184 bytes; paged tags CM31 90000000, MmSt 80000000; nonpaged tags Leak 1468006400; "
    "processes store.exe 11282399232, a<b&c.exe 590950400";

TEST(EventXml, ExhaustionNamesItsHoldersNestedOrFlat) {
  for (const std::string_view pools :
       {"<PagedPoolInfo><Tag_1><Name>CM31</Name><PoolUsed>90000000</PoolUsed></Tag_1><Tag_2><Name>MmSt</Name><PoolUsed>"
        "80000000</PoolUsed></Tag_2></PagedPoolInfo><NonPagedPoolInfo><Tag_1><Name>Leak</Name><PoolUsed>1468006400"
        "</PoolUsed></Tag_1></NonPagedPoolInfo>",
        "<PagedPoolTag_1>CM31</PagedPoolTag_1><PagedPoolUsed_1>90000000</PagedPoolUsed_1><PagedPoolTag_2>MmSt"
        "</PagedPoolTag_2><PagedPoolUsed_2>80000000</PagedPoolUsed_2><NonPagedPoolTag_1>Leak</NonPagedPoolTag_1>"
        "<NonPagedPoolUsed_1>1468006400</NonPagedPoolUsed_1>",
        "<Data Name='PagedPoolTag_1'>CM31</Data><Data Name=\"PagedPoolUsed_1\">90000000</Data><Data Name='PagedPoolTag_2'>"
        "MmSt</Data><Data Name='PagedPoolUsed_2'>80000000</Data><Data Name='NonPagedPoolTag_1'>Leak</Data>"
        "<Data Name='NonPagedPoolUsed_1'>1468006400</Data>"}) {
    const std::string rest = "<UserData><MemoryExhaustionInfo xmlns:auto-ns2='urn:x'>" + std::string(kSystemInfo) +
                             std::string(pools) + "</MemoryExhaustionInfo></UserData>";
    const auto event = parse_event_xml(event_xml(kResourceExhaustion, 2004, 9, "2026-06-13T05:22:34.5121826Z", rest));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->detail, kDetail) << pools;
  }
}

TEST(EventXml, HoldersAreBoundedAndMadeHarmless) {
  std::string info;
  for (int i = 1; i < 9; ++i)
    info += "<PagedPoolTag_1>T\x01\xC3\xBC" + std::to_string(i) + "</PagedPoolTag_1><PagedPoolUsed_1>x</PagedPoolUsed_1>";
  const auto event = parse_event_xml(
      event_xml(kResourceExhaustion, 2004, 9, "2026-06-13T05:22:34Z", "<UserData><M>" + info + "</M></UserData>"));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->detail, R"(paged tags T\x01\xc3\xbc1 ?, T\x01\xc3\xbc2 ?, T\x01\xc3\xbc3 ?)");
}

TEST(EventXml, WhatIsNotWholeIsRefused) {
  const std::string whole = event_xml("Srv", 2020, 1, "2008-01-31T23:59:58Z");
  ASSERT_TRUE(parse_event_xml(whole));
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(parse_event_xml(std::string_view(whole).substr(0, length))) << length;
  for (const char* time : {"", "2008-13-31T23:59:58Z", "2008-02-30T23:59:58Z", "2008-01-31T24:59:58Z", "2008-01-31 23:59:58Z",
                           "2008-01-31T23:59:58", "20080-1-31T23:59:58Z"})
    EXPECT_FALSE(parse_event_xml(event_xml("Srv", 2020, 1, time))) << time;
  EXPECT_FALSE(parse_event_xml("</Event>"));
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "<a>";
  EXPECT_FALSE(parse_event_xml(deep));
  EXPECT_FALSE(parse_event_xml(std::string(300 << 10, ' ') + whole));
}

TEST(FailureKinds, AreFoundWhateverTheCase) {
  EXPECT_EQ(failure_kind("srv", 2019)->provider, "Srv");
  EXPECT_EQ(failure_kind("SRV", 2017)->event_id, 2017U);
  EXPECT_TRUE(failure_kind("Microsoft-Windows-Resource-Exhaustion-Detector", 2004)->needs_vista);
  EXPECT_EQ(failure_kind("Srv", 2021), nullptr);
  EXPECT_EQ(failure_kind("Srv2", 2019), nullptr);
  EXPECT_EQ(failure_kind("Microsoft-Windows-Resource-Exhaustion-Detector", 2019), nullptr);
}

}  // namespace
}  // namespace kmem::windows
