#include "collectors/windows/event_tail.h"

#include <gmock/gmock.h>

#include <deque>
#include <string>
#include <vector>

#include "tests/collectors/windows/event_bytes.h"
#include "tests/support/manual_clock.h"

namespace kmem::windows {
namespace {

using std::chrono::seconds;
using test::event_record;
using testing::ElementsAre;
using testing::IsEmpty;

/// A log of prepared records, which counts how many were looked at.
class FakeLog final : public SystemLog {
 public:
  struct Content {
    EventForm form = EventForm::kRecord;
    std::deque<std::string> records;  // oldest first
    std::deque<bool> is_failure;
    NtStatus status = kStatusOk;
    std::size_t given = 0;
    int filtered = 0, unfiltered = 0;
    bool endless = false;

    void add(std::string record, bool failure) {
      records.push_back(std::move(record));
      is_failure.push_back(failure);
    }
    void clear() {
      records.clear();
      is_failure.clear();
    }
  };
  explicit FakeLog(Content& content) : content_(content) {}
  [[nodiscard]] EventForm form() const override { return content_.form; }
  NtStatus read_back(bool only_failures, const std::function<bool(std::string_view)>& take) override {
    ++(only_failures ? content_.filtered : content_.unfiltered);
    if (content_.status != kStatusOk) return content_.status;
    // An NT that knows no end: it begins anew.
    for (bool goes_on = content_.endless; goes_on;)
      for (std::size_t i = content_.records.size(); goes_on && i-- > 0;) {
        ++content_.given;
        goes_on = take(content_.records[i]);
      }
    if (content_.endless) return kStatusOk;
    for (std::size_t i = content_.records.size(); i-- > 0;) {
      if (only_failures && !content_.is_failure[i]) continue;
      ++content_.given;
      if (!take(content_.records[i])) break;
    }
    return kStatusOk;
  }

 private:
  Content& content_;
};

constexpr std::uint32_t kDay = 1'700'000'000;

class EventTailTest : public testing::Test {
 protected:
  void fail(std::uint32_t number, std::uint32_t time, std::uint32_t id = 2020) {
    log_.add(event_record(number, time, 0xC0000000 | id, "Srv", test::srv_data(0xC0000000 | id)), true);
  }
  void other(std::uint32_t number, std::uint32_t time) { log_.add(event_record(number, time, 6013, "EventLog"), false); }
  EventTail make() { return EventTail(std::make_unique<FakeLog>(log_), clock_); }

  /// Record ids that the part brings; the reading itself in reading_.
  std::vector<std::uint64_t> read(EventTail& tail) {
    std::string part = "old";
    status_ = tail.read(part);
    reading_ = {};
    if (status_ != kStatusOk) {
      EXPECT_EQ(part, "");
      return {};
    }
    Snapshot snapshot;
    const auto skipped = parse_events(part, snapshot);
    EXPECT_TRUE(skipped);
    if (!skipped) return {};
    skipped_ = *skipped;
    kinds_ = snapshot.failure_events.size();
    reading_ = std::move(*snapshot.event_log);
    std::vector<std::uint64_t> ids;
    for (const FailureRecord& record : reading_.records) ids.push_back(record.record_id);
    return ids;
  }
  std::vector<std::uint64_t> read_later(EventTail& tail) {
    clock_.advance(seconds(60));
    return read(tail);
  }

  FakeLog::Content log_;
  test::ManualClock clock_;
  NtStatus status_ = kStatusOk;
  EventLogReading reading_;
  std::uint64_t skipped_ = 0;
  std::size_t kinds_ = 0;
};

TEST_F(EventTailTest, ALogThatGivesTheSameRecordsAgainEnds) {
  for (std::uint32_t n = 1; n <= 1000; ++n) n % 400 == 0 ? fail(n, kDay + n) : other(n, kDay + n);
  log_.endless = true;
  EventTail tail = make();
  EXPECT_THAT(read(tail), ElementsAre(400, 800)) << "each once";
  EXPECT_EQ(reading_.cursor.record_id, 1000U);
  EXPECT_LE(log_.given, 1010U);
  fail(1001, kDay + 2000);
  EXPECT_THAT(read_later(tail), ElementsAre(1001));
}

TEST_F(EventTailTest, ALogThatGivesOneRecordForEverEnds) {
  fail(7, kDay);
  log_.endless = true;
  EventTail tail = make();
  EXPECT_THAT(read(tail), ElementsAre(7));
  log_.clear();
  log_.add("no record at all", true);
  clock_.advance(std::chrono::minutes(1));
  EventTail garbage = make();
  const std::size_t before = log_.given;
  EXPECT_THAT(read(garbage), IsEmpty()) << "what cannot be read is bounded, too";
  EXPECT_LE(log_.given - before, 400'010U);
}

TEST_F(EventTailTest, TheFirstLookTakesWhatTheLogHoldsAndTheNextOnlyWhatIsNew) {
  for (std::uint32_t n = 1; n <= 1000; ++n) n % 400 == 0 ? fail(n, kDay + n) : other(n, kDay + n);
  EventTail tail = make();
  EXPECT_THAT(read(tail), ElementsAre(400, 800));
  EXPECT_EQ(log_.filtered, 1);
  EXPECT_EQ(reading_.first, 0U);
  EXPECT_EQ(reading_.cursor.record_id, 1000U);
  EXPECT_EQ(reading_.cursor.time, (kDay + 1000LL) * 1000);
  EXPECT_EQ(reading_.records[0].provider, "Srv");
  EXPECT_EQ(reading_.records[0].event_id, 2020U);
  EXPECT_EQ(reading_.records[0].time, (kDay + 400LL) * 1000);
  EXPECT_EQ(reading_.records[0].detail, "paged pool is empty, status 0xc000009a");

  log_.given = 0;
  EXPECT_THAT(read_later(tail), IsEmpty());
  EXPECT_EQ(log_.given, 1U);  // the newest record, which is known
  other(1001, kDay + 2000);
  fail(1002, kDay + 2001, 2019);
  other(1003, kDay + 2002);
  log_.given = 0;
  EXPECT_THAT(read_later(tail), ElementsAre(1002));
  EXPECT_EQ(log_.given, 4U);
  EXPECT_EQ(reading_.first, 2U);
  EXPECT_EQ(log_.filtered, 1);
}

TEST_F(EventTailTest, LooksOnceAMinute) {
  other(1, kDay);
  EventTail tail = make();
  EXPECT_THAT(read(tail), IsEmpty());
  fail(2, kDay + 1);
  clock_.advance(seconds(59));
  EXPECT_THAT(read(tail), IsEmpty());
  EXPECT_EQ(reading_.cursor.record_id, 1U);
  clock_.advance(seconds(1));
  EXPECT_THAT(read(tail), ElementsAre(2));
  EXPECT_THAT(read(tail), IsEmpty());
  EXPECT_EQ(reading_.first, 1U);
}

TEST_F(EventTailTest, GoesOnWhereAnEarlierRunStopped) {
  for (std::uint32_t n = 1; n <= 10; ++n) fail(n, kDay + n);
  EventTail tail = make();
  tail.resume({7, (kDay + 7LL) * 1000});
  EXPECT_THAT(read(tail), ElementsAre(8, 9, 10));
  // The record it stopped at has gone: the log went round.
  log_.clear();
  for (std::uint32_t n = 5000; n <= 5002; ++n) fail(n, kDay + n);
  EventTail late = make();
  late.resume({7, (kDay + 7LL) * 1000});
  EXPECT_THAT(read(late), ElementsAre(5000, 5001, 5002));
}

TEST_F(EventTailTest, AClearedLogIsNewWhateverItsNumbers) {
  for (std::uint32_t n = 1; n <= 10; ++n) fail(n, kDay + n);
  EventTail tail = make();
  EXPECT_EQ(read(tail).size(), 10U);
  log_.clear();
  EXPECT_THAT(read_later(tail), IsEmpty());
  EXPECT_EQ(status_, kStatusOk);
  fail(1, kDay + 100);
  other(2, kDay + 101);
  EXPECT_THAT(read_later(tail), ElementsAre(1));
  EXPECT_EQ(reading_.cursor.record_id, 2U);
  // Cleared again, and grown beyond the old number in between.
  log_.clear();
  for (std::uint32_t n = 1; n <= 5; ++n) fail(n, kDay + 200 + n);
  EXPECT_THAT(read_later(tail), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(EventTailTest, AClockThatWasSetBackHidesNoEvent) {
  for (std::uint32_t n = 1; n <= 10; ++n) fail(n, kDay + n);
  EventTail tail = make();
  EXPECT_EQ(read(tail).size(), 10U);
  fail(11, kDay + 20 - 3 * 3600);
  EXPECT_THAT(read_later(tail), ElementsAre(11));
  other(12, kDay + 30 - 3 * 3600);
  EXPECT_THAT(read_later(tail), IsEmpty());
  // And cleared: no number is new, and no time.
  log_.clear();
  fail(1, kDay + 40 - 4 * 3600);
  EXPECT_THAT(read_later(tail), ElementsAre(1));
  // After a long pause the log's own filter gives the failures alone, of which the newest is an old one.
  for (std::uint32_t n = 2; n <= 1000; ++n) other(n, kDay + 100);
  EXPECT_THAT(read_later(tail), IsEmpty());
  EXPECT_EQ(reading_.cursor.record_id, 1000U);
  for (std::uint32_t n = 1001; n <= 2000; ++n) other(n, kDay + 200);
  EXPECT_THAT(read_later(tail), IsEmpty()) << "nothing twice";
}

TEST_F(EventTailTest, ALogWithoutARecordIsNone) {
  EventTail tail = make();
  read(tail);
  EXPECT_EQ(status_, kStatusNameNotFound);
  fail(1, kDay);
  EXPECT_THAT(read_later(tail), ElementsAre(1));
}

TEST_F(EventTailTest, ARefusalIsItsStatusAndLosesNothing) {
  fail(1, kDay);
  EventTail tail = make();
  log_.status = kStatusAccessDenied;
  read(tail);
  EXPECT_EQ(status_, kStatusAccessDenied);
  read(tail);
  EXPECT_EQ(status_, kStatusAccessDenied);
  EXPECT_EQ(log_.unfiltered, 1);
  log_.status = kStatusOk;
  EXPECT_THAT(read_later(tail), ElementsAre(1));
}

TEST_F(EventTailTest, AfterALongPauseTheLogsOwnFilterIsUsed) {
  other(1, kDay);
  EventTail tail = make();
  read(tail);
  for (std::uint32_t n = 2; n <= 2000; ++n) n == 3 || n == 1999 ? fail(n, kDay + n) : other(n, kDay + n);
  EXPECT_THAT(read_later(tail), ElementsAre(3, 1999));
  EXPECT_EQ(log_.filtered, 1);
  EXPECT_EQ(reading_.cursor.record_id, 2000U);
}

TEST_F(EventTailTest, ADamagedRecordHidesNoOther) {
  fail(1, kDay);
  EventTail tail = make();
  read(tail);
  fail(2, kDay + 1);
  log_.add("garbage", false);
  fail(4, kDay + 2);
  EXPECT_THAT(read_later(tail), ElementsAre(2, 4));
}

TEST_F(EventTailTest, OneLookHasABoundAndSaysWhatItLeftOut) {
  other(1, kDay);
  EventTail tail = make();
  read(tail);
  for (std::uint32_t n = 2; n <= 401; ++n) fail(n, kDay + n);
  const auto ids = read_later(tail);
  ASSERT_EQ(ids.size(), kMaxShippedEvents);
  EXPECT_EQ(ids.back(), 401U);
  EXPECT_EQ(reading_.left_out, 400 - kMaxShippedEvents);
  EXPECT_EQ(skipped_, 400 - kMaxShippedEvents);
  EXPECT_THAT(read_later(tail), IsEmpty());
}

TEST_F(EventTailTest, XmlKnowsTheKindsOfVistaToo) {
  log_.form = EventForm::kXml;
  log_.add(test::event_xml("srv", 2017, 1, "2026-01-01T00:00:00.5Z"), true);
  log_.add(test::event_xml("Microsoft-Windows-Resource-Exhaustion-Detector", 2004, 2, "2026-01-01T00:00:01Z"), true);
  EventTail tail = make();
  EXPECT_THAT(read(tail), ElementsAre(1, 2));
  EXPECT_EQ(reading_.records[0].provider, "Srv");
  EXPECT_EQ(kinds_, 5U);
  log_.form = EventForm::kRecord;
  EXPECT_THAT(read_later(tail), IsEmpty());
  EXPECT_EQ(kinds_, 4U);
}

TEST(EventsPart, DamageIsRefused) {
  test::ManualClock clock;
  FakeLog::Content content;
  content.add(event_record(1, kDay, 0xC00007E4, "Srv"), true);
  EventTail tail(std::make_unique<FakeLog>(content), clock);
  std::string part;
  ASSERT_EQ(tail.read(part), kStatusOk);
  for (std::size_t length = 0; length < part.size(); ++length) {
    Snapshot snapshot;
    EXPECT_FALSE(parse_events(part.substr(0, length), snapshot)) << length;
    EXPECT_FALSE(snapshot.event_log);
  }
  Snapshot snapshot;
  EXPECT_FALSE(parse_events(part + "x", snapshot));
  part[0] = 9;
  EXPECT_FALSE(parse_events(part, snapshot));
}

}  // namespace
}  // namespace kmem::windows
