// The C interface of the CUDA driver, as far as Nibble calls it, over kernels that were linked into this library.
// Return codes are the driver's.
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "blocks.h"
#include "memory.h"
#include "streams.h"

namespace emulator {

namespace {

enum Result {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_INITIALIZED = 3,
  NO_DEVICE = 100,
  INVALID_DEVICE = 101,
  INVALID_CONTEXT = 201,
  INVALID_PTX = 218,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500,
  NOT_READY = 600,
  ILLEGAL_ADDRESS = 700,
};

const std::map<int, std::pair<const char*, const char*>> RESULTS = {
    {SUCCESS, {"CUDA_SUCCESS", "no error"}},
    {INVALID_VALUE, {"CUDA_ERROR_INVALID_VALUE", "invalid argument"}},
    {OUT_OF_MEMORY, {"CUDA_ERROR_OUT_OF_MEMORY", "out of memory"}},
    {NOT_INITIALIZED, {"CUDA_ERROR_NOT_INITIALIZED", "initialization error"}},
    {NO_DEVICE, {"CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"}},
    {INVALID_DEVICE, {"CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"}},
    {INVALID_CONTEXT, {"CUDA_ERROR_INVALID_CONTEXT", "invalid device context"}},
    {INVALID_PTX, {"CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"}},
    {INVALID_HANDLE, {"CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"}},
    {NOT_FOUND, {"CUDA_ERROR_NOT_FOUND", "named symbol not found"}},
    {NOT_READY, {"CUDA_ERROR_NOT_READY", "device not ready"}},
    {ILLEGAL_ADDRESS, {"CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"}},
};

// What tests set.
std::map<std::string, long> settings = {
    {"devices", 1}, {"driver_version", 13000}, {"capability", 86}, {"memory", 4L << 30}, {"descending", 0}};

struct Event {
  Stream* stream = nullptr;
  long number = 0;
  bool timed = true;
  bool recorded = false;
  std::chrono::steady_clock::time_point time;  // when the work before it was done
};

std::recursive_mutex mutex;
bool initialised;
std::map<int, Context> contexts;
thread_local Context* current;
std::set<Stream*> streams;
std::set<Event*> events;
std::map<void*, size_t> pinned;
std::set<std::string*> modules;

using Lock = std::lock_guard<std::recursive_mutex>;

std::map<std::string, Kernel>& kernels() {
  static std::map<std::string, Kernel> all;  // registrations run before other globals are made
  return all;
}

// The error that every call gives from then on.
int standing() {
  if (!initialised) return NOT_INITIALIZED;
  return current == nullptr ? INVALID_CONTEXT : current->error;
}

void drain_all() {
  for (Stream* s : streams)
    if (s->context == current) drain(s, s->queued);
}

bool is_pinned(const void* p, size_t bytes) {
  auto after = pinned.upper_bound((void*)p);
  if (after == pinned.begin()) return false;
  auto& [start, size] = *std::prev(after);
  return (const char*)p + bytes <= (const char*)start + size;
}

}  // namespace

void add_kernel(Kernel kernel) { kernels()[kernel.name] = kernel; }

void enqueue(Stream* stream, std::function<void()> work) {
  stream->work.push_back(std::move(work));
  stream->queued++;
}

void drain(Stream* stream, long upto) {
  while (stream->done < upto && !stream->work.empty()) {
    std::function<void()> work = std::move(stream->work.front());
    stream->work.pop_front();
    if (stream->context->error == 0) work();
    stream->done++;
  }
}

void poison(Context* context, int error, const std::string& why) {
  if (context->error != 0) return;
  context->error = error;
  context->why = why;
  fprintf(stderr, "emulator: %s\n", why.c_str());
}

// The memory that a copy or a fill names must be there when it runs.
static void copy_checked(Context* context, uint64_t to, uint64_t from, size_t bytes, bool to_device, bool from_device) {
  uint64_t wrong = to_device && !is_allocated(to, bytes) ? to : from_device && !is_allocated(from, bytes) ? from : 0;
  if (wrong != 0) {
    poison(context, INVALID_VALUE, "a copy of " + std::to_string(bytes) + " bytes: " + describe(wrong));
    return;
  }
  memmove((void*)to, (const void*)from, bytes);
}

// Number of parameters that PTX text gives a kernel; -1 without that kernel.
static int parameters_in(const std::string& ptx, const std::string& name) {
  for (size_t at = ptx.find(".entry " + name); at != std::string::npos; at = ptx.find(".entry " + name, at + 1)) {
    size_t open = at + 7 + name.size();
    if (ptx[open] != '(' && ptx[open] != '\n' && ptx[open] != ' ') continue;
    std::string list = ptx.substr(open, ptx.find(')', open) - open);
    int count = 0;
    for (size_t p = list.find(".param"); p != std::string::npos; p = list.find(".param", p + 1)) count++;
    return count;
  }
  return -1;
}

}  // namespace emulator

using namespace emulator;

#define API extern "C" __attribute__((visibility("default"))) int

// ---- for tests ----

// Sets what the machine is like: devices, driver_version, capability (86 for 8.6), memory (bytes of a device),
// descending (the order in which blocks and threads run). 0 when there is no such setting.
API emulator_configure(const char* key, long value) {
  Lock lock(mutex);
  if (settings.count(key) == 0) return 0;
  settings[key] = value;
  order = settings["descending"] ? Order::DESCENDING : Order::ASCENDING;
  return 1;
}

// What a kernel did wrong in the thread's context; empty when nothing.
extern "C" __attribute__((visibility("default"))) const char* emulator_fault() {
  Lock lock(mutex);
  return current == nullptr ? "" : current->why.c_str();
}

// Device allocations, pinned host memory, streams, events and modules that are alive: 0 when all was given back.
extern "C" __attribute__((visibility("default"))) long emulator_alive() {
  Lock lock(mutex);
  long bytes = 0;
  for (int d = 0; d < settings["devices"]; d++) bytes += (long)allocated_bytes(d);
  return bytes + (long)(pinned.size() + streams.size() + events.size() + modules.size());
}

// ---- errors, version, devices ----

API cuGetErrorName(int error, const char** name) {
  auto found = RESULTS.find(error);
  *name = found == RESULTS.end() ? nullptr : found->second.first;
  return found == RESULTS.end() ? INVALID_VALUE : SUCCESS;
}

API cuGetErrorString(int error, const char** text) {
  auto found = RESULTS.find(error);
  *text = found == RESULTS.end() ? nullptr : found->second.second;
  return found == RESULTS.end() ? INVALID_VALUE : SUCCESS;
}

API cuInit(unsigned flags) {
  Lock lock(mutex);
  if (flags != 0) return INVALID_VALUE;
  if (settings["devices"] == 0) return NO_DEVICE;
  initialised = true;
  return SUCCESS;
}

API cuDriverGetVersion(int* version) {
  *version = (int)settings["driver_version"];
  return SUCCESS;
}

API cuDeviceGetCount(int* count) {
  if (!initialised) return NOT_INITIALIZED;
  *count = (int)settings["devices"];
  return SUCCESS;
}

API cuDeviceGet(int* device, int ordinal) {
  if (!initialised) return NOT_INITIALIZED;
  if (ordinal < 0 || ordinal >= settings["devices"]) return INVALID_DEVICE;
  *device = ordinal;
  return SUCCESS;
}

API cuDeviceGetName(char* name, int length, int device) {
  snprintf(name, (size_t)length, "Emulated GPU %d", device);
  return SUCCESS;
}

API cuDeviceGetPCIBusId(char* id, int length, int device) {
  snprintf(id, (size_t)length, "0000:%02x:00.0", device + 1);
  return SUCCESS;
}

API cuDeviceTotalMem_v2(size_t* bytes, int) {
  *bytes = (size_t)settings["memory"];
  return SUCCESS;
}

API cuDeviceGetAttribute(int* value, int attribute, int) {
  static const std::map<int, int> values = {
      {1, 1024},        // threads of a block
      {8, 49152},       // shared memory of a block
      {10, 32},         // warp
      {13, 1000000},    // clock in kHz
      {16, 4},          // multiprocessors
      {36, 1000000},    // memory clock in kHz
      {37, 128},        // memory bus in bits
      {38, 4 << 20},    // L2
      {97, 99 * 1024},  // shared memory of a block that asks for it
  };
  if (attribute == 75 || attribute == 76) {
    int capability = (int)settings["capability"];
    *value = attribute == 75 ? capability / 10 : capability % 10;
    return SUCCESS;
  }
  auto found = values.find(attribute);
  if (found == values.end()) return INVALID_VALUE;
  *value = found->second;
  return SUCCESS;
}

// ---- contexts ----

API cuDevicePrimaryCtxRetain(Context** context, int device) {
  Lock lock(mutex);
  if (!initialised) return NOT_INITIALIZED;
  Context& c = contexts[device];
  c.device = device;
  c.users++;
  *context = &c;
  return SUCCESS;
}

API cuDevicePrimaryCtxRelease_v2(int device) {
  Lock lock(mutex);
  auto found = contexts.find(device);
  if (found == contexts.end() || found->second.users == 0) return INVALID_CONTEXT;
  if (--found->second.users == 0) {
    found->second.error = 0;
    found->second.why.clear();
  }
  return SUCCESS;
}

API cuCtxSetCurrent(Context* context) {
  current = context;
  return SUCCESS;
}

API cuCtxSynchronize() {
  Lock lock(mutex);
  if (int error = standing()) return error;
  drain_all();
  return standing();
}

// ---- memory ----

API cuMemGetInfo_v2(size_t* available, size_t* total) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  *total = (size_t)settings["memory"];
  size_t used = allocated_bytes(current->device);
  *available = used < *total ? *total - used : 0;
  return SUCCESS;
}

API cuMemAlloc_v2(uint64_t* address, size_t bytes) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  if (bytes == 0) return INVALID_VALUE;
  if (allocated_bytes(current->device) + bytes > (size_t)settings["memory"]) return OUT_OF_MEMORY;
  *address = allocate(bytes, current->device);
  return *address == 0 ? OUT_OF_MEMORY : SUCCESS;
}

API cuMemFree_v2(uint64_t address) {
  Lock lock(mutex);
  if (int error = standing(); error != 0 && error < ILLEGAL_ADDRESS) return error;
  drain_all();
  return release(address) ? current->error : INVALID_VALUE;
}

API cuMemHostAlloc(void** p, size_t bytes, unsigned) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return OUT_OF_MEMORY;
  pinned[memory] = bytes;
  *p = memory;
  return SUCCESS;
}

API cuMemFreeHost(void* p) {
  Lock lock(mutex);
  auto found = pinned.find(p);
  if (found == pinned.end()) return INVALID_VALUE;
  if (current != nullptr) drain_all();
  munmap(p, found->second);
  pinned.erase(found);
  return SUCCESS;
}

API cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, Stream* stream) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  if (streams.count(stream) == 0) return INVALID_HANDLE;
  Context* context = current;
  // The driver may read pageable memory at once, or late; asking for pinned memory shows who counts on either.
  if (!is_pinned(from, bytes)) return INVALID_VALUE;
  enqueue(stream, [=] { copy_checked(context, to, (uint64_t)from, bytes, true, false); });
  return SUCCESS;
}

API cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, Stream* stream) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  if (streams.count(stream) == 0) return INVALID_HANDLE;
  Context* context = current;
  enqueue(stream, [=] { copy_checked(context, (uint64_t)to, from, bytes, false, true); });
  if (!is_pinned(to, bytes)) drain(stream, stream->queued);  // into pageable memory the driver copies at once
  return standing();
}

API cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, Stream* stream) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  if (streams.count(stream) == 0) return INVALID_HANDLE;
  Context* context = current;
  enqueue(stream, [=] { copy_checked(context, to, from, bytes, true, true); });
  return SUCCESS;
}

API cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, Stream* stream) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  if (streams.count(stream) == 0) return INVALID_HANDLE;
  Context* context = current;
  enqueue(stream, [=] {
    if (!is_allocated(to, bytes)) {
      poison(context, INVALID_VALUE, "a fill of " + std::to_string(bytes) + " bytes: " + describe(to));
      return;
    }
    memset((void*)to, value, bytes);
  });
  return SUCCESS;
}

// ---- streams and events ----

API cuStreamCreate(Stream** stream, unsigned) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  *stream = new Stream{current, {}};
  streams.insert(*stream);
  return SUCCESS;
}

API cuStreamDestroy_v2(Stream* stream) {
  Lock lock(mutex);
  if (streams.count(stream) == 0) return INVALID_HANDLE;
  drain(stream, stream->queued);
  streams.erase(stream);
  for (Event* e : events)
    if (e->stream == stream) e->stream = nullptr;
  delete stream;
  return SUCCESS;
}

API cuStreamSynchronize(Stream* stream) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  if (streams.count(stream) == 0) return INVALID_HANDLE;
  drain(stream, stream->queued);
  return standing();
}

API cuStreamWaitEvent(Stream* stream, Event* event, unsigned) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  if (streams.count(stream) == 0 || events.count(event) == 0) return INVALID_HANDLE;
  Stream* other = event->stream;
  long number = event->number;
  if (other == nullptr || other == stream) return SUCCESS;
  enqueue(stream, [=] {
    if (streams.count(other) != 0) drain(other, number);
  });
  return SUCCESS;
}

API cuEventCreate(Event** event, unsigned flags) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  *event = new Event();
  (*event)->timed = (flags & 2) == 0;
  events.insert(*event);
  return SUCCESS;
}

API cuEventDestroy_v2(Event* event) {
  Lock lock(mutex);
  if (events.erase(event) == 0) return INVALID_HANDLE;
  delete event;
  return SUCCESS;
}

API cuEventRecord(Event* event, Stream* stream) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  if (streams.count(stream) == 0 || events.count(event) == 0) return INVALID_HANDLE;
  event->recorded = false;
  enqueue(stream, [=] {
    if (events.count(event) == 0) return;
    event->recorded = true;
    event->time = std::chrono::steady_clock::now();
  });
  event->stream = stream;
  event->number = stream->queued;
  return SUCCESS;
}

API cuEventSynchronize(Event* event) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  if (events.count(event) == 0) return INVALID_HANDLE;
  if (event->stream != nullptr) drain(event->stream, event->number);
  return standing();
}

API cuEventElapsedTime(float* milliseconds, Event* start, Event* end) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  if (events.count(start) == 0 || events.count(end) == 0) return INVALID_HANDLE;
  if (!start->timed || !end->timed || start->stream == nullptr || end->stream == nullptr) return INVALID_HANDLE;
  if (!start->recorded || !end->recorded) return NOT_READY;
  *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
  return SUCCESS;
}

// ---- modules and launches ----

API cuModuleLoadDataEx(std::string** module, const void* image, unsigned count, int* options, void** values) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  std::string text = (const char*)image;
  if (text.find(".version") == std::string::npos) {
    for (unsigned i = 0; i < count; i++)
      if (options[i] == 5) strcpy((char*)values[i], "no .version directive: this is not PTX");
    return INVALID_PTX;
  }
  *module = new std::string(text);
  modules.insert(*module);
  return SUCCESS;
}

API cuModuleUnload(std::string* module) {
  Lock lock(mutex);
  if (modules.erase(module) == 0) return INVALID_HANDLE;
  delete module;
  return SUCCESS;
}

API cuModuleGetFunction(Kernel** function, std::string* module, const char* name) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  if (modules.count(module) == 0) return INVALID_HANDLE;
  int parameters = parameters_in(*module, name);
  if (parameters < 0) return NOT_FOUND;
  auto found = kernels().find(name);
  if (found == kernels().end() || (int)found->second.sizes.size() != parameters) {
    fprintf(stderr, "emulator: kernel %s of the PTX is not the one of the sources; build the PTX again\n", name);
    return NOT_FOUND;
  }
  *function = &found->second;
  return SUCCESS;
}

API cuFuncSetAttribute(Kernel* function, int attribute, int value) {
  Lock lock(mutex);
  if (attribute != 8 || value < 0 || value > 99 * 1024) return INVALID_VALUE;
  function->dynamic_shared_limit = value;
  return SUCCESS;
}

API cuLaunchKernel(Kernel* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, Stream* stream, void** parameters, void** extra) {
  Lock lock(mutex);
  if (int error = standing()) return error;
  if (streams.count(stream) == 0) return INVALID_HANDLE;
  bool fits = gx > 0 && gy > 0 && gz > 0 && gx <= 0x7fffffffu && gy <= 65535 && gz <= 65535 && extra == nullptr &&
              (int)bx <= function->max_threads && bx > 0 && (int)shared <= function->dynamic_shared_limit;
  // Blocks of whole warps in one dimension are all that kernels here use, and all that the fibres know.
  if (!fits || bx % 32 != 0 || by != 1 || bz != 1) return INVALID_VALUE;
  size_t bytes = 0;
  for (size_t size : function->sizes) bytes += (size + 15) / 16 * 16;
  auto values = std::make_shared<std::vector<unsigned char>>(bytes + 16);
  std::vector<unsigned char*> places;
  unsigned char* at = (unsigned char*)(((uintptr_t)values->data() + 15) / 16 * 16);
  for (size_t i = 0; i < function->sizes.size(); i++) {
    memcpy(at, parameters[i], function->sizes[i]);
    places.push_back(at);
    at += (function->sizes[i] + 15) / 16 * 16;
  }
  Context* context = current;
  enqueue(stream, [=]() mutable {
    (void)values;  // keeps the arguments
    std::string why = run_grid(*function, {gx, gy, gz}, {bx, by, bz}, shared, places.data());
    if (!why.empty()) poison(context, ILLEGAL_ADDRESS, why);
  });
  return SUCCESS;
}
