// Memory and descriptors of the process under attack, as Linux counts them.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "tests/exporter/http/server_fixture.h"

namespace kmem::http {
namespace {

// They shadow every byte and keep what is freed for a while.
#if defined(__has_feature)
#define KMEM_CLANG_HAS(feature) __has_feature(feature)
#else
#define KMEM_CLANG_HAS(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || KMEM_CLANG_HAS(address_sanitizer) || \
    KMEM_CLANG_HAS(thread_sanitizer)
constexpr std::size_t kSanitizerFactor = 10;
#else
constexpr std::size_t kSanitizerFactor = 1;
#endif

std::size_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  }
  return 0;
}

std::size_t open_descriptors() {
  const auto folder = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
}

using HttpResourcesTest = HttpServerTest;

TEST_F(HttpResourcesTest, MemoryStaysBoundedUnderFloods) {
  start();
  once("GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto before_kib = resident_kib();
  const std::string piece(1 << 20, 'a');
  const std::string head(8'000, 'h');
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 256; ++i) {
    clients.push_back(std::make_unique<Client>(port_));
    clients.back()->send("GET / HTTP/1.1\r\nA: " + head);
  }
  for (int i = 0; i < 8; ++i) {
    Client flooder(port_);
    flooder.send("GET / HTTP/1.1\r\nA: ");
    for (int sent = 0; sent < 200 && flooder.send(piece) == piece.size();) ++sent;
  }
  const auto after_kib = resident_kib();
  const auto grown_kib = after_kib - std::min(after_kib, before_kib);
  RecordProperty("grown_kib", static_cast<int>(grown_kib));
  std::cout << "resident memory grew by " << grown_kib << " KiB\n";
  EXPECT_LT(grown_kib, kSanitizerFactor * 10 * 1024);
}

TEST_F(HttpResourcesTest, AnswersThatNobodyTakesAreBounded) {
  web_.max_requests = 1000;
  start();
  once("GET /large HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto before_kib = resident_kib();
  std::vector<std::unique_ptr<Client>> readers;
  for (int i = 0; i < 40; ++i) {
    readers.push_back(std::make_unique<Client>(port_, 4'096));
    readers.back()->send("GET /large HTTP/1.1\r\nHost: t\r\n\r\n");
    while (observer_.done().size() < readers.size() + 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const auto after_kib = resident_kib();
  const auto grown_kib = after_kib - std::min(after_kib, before_kib);
  std::cout << "resident memory grew by " << grown_kib << " KiB for 40 answers of 4 MB\n";
  EXPECT_LT(grown_kib, kSanitizerFactor * 40 * 1024) << "of 160 MB";
  EXPECT_GE(observer_.rejections("slow_reader"), 30U);
}

TEST_F(HttpResourcesTest, IdleConnectionsKeepNoAnswer) {
  start();
  Client(port_).get("/large");
  const auto before_kib = resident_kib();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 30; ++i) {
    clients.push_back(std::make_unique<Client>(port_));
    clients.back()->send("GET /large HTTP/1.1\r\nHost: t\r\n\r\n");
    ASSERT_EQ(clients.back()->reply().body.size(), kLargeBytes);
    clients.back()->forget();
  }
  const auto after_kib = resident_kib();
  EXPECT_LT(after_kib - std::min(after_kib, before_kib), kSanitizerFactor * 40 * 1024) << "120 MB were answered";
}

TEST_F(HttpResourcesTest, StartAndStopLeakNoDescriptors) {
  start();
  server_->stop();
  const auto before = open_descriptors();
  for (int i = 0; i < 50; ++i) {
    start();
    Client working(port_);
    EXPECT_EQ(working.get("/who").status, 200);
    Client begun(port_);
    begun.send("GET /");
    server_->stop();
  }
  EXPECT_EQ(open_descriptors(), before);
}

// poll tells of a reset while a request is in work; select on Windows does not.
TEST_F(HttpResourcesTest, RequestsOfTheGoneCostNoWorker) {
  start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(std::make_unique<Client>(port_));
    clients.back()->send("GET /gate HTTP/1.1\r\nHost: t\r\n\r\n");
  }
  ASSERT_TRUE(gate_.wait_for(2)) << "both workers";
  for (int i = 0; i < 20; ++i) {
    Client gone(port_);
    gone.send("GET /large HTTP/1.1\r\nHost: t\r\n\r\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    gone.reset_now();
  }
  Client waits(port_);
  waits.send("GET /who HTTP/1.1\r\nHost: t\r\n\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  gate_.open();
  EXPECT_EQ(waits.reply().status, 200);
  const auto done = observer_.done();
  EXPECT_EQ(std::count(done.begin(), done.end(), std::pair<std::string, int>("large", 200)), 0);
}

}  // namespace
}  // namespace kmem::http
