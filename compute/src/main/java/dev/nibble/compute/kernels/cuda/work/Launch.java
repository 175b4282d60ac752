package dev.nibble.compute.kernels.cuda.work;

import dev.nibble.compute.kernels.cuda.driver.CudaDevice;
import dev.nibble.compute.kernels.cuda.driver.CudaException;
import dev.nibble.compute.kernels.cuda.driver.Stream;
import dev.nibble.compute.kernels.cuda.work.Parameters.Kind;
import dev.nibble.compute.kernels.cuda.work.Programs.Program;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A launcher of kernels on the set's stream: a name, the arguments in the order of the kernel's
 * signature, and the grid. One launch at a time; a launch allocates nothing.
 *
 * <pre>{@code
 * launch.kernel("add", out.dtype()).tensor(out).tensor(a).tensor(b).i64(out.elements()).each(out.elements());
 * }</pre>
 */
public final class Launch {
  /** Threads of a warp. */
  public static final int WARP = 32;

  private static final int MOST_ARGUMENTS = 32;
  private static final int EACH_THREADS = 256;
  // Blocks of one kernel on a multiprocessor, in several waves: enough to hide a slow block.
  private static final int EACH_BLOCKS_PER_MULTIPROCESSOR = 32;
  private static final long MOST_BLOCKS_X = Integer.MAX_VALUE;
  private static final long MOST_BLOCKS_YZ = 65535;

  private final CudaDevice device;
  private final Device place;
  private final Stream stream;
  private final Uploads uploads;
  private final Programs programs;
  private final boolean debugSync;
  private final Optional<LaunchClock> clock;

  // The arguments' values, 8 bytes each, and their addresses, which never change.
  private final MemorySegment values = Arena.ofAuto().allocate(8L * MOST_ARGUMENTS, 8);
  private final MemorySegment addresses = Arena.ofAuto().allocate(8L * MOST_ARGUMENTS, 8);
  private final Kind[] kinds = new Kind[MOST_ARGUMENTS];
  private final @Nullable Tensor[] tensors = new @Nullable Tensor[MOST_ARGUMENTS];
  private int count;
  private @Nullable Program program;

  // What the launch is thought to do, for its clock.
  private double bytes;
  private double operations;
  private String suffix = "";

  /**
   * Launches kernels on a stream of a device.
   *
   * @param debugSync whether each launch is waited for, so that its error names it
   * @param clock that times each launch while it is on
   */
  Launch(
      CudaDevice device,
      Stream stream,
      Uploads uploads,
      Programs programs,
      boolean debugSync,
      Optional<LaunchClock> clock) {
    this.device = device;
    this.place = new Device.Cuda(device.index());
    this.stream = stream;
    this.uploads = uploads;
    this.programs = programs;
    this.debugSync = debugSync;
    this.clock = clock;
    for (int i = 0; i < MOST_ARGUMENTS; i++) {
      addresses.setAtIndex(ValueLayout.JAVA_LONG, i, values.address() + 8L * i);
    }
  }

  /** The stream that kernels run on, for libraries that launch their own. */
  public Stream stream() {
    return stream;
  }

  /** The device that kernels run on. */
  public CudaDevice device() {
    return device;
  }

  /** Begins a launch of the kernel of this name. */
  public Launch kernel(String name) {
    return begin(programs.get(name));
  }

  /** Begins a launch of the kernel's variant for a dtype: {@code add_f32}, {@code add_bf16}. */
  public Launch kernel(String name, DType variant) {
    return begin(programs.get(name, variant));
  }

  private Launch begin(Program kernel) {
    program = kernel;
    count = 0;
    bytes = 0;
    operations = 0;
    suffix = "";
    return this;
  }

  /** A pointer. The tensor must be alive, and on this set's device. */
  public Launch tensor(Tensor t) {
    requireUsable(t, kernelName());
    int i = add(Kind.POINTER);
    tensors[i] = t;
    values.setAtIndex(ValueLayout.JAVA_LONG, i, t.address());
    bytes += t.bytes();
    return this;
  }

  /**
   * Bytes that the launch reads and writes, where that is not all of its tensors, which come first;
   * for its clock.
   */
  public Launch moves(double movedBytes) {
    bytes = movedBytes;
    return this;
  }

  /** Operations of matrix products that the launch computes; for its clock. */
  public Launch computes(double matrixOperations) {
    operations = matrixOperations;
    return this;
  }

  /** The launch is a product; for its clock, which tells shapes apart. */
  public Launch multiplies(ProductShape shape) {
    suffix = isTimed() ? " " + shape : "";
    return computes(shape.operations());
  }

  private boolean isTimed() {
    return clock.isPresent() && clock.get().isOn();
  }

  /** A null pointer, for what a kernel may do without. */
  public Launch none() {
    values.setAtIndex(ValueLayout.JAVA_LONG, add(Kind.POINTER), 0);
    return this;
  }

  /** An int. */
  public Launch i32(long value) {
    values.set(ValueLayout.JAVA_INT, 8L * add(Kind.I32), Math.toIntExact(value));
    return this;
  }

  /** A long. */
  public Launch i64(long value) {
    values.setAtIndex(ValueLayout.JAVA_LONG, add(Kind.I64), value);
    return this;
  }

  /** A float. */
  public Launch f32(double value) {
    values.set(ValueLayout.JAVA_FLOAT, 8L * add(Kind.F32), (float) value);
    return this;
  }

  /** A double. */
  public Launch f64(double value) {
    values.set(ValueLayout.JAVA_DOUBLE, 8L * add(Kind.F64), value);
    return this;
  }

  private int add(Kind kind) {
    Parameters expected = current().parameters();
    if (count == expected.count() || count == MOST_ARGUMENTS || !expected.is(count, kind)) {
      throw new IllegalStateException(
          "kernel %s takes %s, and argument %d is given as %s"
              .formatted(kernelName(), expected, count + 1, kind));
    }
    kinds[count] = kind;
    tensors[count] = null;
    return count++;
  }

  /** Checks that a tensor is alive, and on this set's device. */
  public void requireUsable(Tensor t, String user) {
    if (!t.memory().scope().isAlive()) {
      throw new IllegalStateException(
          "%s: the memory of %s was given back when its scope closed".formatted(user, t));
    }
    if (!t.device().equals(place)) {
      throw new IllegalArgumentException(
          "%s: expected a tensor on %s, got %s".formatted(user, place, t));
    }
  }

  private Program current() {
    if (program == null) {
      throw new IllegalStateException("a launch begins with kernel(name)");
    }
    return program;
  }

  private String kernelName() {
    return current().name();
  }

  /**
   * Launches blocks of 256 threads, about one thread for each of {@code n} items: the kernel's loop
   * goes from {@code global_thread()} by {@code global_threads()}. Nothing runs for n = 0.
   */
  public void each(long n) {
    long most = (long) EACH_BLOCKS_PER_MULTIPROCESSOR * device.multiprocessors();
    blocks(Math.min(Math.ceilDiv(n, EACH_THREADS), most), EACH_THREADS);
  }

  /** Launches this many blocks in a row; nothing for 0. */
  public void blocks(long count, int threads) {
    grid(count, 1, 1, threads, 0);
  }

  /** Launches a grid of blocks with dynamic shared memory; nothing when a side is 0. */
  public void grid(long x, long y, long z, int threads, int sharedBytes) {
    Program kernel = current();
    if (count != kernel.parameters().count()) {
      throw new IllegalStateException(
          "kernel %s takes %s, and only %d are given"
              .formatted(kernelName(), kernel.parameters(), count));
    }
    if (x == 0 || y == 0 || z == 0) {
      return;
    }
    if (x < 0 || y < 0 || z < 0 || x > MOST_BLOCKS_X || y > MOST_BLOCKS_YZ || z > MOST_BLOCKS_YZ) {
      throw new IllegalArgumentException(
          "a grid of %d x %d x %d blocks is too large for %s"
              .formatted(x, y, z, describe(kernel, x, y, z, threads, sharedBytes)));
    }
    boolean timed = isTimed();
    if (timed) {
      clock.get().begin();
    }
    int status =
        kernel
            .function()
            .launch(stream, (int) x, (int) y, (int) z, threads, sharedBytes, addresses);
    if (timed) {
      clock.get().end(kernel.name() + suffix, bytes, operations);
    }
    if (status != 0) {
      throw kernel.function().failure(status, describe(kernel, x, y, z, threads, sharedBytes));
    }
    if (debugSync) {
      try {
        stream.synchronize();
      } catch (CudaException e) {
        String launch = describe(kernel, x, y, z, threads, sharedBytes);
        throw kernel.function().failure(e.code(), launch);
      }
    }
  }

  /** To be called before another library, or a copy, puts work on the stream. */
  public void calling() {
    if (isTimed()) {
      clock.get().begin();
    }
  }

  /**
   * To be called after another library has put a product on the stream: with {@code debugSync},
   * waits for it.
   *
   * @param name of the library's function
   * @param moved bytes of the operands
   * @param operation the call with its operands, for an error
   */
  public void called(String name, ProductShape shape, double moved, Supplier<String> operation) {
    if (isTimed()) {
      clock.get().end(name + " " + shape, moved, shape.operations());
    }
    if (debugSync) {
      stream.synchronizeAfter(operation.get());
    }
  }

  /**
   * Copies bytes between tensors of one size: from host to device, from device to host, or on the
   * device. When this returns, a copy to the host is complete, and a source on the host may be
   * changed.
   */
  public void copyBytes(Tensor out, Tensor in) {
    if (out.bytes() != in.bytes()) {
      throw new IllegalArgumentException(
          "copy: %s has %d bytes, %s has %d".formatted(out, out.bytes(), in, in.bytes()));
    }
    boolean toHost = out.device() instanceof Device.Host;
    boolean fromHost = in.device() instanceof Device.Host;
    if (!toHost) {
      requireUsable(out, "copy");
    }
    if (!fromHost) {
      requireUsable(in, "copy");
    }
    if (out.bytes() == 0) {
      return;
    }
    if (toHost && fromHost) {
      MemorySegment.copy(in.memory(), 0, out.memory(), 0, out.bytes());
      return;
    }
    calling();
    String copy;
    if (toHost) {
      stream.copyToHost(out.address(), in.address(), out.bytes());
      copy = "copy to host";
    } else if (fromHost) {
      uploads.copy(out.address(), in.memory(), out.bytes());
      copy = "copy to device";
    } else {
      stream.copyOnDevice(out.address(), in.address(), out.bytes());
      copy = "copy on device";
    }
    if (isTimed()) {
      clock.get().end(copy, (double) out.bytes() + in.bytes(), 0);
    }
    if (toHost) {
      stream.synchronize();
    }
  }

  /** For example {@code add_f32(out F32[3] on cuda:0, i64 3), 1 x 1 x 1 blocks of 256 threads}. */
  private String describe(Program kernel, long x, long y, long z, int threads, int shared) {
    StringBuilder s = new StringBuilder(kernel.name()).append('(');
    for (int i = 0; i < count; i++) {
      s.append(i == 0 ? "" : ", ").append(argument(i));
    }
    s.append("), %d x %d x %d blocks of %d threads".formatted(x, y, z, threads));
    return shared == 0 ? s.toString() : s.append(", %d bytes shared".formatted(shared)).toString();
  }

  private String argument(int i) {
    Tensor t = tensors[i];
    return switch (kinds[i]) {
      case POINTER -> t == null ? "none" : t.toString();
      case I32 -> "i32 " + values.get(ValueLayout.JAVA_INT, 8L * i);
      case I64 -> "i64 " + values.getAtIndex(ValueLayout.JAVA_LONG, i);
      case F32 -> "f32 " + values.get(ValueLayout.JAVA_FLOAT, 8L * i);
      case F64 -> "f64 " + values.get(ValueLayout.JAVA_DOUBLE, 8L * i);
    };
  }
}
