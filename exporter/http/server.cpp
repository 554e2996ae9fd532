#include "exporter/http/server.h"

#include <atomic>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "config/listen_address.h"
#include "exporter/http/basic_auth.h"
#include "exporter/http/event_loop.h"
#include "exporter/http/rate_limiter.h"
#include "exporter/http/responder.h"
#include "exporter/http/tls.h"
#include "exporter/http/worker_pool.h"

namespace kmem::http {
namespace {

// Requests are short and the kernel is read once for all that come together; more threads would only cost memory.
constexpr std::size_t kWorkers = 2;
// Passwords to be checked, at tens of milliseconds each, apart from the workers: guessing delays nobody who is known.
constexpr std::size_t kMaxChecks = 8;
constexpr std::chrono::seconds kRefreshInterval{1};
// How long a quick handler may take, and how long one that took longer is kept from the loop's thread.
constexpr std::chrono::milliseconds kQuick{20};
constexpr std::chrono::minutes kSlowPause{1};

constexpr Refusal kUnauthorized{401, "unauthorized", "unauthorized"};
constexpr Refusal kRateLimit{429, "rate_limit", "more requests than the web configuration's rate_limit allows"};
constexpr Refusal kTooManyChecks{503, "busy", "too many passwords to check at once"};

}  // namespace

/// What a web configuration file asks for, ready for use. Requests in work keep the one they began with.
struct Server::Terms {
  config::WebSecurity security;
  std::shared_ptr<BasicAuth> auth;        // null: everyone may come in
  std::shared_ptr<TlsContext> tls;        // null: plain HTTP
  std::shared_ptr<RateLimiter> limiter;   // null: no limit
};

/// Keeps of `before` what has not changed, such as the passwords that were checked.
base::Result<std::shared_ptr<const Server::Terms>> Server::make_terms(const config::WebSecurity& security,
                                                                      const Terms* before) {
  auto terms = std::make_shared<Terms>();
  terms->security = security;
  if (before != nullptr && before->security.tls == security.tls) {
    terms->tls = before->tls;
  } else if (security.tls) {
    auto loaded = TlsContext::load(*security.tls, files_);
    if (!loaded) return loaded.error();
    terms->tls = std::move(*loaded);
  }
  if (before != nullptr && before->security.users == security.users)
    terms->auth = before->auth;
  else if (!security.users.empty())
    terms->auth = std::make_shared<BasicAuth>(security.users);
  if (before != nullptr && before->security.rate_limit == security.rate_limit)
    terms->limiter = before->limiter;
  else if (security.rate_limit)
    terms->limiter = std::make_shared<RateLimiter>(*security.rate_limit);
  return std::shared_ptr<const Terms>(std::move(terms));
}

struct Server::Running {
  Running(Server& owner, std::vector<Socket> listeners, Wakeup wakeup, std::shared_ptr<const Terms> first_terms)
      : server(owner), current(std::move(first_terms)), speaks_tls(current->tls != nullptr),
        loop(owner.web_, std::move(listeners), std::move(wakeup), owner.observer_, owner.clock_, hooks()) {
    for (std::size_t i = 0; i <= kWorkers; ++i) responders.emplace_back(server.routes_);
    thread = std::thread([this] { loop.run(); });
  }
  // Members end in reverse order: the workers before the loop that they deliver into.
  ~Running() {
    loop.stop();
    thread.join();
  }

  EventLoop::Hooks hooks() {
    EventLoop::Hooks result;
    result.submit = [this](Job job) { return submit(std::move(job)); };
    result.refusal_answer = [this](const Refusal& refusal, bool with_body) {
      return refusal_answer(refusal, with_body, terms()->security.headers);
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
    workers.submit([tls = now_in_use->tls](std::size_t) { tls->refresh(); });
  }

  // On the loop's thread.
  std::optional<std::string> submit(Job job) {
    const auto now = terms();
    if (now->limiter && !now->limiter->allow(server.clock_.steady())) {
      turn_away(job, kRateLimit);
      return std::nullopt;
    }
    const auto verdict = now->auth ? now->auth->remembered(job.head.authorization) : BasicAuth::Verdict::kAllowed;
    if (verdict == BasicAuth::Verdict::kAllowed) {
      if (job.lone && is_quick(job.head.target)) return answer_here(job);
      answer(std::move(job));
    } else if (verdict == BasicAuth::Verdict::kDenied) {
      turn_away(job, kUnauthorized);
    } else {
      check(std::move(job), now->auth);
    }
    return std::nullopt;
  }

  // A target that would have to be decoded first is no scraper's.
  [[nodiscard]] bool is_quick(std::string_view target) const {
    const auto path = target.substr(0, target.find('?'));
    for (const auto& route : server.routes_) {
      if (route.path == path) return route.quick && server.clock_.steady() >= quick_again;
    }
    return false;
  }

  std::string answer_here(const Job& job) {
    auto bytes = respond(kWorkers, job);
    const auto now = server.clock_.steady();
    if (now - job.received > kQuick) quick_again = now + kSlowPause;
    return bytes;
  }

  void check(Job job, std::shared_ptr<BasicAuth> auth) {
    if (checks.fetch_add(1) >= kMaxChecks) {
      --checks;
      return turn_away(job, kTooManyChecks);
    }
    checker.submit([this, auth = std::move(auth), job = std::move(job)](std::size_t) {
      const bool allowed = !*job.abandoned && auth->check(job.head.authorization);
      --checks;
      allowed ? answer(job) : turn_away(job, kUnauthorized);
    });
  }

  void turn_away(const Job& job, const Refusal& refusal) {
    server.observer_.rejected(refusal.reason);
    loop.deliver(job.connection, refusal_answer(refusal, !job.head.head, terms()->security.headers), true);
  }

  void answer(Job job) {
    workers.submit([this, job = std::move(job)](std::size_t worker) {
      if (*job.abandoned) return loop.deliver(job.connection, {}, true);
      loop.deliver(job.connection, respond(worker, job), job.close);
    });
  }

  std::string respond(std::size_t responder, const Job& job) {
    auto answer = responders[responder].answer(job.head, job.remote, job.close, terms()->security.headers);
    server.observer_.request_done(answer.handler, answer.status, server.clock_.steady() - job.received);
    return std::move(answer.bytes);
  }

  Server& server;
  std::mutex terms_mutex;
  std::shared_ptr<const Terms> current;
  const bool speaks_tls;
  std::chrono::nanoseconds next_refresh{};
  std::chrono::nanoseconds quick_again{};
  std::atomic<std::size_t> checks{0};
  EventLoop loop;
  std::deque<Responder> responders;  // the workers', and the loop's own
  WorkerPool workers{kWorkers};
  // A file may bring users later.
  WorkerPool checker{server.security_.users.empty() && server.web_.config_file.empty() ? 0U : 1U};
  std::thread thread;
};

Server::Server(config::Web web, std::vector<Route> routes, Observer& observer, const base::Clock& clock,
               config::WebSecurity security, base::FileSystem& files)
    : web_(std::move(web)), routes_(std::move(routes)), observer_(observer), clock_(clock),
      security_(std::move(security)), files_(files) {}

Server::~Server() { stop(); }

base::Result<void> Server::start() {
  if (auto started = start_sockets(); !started) return started;
  auto terms = make_terms(security_, nullptr);
  if (!terms) return terms.error();
  std::vector<Socket> listeners;
  std::vector<std::uint16_t> ports;
  for (const auto& text : web_.listen_addresses) {
    const auto address = config::parse_listen_address(text);
    if (!address) {
      return base::Error{base::ErrorCode::kInvalid, "cannot listen on " + text + ": want host:port, [v6]:port or :port"};
    }
    auto listener = listen_on(address->host, address->port);
    if (!listener) return listener.error().within("cannot listen on " + text);
    ports.push_back(local_port(*listener));
    listeners.push_back(std::move(*listener));
  }
  auto wakeup = Wakeup::create();
  if (!wakeup) return wakeup.error();
  ports_ = std::move(ports);
  running_ = std::make_unique<Running>(*this, std::move(listeners), std::move(*wakeup), std::move(*terms));
  return {};
}

base::Result<void> Server::take(const config::WebSecurity& security) {
  if (!running_) return base::Error{base::ErrorCode::kInvalid, "the server does not run"};
  const auto before = running_->terms();
  if (security.tls.has_value() != running_->speaks_tls)
    return base::Error{base::ErrorCode::kUnsupported, "only a restart turns TLS on or off"};
  auto terms = make_terms(security, before.get());
  if (!terms) return terms.error();
  const std::lock_guard lock(running_->terms_mutex);
  running_->current = std::move(*terms);
  return {};
}

std::vector<std::uint16_t> Server::ports() const { return ports_; }

void Server::stop() { running_.reset(); }

}  // namespace kmem::http
