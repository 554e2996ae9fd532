// Both interfaces to event logs, answered by tables of functions instead of Windows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "collectors/windows/event_calls_win32.h"
#include "collectors/windows/logged_event.h"
#include "tests/collectors/windows/event_bytes.h"

namespace kmem::windows {
namespace {

using test::event_record;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// What the functions answer with; they can carry nothing themselves.
struct Fake {
  // Old
  std::vector<std::string> answers;  // of successive reads
  DWORD open_error = 0, last_error = ERROR_HANDLE_EOF;
  DWORD needed = 0;
  std::size_t least_buffer = 0;  // smaller ones are refused
  bool grows = false;            // all are
  int reads = 0, old_open = 0;
  std::wstring log_name;
  DWORD old_flags = 0;
  // New
  DWORD query_error = 0, next_error = ERROR_NO_MORE_ITEMS;
  std::vector<std::wstring> events;  // newest first; "" cannot be rendered
  std::size_t given = 0;
  int new_open = 0;
  std::wstring query;
  DWORD new_flags = 0;
};
Fake fake;

BOOL refuse(DWORD error) {
  SetLastError(error);
  return FALSE;
}
HANDLE handle(std::size_t number) { return reinterpret_cast<HANDLE>(number); }
constexpr std::size_t kLog = 1, kResults = 2, kFirstEvent = 100;

HANDLE WINAPI open_log(LPCWSTR server, LPCWSTR log) {
  EXPECT_EQ(server, nullptr);
  fake.log_name = log;
  SetLastError(fake.open_error);
  if (fake.open_error != 0) return nullptr;
  ++fake.old_open;
  return handle(kLog);
}
BOOL WINAPI read_log(HANDLE, DWORD flags, DWORD, LPVOID buffer, DWORD bytes, DWORD* filled, DWORD* needed) {
  fake.old_flags = flags;
  if (++fake.reads > 1000) return refuse(ERROR_HANDLE_EOF);  // the test fails, but ends
  if (fake.grows) {
    *needed = bytes + 1;
    return refuse(ERROR_INSUFFICIENT_BUFFER);
  }
  if (bytes < fake.least_buffer) {
    *needed = fake.needed;
    return refuse(ERROR_INSUFFICIENT_BUFFER);
  }
  if (fake.answers.empty()) return refuse(fake.last_error);
  *filled = static_cast<DWORD>(fake.answers.front().size());
  std::memcpy(buffer, fake.answers.front().data(), *filled);
  fake.answers.erase(fake.answers.begin());
  return TRUE;
}
BOOL WINAPI close_log(HANDLE) { return --fake.old_open, TRUE; }

HANDLE WINAPI query_events(HANDLE, LPCWSTR path, LPCWSTR query, DWORD flags) {
  fake.log_name = path;
  fake.query = query;
  fake.new_flags = flags;
  SetLastError(fake.query_error);
  if (fake.query_error != 0) return nullptr;
  ++fake.new_open;
  return handle(kResults);
}
BOOL WINAPI next_events(HANDLE, DWORD size, HANDLE* events, DWORD, DWORD, DWORD* count) {
  *count = 0;
  for (; *count < size && fake.given < fake.events.size(); ++fake.new_open)
    events[(*count)++] = handle(kFirstEvent + fake.given++);
  return *count != 0 ? TRUE : refuse(fake.next_error);
}
BOOL WINAPI render_event(HANDLE, HANDLE event, DWORD flags, DWORD bytes, void* buffer, DWORD* used, DWORD*) {
  EXPECT_EQ(flags, 1U);
  const std::wstring& text = fake.events.at(reinterpret_cast<std::size_t>(event) - kFirstEvent);
  if (text.empty()) return refuse(ERROR_INVALID_DATA);
  *used = static_cast<DWORD>((text.size() + 1) * sizeof(wchar_t));
  if (*used > bytes) return refuse(ERROR_INSUFFICIENT_BUFFER);
  std::memcpy(buffer, text.c_str(), *used);
  return TRUE;
}
BOOL WINAPI close_event(HANDLE) { return --fake.new_open, TRUE; }

constexpr OldEventCalls kOld{open_log, read_log, close_log};
constexpr NewEventCalls kNew{query_events, next_events, render_event, close_event};

class SystemLogTest : public testing::Test {
 protected:
  SystemLogTest() { fake = {}; }
  ~SystemLogTest() override {
    EXPECT_EQ(fake.old_open, 0) << "a log stays open";
    EXPECT_EQ(fake.new_open, 0) << "an event or a query stays open";
  }
  SystemLogTest(const SystemLogTest&) = delete;
  SystemLogTest& operator=(const SystemLogTest&) = delete;

  std::vector<std::string> read(const NewEventCalls& calls = {}, bool only_failures = false, std::size_t most = 1000) {
    const auto log = make_system_log(kOld, calls);
    std::vector<std::string> got;
    status_ = log->read_back(only_failures, [&](std::string_view record) {
      got.emplace_back(record);
      return got.size() < most;
    });
    form_ = log->form();
    return got;
  }
  static std::wstring wide(const std::string& text) { return {text.begin(), text.end()}; }

  NtStatus status_ = kStatusOk;
  EventForm form_ = EventForm::kXml;
};

TEST_F(SystemLogTest, WithoutTheNewInterfaceRecordsComeFromTheOld) {
  const std::string third = event_record(3, 30, 2020, "Srv"), second = event_record(2, 20, 6013, "EventLog"),
                    first = event_record(1, 10, 2019, "Srv");
  fake.answers = {third + second, first};
  EXPECT_THAT(read(), ElementsAre(third, second, first));
  EXPECT_EQ(status_, kStatusOk);
  EXPECT_EQ(form_, EventForm::kRecord);
  EXPECT_EQ(fake.log_name, L"System");
  EXPECT_EQ(fake.old_flags, DWORD{EVENTLOG_SEQUENTIAL_READ | EVENTLOG_BACKWARDS_READ});
  // Enough is enough.
  fake.answers = {third + second, first};
  EXPECT_THAT(read({}, false, 1), ElementsAre(third));
}

TEST_F(SystemLogTest, ALongRecordGetsALargerBuffer) {
  const std::string record = event_record(1, 10, 2020, "Srv", std::string(100'000, 'x'));
  fake.answers = {record};
  fake.least_buffer = fake.needed = static_cast<DWORD>(record.size());
  EXPECT_THAT(read(), ElementsAre(record));
  // But not any: 1 MB is not a record, and one that asks for no more than it got would ask for ever.
  for (const DWORD needed : {DWORD{1} << 20, DWORD{0}, DWORD{64} << 10}) {
    fake.reads = 0;
    fake.answers = {record};
    fake.least_buffer = 1 << 20;
    fake.needed = needed;
    EXPECT_THAT(read(), IsEmpty());
    EXPECT_EQ(status_, 0xC007007A) << needed;
    EXPECT_LT(fake.reads, 3);
  }
}

TEST_F(SystemLogTest, ABufferThatIsNeverLargeEnoughEnds) {
  fake.answers = {event_record(1, 10, 2020, "Srv")};
  fake.grows = true;  // a byte more is wanted each time
  EXPECT_THAT(read(), IsEmpty());
  EXPECT_EQ(status_, 0xC007007A);
  EXPECT_LT(fake.reads, 20);
}

TEST_F(SystemLogTest, AnAnswerThatLiesAboutLengthsEnds) {
  const std::string good = event_record(2, 20, 2020, "Srv");
  std::string endless = event_record(1, 10, 2020, "Srv");
  endless[0] = '\0';
  std::string beyond = event_record(1, 10, 2020, "Srv");
  beyond[2] = '\x7F';
  // What follows has no beginning, and a log that gives the same again would be read for ever.
  for (const std::string& lie : {endless, beyond, std::string("abc")}) {
    fake.answers = {good + lie, good};
    EXPECT_THAT(read(), ElementsAre(good));
    EXPECT_EQ(status_, kStatusOk);
  }
  fake.answers = {"", good};
  EXPECT_THAT(read(), IsEmpty()) << "an empty answer is the end";
  EXPECT_EQ(status_, kStatusOk);
}

TEST_F(SystemLogTest, RefusalsAreTold) {
  fake.open_error = ERROR_ACCESS_DENIED;
  EXPECT_THAT(read(), IsEmpty());
  EXPECT_EQ(status_, kStatusAccessDenied);
  fake.open_error = 1722;  // the event log service is stopped
  read();
  EXPECT_EQ(status_, 0xC00706BA);
  fake.open_error = 0;
  fake.last_error = 1503;  // cleared while it was read
  read();
  EXPECT_EQ(status_, 0xC00705DF);
  fake.query_error = ERROR_ACCESS_DENIED;
  fake.reads = 0;
  read(kNew);
  EXPECT_EQ(status_, kStatusAccessDenied);
  EXPECT_EQ(fake.reads, 0) << "the old interface would not be allowed more";
}

TEST_F(SystemLogTest, TheNewInterfaceGivesXmlInUtf8) {
  for (int i = 0; i < 40; ++i) fake.events.push_back(L"<Event>" + std::to_wstring(40 - i) + L" \u00FC</Event>");
  fake.events[17].clear();
  const auto got = read(kNew);
  ASSERT_EQ(got.size(), 39U);
  EXPECT_EQ(got[0], "<Event>40 \xC3\xBC</Event>");
  EXPECT_EQ(got[38], "<Event>1 \xC3\xBC</Event>");
  EXPECT_EQ(form_, EventForm::kXml);
  EXPECT_EQ(fake.log_name, L"System");
  EXPECT_EQ(fake.query, L"*");
  EXPECT_EQ(fake.new_flags, 0x201U);  // a channel, newest first
  fake.given = 0;
  EXPECT_EQ(read(kNew, true, 3).size(), 3U);
  EXPECT_LT(fake.given, 20U);
}

TEST_F(SystemLogTest, ItsFilterNamesEveryKind) {
  read(kNew, true);
  std::string query;
  for (const wchar_t c : fake.query) query.push_back(static_cast<char>(c));
  EXPECT_THAT(query, HasSubstr("Provider[@Name='Srv']"));
  EXPECT_THAT(query, HasSubstr("EventID>=2017 and EventID<=2020"));
  for (const FailureKind& kind : kFailureKinds) {
    EXPECT_THAT(query, HasSubstr("'" + std::string(kind.provider) + "'"));
    EXPECT_TRUE(kind.provider == kSrv || query.find("EventID=" + std::to_string(kind.event_id)) != query.npos);
  }
}

TEST_F(SystemLogTest, LongXmlGetsALargerBufferUpToABound) {
  fake.events = {std::wstring(100'000, L'a'), std::wstring(400'000, L'b'), L"c"};
  const auto got = read(kNew);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].size(), 100'000U);
  EXPECT_EQ(got[1], "c");
}

TEST_F(SystemLogTest, ABrokenQueryIsTold) {
  fake.events = {wide(test::event_xml("Srv", 2020, 1, "2026-01-01T00:00:00Z"))};
  fake.next_error = WAIT_TIMEOUT;
  EXPECT_EQ(read(kNew).size(), 1U);
  EXPECT_EQ(status_, 0xC0070102);
}

TEST_F(SystemLogTest, WhereTheNewInterfaceIsOnlyANameTheOldOneAnswers) {
  fake.query_error = 120;  // ERROR_CALL_NOT_IMPLEMENTED
  const std::string record = event_record(1, 10, 2020, "Srv");
  fake.answers = {record};
  EXPECT_THAT(read(kNew), ElementsAre(record));
  EXPECT_EQ(form_, EventForm::kRecord);
}

TEST(EventCalls, ThisMachinesOldOnesAreAlwaysThere) {
  const OldEventCalls calls = old_event_calls();
  EXPECT_NE(calls.open, nullptr);
  const NewEventCalls later = new_event_calls();
  EXPECT_EQ(later.query == nullptr, later.close == nullptr);
}

}  // namespace
}  // namespace kmem::windows
