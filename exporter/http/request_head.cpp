#include "exporter/http/request_head.h"

#include <algorithm>

#include "collectors/base/digit.h"
#include "exporter/http/text.h"

namespace kmem::http {
namespace {

constexpr std::size_t kMaxHeaders = 100;

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char); }

/// What may stand in a name, an address or a port, as Go's servers have it.
bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!$%&'()*+,-.:;=[]_~").find(c) != std::string_view::npos;
}

using base::is_digit;

void append_value(std::string& list, std::string_view value) {
  if (!list.empty()) list += ", ";
  list += value;
}

}  // namespace

HeadScanner::State HeadScanner::refuse(int status, std::string_view reason, std::string_view text) {
  refusal_ = {status, reason, text};
  return state_ = State::kRefused;
}

HeadScanner::State HeadScanner::scan(std::string_view buffer) {
  while (state_ == State::kMore && position_ < buffer.size()) {
    if (position_ >= max_bytes_) {
      if (lines_ == 0) return refuse(414, "uri_too_long", "the request line is too long");
      return refuse(431, "headers_too_large", "the request's headers are too large");
    }
    const auto c = static_cast<unsigned char>(buffer[position_]);
    const bool after_cr = position_ > line_start_ && buffer[position_ - 1] == '\r';
    if (after_cr != (c == '\n')) return refuse(400, "malformed", "a line does not end in CR LF");
    if (c == '\n') {
      const auto line = buffer.substr(line_start_, position_ - 1 - line_start_);
      line_start_ = ++position_;
      // RFC 9112 2.2: an empty line before the request line, which some clients send after a body, is no request.
      if (lines_ == 0 && line.empty() && position_ == 2) continue;
      if (lines_++ == 0) {
        request_line(line);
      } else if (line.empty()) {
        finish();
      } else {
        header(line);
      }
      continue;
    }
    if (position_ == 0 && c == 0x16) { return refuse(400, "malformed", "this looks like TLS; this port speaks plain HTTP"); }
    const bool allowed =
        lines_ == 0 ? (c >= 0x20 && c < 0x7f) || c == '\r' : (c >= 0x20 && c != 0x7f) || c == '\r' || c == '\t';
    if (!allowed) return refuse(400, "malformed", "the request has a control character");
    ++position_;
  }
  return state_;
}

HeadScanner::State HeadScanner::request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || !is_token(line.substr(0, first))) {
    return refuse(400, "malformed", "the request line is not \"METHOD target HTTP/1.1\"");
  }
  const auto method = line.substr(0, first);
  auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7])) {
    return refuse(400, "malformed", "the request line does not end in an HTTP version");
  }
  if (version[5] != '1' || version[7] > '1') { return refuse(505, "version", "only HTTP/1.0 and HTTP/1.1 are spoken here"); }
  method_known_ = method == "GET" || method == "HEAD";
  head_.head = method == "HEAD";
  head_.version_1_0 = version[7] == '0';
  // Absolute form, as sent through proxies: its authority goes before the Host header.
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    const auto slash = target.find('/', scheme.size());
    const auto authority = target.substr(scheme.size(), std::min(slash, target.size()) - scheme.size());
    head_.host = authority.substr(authority.rfind('@') + 1);
    has_authority_ = true;
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  if (method_known_ && (!target.starts_with('/') || target.find_first_of(" #") != std::string_view::npos)) {
    return refuse(400, "malformed", "the request target is not a path");
  }
  head_.target = target;
  return state_;
}

HeadScanner::State HeadScanner::header(std::string_view line) {
  if (lines_ > kMaxHeaders + 1) return refuse(431, "headers_too_large", "the request has too many headers");
  if (line[0] == ' ' || line[0] == '\t') return refuse(400, "malformed", "a header line is folded");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return refuse(400, "malformed", "a header line is not \"Name: value\"");
  }
  const auto name = line.substr(0, colon);
  const auto value = trim(line.substr(colon + 1));
  const auto is = [&](std::string_view wanted) { return equal_ignoring_case(name, wanted); };

  if (is("Content-Length")) {
    if (has_length_) return refuse(400, "malformed", "Content-Length is given twice");
    if (value.empty() || !std::all_of(value.begin(), value.end(), is_digit)) {
      return refuse(400, "malformed", "Content-Length is not a number");
    }
    has_length_ = true;
    has_body_ = has_body_ || value.find_first_not_of('0') != std::string_view::npos;
  } else if (is("Transfer-Encoding")) {
    has_transfer_encoding_ = has_body_ = true;
  } else if (is("Host")) {
    if (has_host_) return refuse(400, "malformed", "Host is given twice");
    has_host_ = true;
    if (!has_authority_) head_.host = value;
  } else if (is("Connection")) {
    for_each_list_item(value, [&](std::string_view item) {
      asks_close_ = asks_close_ || equal_ignoring_case(item, "close");
      asks_keep_alive_ = asks_keep_alive_ || equal_ignoring_case(item, "keep-alive");
    });
  } else if (is("Accept")) {
    append_value(head_.accept, value);
  } else if (is("Accept-Encoding")) {
    append_value(head_.accept_encoding, value);
  } else if (is("If-None-Match")) {
    append_value(head_.if_none_match, value);
  } else if (is("Authorization")) {
    if (!head_.authorization.empty()) return refuse(400, "malformed", "Authorization is given twice");
    head_.authorization = value;
  } else if (is("X-Prometheus-Scrape-Timeout-Seconds")) {
    head_.scrape_timeout = value;
  }
  return state_;
}

HeadScanner::State HeadScanner::finish() {
  if (has_length_ && has_transfer_encoding_) {
    return refuse(400, "malformed", "both Content-Length and Transfer-Encoding are given");
  }
  if (has_body_) return refuse(413, "body", "request bodies are not accepted");
  if (!method_known_) return refuse(405, "method", "only GET and HEAD are allowed");
  if (!has_host_ && !head_.version_1_0) return refuse(400, "malformed", "the Host header is missing");
  if (!std::all_of(head_.host.begin(), head_.host.end(), is_host_char))
    return refuse(400, "malformed", "the Host header is no name or address");
  head_.size_bytes = position_;
  head_.keep_alive = !asks_close_ && (!head_.version_1_0 || asks_keep_alive_);
  return state_ = State::kComplete;
}

}  // namespace kmem::http
