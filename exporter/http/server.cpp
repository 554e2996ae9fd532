#include "exporter/http/server.h"

#include <atomic>
#include <deque>
#include <thread>
#include <utility>

#include "config/listen_address.h"
#include "exporter/http/basic_auth.h"
#include "exporter/http/event_loop.h"
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
constexpr Refusal kTooManyChecks{503, "busy", "too many passwords to check at once"};

}  // namespace

struct Server::Running {
  Running(Server& owner, std::vector<Socket> listeners, Wakeup wakeup, std::unique_ptr<TlsContext> tls_context)
      : server(owner), tls(std::move(tls_context)), auth(owner.security_.users),
        loop(owner.web_, std::move(listeners), std::move(wakeup), owner.observer_, owner.clock_, hooks()) {
    for (std::size_t i = 0; i <= kWorkers; ++i) responders.emplace_back(server.routes_, server.security_.headers);
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
      return refusal_answer(refusal, with_body, server.security_.headers);
    };
    if (tls) {
      result.open_tls = [this] {
        refresh_certificates();
        return tls->open();
      };
    }
    return result;
  }

  // On the loop's thread.
  void refresh_certificates() {
    const auto now = server.clock_.steady();
    if (now < next_refresh) return;
    next_refresh = now + kRefreshInterval;
    workers.submit([this](std::size_t) { tls->refresh(); });
  }

  // On the loop's thread.
  std::optional<std::string> submit(Job job) {
    const auto verdict = server.security_.users.empty() ? BasicAuth::Verdict::kAllowed
                                                        : auth.remembered(job.head.authorization);
    if (verdict == BasicAuth::Verdict::kAllowed) {
      if (job.lone && is_quick(job.head.target)) return answer_here(job);
      answer(std::move(job));
    } else if (verdict == BasicAuth::Verdict::kDenied) {
      turn_away(job, kUnauthorized);
    } else {
      check(std::move(job));
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

  void check(Job job) {
    if (checks.fetch_add(1) >= kMaxChecks) {
      --checks;
      return turn_away(job, kTooManyChecks);
    }
    checker.submit([this, job = std::move(job)](std::size_t) {
      const bool allowed = !*job.abandoned && auth.check(job.head.authorization);
      --checks;
      allowed ? answer(job) : turn_away(job, kUnauthorized);
    });
  }

  void turn_away(const Job& job, const Refusal& refusal) {
    server.observer_.rejected(refusal.reason);
    loop.deliver(job.connection, refusal_answer(refusal, !job.head.head, server.security_.headers), true);
  }

  void answer(Job job) {
    workers.submit([this, job = std::move(job)](std::size_t worker) {
      if (*job.abandoned) return loop.deliver(job.connection, {}, true);
      loop.deliver(job.connection, respond(worker, job), job.close);
    });
  }

  std::string respond(std::size_t responder, const Job& job) {
    auto answer = responders[responder].answer(job.head, job.remote, job.close);
    server.observer_.request_done(answer.handler, answer.status, server.clock_.steady() - job.received);
    return std::move(answer.bytes);
  }

  Server& server;
  std::unique_ptr<TlsContext> tls;
  std::chrono::nanoseconds next_refresh{};
  std::chrono::nanoseconds quick_again{};
  BasicAuth auth;
  std::atomic<std::size_t> checks{0};
  EventLoop loop;
  std::deque<Responder> responders;  // the workers', and the loop's own
  WorkerPool workers{kWorkers};
  WorkerPool checker{server.security_.users.empty() ? 0U : 1U};
  std::thread thread;
};

Server::Server(config::Web web, std::vector<Route> routes, Observer& observer, const base::Clock& clock,
               config::WebSecurity security, base::FileSystem& files)
    : web_(std::move(web)), routes_(std::move(routes)), observer_(observer), clock_(clock),
      security_(std::move(security)), files_(files) {}

Server::~Server() { stop(); }

base::Result<void> Server::start() {
  if (auto started = start_sockets(); !started) return started;
  std::unique_ptr<TlsContext> tls;
  if (security_.tls) {
    auto loaded = TlsContext::load(*security_.tls, files_);
    if (!loaded) return loaded.error();
    tls = std::move(*loaded);
  }
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
  running_ = std::make_unique<Running>(*this, std::move(listeners), std::move(*wakeup), std::move(tls));
  return {};
}

std::vector<std::uint16_t> Server::ports() const { return ports_; }

void Server::stop() { running_.reset(); }

}  // namespace kmem::http
