// That a thread which is no actor has done all that its message tells of before the actor reads it: CAF's mailboxes
// order it so, but with atomics of a library that ThreadSanitizer does not see into. These two tell it; in any other
// build they are nothing.
#pragma once

#if defined(__SANITIZE_THREAD__)
extern "C" void __tsan_acquire(void* place);
extern "C" void __tsan_release(void* place);
#endif

namespace troupe_internal {

#if defined(__SANITIZE_THREAD__)
/// A function that tests/tsan/suppressions.txt names.
#define TROUPE_IN_STACKS __attribute__((noinline))
inline char handover_place = 0;
/// The thread: right before it sends.
inline void hand_over() {
  __tsan_release(&handover_place);
}
/// The actor: before it reads a message that came so.
inline void take_over() {
  __tsan_acquire(&handover_place);
}
#else
#define TROUPE_IN_STACKS
inline void hand_over() {}
inline void take_over() {}
#endif

} // namespace troupe_internal
