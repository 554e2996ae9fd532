// A file's bytes, piece by piece -> text of single bytes. ASCII and code pages stay as they are. UTF-16 of either order,
// with or without its mark, becomes single bytes where they suffice, so that a tag's high bytes are as they were;
// elsewhere it becomes UTF-8. A shell that goes on with another's log may change between them at any place. Thread: one.
// Failure: none; what is neither is passed on.
#pragma once

#include <string>
#include <string_view>

namespace kmem::history {

class TextDecoder {
 public:
  /// Takes `raw` and gives what of it can be told by now; the rest waits for the next piece, or for the end.
  void decode(std::string& raw, bool is_end, std::string& text);

 private:
  enum class Form { kBytes, kLittle, kBig };

  // Each gives how far it came; short of the end it needs more.
  std::size_t take_bytes(std::string_view raw, std::size_t at, bool is_end, std::string& text);
  std::size_t take_units(std::string_view raw, std::size_t at, bool is_end, std::string& text);

  Form form_ = Form::kBytes;
  bool begun_ = false;
  bool stuck_ = false;  // more bytes are needed
  std::string held_;
};

}  // namespace kmem::history
