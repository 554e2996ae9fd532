// Stage 6: routes of handlers -> answers over HTTP/1.x. A guard of ours owns every socket and hands only complete,
// checked requests to httplib, which routes them and formats the answers, on a few worker threads. Only quick routes
// are answered by the guard itself. No client can hold a worker, and all that it can make the server keep has a bound.
// Thread: start and stop from one thread; handlers and Observer::request_done run on the server's threads, several at
// once, Observer::rejected on one of them. Failure: start() names the address and the system's reason.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/file_io.h"
#include "collectors/base/result.h"
#include "config/config.h"
#include "config/web_security.h"

namespace kmem::http {

class Socket;
struct SocketName;

struct Request {
  std::string path;   // decoded
  std::string query;  // as sent, without '?'
  std::string accept, accept_encoding, if_none_match;
  bool head = false;             // answer as for GET; the body is left out later
  std::string remote;            // the client's numeric address
  std::string scrape_timeout{};  // X-Prometheus-Scrape-Timeout-Seconds
  bool at_once = false;          // asked on the server's own thread: kNotAtOnce rather than wait
};

/// A Response's status: it takes longer, and a worker is to ask again.
inline constexpr int kNotAtOnce = 0;

/// What a body is best reserved beyond its size, for what is put in front of it.
inline constexpr std::size_t kHeadRoom = 512;

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string content_encoding{}, etag{};  // empty = no such header
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
};

using Handler = std::function<Response(const Request&)>;

struct Route {
  std::string path;  // exact; one that ends in "/" (but "/" itself) takes everything below it that has no route of its own
  std::string name;  // the metrics' handler label
  Handler handler;
  /// It answers within milliseconds: a lone request is spared the way to a worker and back (a tenth of a scrape's CPU).
  /// While it runs no other connection is served; one that is found slow goes to the workers for a minute.
  bool quick = false;
  /// It tells nothing: asked by any name, and without a password.
  bool any_host = false, without_password = false;
};

class Observer {
 public:
  virtual ~Observer() = default;
  /// A request that reached a handler; `handler` is the route's name, or "unknown" for a path without route.
  virtual void request_done(std::string_view handler, int code, std::chrono::nanoseconds duration) = 0;
  /// A request or connection that was turned away by the guard: malformed, method, body, version, uri_too_long,
  /// headers_too_large, timeout, busy, connections, slow_reader, descriptors, memory, tls, unauthorized, rate_limit, host.
  virtual void rejected(std::string_view reason) = 0;
};

class Server {
 public:
  /// `files` are where `security`'s certificates are read from, now and when they change.
  Server(config::Web web, std::vector<Route> routes, Observer& observer, const base::Clock& clock,
         config::WebSecurity security = {}, base::FileSystem& files = base::os_file_system());
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  base::Result<void> start();
  /// Users, headers, rate limit and TLS settings for what comes from now on, all or nothing. Whether TLS is spoken at
  /// all is settled by start(): kUnsupported for a change of that. One thread at a time, between start and stop.
  base::Result<void> take(const config::WebSecurity& security);
  /// The same in two steps: reading certificates, which may hang, needs no server.
  struct Terms;
  using SharedTerms = std::shared_ptr<const Terms>;
  /// Null: it does not run.
  [[nodiscard]] SharedTerms terms() const;
  /// Keeps of `before` what has not changed, such as the passwords that were checked; null: everything is new.
  static base::Result<SharedTerms> make_terms(const config::WebSecurity& security, const Terms* before,
                                              base::FileSystem& files);
  void take(SharedTerms terms);
  /// Looks whether certificate, key and authorities have changed, which may hang. An Error: they have and cannot be used, and
  /// what was read before stays in use.
  static base::Result<void> refresh_certificates(const Terms& terms);
  /// In the order of listen_addresses or of systemd's sockets, with the number that port 0 became; 0: has none.
  [[nodiscard]] std::vector<std::uint16_t> ports() const;
  /// Whether requests were looked at since the last call; the first says yes.
  bool is_alive();
  /// Stops accepting, gives requests in work 0.8 s to finish and be written, and joins. What hangs is left behind.
  void stop();

 private:
  struct Running;

  base::Result<std::vector<Socket>> listen();

  config::Web web_;
  std::vector<Route> routes_;
  Observer& observer_;
  const base::Clock& clock_;
  config::WebSecurity security_;
  base::FileSystem& files_;
  std::vector<std::uint16_t> ports_;
  std::vector<SocketName> names_;  // of sockets in the file system, to be removed
  std::unique_ptr<Running> running_;
};

}  // namespace kmem::http
