// Streams that run as late as they may: work waits until somebody waits for it. So an order that was not asked for is
// not there by luck.
#pragma once

#include <deque>
#include <functional>
#include <string>

namespace emulator {

struct Context;

struct Stream {
  Context* context;
  std::deque<std::function<void()>> work;
  long queued = 0;
  long done = 0;
};

// A device's primary context.
struct Context {
  int device;
  int users = 0;
  int error = 0;     // of a kernel: stays until the context goes
  std::string why;
};

void enqueue(Stream* stream, std::function<void()> work);
// Runs what was queued up to and including a number.
void drain(Stream* stream, long upto);
// Ends the context's work with an error.
void poison(Context* context, int error, const std::string& why);

}  // namespace emulator
