#include "exporter/http/server.h"

#include <deque>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "collectors/base/log.h"
#include "collectors/base/side_task.h"
#include "config/listen_address.h"
#include "exporter/http/address_group.h"
#include "exporter/http/basic_auth.h"
#include "exporter/http/check_queue.h"
#include "exporter/http/event_loop.h"
#include "exporter/http/host_rule.h"
#include "exporter/http/http_date.h"
#include "exporter/http/rate_limiter.h"
#include "exporter/http/responder.h"
#include "exporter/http/tls.h"
#include "exporter/http/worker_pool.h"

namespace kmem::http {
namespace {

// Requests are short and the kernel is read once for all that come together; more threads would only cost memory. One
// of them is left to scrapes, whatever is asked for besides.
constexpr std::size_t kWorkers = 3, kSlowWorkers = 2;
// A first login waits for the guessers of its own address, too.
constexpr std::size_t kCheckers = 2;
// What hangs in a worker at the end is left behind.
constexpr std::chrono::milliseconds kEndPatience{500};
// Files of the kernel, state, the log, threads.
constexpr std::size_t kOwnDescriptors = 64;
constexpr std::chrono::seconds kRefreshInterval{1};
// A slow disk may take so long before it is said that it hangs.
constexpr std::chrono::seconds kRefreshPatience{5};
// How long a quick handler may take, and how long one that took longer is kept from the loop's thread.
constexpr std::chrono::milliseconds kQuick{20};
constexpr std::chrono::minutes kSlowPause{1};
constexpr std::chrono::hours kTellAgain{1};

constexpr Refusal kUnauthorized{401, "unauthorized", "unauthorized"};
constexpr Refusal kRateLimit{429, "rate_limit", "more requests than the web configuration's rate_limit allows"};
constexpr Refusal kForeignHost{403, "host",
                               "this machine is not known by the name in the Host header; web.host_names "
                               "may list it"};
constexpr Refusal kTooManyChecks{503, "busy", "too many passwords to check at once"};

}  // namespace

/// What a web configuration file asks for, ready for use. Requests in work keep the one they began with.
struct Server::Terms {
  config::WebSecurity security;
  std::shared_ptr<BasicAuth> auth;       // null: everyone may come in
  std::shared_ptr<TlsContext> tls;       // null: plain HTTP
  std::shared_ptr<RateLimiter> limiter;  // null: no limit
};

base::Result<void> Server::refresh_certificates(const Terms& terms) {
  return terms.tls == nullptr ? base::Result<void>() : terms.tls->refresh();
}

base::Result<Server::SharedTerms> Server::make_terms(const config::WebSecurity& security, const Terms* before,
                                                     base::FileSystem& files) {
  if (before != nullptr && security.tls.has_value() != (before->tls != nullptr))
    return base::Error{base::ErrorCode::kUnsupported, "only a restart turns TLS on or off"};
  auto terms = std::make_shared<Terms>();
  terms->security = security;
  if (before != nullptr && before->security.tls == security.tls) {
    terms->tls = before->tls;
  } else if (security.tls) {
    auto loaded = TlsContext::load(*security.tls, files);
    if (!loaded) return loaded.error();
    terms->tls = std::move(*loaded);
  }
  if (before != nullptr && before->security.users == security.users) terms->auth = before->auth;
  else if (!security.users.empty()) terms->auth = std::make_shared<BasicAuth>(security.users);
  if (before != nullptr && before->security.rate_limit == security.rate_limit) terms->limiter = before->limiter;
  else if (security.rate_limit) terms->limiter = std::make_shared<RateLimiter>(*security.rate_limit);
  return SharedTerms(std::move(terms));
}

struct Server::Running {
  Running(Server& owner, std::vector<Socket> listeners, Wakeup wakeup, std::shared_ptr<const Terms> first_terms)
      : server(owner), current(std::move(first_terms)), speaks_tls(current->tls != nullptr),
        loop(owner.web_, std::move(listeners), std::move(wakeup), owner.observer_, owner.clock_, hooks()) {
    for (std::size_t i = 0; i <= kWorkers; ++i) responders.emplace_back(server.routes_);
    link->running = this;
    thread = std::thread([this] { loop.run(); });
  }
  /// False: a worker hangs, and this must not be destroyed.
  bool end() {
    loop.stop();
    thread.join();
    {
      const std::lock_guard lock(link->mutex);
      link->running = nullptr;
    }
    return workers.finish_within(kEndPatience);
  }

  EventLoop::Hooks hooks() {
    EventLoop::Hooks result;
    result.lane_of = [this](const RequestHead& head) { return lane_of(head); };
    result.submit = [this](Job job) { return submit(std::move(job)); };
    result.refusal_answer = [this](const Refusal& refusal, bool with_body) {
      return refusal_answer(refusal, with_body, headers());
    };
    if (speaks_tls) {
      result.open_tls = [this] {
        const auto now = terms();
        refresh_certificates(now);
        return now->tls->open();
      };
    }
    return result;
  }

  [[nodiscard]] std::shared_ptr<const Terms> terms() {
    const std::lock_guard lock(terms_mutex);
    return current;
  }

  // On the loop's thread.
  void refresh_certificates(const std::shared_ptr<const Terms>& now_in_use) {
    const auto now = server.clock_.steady();
    if (now < next_refresh) return;
    next_refresh = now + kRefreshInterval;
    // Apart from the workers: files on storage that hangs would take one of them after the other.
    if (refreshing.start([tls = now_in_use->tls] { (void)tls->refresh(); })) {
      refresh_began = now;
      refresh_hang_told = false;
    } else if (now - refresh_began >= kRefreshPatience && !std::exchange(refresh_hang_told, true)) {
      base::log_warn("the TLS files do not answer, what was read before stays in use",
                     {{"certificate", now_in_use->security.tls->cert_file}, {"key", now_in_use->security.tls->key_file}});
    }
  }

  /// What goes with every answer.
  [[nodiscard]] Headers headers() {
    Headers all = terms()->security.headers;
    all.emplace_back("Date", http_date(server.clock_.wall()));
    return all;
  }

  [[nodiscard]] BasicAuth::Verdict verdict_of(const RequestHead& head, const Terms& now) const {
    const Route* const route = now.auth ? route_of(head.target) : nullptr;
    if (route != nullptr && route->without_password) return BasicAuth::Verdict::kAllowed;
    return now.auth ? now.auth->remembered(head.authorization) : BasicAuth::Verdict::kAllowed;
  }

  // On the loop's thread.
  Lane lane_of(const RequestHead& head) {
    if (verdict_of(head, *terms()) != BasicAuth::Verdict::kAllowed) return Lane::kCheck;
    const Route* const route = route_of(head.target);
    return route != nullptr && route->quick ? Lane::kQuick : Lane::kSlow;
  }

  /// Where TLS or a password protects the page, a browser that was led here by another name cannot come in.
  [[nodiscard]] bool is_led_here(const Job& job, const Terms& now) const {
    if (now.tls || now.auth || job.remote == kOnThisMachine || host_rule.allows(job.head.host)) return false;
    const Route* const route = route_of(job.head.target);
    return route == nullptr || !route->any_host;
  }

  // On the loop's thread.
  std::optional<std::string> submit(Job job) {
    const auto now = terms();
    if (is_led_here(job, *now)) {
      const auto at = server.clock_.steady();
      if (at >= tell_host_again)
        base::log_warn("a request for a name that is not this machine's is refused; web.host_names may list it",
                       {{"host", job.head.host.substr(0, 253)}, {"from", job.remote}});
      if (at >= tell_host_again) tell_host_again = at + kTellAgain;
      turn_away(job, kForeignHost);
      return std::nullopt;
    }
    if (now->limiter && !now->limiter->allow(server.clock_.steady())) {
      turn_away(job, kRateLimit);
      return std::nullopt;
    }
    const auto verdict = verdict_of(job.head, *now);
    if (verdict == BasicAuth::Verdict::kAllowed) {
      if (job.lone && job.lane == Lane::kQuick && server.clock_.steady() >= quick_again)
        if (auto here = answer_here(job)) return here;
      answer(std::move(job));
    } else if (verdict == BasicAuth::Verdict::kDenied) {
      turn_away(job, kUnauthorized);
    } else {
      check(std::move(job), now->auth);
    }
    return std::nullopt;
  }

  // A target that would have to be decoded first is no scraper's.
  [[nodiscard]] const Route* route_of(std::string_view target) const {
    const auto path = target.substr(0, target.find('?'));
    for (const auto& route : server.routes_) {
      if (route.path == path) return &route;
    }
    return nullptr;
  }

  std::optional<std::string> answer_here(Job& job) {
    auto bytes = respond(kWorkers, job, true);
    const auto now = server.clock_.steady();
    if (now - job.received > kQuick) quick_again = now + kSlowPause;
    job.begun = !bytes;
    return bytes;
  }

  void check(Job job, std::shared_ptr<BasicAuth> auth) {
    const std::string group = address_group(job.remote);
    checks.submit(group, [own = link, auth = std::move(auth), job = std::move(job)](bool run) {
      const bool allowed = run && !*job.abandoned && auth->check(job.head.authorization);
      // It may have taken so long that the server is gone.
      const std::lock_guard lock(own->mutex);
      if (own->running == nullptr) return;
      if (allowed) return own->running->answer(job);
      own->running->turn_away(job, run ? kUnauthorized : kTooManyChecks);
    });
  }

  void turn_away(const Job& job, const Refusal& refusal) {
    server.observer_.rejected(refusal.reason);
    loop.deliver(job, refusal_answer(refusal, !job.head.head, headers()), true);
  }

  void answer(Job job) {
    const Route* const route = route_of(job.head.target);
    const bool quick = route != nullptr && route->quick;
    workers.submit(
        [this, job = std::move(job)](std::size_t worker) {
          // What was begun is taken all the same: a reading of the kernel may be told only once.
          if (*job.abandoned && !job.begun) return loop.deliver(job, {}, true);
          try {
            loop.deliver(job, *respond(worker, job, false), job.close);
          } catch (const std::bad_alloc&) {
            server.observer_.rejected("memory");
            loop.deliver(job, {}, true);
          }
        },
        quick);
  }

  /// None: it cannot be answered at once.
  std::optional<std::string> respond(std::size_t responder, const Job& job, bool at_once) {
    auto answer = responders[responder].answer(job.head, job.remote, job.close, headers(), at_once);
    if (answer.status == kNotAtOnce) return std::nullopt;
    server.observer_.request_done(answer.handler, answer.status, server.clock_.steady() - job.received);
    return std::move(answer.bytes);
  }

  Server& server;
  std::mutex terms_mutex;
  std::shared_ptr<const Terms> current;
  const bool speaks_tls;
  std::chrono::nanoseconds next_refresh{}, refresh_began{};
  bool refresh_hang_told = false;
  base::SideTask refreshing;  // the certificates
  std::chrono::nanoseconds quick_again{};
  std::chrono::nanoseconds tell_host_again{};
  const HostRule host_rule{server.web_.host_names, host_name()};
  /// To what may outlive this.
  struct Link {
    std::mutex mutex;
    Running* running = nullptr;
  };
  const std::shared_ptr<Link> link = std::make_shared<Link>();
  EventLoop loop;
  std::deque<Responder> responders;  // the workers', and the loop's own
  WorkerPool workers{kWorkers, kSlowWorkers};
  // A file may bring users later.
  CheckQueue checks{server.security_.users.empty() && server.web_.config_file.empty() ? 0U : kCheckers};
  std::thread thread;
};

Server::Server(config::Web web, std::vector<Route> routes, Observer& observer, const base::Clock& clock,
               config::WebSecurity security, base::FileSystem& files)
    : web_(std::move(web)), routes_(std::move(routes)), observer_(observer), clock_(clock), security_(std::move(security)),
      files_(files) {}

Server::~Server() { stop(); }

base::Result<void> Server::start() {
  if (auto started = start_sockets(); !started) return started;
  auto terms = make_terms(security_, nullptr, files_);
  if (!terms) return terms.error();
  auto opened = web_.systemd_socket ? passed_sockets() : listen();
  if (!opened) return opened.error();
  std::vector<Socket> listeners = std::move(*opened);
  std::vector<std::uint16_t> ports;
  ports.reserve(listeners.size());
  for (const Socket& listener : listeners) ports.push_back(local_port(listener));
  if (auto room = raise_descriptor_limit(web_.max_connections + kOwnDescriptors); !room)
    return room.error().within("web.max_connections: " + std::to_string(web_.max_connections));
  auto wakeup = Wakeup::create();
  if (!wakeup) return wakeup.error();
  ports_ = std::move(ports);
  running_ = std::make_unique<Running>(*this, std::move(listeners), std::move(*wakeup), std::move(*terms));
  return {};
}

base::Result<std::vector<Socket>> Server::listen() {
  std::vector<Socket> listeners;
  for (const auto& text : web_.listen_addresses) {
    const auto address = config::parse_listen_address(text);
    if (!address) {
      return base::Error{base::ErrorCode::kInvalid, "cannot listen on " + text + ": want host:port, [v6]:port or :port"};
    }
    auto listener = address->unix_path.empty() ? listen_on(address->host, address->port) : listen_on_path(address->unix_path);
    if (!listener) return listener.error().within("cannot listen on " + text);
    if (!address->unix_path.empty()) names_.push_back(name_of_path(address->unix_path));
    listeners.push_back(std::move(*listener));
  }
  return listeners;
}

base::Result<void> Server::take(const config::WebSecurity& security) {
  const SharedTerms before = terms();
  if (!before) return base::Error{base::ErrorCode::kInvalid, "the server does not run"};
  auto made = make_terms(security, before.get(), files_);
  if (!made) return made.error();
  take(std::move(*made));
  return {};
}

Server::SharedTerms Server::terms() const { return running_ ? running_->terms() : nullptr; }

void Server::take(SharedTerms terms) {
  const std::lock_guard lock(running_->terms_mutex);
  running_->current = std::move(terms);
}

std::vector<std::uint16_t> Server::ports() const { return ports_; }

bool Server::is_alive() { return running_ && running_->loop.goes_round(); }

void Server::stop() {
  // While they are listened on, no other file can have got their numbers.
  for (const SocketName& name : names_) remove_name(name);
  names_.clear();
  // What hangs may come back at any moment, and needs what it was given.
  if (running_ && !running_->end()) static_cast<void>(running_.release());
  running_.reset();
}

}  // namespace kmem::http
