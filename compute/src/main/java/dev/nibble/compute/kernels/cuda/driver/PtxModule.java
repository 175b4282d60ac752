package dev.nibble.compute.kernels.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A module of kernels that the driver compiled from PTX for its device. */
public final class PtxModule extends Handle {
  // Numbers of CUjit_option.
  private static final int ERROR_LOG = 5;
  private static final int ERROR_LOG_BYTES = 6;

  private static final int LOG_BYTES = 1 << 14;

  private final String name;

  private PtxModule(Context context, String name, long handle) {
    super(context, handle);
    this.name = name;
  }

  /**
   * Compiles PTX; the driver keeps the result in its own cache.
   *
   * @param name for errors
   * @throws CudaException with the compiler's words when it cannot
   */
  public static PtxModule load(Context context, String name, String ptx) {
    context.retain();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      MemorySegment image = arena.allocateFrom(ptx);
      MemorySegment log = arena.allocate(LOG_BYTES);
      MemorySegment options = arena.allocateFrom(ValueLayout.JAVA_INT, ERROR_LOG, ERROR_LOG_BYTES);
      MemorySegment values =
          arena.allocateFrom(ValueLayout.JAVA_LONG, log.address(), LOG_BYTES - 1);
      int status = load(context, out, image, options, values);
      if (status != 0) {
        throw context.refused(
            "cuModuleLoadDataEx of " + name + ".ptx", status, log.getString(0).strip());
      }
      return new PtxModule(context, name, out.get(ValueLayout.JAVA_LONG, 0));
    } catch (RuntimeException e) {
      context.release();
      throw e;
    }
  }

  private static int load(
      Context context,
      MemorySegment out,
      MemorySegment image,
      MemorySegment options,
      MemorySegment values) {
    context.makeCurrent();
    try {
      return (int) context.cuda().moduleLoadDataEx.invokeExact(out, image, 2, options, values);
    } catch (Throwable e) {
      throw CudaCall.failed("cuModuleLoadDataEx", e);
    }
  }

  /**
   * The kernel of this name.
   *
   * @throws CudaException with code 500 when this module has none
   */
  public DeviceFunction function(String kernel) {
    long module = handle();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      MemorySegment text = arena.allocateFrom(kernel);
      context()
          .run(
              "cuModuleGetFunction of " + kernel,
              () -> (int) context().cuda().moduleGetFunction.invokeExact(out, module, text));
      return new DeviceFunction(context(), kernel, out.get(ValueLayout.JAVA_LONG, 0));
    }
  }

  @Override
  String what() {
    return "module " + name;
  }

  @Override
  void giveBack(long module) {
    context()
        .giveBack("cuModuleUnload", () -> (int) context().cuda().moduleUnload.invokeExact(module));
  }
}
