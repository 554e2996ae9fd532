// Stage 6: the guard: accepted sockets -> complete request heads for the workers, and their answers back to the sockets.
// One thread waits for all sockets; nothing on it blocks but at most one quick handler a round, and every state of a
// connection has a deadline or a worker behind it. Pipelined requests are answered in order, one at a time.
// When all connections are taken, the address that holds too many gives way, its slowest first.
// Thread: run() on its own; stop(), goes_round() and deliver() from any. Failure: a bad client loses its own connection
// only; memory that cannot be had costs the slowest connections.
#pragma once

#include <array>
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

/// What a request costs, and so with whom it shares a bound.
enum class Lane : std::uint8_t { kQuick, kSlow, kCheck };  // metrics and health; pages; passwords to be checked first
inline constexpr std::size_t kLanes = 3;

/// A complete request on its way to a handler.
struct Job {
  std::uint64_t connection = 0;
  RequestHead head;
  std::string remote;
  Lane lane = Lane::kSlow;
  bool close = false;  // the answer says so
  std::chrono::nanoseconds received{};
  bool begun = false;  // on the loop's thread, which could not wait for it
  bool lone = false;   // none is in work or was answered in this round: it may be answered on the loop's thread
  std::shared_ptr<std::atomic<bool>> abandoned;  // the client is gone: an empty answer will do
};

class EventLoop {
 public:
  struct Hooks {
    std::function<Lane(const RequestHead&)> lane_of;
    std::function<std::optional<std::string>(Job)> submit;  // the answer of a lone job, or deliver() will bring it
    std::function<std::unique_ptr<TlsSession>()> open_tls;  // empty: plain HTTP
    std::function<std::string(const Refusal&, bool with_body)> refusal_answer;
  };

  EventLoop(const config::Web& web, std::vector<Socket> listeners, Wakeup wakeup, Observer& observer, const base::Clock& clock,
            Hooks hooks);

  void run();
  void stop();
  /// The answer of a job; each job without an answer of submit's is delivered exactly once. `close`: it says so, whatever the job said.
  void deliver(const Job& job, std::string answer, bool close) noexcept;
  /// Whether the loop has gone round since the last call, which makes it go round again.
  bool goes_round();

 private:
  using Time = std::chrono::nanoseconds;

  // kParked: its request waits until it may be worked on.
  enum class State { kClosed, kLingering, kIdle, kReading, kParked, kWriting, kWorking };

  struct Connection {
    explicit Connection(std::size_t max_header_bytes) : scanner(max_header_bytes) {}
    Socket socket;
    std::string remote;
    std::string group;  // whom it is counted with: the address, of IPv6 the network
    State state = State::kIdle;
    Time since{};  // entered the state
    Time deadline{};
    std::string in;  // the head that is being read, and what was sent after it
    std::unique_ptr<TlsSession> tls;
    bool tls_begun = false, tls_answered = false;
    HeadScanner scanner;
    std::string out;  // on the wire's side of TLS
    std::size_t sent_bytes = 0;
    std::size_t drained_bytes = 0;
    std::size_t requests = 0;
    std::optional<Time> piles_since;  // requests on it wait for one another
    bool close_after = false;
    Lane lane = Lane::kSlow;                       // of the job in work
    std::shared_ptr<std::atomic<bool>> abandoned;  // of the job in work
  };
  using Connections = std::map<std::uint64_t, Connection>;

  void enter(Connection& connection, State state, Time allowed);
  void go_round();
  void relieve() noexcept;
  void wait();
  void accept_new(const Socket& listener);
  bool make_room();
  [[nodiscard]] std::string_view heaviest_group() const;
  [[nodiscard]] double badness(const Connection& connection, Time now) const;
  void hand_over(std::uint64_t id, Connection& connection);
  void take_parked();
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
  std::array<std::size_t, kLanes> in_work_{};
  std::size_t parked_ = 0;      // at most so many
  bool answered_here_ = false;  // in this round
  Time accept_again_{};
  Time stop_deadline_{};
  std::vector<Interest> interests_;
  std::atomic<bool> stop_asked_{false};
  std::atomic<std::uint64_t> rounds_{0}, rounds_seen_{0};
  bool stopping_ = false;

  struct Delivered {
    std::uint64_t connection = 0;
    Lane lane = Lane::kSlow;
    std::string answer;
    bool close = false;
  };
  std::mutex answers_mutex_;
  std::vector<Delivered> answers_;
};

}  // namespace kmem::http
