// Has the workers of this process evaluate JavaScript, each on its own thread and of its own accord.
//
// Node's inspector reaches workers too (NodeWorker), and aborts a program whose worker is just ending: the parent's
// MainThreadInterface::Post of a message takes shared_from_this() of a worker's object whose last owner has let go of it already, in the
// moment before its destructor says so (~MainThreadInterface). Nothing that the parent can look at excludes that moment, on Node 20 to 26.
//
// Here no thread touches a worker that it does not hold: a worker is asked when one of its trace events comes by, which is on its own
// thread; others may ask for its attention only while its environment's cleanup hook waits for them.
#pragma once

#include <cstdint>
#include <string>

namespace gcspike {

// What a thread's trace event tells of it.
enum class ThreadEvent { kBegins, kCollects, kTurnsLoop };

class WorkerReach {
 public:
  // Whether this process's workers can be reached at all.
  static bool IsPossible();
  // Where it is possible: has each worker, also those to come, evaluate `function` in its main context, once it runs JavaScript next: the source of a
  // function that takes whether code of the program's is on the stack, and returns whether it need not be asked again. The calling
  // thread is left alone for good. It is not called while a script from `folder` runs. Returns a number for End.
  static uint32_t Begin(std::string function, std::string folder);
  // No worker is asked from here on.
  static void End(uint32_t number);
  // Any thread: workers that are known are asked now, and not at their next event.
  static void AskAll();
  // From the trace hook.
  static void OnEvent(ThreadEvent event);
};

}  // namespace gcspike
