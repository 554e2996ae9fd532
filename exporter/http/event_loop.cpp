#include "exporter/http/event_loop.h"

#include <algorithm>
#include <array>
#include <utility>

namespace kmem::http {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kReadBytes = 4096;
constexpr int kAcceptsARound = 64;
constexpr milliseconds kAcceptPause{100};
constexpr milliseconds kStopGrace{2'000};
// What is waited for after a last answer, so that the client reads it before a reset for its unread bytes arrives.
constexpr milliseconds kLinger{1'000};
constexpr milliseconds kLingerInStop{200};
constexpr std::size_t kLingerBytes = 256 * 1024;
// Answers that their readers have not taken yet, all together.
constexpr std::size_t kMaxAnswerBytes = 4 * 1024 * 1024;

constexpr char kTlsHandshake = 0x16;  // the type of a TLS connection's first record
// What a peer can make TLS answer before it has sent a request.
constexpr std::size_t kMaxHandshakeBytes = 64 * 1024;

constexpr Refusal kTimeout{408, "timeout", "the request's head took too long"};
constexpr Refusal kBusy{503, "busy", "too many requests at once"};
constexpr Refusal kNotTls{400, "malformed", "this port speaks TLS; use https"};
constexpr Refusal kFull{503, "connections", "too many connections"};

/// Gives the memory back; clear() and = {} (an empty initializer list) keep it.
void release(std::string& text) { std::string().swap(text); }

}  // namespace

EventLoop::EventLoop(const config::Web& web, std::vector<Socket> listeners, Wakeup wakeup, Observer& observer,
                     const base::Clock& clock, Hooks hooks)
    : web_(web), listeners_(std::move(listeners)), wakeup_(std::move(wakeup)), observer_(observer), clock_(clock),
      hooks_(std::move(hooks)) {}

void EventLoop::stop() {
  stop_asked_ = true;
  wakeup_.wake();
}

void EventLoop::deliver(std::uint64_t connection, std::string answer, bool close) {
  {
    const std::lock_guard lock(answers_mutex_);
    answers_.push_back({connection, std::move(answer), close});
  }
  wakeup_.wake();
}

void EventLoop::run() {
  while (true) {
    if (stop_asked_ && !stopping_) begin_stop();
    if (stopping_ && (connections_.empty() || clock_.steady() >= stop_deadline_)) break;
    wait();
    expire();
    sweep();
  }
  connections_.clear();
}

void EventLoop::enter(Connection& connection, State state, Time allowed) {
  connection.state = state;
  connection.since = clock_.steady();
  connection.deadline = connection.since + allowed;
}

void EventLoop::wait() {
  const auto now = clock_.steady();
  auto until = now + std::chrono::seconds(60);
  answered_here_ = false;
  interests_.clear();
  interests_.push_back({.handle = wakeup_.handle(), .read = true});
  const bool accepting = now >= accept_again_;
  if (!accepting) until = std::min(until, accept_again_);
  if (stopping_) until = std::min(until, stop_deadline_);
  for (const auto& listener : listeners_) interests_.push_back({.handle = listener.handle(), .read = accepting});
  for (const auto& [id, connection] : connections_) {
    const bool writing = connection.state == State::kWriting;
    const bool working = connection.state == State::kWorking;
    if (!working) until = std::min(until, connection.deadline);
    interests_.push_back({.handle = connection.socket.handle(), .read = !writing && !working,
                          .write = !connection.out.empty()});
  }
  const auto timeout = std::chrono::ceil<milliseconds>(std::max(until - now, Time(0)));
  wait_for_sockets(interests_, static_cast<int>(timeout.count()));

  auto interest = interests_.cbegin();
  if (interest++->readable) wakeup_.drain();
  const auto first_listener = interest;
  interest += static_cast<std::ptrdiff_t>(listeners_.size());
  for (auto& [id, connection] : connections_) {
    const auto& ready = *interest++;
    if (connection.state == State::kClosed) continue;  // by bound_answers, in this very round
    if (ready.failed) {
      close(connection);
    } else if (ready.writable) {
      send(id, connection);
    } else if (ready.readable) {
      connection.state == State::kLingering ? drain(connection) : read(id, connection);
    }
  }
  take_answers();
  sweep();
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (first_listener[static_cast<std::ptrdiff_t>(i)].readable) accept_new(listeners_[i]);
  }
}

void EventLoop::accept_new(const Socket& listener) {
  for (int i = 0; i < kAcceptsARound; ++i) {
    auto accepted = accept_from(listener);
    if (accepted.status == IoStatus::kFailed) {
      // The listener stays readable; asking again at once would spin.
      observer_.rejected("descriptors");
      accept_again_ = clock_.steady() + kAcceptPause;
      make_room();
      return;
    }
    if (accepted.status != IoStatus::kDone) return;
    if (connections_.size() >= web_.max_connections) {
      observer_.rejected("connections");
      if (!make_room()) {
        if (!hooks_.open_tls) send_some(accepted.socket, hooks_.refusal_answer(kFull, true));
        continue;
      }
    }
    const auto id = next_id_++;
    auto& connection = connections_.try_emplace(id, web_.max_header_bytes).first->second;
    connection.socket = std::move(accepted.socket);
    connection.remote = std::move(accepted.remote);
    if (hooks_.open_tls) connection.tls = hooks_.open_tls();
    enter(connection, State::kIdle, web_.idle_timeout);
    read(id, connection);
  }
}

bool EventLoop::make_room() {
  const auto first = std::min_element(connections_.begin(), connections_.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second.state, a.second.since) < std::pair(b.second.state, b.second.since);
  });
  if (first == connections_.end() || first->second.state == State::kWorking) return false;
  close(first->second);
  connections_.erase(first);
  return true;
}

void EventLoop::read(std::uint64_t id, Connection& connection) {
  std::array<char, kReadBytes> buffer;
  const auto got = receive(connection.socket, buffer);
  if (got.status == IoStatus::kWouldBlock) return;
  if (got.status != IoStatus::kDone) return close(connection);
  if (connection.state == State::kIdle) enter(connection, State::kReading, web_.request_timeout);
  if (take(connection, std::string_view(buffer.data(), got.bytes))) advance(id, connection);
}

bool EventLoop::take(Connection& connection, std::string_view bytes) {
  if (!connection.tls) {
    connection.in += bytes;
    return true;
  }
  if (!connection.tls_begun && bytes[0] != kTlsHandshake) {
    connection.tls.reset();
    refuse(connection, kNotTls, true);
    return false;
  }
  connection.tls_begun = true;
  const bool goes_on = connection.tls->receive(bytes, connection.in, connection.out);
  if (!connection.out.empty()) send(0, connection);
  if (goes_on && connection.out.size() <= kMaxHandshakeBytes) return connection.state == State::kReading;
  // Between requests an end is a client's right.
  if (!goes_on && connection.requests == 0) observer_.rejected("tls");
  close(connection);
  return false;
}

void EventLoop::advance(std::uint64_t id, Connection& connection) {
  auto& scanner = connection.scanner;
  switch (scanner.scan(connection.in)) {
    case HeadScanner::State::kMore:
      return;
    case HeadScanner::State::kRefused:
      return refuse(connection, scanner.refusal(), !scanner.head().head);
    case HeadScanner::State::kComplete:
      break;
  }
  if (in_work_ >= web_.max_requests) return refuse(connection, kBusy, !scanner.head().head);
  const bool lone = in_work_++ == 0 && !answered_here_;
  ++connection.requests;
  connection.abandoned = std::make_shared<std::atomic<bool>>(false);
  Job job{id, scanner.head(), connection.remote, false, clock_.steady(), lone, connection.abandoned};
  job.close = connection.close_after =
      stopping_ || !job.head.keep_alive || connection.requests >= web_.keep_alive_requests;
  connection.in.erase(0, job.head.size_bytes);
  scanner = HeadScanner(web_.max_header_bytes);
  enter(connection, State::kWorking, Time(0));
  auto answer = hooks_.submit(std::move(job));
  if (!answer) return;
  answered_here_ = true;
  --in_work_;
  write(id, connection, std::move(*answer));
}

void EventLoop::refuse(Connection& connection, const Refusal& refusal, bool with_body) {
  observer_.rejected(refusal.reason);
  release(connection.in);
  connection.close_after = true;
  write(0, connection, hooks_.refusal_answer(refusal, with_body));
}

void EventLoop::write(std::uint64_t id, Connection& connection, std::string answer) {
  enter(connection, State::kWriting, web_.write_timeout);
  if (connection.tls) {
    if (!connection.tls->send(answer, connection.out)) return close(connection);
    if (connection.close_after || stopping_) connection.tls->finish(connection.out);
  } else {
    connection.out = std::move(answer);
  }
  send(id, connection);
  if (connection.state == State::kWriting) bound_answers(connection);
}

void EventLoop::send(std::uint64_t id, Connection& connection) {
  const auto rest = std::string_view(connection.out).substr(connection.sent_bytes);
  const auto sent = send_some(connection.socket, rest);
  if (sent.status == IoStatus::kWouldBlock) return;
  if (sent.status != IoStatus::kDone) return close(connection);
  connection.sent_bytes += sent.bytes;
  if (connection.sent_bytes < connection.out.size()) return;

  release(connection.out);
  connection.sent_bytes = 0;
  if (connection.state != State::kWriting) return;
  if (connection.close_after || stopping_) {
    shut_down_sending(connection.socket);
    release(connection.in);
    return enter(connection, State::kLingering, stopping_ ? kLingerInStop : kLinger);
  }
  if (connection.in.empty()) {
    release(connection.in);
    return enter(connection, State::kIdle, web_.idle_timeout);
  }
  enter(connection, State::kReading, web_.request_timeout);
  advance(id, connection);
}

// A reader that takes its answer slowly gives way to the others when their answers together grow too large.
void EventLoop::bound_answers(const Connection& newest) {
  while (true) {
    std::size_t bytes = 0;
    Connection* slowest = nullptr;
    for (auto& [id, each] : connections_) {
      bytes += each.out.size();
      if (each.state != State::kWriting || &each == &newest) continue;
      if (slowest == nullptr || each.since < slowest->since) slowest = &each;
    }
    if (slowest == nullptr || bytes <= kMaxAnswerBytes) return;
    observer_.rejected("slow_reader");
    close(*slowest);
  }
}

void EventLoop::drain(Connection& connection) {
  std::array<char, kReadBytes> buffer;
  const auto got = receive(connection.socket, buffer);
  if (got.status == IoStatus::kWouldBlock) return;
  connection.drained_bytes += got.bytes;
  if (got.status != IoStatus::kDone || connection.drained_bytes > kLingerBytes) close(connection);
}

void EventLoop::close(Connection& connection) {
  release(connection.out);
  connection.tls.reset();
  if (connection.abandoned) *connection.abandoned = true;
  connection.socket.close();
  connection.state = State::kClosed;
}

void EventLoop::sweep() {
  std::erase_if(connections_, [](const auto& each) { return each.second.state == State::kClosed; });
}

void EventLoop::expire() {
  const auto now = clock_.steady();
  for (auto& [id, connection] : connections_) {
    if (connection.state == State::kWorking || connection.state == State::kClosed || now < connection.deadline) continue;
    if (connection.state == State::kReading) {
      refuse(connection, kTimeout, true);
      continue;
    }
    if (connection.state == State::kWriting) observer_.rejected("slow_reader");
    close(connection);
  }
}

void EventLoop::take_answers() {
  std::vector<Delivered> answers;
  {
    const std::lock_guard lock(answers_mutex_);
    answers.swap(answers_);
  }
  for (auto& [id, answer, close_after] : answers) {
    --in_work_;
    const auto found = connections_.find(id);
    if (found == connections_.end() || found->second.state != State::kWorking) continue;
    found->second.close_after = found->second.close_after || close_after;
    write(id, found->second, std::move(answer));
  }
}

void EventLoop::begin_stop() {
  stopping_ = true;
  stop_deadline_ = clock_.steady() + kStopGrace;
  listeners_.clear();
  for (auto& [id, connection] : connections_) {
    if (connection.state != State::kWorking && connection.state != State::kWriting) close(connection);
  }
  sweep();
}

}  // namespace kmem::http
