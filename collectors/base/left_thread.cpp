#include "collectors/base/left_thread.h"

#include <atomic>

namespace kmem::base {
namespace {

std::atomic<int> g_left{0};

}  // namespace

LeftThread::LeftThread() { ++g_left; }
LeftThread::~LeftThread() { --g_left; }
void LeftThread::leave() { ++g_left; }
int LeftThread::count() { return g_left; }

}  // namespace kmem::base
