#include "blocks.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#ifndef __x86_64__
#include <ucontext.h>
#endif

#include "memory.h"

namespace emulator {

dim3 thread_index, block_index, block_size, grid_size;
unsigned char* dynamic_shared;
Order order = Order::ASCENDING;

namespace {

constexpr int MAX_THREADS = 1024;
constexpr size_t STACK = 256 * 1024;

enum class State { READY, AT_WARP_BARRIER, AT_BLOCK_BARRIER, DONE };

struct Copy {
  void* to;
  const void* from;
  bool valid;
};

// ---- switching between stacks ----

#ifdef __x86_64__
using Context = void*;  // the stack pointer; the rest lies on the stack

extern "C" void emulator_switch(void** save, void* load);
asm(R"(
.text
.globl emulator_switch
.hidden emulator_switch
.type emulator_switch, @function
emulator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emulator_switch, .-emulator_switch
)");

void prepare(Context& context, char* stack, void (*entry)()) {
  void** top = (void**)((uintptr_t)(stack + STACK) / 16 * 16);
  top -= 2;  // as after a call: the stack pointer is 8 past a multiple of 16 where the entry starts
  *top = (void*)entry;
  for (int i = 0; i < 6; i++) *--top = nullptr;
  context = top;
}

void switch_to(Context& from, Context& to) { emulator_switch(&from, to); }
#else
using Context = ucontext_t;

void prepare(Context& context, char* stack, void (*entry)()) {
  getcontext(&context);
  context.uc_stack.ss_sp = stack;
  context.uc_stack.ss_size = STACK;
  context.uc_link = nullptr;
  makecontext(&context, entry, 0);
}

void switch_to(Context& from, Context& to) { swapcontext(&from, &to); }
#endif

struct Fibre {
  Context context;
  State state;
  unsigned barriers;                      // warp barriers so far: which room is next
  std::vector<std::vector<Copy>> groups;  // asynchronous copies; the last group is open
};

Fibre fibres[MAX_THREADS];
char* stacks;
Context scheduler;
int current;
const Kernel* running;
unsigned char** running_arguments;
alignas(64) unsigned char rooms[MAX_THREADS / 32][2][32 * 64];

// ---- faults ----

sigjmp_buf after_fault;
volatile bool in_kernel;
std::string fault;
struct sigaction earlier_segv, earlier_bus;

void on_fault(int signal, siginfo_t* info, void* context) {
  if (!in_kernel) {
    // Not ours: the JVM uses this signal too.
    struct sigaction& earlier = signal == SIGSEGV ? earlier_segv : earlier_bus;
    if (earlier.sa_flags & SA_SIGINFO) {
      earlier.sa_sigaction(signal, info, context);
    } else {
      sigaction(signal, &earlier, nullptr);
    }
    return;
  }
  fault = "touched " + describe((uintptr_t)info->si_addr);
  siglongjmp(after_fault, 1);
}

void catch_faults() {
  static bool installed = false;
  if (installed) return;
  installed = true;
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &action, &earlier_segv);
  sigaction(SIGBUS, &action, &earlier_bus);
}

// ---- one block ----

void yield_as(State state) {
  fibres[current].state = state;
  switch_to(fibres[current].context, scheduler);
}

void fibre_main() {
  running->call(running->function, running_arguments);
  yield_as(State::DONE);
}

void resume(int thread) {
  current = thread;
  thread_index = {(unsigned)thread, 0, 0};
  switch_to(scheduler, fibres[thread].context);
}

int place(int i, int count) { return order == Order::ASCENDING ? i : count - 1 - i; }

// Lets the threads at a warp barrier go on when all are there.
bool release_warp(int first) {
  int there = 0;
  for (int i = 0; i < 32; i++) there += fibres[first + i].state == State::AT_WARP_BARRIER;
  if (there == 0) return false;
  if (there < 32) fail("a warp instruction was reached by only some threads of a warp");
  for (int i = 0; i < 32; i++) fibres[first + i].state = State::READY;
  return true;
}

// Until all threads of a warp have returned or wait for the block.
void run_warp(int first) {
  do {
    for (int i = 0; i < 32; i++) {
      int thread = first + place(i, 32);
      if (fibres[thread].state == State::READY) resume(thread);
    }
  } while (release_warp(first));
}

void run_block(int threads) {
  for (int t = 0; t < threads; t++) {
    prepare(fibres[t].context, stacks + t * STACK, fibre_main);
    fibres[t].state = State::READY;
    fibres[t].barriers = 0;
    fibres[t].groups.clear();
  }
  int warps = threads / 32;
  for (bool waiting = true; waiting;) {
    for (int i = 0; i < warps; i++) run_warp(32 * place(i, warps));
    waiting = false;
    for (int t = 0; t < threads; t++) {
      if (fibres[t].state == State::AT_BLOCK_BARRIER) {
        fibres[t].state = State::READY;
        waiting = true;
      }
    }
  }
}

void run_blocks(dim3 grid, int threads, size_t shared_bytes) {
  int64_t count = (int64_t)grid.x * grid.y * grid.z;
  for (int64_t n = 0; n < count; n++) {
    int64_t b = order == Order::ASCENDING ? n : count - 1 - n;
    block_index = {(unsigned)(b % grid.x), (unsigned)(b / grid.x % grid.y), (unsigned)(b / grid.x / grid.y)};
    if (shared_bytes > 0) memset(dynamic_shared, 0xff, shared_bytes);
    run_block(threads);
  }
}

}  // namespace

std::string run_grid(const Kernel& kernel, dim3 grid, dim3 block, size_t shared_bytes, unsigned char** arguments) {
  if (stacks == nullptr) {
    void* room = mmap(nullptr, MAX_THREADS * STACK, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return "no memory for stacks";
    stacks = (char*)room;
  }
  catch_faults();
  running = &kernel;
  running_arguments = arguments;
  grid_size = grid;
  block_size = block;
  dynamic_shared = guarded_block(shared_bytes);
  fault.clear();
  if (sigsetjmp(after_fault, 1) == 0) {
    in_kernel = true;
    run_blocks(grid, (int)block.x, shared_bytes);
  } else {
    fault = std::string(kernel.name) + ", block " + std::to_string(block_index.x) + " " +
            std::to_string(block_index.y) + " " + std::to_string(block_index.z) + ", thread " +
            std::to_string(thread_index.x) + ": " + fault;
  }
  in_kernel = false;
  return fault;
}

void fail(const char* why) {
  fault = why;
  siglongjmp(after_fault, 1);
}

void block_barrier() { yield_as(State::AT_BLOCK_BARRIER); }

void warp_barrier(unsigned mask) {
  if (mask != 0xffffffffu) fail("a warp instruction of a part of a warp: not emulated");
  fibres[current].barriers++;
  yield_as(State::AT_WARP_BARRIER);
}

unsigned char* warp_room() { return rooms[current / 32][fibres[current].barriers % 2]; }

void copy_async_16(void* shared, const void* global, bool valid) {
  if ((uintptr_t)shared % 16 != 0 || (valid && (uintptr_t)global % 16 != 0))
    fail("cp.async: an address is no multiple of 16");
  auto& groups = fibres[current].groups;
  if (groups.empty()) groups.emplace_back();
  groups.back().push_back({shared, global, valid});
}

void copies_commit() {
  auto& groups = fibres[current].groups;
  if (groups.empty()) groups.emplace_back();
  groups.emplace_back();
}

void copies_wait(int newest) {
  auto& groups = fibres[current].groups;
  // The last group is open and is not waited for.
  while ((int)groups.size() - 1 > newest) {
    for (Copy& c : groups.front()) {
      if (c.valid) {
        memcpy(c.to, c.from, 16);
      } else {
        memset(c.to, 0, 16);
      }
    }
    groups.erase(groups.begin());
  }
}

}  // namespace emulator
