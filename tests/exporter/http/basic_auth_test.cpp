#include "exporter/http/basic_auth.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "collectors/base/left_thread.h"

#include "exporter/http/bcrypt.h"
#include "exporter/http/rate_limiter.h"
#include "exporter/http/web_file.h"
#include "tests/exporter/http/hanging_files.h"
#include "tests/exporter/http/server_fixture.h"
#include "tests/support/temp_folder.h"

namespace kmem::http {
namespace {

using Verdict = BasicAuth::Verdict;

TEST(SipHash, IsThatOfItsAuthors) {
  EXPECT_EQ(sip_hash({0x0706050403020100, 0x0f0e0d0c0b0a0908}, ""), (SipHash{0xe6a825ba047f81a3, 0x930255c71472f66d}));
  EXPECT_NE(sip_hash({1, 2}, "12345678"), sip_hash({1, 2}, std::string_view("12345678\0", 9)));
  EXPECT_NE(sip_hash({1, 2}, "a"), sip_hash({2, 1}, "a"));
}

TEST(Bcrypt, KnownHashesComeOut) {
  // From the test vectors that come with OpenBSD's and John the Ripper's implementations.
  const std::pair<std::string, std::string> known[] = {
      {"U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
      {"U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"},
      {"", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"},
  };
  for (const auto& [password, hash] : known) {
    EXPECT_EQ(bcrypt(password, hash), hash) << password;
    EXPECT_NE(bcrypt(password + "x", hash), hash);
  }
}

TEST(Bcrypt, EveryLengthGivesWhatLibxcryptGives) {
  const char* const known[] = {
      // by its release 4.4.33; what is past 72 bytes counts for nothing
      "2uzVYAxqjIiFqB9NsVS3RI78mgsfG.y", "fFEhqMHkOKyOD7G4URny/Tjvrd.jz0K", "HwS14gKyZPKd9yJwANglEEwVgNHbhSq",
      "9IR6p43Q39EkmtTbcAQcc3Ut2pXzaDm", "ZXAMVULwFTaY6i.S9Z4GJ5frxKj8nHm", "JVuf00OtI8nPP4zgx06t6fXfUksac4u",
      "RMNQYATjzaZ4v2/79ZSWmjkSEDwoyH6", "Td.1t0ezfiMvYypNEegw3.k8c/uagPS", "1CuicJrf3hFkqU//D3wXHO2g/1D7D3G",
      "D7JKZIZ5HN13LvpHawucPEhyVwkkgeq", "cyNfiPaTW6.4UjkdBCAomVKfWUUV/Pu", "mf8zJfnTUB/rq9tXyA2ebDUn5ipzIIO",
  };
  std::size_t length = 0;
  for (const std::string hash : known) {
    std::string password(length, 'p');
    for (std::size_t i = 0; i < length; ++i) password[i] = static_cast<char>(i * 37 % 255 + 1);
    const auto setting = std::string("$2b$04$ABCDEFGHIJKLMNOPQRSTU") + (length % 2 == 0 ? "." : "u");
    EXPECT_EQ(bcrypt(password, setting + std::string(31, '.')), setting + hash) << length;
    length += 7;
  }
}

TEST(Bcrypt, WhatIsNoSettingGivesNothing) {
  const std::string good = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
  for (std::size_t at : {0U, 1U, 2U, 3U, 4U, 6U, 7U}) {
    auto bad = good;
    bad[at] = '*';
    EXPECT_EQ(bcrypt("U*U", bad), "") << at;
  }
  for (const std::string& bad : {std::string(), good.substr(1), good + "x", "$2a$03$" + good.substr(7)}) {
    EXPECT_EQ(bcrypt("U*U", bad), "");
  }
  EXPECT_EQ(bcrypt(std::string("U*U\0x", 5), good), "") << "a NUL would end the password for C";
}

const std::string kSetting = "$2y$04$abcdefghijklmnopqrstuu" + std::string(31, '.');

std::vector<config::BasicAuthUser> two_users() {
  return {{"alice", bcrypt("sesame", kSetting)}, {"bob", bcrypt("", kSetting)}};
}

TEST(BasicAuth, ChecksOnceAndRemembers) {
  BasicAuth auth(two_users());
  const std::string alice = "Basic YWxpY2U6c2VzYW1l";  // alice:sesame
  EXPECT_EQ(auth.remembered(alice), Verdict::kUnknown);
  EXPECT_TRUE(auth.check(alice));
  EXPECT_EQ(auth.remembered(alice), Verdict::kAllowed);
  EXPECT_EQ(auth.remembered("basic  YWxpY2U6c2VzYW1l"), Verdict::kAllowed) << "the scheme has no case";
  EXPECT_TRUE(auth.check("Basic Ym9iOg==")) << "bob's password is empty";
}

TEST(BasicAuth, WhatIsNotRightIsDenied) {
  BasicAuth auth(two_users());
  for (const char* wrong : {"Basic YWxpY2U6U2VzYW1l",         // alice:Sesame
                            "Basic Ym9iOnNlc2FtZQ==",         // bob:sesame
                            "Basic Y2Fyb2w6c2VzYW1l",         // carol:sesame
                            "Basic YWxpY2U6c2VzYW1lAA=="}) {  // with a NUL
    EXPECT_EQ(auth.remembered(wrong), Verdict::kUnknown) << wrong;
    EXPECT_FALSE(auth.check(wrong)) << wrong;
    EXPECT_EQ(auth.remembered(wrong), Verdict::kDenied) << wrong;
  }
  for (const char* nonsense : {"", "Basic", "Basic ", "Basic YWxpY2U=", "Basic YWxpY2U6c2VzYW1", "Basic !!!!",
                               "Bearer YWxpY2U6c2VzYW1l", "YWxpY2U6c2VzYW1l"}) {
    EXPECT_EQ(auth.remembered(nonsense), Verdict::kDenied) << nonsense;
    EXPECT_FALSE(auth.check(nonsense)) << nonsense;
  }
}

TEST(BasicAuth, EveryDenialCostsAsMuchAsTheCostliestHash) {
  const auto of_cost = [](const char* cost) {
    return "$2y$" + std::string(cost) + "$abcdefghijklmnopqrstuu" + std::string(31, '.');
  };
  BasicAuth auth(
      {{"alice", bcrypt("sesame", of_cost("04"))}, {"bob", bcrypt("", of_cost("06"))}, {"eve", bcrypt("x", of_cost("07"))}});
  const auto work = [&auth](const char* authorization) {
    const auto before = auth.work();
    EXPECT_FALSE(auth.check(authorization));
    return auth.work() - before;
  };
  EXPECT_EQ(work("Basic YWxpY2U6eHh4"), 128U) << "alice:xxx, whose own hash costs 16";
  EXPECT_EQ(work("Basic Ym9iOnh4eA=="), 128U) << "bob:xxx, 64";
  EXPECT_EQ(work("Basic ZXZlOnh4eA=="), 128U) << "eve:xxx, 128";
  EXPECT_EQ(work("Basic Y2Fyb2w6eHh4"), 128U) << "carol:xxx, who is not known";
}

class HttpAuthTest : public HttpServerTest {
 protected:
  void start_with(config::WebSecurity security) {
    server_ = std::make_unique<Server>(web_, routes(), observer_, clock_, std::move(security));
    const auto started = server_->start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    port_ = server_->ports().at(0);
  }
};

TEST_F(HttpAuthTest, OnlyTheKnownGetIn) {
  config::WebSecurity security;
  security.users = two_users();
  start_with(security);
  Client client(port_);
  for (int i = 0; i < 3; ++i) { EXPECT_EQ(client.get("/metrics", "Authorization: Basic YWxpY2U6c2VzYW1l\r\n").status, 200); }
  for (const char* path : {"/metrics", "/who", "/nothing"}) {
    const auto none = Client(port_).get(path);
    EXPECT_EQ(none.status, 401) << path;
    EXPECT_EQ(none.header("www-authenticate"), "Basic");
    EXPECT_EQ(none.body, "unauthorized\n");
  }
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Client(port_).get("/metrics", "Authorization: Basic YWxpY2U6U2VzYW1l\r\n").status, 401) << "checked, remembered";
  }
  EXPECT_EQ(observer_.rejections("unauthorized"), 5U);
  EXPECT_EQ(observer_.done().size(), 3U) << "no handler saw the others";
}

TEST_F(HttpAuthTest, GuessingDoesNotDelayTheKnown) {
  config::WebSecurity security;
  // About 70 ms a check.
  security.users = {{"alice", bcrypt("sesame", "$2y$10$abcdefghijklmnopqrstuu" + std::string(31, '.'))}};
  start_with(security);
  const std::string right = "Authorization: Basic YWxpY2U6c2VzYW1l\r\n";
  const auto asked = std::chrono::steady_clock::now();
  EXPECT_EQ(Client(port_).get("/who", right).status, 200);
  const auto one_check = std::chrono::steady_clock::now() - asked;
  std::vector<std::unique_ptr<Client>> guessers;
  for (int i = 0; i < 30; ++i) {
    guessers.push_back(std::make_unique<Client>(port_));
    const std::string guess = {'e', static_cast<char>('A' + i % 26), static_cast<char>('h' + i / 26), '5'};
    guessers.back()->send("GET / HTTP/1.1\r\nHost: t\r\nAuthorization: Basic YWxpY2U6" + guess + "\r\n\r\n");
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Client(port_).get("/who", right).status, 200);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10 * one_check) << "behind the guesses it would come after 15";
  int busy = 0;
  for (auto& guesser : guessers) {
    const auto status = guesser->reply().status;
    EXPECT_TRUE(status == 401 || status == 503) << status;
    busy += status == 503 ? 1 : 0;
  }
  EXPECT_EQ(busy, 0) << "as many as wait here all have their turn";
}

TEST_F(HttpAuthTest, AFirstLoginComesThroughAmongGuessersOfItsOwnAddress) {
  config::WebSecurity security;
  security.users = {{"alice", bcrypt("sesame", "$2y$10$abcdefghijklmnopqrstuu" + std::string(31, '.'))}};
  start_with(security);
  std::atomic<bool> stop{false};
  std::vector<std::thread> guessers;
  for (int g = 0; g < 12; ++g)
    guessers.emplace_back([this, &stop, g] {
      for (int i = 0; !stop && i < 10'000; ++i) {
        Client client(port_);
        const std::string guess = {static_cast<char>('A' + g), static_cast<char>('A' + i % 26),
                                   static_cast<char>('A' + i / 26 % 26), '5'};
        client.send("GET / HTTP/1.1\r\nHost: t\r\nAuthorization: Basic YWxpY2U6" + guess + "\r\n\r\n");
        (void)client.reply();
      }
    });
  while (observer_.rejections("unauthorized") < 12) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  Client scraper(port_);
  scraper.send("GET /who HTTP/1.1\r\nHost: t\r\nAuthorization: Basic YWxpY2U6c2VzYW1l\r\n\r\n");
  EXPECT_EQ(scraper.reply(false, std::chrono::milliseconds(60'000)).status, 200);
  stop = true;
  for (auto& guesser : guessers) guesser.join();
}

TEST_F(HttpAuthTest, StopWaitsForNoPassword) {
  config::WebSecurity security;
  // Minutes: the test would not come back.
  security.users = {{"alice", "$2y$18$abcdefghijklmnopqrstuu" + std::string(31, '.')}};
  start_with(security);
  Client guesser(port_);
  guesser.send("GET /who HTTP/1.1\r\nHost: t\r\nAuthorization: Basic YWxpY2U6c2VzYW1l\r\n\r\n");
  EXPECT_EQ(Client(port_).get("/who").status, 401) << "the guess has arrived";
  const auto begin = std::chrono::steady_clock::now();
  server_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(HttpAuthTest, ConfiguredHeadersGoWithEveryAnswer) {
  config::WebSecurity security;
  security.headers = {{"X-Frame-Options", "deny"}, {"X-Content-Type-Options", "nosniff"}};
  start_with(security);
  for (const char* path : {"/metrics", "/nothing", "bad"}) {
    const auto reply = Client(port_).get(path);
    EXPECT_EQ(reply.header("x-frame-options"), "deny") << path;
    EXPECT_EQ(reply.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(reply.head.find("nosniff"), reply.head.rfind("nosniff")) << "once";
  }
}

TEST_F(HttpAuthTest, ARevokedPasswordIsRefusedFromTheNextRequestOn) {
  config::WebSecurity security;
  security.users = two_users();
  security.headers = {{"X-Frame-Options", "deny"}};
  start_with(security);
  const std::string alice = "Authorization: Basic YWxpY2U6c2VzYW1l\r\n", bob = "Authorization: Basic Ym9iOg==\r\n";
  Client client(port_);
  EXPECT_EQ(client.get("/who", alice).status, 200);
  EXPECT_EQ(client.get("/who", alice).status, 200) << "remembered";
  security.users = {{"bob", bcrypt("", kSetting)}};
  security.headers = {{"X-Frame-Options", "sameorigin"}};
  ASSERT_TRUE(server_->take(security).ok());
  const auto refused = client.get("/who", alice);
  EXPECT_EQ(refused.status, 401) << "on the connection that is open, too";
  EXPECT_EQ(refused.header("x-frame-options"), "sameorigin");
  EXPECT_EQ(Client(port_).get("/who", bob).status, 200);
  security.users.clear();
  ASSERT_TRUE(server_->take(security).ok());
  EXPECT_EQ(Client(port_).get("/who").status, 200);
}

TEST_F(HttpAuthTest, TheRateLimitIsOfAllClientsTogether) {
  config::WebSecurity security;
  security.rate_limit = config::RateLimit{3, std::chrono::hours(1)};
  start_with(security);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Client(port_).get("/who").status, 200);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Client(port_).get("/metrics").status, 429);
  EXPECT_EQ(observer_.rejections("rate_limit"), 2U);
  ASSERT_TRUE(server_->take(security).ok());
  EXPECT_EQ(Client(port_).get("/who").status, 429) << "the same limit goes on counting";
  security.rate_limit.reset();
  ASSERT_TRUE(server_->take(security).ok());
  EXPECT_EQ(Client(port_).get("/who").status, 200);
}

TEST(RateLimiter, FillsUpAtAnEvenPace) {
  using std::chrono::milliseconds;
  RateLimiter limiter({2, milliseconds(100)});
  EXPECT_TRUE(limiter.allow(milliseconds(0)));
  EXPECT_TRUE(limiter.allow(milliseconds(0)));
  EXPECT_FALSE(limiter.allow(milliseconds(99)));
  EXPECT_TRUE(limiter.allow(milliseconds(100)));
  EXPECT_FALSE(limiter.allow(milliseconds(199)));
  EXPECT_TRUE(limiter.allow(milliseconds(1'000)));
  EXPECT_TRUE(limiter.allow(milliseconds(1'000)));
  EXPECT_FALSE(limiter.allow(milliseconds(1'000))) << "never more than the burst";
}

/// Waits for at most 10 s.
template <typename Is>
bool comes(Is is) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!is() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return is();
}

TEST_F(HttpAuthTest, TheWebFileIsFollowedWhileRunning) {
  test::TempFolder folder;
  const std::string path = folder.path() + "/web.yml";
  const auto write = [&](const std::string& text) { ASSERT_TRUE(base::replace_file(base::os_file_system(), path, text).ok()); };
  const std::string alice = "Authorization: Basic YWxpY2U6c2VzYW1l\r\n";
  write("basic_auth_users: {alice: '" + bcrypt("sesame", kSetting) + "'}\n");
  const auto loaded = read_web_file(path, base::os_file_system());
  ASSERT_TRUE(loaded.ok());
  web_.config_file = path;
  start_with(loaded.security);
  std::vector<bool> done;
  std::mutex mutex;
  WebFileWatch watch(path, loaded.security, *server_, base::os_file_system(), [&](bool taken) {
    const std::lock_guard lock(mutex);
    done.push_back(taken);
  });
  EXPECT_EQ(Client(port_).get("/who", alice).status, 200);
  EXPECT_TRUE(watch.check());

  write("basic_auth_users: {alice: '" + bcrypt("other", kSetting) + "'}\n");
  EXPECT_TRUE(comes([&] { return Client(port_).get("/who", alice).status == 401; })) << "by itself";
  write("basic_auth_users: {alice: plain}\n");
  EXPECT_FALSE(watch.check());
  EXPECT_FALSE(watch.check());
  EXPECT_EQ(Client(port_).get("/who").status, 401) << "what was in force stays";
  ASSERT_TRUE(base::os_file_system().remove(path).ok());
  EXPECT_FALSE(watch.check());
  EXPECT_EQ(Client(port_).get("/who").status, 401);
  write("basic_auth_users: {alice: '" + bcrypt("sesame", kSetting) + "'}\n");
  EXPECT_TRUE(watch.check());
  EXPECT_EQ(Client(port_).get("/who", alice).status, 200);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(done, (std::vector<bool>{true, false, false, true})) << "each fault once";
}

TEST_F(HttpAuthTest, AWebFileThatHangsHoldsNobodyAndIsTold) {
  test::TempFolder folder;
  const std::string path = folder.path() + "/web.yml";
  ASSERT_TRUE(base::replace_file(base::os_file_system(), path, "").ok());
  web_.config_file = path;
  start_with({});
  const auto files = std::make_shared<HangingFiles>();
  const auto done = std::make_shared<std::vector<bool>>();
  constexpr std::chrono::milliseconds kPatience{100};
  {
    WebFileWatch watch(
        path, {}, *server_, *files, [done](bool taken) { done->push_back(taken); }, kPatience);
    const auto is = [&](std::initializer_list<bool> wanted) { return *done == std::vector<bool>(wanted); };
    while (!watch.check()) {}
    watch.note_hang();
    EXPECT_TRUE(is({})) << "nothing has changed";
    files->hangs = true;
    EXPECT_FALSE(watch.check());
    EXPECT_FALSE(watch.check());
    watch.note_hang();
    EXPECT_TRUE(is({false})) << "once";
    files->hangs = false;
    EXPECT_TRUE(comes([&] { return watch.check(); }));
    EXPECT_TRUE(is({false, true})) << "it is in use again";
    files->hangs = true;
    EXPECT_TRUE(comes([&] {
      watch.note_hang();
      return done->size() == 3;
    })) << "by itself";
  }
  const auto left = base::LeftThread::count();  // a check of a password of another test may be among them
  EXPECT_GE(left, 1);
  server_->stop();
  files->hangs = false;
  EXPECT_TRUE(comes([left] { return base::LeftThread::count() < left; })) << "it ends, and touches nothing";
  EXPECT_EQ(done->size(), 3U);
}

}  // namespace
}  // namespace kmem::http
