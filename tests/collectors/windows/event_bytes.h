// Event log records built by offset from the published layout, and the XML that Windows makes of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/collectors/windows/nt_bytes.h"

namespace kmem::test {

/// The words that the file server's event 2020 was published with.
inline std::string srv_data(std::uint32_t code) {
  NtBytes data(44);
  data.put(0, 0x00040000U).put(4, 0x00540001U).put(12, code).put(20, 0xC000009AU).put(40, 0x0000000BU);
  return data.str();
}

inline std::string event_record(std::uint32_t number, std::uint32_t seconds, std::uint32_t event_id, std::string_view source,
                                std::string_view data = {}) {
  NtBytes record(56);
  record.put(4, 0x654C664CU).put(8, number).put(12, seconds).put(16, seconds).put(20, event_id).put(24, std::uint16_t{1});
  std::size_t at = 56;
  for (const std::string_view text : {source, std::string_view("SERVER")}) {
    for (const char c : text) record.put(at, static_cast<std::uint16_t>(static_cast<unsigned char>(c))), at += 2;
    record.put(at, std::uint16_t{0});
    at += 2;
  }
  record.put(48, static_cast<std::uint32_t>(data.size())).put(52, static_cast<std::uint32_t>(at));
  record.text(at, data);
  at = (at + data.size() + 3) / 4 * 4;
  record.put(at, static_cast<std::uint32_t>(at + 4)).put(0, static_cast<std::uint32_t>(at + 4));
  return record.str();
}

inline std::string event_xml(std::string_view provider, std::uint32_t event_id, std::uint64_t record_id, std::string_view time,
                             std::string_view rest = {}) {
  std::string xml = "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='";
  xml.append(provider).append("'/><EventID Qualifiers='49152'>").append(std::to_string(event_id));
  xml.append("</EventID><Level>2</Level><TimeCreated SystemTime='").append(time);
  xml.append("'/><EventRecordID>").append(std::to_string(record_id));
  return xml.append("</EventRecordID><Channel>System</Channel><Security/></System>").append(rest).append("</Event>");
}

}  // namespace kmem::test
