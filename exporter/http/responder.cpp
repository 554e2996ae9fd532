#include "exporter/http/responder.h"

#include <algorithm>
#include <cstring>
#include <exception>

#include "collectors/base/log.h"
#include "exporter/http/text.h"

#include "exporter/http/httplib_settings.h"
#include <httplib.h>

namespace kmem::http {
namespace {

class MemoryStream final : public httplib::Stream {
 public:
  MemoryStream(std::string_view input, std::string& output) : input_(input), output_(output) {}

  [[nodiscard]] bool is_readable() const override { return !input_.empty(); }
  [[nodiscard]] bool is_writable() const override { return true; }
  ssize_t read(char* to, std::size_t size) override {
    const auto count = std::min(size, input_.size());
    std::memcpy(to, input_.data(), count);
    input_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* from, std::size_t size) override {
    output_.append(from, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  [[nodiscard]] socket_t socket() const override { return socket_t{}; }

 private:
  std::string_view input_;
  std::string& output_;
};

Response text(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

}  // namespace

class Responder::Httplib final : public httplib::Server {
 public:
  explicit Httplib(const std::vector<Route>& routes) : routes_(routes) {
    not_found_ = "not found; known paths:\n";
    for (const auto& route : routes_) not_found_ += route.path + "\n";
    // Before httplib's own routing: a path is exact, and its routing would make a regular expression of it.
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      Response made = respond(request);
      not_at_once_ = made.status == kNotAtOnce;
      if (!not_at_once_) fill(std::move(made), response);
      return HandlerResponse::Handled;
    });
    set_post_routing_handler([this](const httplib::Request&, httplib::Response& response) { finish(response); });
  }

  Answer answer(const RequestHead& head, const std::string& remote, bool close, const Headers& extra, bool at_once) {
    head_ = &head;
    extra_ = &extra;
    remote_ = &remote;
    close_ = close;
    at_once_ = at_once;
    not_at_once_ = false;
    handler_ = "unknown";
    status_ = 500;
    Answer result;
    body_.clear();
    // The request line alone: Range, Expect, Connection and the like have no meaning here, and httplib would
    // percent-decode the values of the rest.
    const auto request = (head.head ? "HEAD " : "GET ") + head.target + " HTTP/1.1\r\n\r\n";
    MemoryStream stream(request, result.bytes);
    bool closed = false;
    process_request(stream, "", 0, "", 0, close, closed, nullptr);
    // The head goes in front of the body, which is not copied.
    if (!body_.empty()) result.bytes.swap(body_.insert(0, result.bytes));
    result.handler = handler_;
    result.status = not_at_once_ ? kNotAtOnce : status_;
    return result;
  }

 private:
  Response respond(const httplib::Request& from) {
    const Route* const route = route_of(from.path);
    if (route == nullptr) return text(404, not_found_);
    handler_ = route->name;
    Request request;
    request.path = from.path;
    if (const auto mark = from.target.find('?'); mark != std::string::npos) request.query = from.target.substr(mark + 1);
    request.accept = head_->accept;
    request.accept_encoding = head_->accept_encoding;
    request.if_none_match = head_->if_none_match;
    request.head = head_->head;
    request.remote = *remote_;
    request.scrape_timeout = head_->scrape_timeout;
    request.at_once = at_once_;
    try {
      return route->handler(request);
    } catch (const std::exception& error) {
      base::log_error("a handler failed", {{"handler", route->name}, {"error", error.what()}});
    } catch (...) { base::log_error("a handler failed", {{"handler", route->name}}); }
    return text(500, "internal error\n");
  }

  /// The exact one, else the longest that the path is below.
  [[nodiscard]] const Route* route_of(std::string_view path) const {
    const Route* found = nullptr;
    for (const Route& route : routes_) {
      if (route.path == path) return &route;
      const bool below = route.path.size() > 1 && route.path.back() == '/' && path.starts_with(route.path);
      if (below && (found == nullptr || route.path.size() > found->path.size())) found = &route;
    }
    return found;
  }

  void fill(Response from, httplib::Response& to) {
    to.status = from.status;
    to.set_header("X-Content-Type-Options", "nosniff");
    if (!from.content_encoding.empty()) to.set_header("Content-Encoding", from.content_encoding);
    if (!from.etag.empty()) to.set_header("ETag", from.etag);
    for (const auto& [name, value] : from.headers) to.set_header(name, value);
    for (const auto& [name, value] : *extra_) {
      // A browser obeys every policy of the list: the page's own, which its script and style need, and the user's.
      const auto own = to.headers.find(name);
      if (own == to.headers.end()) to.set_header(name, value);
      else if (equal_ignoring_case(name, "Content-Security-Policy")) own->second += ", " + value;
    }
    if (from.status != 304) to.set_header("Content-Type", from.content_type);
    to.body = std::move(from.body);
  }

  void finish(httplib::Response& response) {
    status_ = response.status;
    // httplib has written its length down; of what it sends after the head nothing is left.
    if (!head_->head) body_ = std::move(response.body);
    response.headers.erase("Keep-Alive");
    response.headers.erase("Accept-Ranges");
    if (response.status == 304) response.headers.erase("Content-Length");
    if (head_->version_1_0 && !close_) response.set_header("Connection", "keep-alive");
  }

  const std::vector<Route>& routes_;
  std::string not_found_;
  const RequestHead* head_ = nullptr;
  const Headers* extra_ = nullptr;
  const std::string* remote_ = nullptr;
  std::string body_;  // of the answer
  bool close_ = false, at_once_ = false, not_at_once_ = false;
  std::string_view handler_;
  int status_ = 0;
};

Responder::Responder(const std::vector<Route>& routes) : httplib_(std::make_unique<Httplib>(routes)) {}
Responder::~Responder() = default;

Answer Responder::answer(const RequestHead& head, const std::string& remote, bool close, const Headers& extra, bool at_once) {
  return httplib_->answer(head, remote, close, extra, at_once);
}

std::string refusal_answer(const Refusal& refusal, bool with_body, const Headers& extra) {
  std::string bytes = "HTTP/1.1 " + std::to_string(refusal.status) + " " + httplib::status_message(refusal.status);
  bytes += "\r\nConnection: close\r\nContent-Length: " + std::to_string(refusal.text.size() + 1);
  if (refusal.status == 405) bytes += "\r\nAllow: GET, HEAD";
  if (refusal.status == 503) bytes += "\r\nRetry-After: 1";
  if (refusal.status == 401) bytes += "\r\nWWW-Authenticate: Basic";
  for (const auto& [name, value] : extra) {
    if (!equal_ignoring_case(name, "X-Content-Type-Options")) bytes += "\r\n" + name + ": " + value;
  }
  bytes += "\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n\r\n";
  if (with_body) bytes.append(refusal.text).append("\n");
  return bytes;
}

}  // namespace kmem::http
