#include "tests/exporter/http/client.h"

#include <algorithm>
#include <array>

#include "exporter/http/text.h"

namespace kmem::http {
namespace {

using SteadyClock = std::chrono::steady_clock;

int left_ms(SteadyClock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

}  // namespace

std::size_t Client::send(std::string_view bytes, Millis limit) {
  const auto until = SteadyClock::now() + limit;
  std::size_t sent = 0;
  while (sent < bytes.size() && SteadyClock::now() < until) {
    const auto result = send_some(socket_, bytes.substr(sent));
    if (result.status == IoStatus::kFailed) break;
    sent += result.bytes;
    if (result.status == IoStatus::kDone) continue;
    Interest interest{.handle = socket_.handle(), .write = true};
    wait_for_sockets({&interest, 1}, left_ms(until));
    if (interest.failed) break;
  }
  return sent;
}

bool Client::fill(SteadyClock::time_point until) {
  std::array<char, 65536> buffer;
  while (!closed_) {
    const auto got = receive(socket_, buffer);
    if (got.status == IoStatus::kDone) {
      in_.append(buffer.data(), got.bytes);
      return true;
    }
    if (got.status != IoStatus::kWouldBlock) {
      closed_ = true;
      return false;
    }
    if (SteadyClock::now() >= until) return false;
    Interest interest{.handle = socket_.handle(), .read = true};
    wait_for_sockets({&interest, 1}, left_ms(until));
  }
  return false;
}

Reply Client::reply(bool head, Millis limit) {
  const auto until = SteadyClock::now() + limit;
  std::size_t end = 0;
  while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill(until)) return {};
  }
  Reply reply;
  reply.head = in_.substr(0, end + 2);
  in_.erase(0, end + 4);
  reply.status = std::stoi(reply.head.substr(9, 3));
  for (auto at = reply.head.find("\r\n") + 2; at < reply.head.size();) {
    const auto line_end = reply.head.find("\r\n", at);
    const auto colon = reply.head.find(':', at);
    auto name = reply.head.substr(at, colon - at);
    std::transform(name.begin(), name.end(), name.begin(), ascii_lower);
    reply.headers[name] = trim(std::string_view(reply.head).substr(colon + 1, line_end - colon - 1));
    at = line_end + 2;
  }
  const auto length = reply.header("content-length");
  const std::size_t want = head || length.empty() ? 0 : std::stoul(length);
  while (in_.size() < want) {
    if (!fill(until)) break;
  }
  reply.body = in_.substr(0, want);
  in_.erase(0, reply.body.size());
  return reply;
}

Reply Client::get(const std::string& path, const std::string& headers) {
  send("GET " + path + " HTTP/1.1\r\nHost: test\r\n" + headers + "\r\n");
  return reply();
}

std::string Client::read_all(Millis limit) {
  const auto until = SteadyClock::now() + limit;
  while (fill(until)) {}
  return std::exchange(in_, {});
}

}  // namespace kmem::http
