#include "exporter/http/event_loop.h"

#include <algorithm>
#include <array>
#include <new>
#include <thread>
#include <utility>

#include "exporter/http/address_group.h"

namespace kmem::http {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kReadBytes = 4096;
constexpr int kAcceptsARound = 64;
constexpr milliseconds kAcceptPause{100};
constexpr milliseconds kMemoryPause{10};
constexpr milliseconds kStopGrace{800};
constexpr std::chrono::hours kLongestWait{1};
// How long a client may take until its connection is worth less than another's: from the connection to the first byte
// (a network's delay and some), from there to the whole head (one packet), and for taking an answer.
constexpr double kFreshSeconds = 1, kHeadSeconds = 0.05, kAnswerSeconds = 2;
constexpr double kIdleBadness = 1e9, kLingeringBadness = 2e9;
// An address that holds more than this part of all connections gives way before others do.
constexpr std::size_t kShare = 4;
// What is waited for after a last answer, so that the client reads it before a reset for its unread bytes arrives.
constexpr milliseconds kLinger{1'000};
constexpr milliseconds kLingerInStop{200};
constexpr std::size_t kLingerBytes = std::size_t{256} * 1024;
// Answers that their readers have not taken yet, all together.
constexpr std::size_t kMaxAnswerBytes = std::size_t{4} * 1024 * 1024;

constexpr char kTlsHandshake = 0x16;  // the type of a TLS connection's first record
// What a peer can make TLS answer before it has sent a request.
constexpr std::size_t kMaxHandshakeBytes = std::size_t{64} * 1024;

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

void EventLoop::deliver(const Job& job, std::string answer, bool close) noexcept {
  while (true) {
    try {
      const std::lock_guard lock(answers_mutex_);
      answers_.push_back({job.connection, job.lane, std::move(answer), close});
      break;
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(kAcceptPause);  // the connection would wait for ever
    }
  }
  wakeup_.wake();
}

bool EventLoop::goes_round() {
  const auto rounds = rounds_.load();
  const bool moved = rounds != rounds_seen_.exchange(rounds);
  wakeup_.wake();
  return moved;
}

void EventLoop::run() {
  while (true) {
    ++rounds_;
    if (stop_asked_ && !stopping_) begin_stop();
    if (stopping_ && (connections_.empty() || clock_.steady() >= stop_deadline_)) break;
    try {
      go_round();
    } catch (const std::bad_alloc&) { relieve(); }
  }
  connections_.clear();
}

void EventLoop::go_round() {
  wait();
  expire();
  take_parked();
  sweep();
}

/// No memory: the slowest half of those who are not served right now gives theirs back.
void EventLoop::relieve() noexcept {
  observer_.rejected("memory");
  for (std::size_t left = connections_.size() / 2 + 1; left > 0; --left)
    if (!make_room()) break;
  std::this_thread::sleep_for(kMemoryPause);
  accept_again_ = clock_.steady() + kAcceptPause;
}

void EventLoop::enter(Connection& connection, State state, Time allowed) {
  connection.state = state;
  connection.since = clock_.steady();
  connection.deadline = connection.since + allowed;
}

void EventLoop::wait() {
  const auto now = clock_.steady();
  auto until = Time::max();
  answered_here_ = false;
  interests_.clear();
  interests_.push_back({.handle = wakeup_.handle(), .read = true});
  const bool accepting = now >= accept_again_;
  if (!accepting) until = std::min(until, accept_again_);
  if (stopping_) until = std::min(until, stop_deadline_);
  for (const auto& listener : listeners_) interests_.push_back({.handle = listener.handle(), .read = accepting});
  for (const auto& [id, connection] : connections_) {
    const bool writing = connection.state == State::kWriting;
    const bool working = connection.state == State::kWorking || connection.state == State::kParked;
    if (connection.state != State::kWorking) until = std::min(until, connection.deadline);
    interests_.push_back(
        {.handle = connection.socket.handle(), .read = !writing && !working, .write = !connection.out.empty()});
  }
  // Nothing is due: nobody is woken.
  const auto timeout = std::chrono::ceil<milliseconds>(std::clamp(until - now, Time(0), Time(kLongestWait)));
  wait_for_sockets(interests_, until == Time::max() ? -1 : static_cast<int>(timeout.count()));

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
    connection.group = address_group(connection.remote);
    if (hooks_.open_tls) connection.tls = hooks_.open_tls();
    enter(connection, State::kIdle, web_.idle_timeout);
    read(id, connection);
  }
}

bool EventLoop::make_room() {
  const auto now = clock_.steady();
  const std::string_view group = heaviest_group();
  auto worst = connections_.end();
  double most = 0;
  for (const bool all : {false, true}) {
    if (!all && group.empty()) continue;
    for (auto each = connections_.begin(); each != connections_.end(); ++each) {
      if (!all && each->second.group != group) continue;
      const double bad = badness(each->second, now);
      if (bad >= 0 && (worst == connections_.end() || bad > most)) {
        worst = each;
        most = bad;
      }
    }
    if (worst != connections_.end()) break;
  }
  if (worst == connections_.end()) return false;
  close(worst->second);
  connections_.erase(worst);
  return true;
}

/// The address with most connections, if it holds more than its share; empty: none does.
std::string_view EventLoop::heaviest_group() const {
  // Majority vote (Boyer and Moore) would do for a half; for a quarter three candidates do (Misra and Gries).
  std::array<std::pair<std::string_view, std::size_t>, kShare - 1> votes{};
  for (const auto& [id, connection] : connections_) {
    const auto own = std::find_if(votes.begin(), votes.end(),
                                  [&c = connection](const auto& vote) { return vote.second > 0 && vote.first == c.group; });
    const auto free = std::find_if(votes.begin(), votes.end(), [](const auto& vote) { return vote.second == 0; });
    if (own != votes.end()) ++own->second;
    else if (free != votes.end()) *free = {connection.group, 1};
    else
      for (auto& vote : votes) --vote.second;
  }
  std::string_view heaviest;
  std::size_t most = connections_.size() / kShare;
  for (const auto& vote : votes) {
    if (vote.second == 0) continue;
    const auto held = static_cast<std::size_t>(std::count_if(
        connections_.begin(), connections_.end(), [&vote](const auto& each) { return each.second.group == vote.first; }));
    if (held <= most) continue;
    most = held;
    heaviest = vote.first;
  }
  return heaviest;
}

/// How little a connection is worth; negative: it is being worked for. A client that was served may come again, one
/// that takes its time is worth the less the longer it takes, by the measure of what it has to do. Who sends request
/// upon request before it has the answers is no scraper: each begins anew, so they count from the first of them.
double EventLoop::badness(const Connection& connection, Time now) const {
  const double seconds = std::chrono::duration<double>(now - connection.since).count();
  const bool waits =
      connection.state == State::kReading || connection.state == State::kParked || connection.state == State::kWriting;
  if (connection.piles_since && waits)
    return std::chrono::duration<double>(now - *connection.piles_since).count() / kHeadSeconds;
  switch (connection.state) {
    case State::kClosed:
    case State::kWorking: return -1;
    case State::kLingering: return kLingeringBadness + seconds;
    case State::kIdle: return connection.requests > 0 ? kIdleBadness + seconds : seconds / kFreshSeconds;
    case State::kReading: return seconds / (connection.tls_answered ? kFreshSeconds : kHeadSeconds);
    case State::kParked:
    case State::kWriting: break;
  }
  return seconds / kAnswerSeconds;
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
  if (!connection.out.empty()) connection.tls_answered = true;
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
    case HeadScanner::State::kMore: return;
    case HeadScanner::State::kRefused: return refuse(connection, scanner.refusal(), !scanner.head().head);
    case HeadScanner::State::kComplete: break;
  }
  hand_over(id, connection);
}

/// A whole request: to the handlers, or it has to wait. A burst of scrapes waits; for a page one comes again.
void EventLoop::hand_over(std::uint64_t id, Connection& connection) {
  auto& scanner = connection.scanner;
  const Lane lane = hooks_.lane_of(scanner.head());
  auto& in_work = in_work_[static_cast<std::size_t>(lane)];
  // What passwords wait for is bounded where they are checked.
  const bool is_full = lane != Lane::kCheck && in_work >= web_.max_requests;
  if (is_full && lane == Lane::kSlow) return refuse(connection, kBusy, !scanner.head().head);
  if (is_full || (lane == Lane::kQuick && parked_ > 0 && connection.state != State::kParked)) {
    ++parked_;
    return enter(connection, State::kParked, web_.request_timeout);
  }
  const bool lone = !answered_here_ && std::all_of(in_work_.begin(), in_work_.end(), [](auto count) { return count == 0; });
  connection.abandoned = std::make_shared<std::atomic<bool>>(false);
  Job job{id, scanner.head(), connection.remote, lane, false, clock_.steady(), false, lone, connection.abandoned};
  ++connection.requests;
  job.close = connection.close_after = stopping_ || !job.head.keep_alive || connection.requests >= web_.keep_alive_requests;
  connection.in.erase(0, job.head.size_bytes);
  scanner = HeadScanner(web_.max_header_bytes);
  connection.lane = lane;
  enter(connection, State::kWorking, Time(0));
  ++in_work;
  try {
    auto answer = hooks_.submit(std::move(job));
    if (!answer) return;
    answered_here_ = true;
    --in_work;
    write(id, connection, std::move(*answer));
  } catch (const std::bad_alloc&) {
    if (connection.state == State::kWorking) --in_work;
    close(connection);
    throw;
  }
}

/// In the order in which their requests came: one connection with many of them waits after each.
void EventLoop::take_parked() {
  const auto& in_work = in_work_[static_cast<std::size_t>(Lane::kQuick)];
  while (parked_ > 0 && in_work < web_.max_requests) {
    auto next = connections_.end();
    parked_ = 0;
    for (auto each = connections_.begin(); each != connections_.end(); ++each) {
      if (each->second.state != State::kParked) continue;
      ++parked_;
      if (next == connections_.end() || each->second.since < next->second.since) next = each;
    }
    if (next == connections_.end()) return;
    --parked_;
    hand_over(next->first, next->second);
  }
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
    connection.piles_since.reset();
    return enter(connection, State::kIdle, web_.idle_timeout);
  }
  if (!connection.piles_since) connection.piles_since = connection.since;
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
    if (connection.state == State::kReading || connection.state == State::kParked) {
      refuse(connection, connection.state == State::kParked ? kBusy : kTimeout, true);
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
  for (auto& [id, lane, answer, close_after] : answers) {
    --in_work_[static_cast<std::size_t>(lane)];
    const auto found = connections_.find(id);
    if (found == connections_.end() || found->second.state != State::kWorking) continue;
    Connection& connection = found->second;
    connection.close_after = connection.close_after || close_after;
    try {
      write(id, connection, std::move(answer));
    } catch (const std::bad_alloc&) {
      close(connection);
      observer_.rejected("memory");
    }
  }
}

void EventLoop::begin_stop() {
  stopping_ = true;
  stop_deadline_ = clock_.steady() + kStopGrace;
  listeners_.clear();
  for (auto& [id, connection] : connections_) {
    // A password's check may take minutes.
    const bool is_served =
        connection.state == State::kWriting || (connection.state == State::kWorking && connection.lane != Lane::kCheck);
    if (!is_served) close(connection);
  }
  sweep();
}

}  // namespace kmem::http
