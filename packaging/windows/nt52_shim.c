/* libwinpthread imports GetTickCount64, which NT 5.2 does not export, so the program would not load there. This
   defines the import's slot ourselves: resolved at run time, GetTickCount with a wrap count where it is missing. */
#include <windows.h>

typedef ULONGLONG(WINAPI *tick_fn)(void);

static ULONGLONG WINAPI ticks_from_32_bits(void) {
  static volatile LONG64 newest; /* correct as long as somebody asks once in 49.7 days */
  for (;;) {
    const LONG64 seen = InterlockedCompareExchange64(&newest, 0, 0);
    LONG64 now = (seen & ~(LONG64)0xFFFFFFFF) | GetTickCount();
    if (now < seen) {
      if (seen - now < 0x80000000LL) return (ULONGLONG)seen; /* another thread was a moment ahead */
      now += 0x100000000LL;
    }
    if (InterlockedCompareExchange64(&newest, now, seen) == seen) return (ULONGLONG)now;
  }
}

static ULONGLONG WINAPI resolve(void);

#ifdef _WIN64
tick_fn __imp_GetTickCount64 = resolve;
#define SLOT __imp_GetTickCount64
#else
tick_fn tick_slot __asm__("__imp__GetTickCount64@0") = resolve;
#define SLOT tick_slot
#endif

static ULONGLONG WINAPI resolve(void) {
  const FARPROC found = GetProcAddress(GetModuleHandleA("kernel32.dll"), "GetTickCount64");
  tick_fn chosen = ticks_from_32_bits;
  if (found) __builtin_memcpy(&chosen, &found, sizeof chosen);
  SLOT = chosen;
  return chosen();
}
