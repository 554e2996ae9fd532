// Threads that were left behind because a call of the system does not return: how many there are now. While there is
// one, a program must not end the usual way (static objects would be destroyed under it) but at once.
// Thread: any. Failure: none.
#pragma once

namespace kmem::base {

/// Counts one thread that nobody waits for any more, for as long as it lives.
class LeftThread {
 public:
  LeftThread();
  ~LeftThread();
  LeftThread(const LeftThread&) = delete;
  LeftThread& operator=(const LeftThread&) = delete;

  /// One more for the rest of the program, where its end is not seen.
  static void leave();
  [[nodiscard]] static int count();
};

}  // namespace kmem::base
