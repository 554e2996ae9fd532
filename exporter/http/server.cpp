#include "exporter/http/server.h"

#include <deque>
#include <thread>
#include <utility>

#include "config/listen_address.h"
#include "exporter/http/event_loop.h"
#include "exporter/http/responder.h"
#include "exporter/http/worker_pool.h"

namespace kmem::http {
namespace {

// Requests are short and the kernel is read once for all that come together; more threads would only cost memory.
constexpr std::size_t kWorkers = 2;

}  // namespace

struct Server::Running {
  Running(Server& server, std::vector<Socket> listeners, Wakeup wakeup)
      : loop(server.web_, std::move(listeners), std::move(wakeup), server.observer_, server.clock_,
             [this, &server](Job job) { submit(server, std::move(job)); }) {
    for (std::size_t i = 0; i < kWorkers; ++i) responders.emplace_back(server.routes_);
    thread = std::thread([this] { loop.run(); });
  }
  // Members end in reverse order: the workers before the loop that they deliver into.
  ~Running() {
    loop.stop();
    thread.join();
  }

  void submit(Server& server, Job job) {
    workers.submit([this, &server, job = std::move(job)](std::size_t worker) {
      if (*job.abandoned) return loop.deliver(job.connection, {});
      auto answer = responders[worker].answer(job.head, job.remote, job.close);
      server.observer_.request_done(answer.handler, answer.status, server.clock_.steady() - job.received);
      loop.deliver(job.connection, std::move(answer.bytes));
    });
  }

  EventLoop loop;
  std::deque<Responder> responders;
  WorkerPool workers{kWorkers};
  std::thread thread;
};

Server::Server(config::Web web, std::vector<Route> routes, Observer& observer, const base::Clock& clock)
    : web_(std::move(web)), routes_(std::move(routes)), observer_(observer), clock_(clock) {}

Server::~Server() { stop(); }

base::Result<void> Server::start() {
  if (auto started = start_sockets(); !started) return started;
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
  running_ = std::make_unique<Running>(*this, std::move(listeners), std::move(*wakeup));
  return {};
}

std::vector<std::uint16_t> Server::ports() const { return ports_; }

void Server::stop() { running_.reset(); }

}  // namespace kmem::http
