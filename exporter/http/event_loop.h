// Stage 6: the guard: accepted sockets -> complete request heads for the workers, and their answers back to the sockets.
// One thread waits for all sockets; nothing on it blocks but at most one quick handler a round, and every state of a
// connection has a deadline or a worker behind it. Pipelined requests are answered in order, one at a time.
// Thread: run() on its own; stop() and deliver() from any. Failure: a bad client loses its own connection only.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/clock.h"
#include "config/config.h"
#include "exporter/http/request_head.h"
#include "exporter/http/server.h"
#include "exporter/http/socket.h"
#include "exporter/http/tls.h"

namespace kmem::http {

/// A complete request on its way to a handler.
struct Job {
  std::uint64_t connection = 0;
  RequestHead head;
  std::string remote;
  bool close = false;  // the answer says so
  std::chrono::nanoseconds received{};
  bool lone = false;   // none is in work or was answered in this round: it may be answered on the loop's thread
  std::shared_ptr<std::atomic<bool>> abandoned;  // the client is gone: an empty answer will do
};

class EventLoop {
 public:
  struct Hooks {
    std::function<std::optional<std::string>(Job)> submit;  // the answer of a lone job, or deliver() will bring it
    std::function<std::unique_ptr<TlsSession>()> open_tls;  // empty: plain HTTP
    std::function<std::string(const Refusal&, bool with_body)> refusal_answer;
  };

  EventLoop(const config::Web& web, std::vector<Socket> listeners, Wakeup wakeup, Observer& observer,
            const base::Clock& clock, Hooks hooks);

  void run();
  void stop();
  /// The answer of a job; each job without an answer of submit's is delivered exactly once. `close`: it says so, whatever the job said.
  void deliver(std::uint64_t connection, std::string answer, bool close);

 private:
  using Time = std::chrono::nanoseconds;

  // In the order in which they give way to a new connection; kWorking never does.
  enum class State { kClosed, kLingering, kIdle, kReading, kWriting, kWorking };

  struct Connection {
    explicit Connection(std::size_t max_header_bytes) : scanner(max_header_bytes) {}
    Socket socket;
    std::string remote;
    State state = State::kIdle;
    Time since{};     // entered the state
    Time deadline{};
    std::string in;   // the head that is being read, and what was sent after it
    std::unique_ptr<TlsSession> tls;
    bool tls_begun = false;
    HeadScanner scanner;
    std::string out;  // on the wire's side of TLS
    std::size_t sent_bytes = 0;
    std::size_t drained_bytes = 0;
    std::size_t requests = 0;
    bool close_after = false;
    std::shared_ptr<std::atomic<bool>> abandoned;  // of the job in work
  };
  using Connections = std::map<std::uint64_t, Connection>;

  void enter(Connection& connection, State state, Time allowed);
  void wait();
  void accept_new(const Socket& listener);
  bool make_room();
  void read(std::uint64_t id, Connection& connection);
  void advance(std::uint64_t id, Connection& connection);
  bool take(Connection& connection, std::string_view bytes);
  void refuse(Connection& connection, const Refusal& refusal, bool with_body);
  void write(std::uint64_t id, Connection& connection, std::string answer);
  void send(std::uint64_t id, Connection& connection);
  void bound_answers(const Connection& newest);
  void drain(Connection& connection);
  void close(Connection& connection);
  void sweep();
  void expire();
  void take_answers();
  void begin_stop();

  const config::Web web_;
  std::vector<Socket> listeners_;
  Wakeup wakeup_;
  Observer& observer_;
  const base::Clock& clock_;
  Hooks hooks_;

  Connections connections_;
  std::uint64_t next_id_ = 1;
  std::size_t in_work_ = 0;
  bool answered_here_ = false;  // in this round
  Time accept_again_{};
  Time stop_deadline_{};
  std::vector<Interest> interests_;
  std::atomic<bool> stop_asked_{false};
  bool stopping_ = false;

  struct Delivered {
    std::uint64_t connection = 0;
    std::string answer;
    bool close = false;
  };
  std::mutex answers_mutex_;
  std::vector<Delivered> answers_;
};

}  // namespace kmem::http
