package dev.nibble.compute.kernels.cuda.driver;

import dev.nibble.compute.tensor.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A device's primary context. It is given back when its opener has closed it and nothing that was
 * made in it is left: memory may outlive the kernels that filled it.
 *
 * <p>The driver's calls work in the calling thread's current context, so each operation here and in
 * what is made here first makes this one current (some nanoseconds).
 */
public final class Context implements AutoCloseable {
  private final Cuda cuda;
  private final CudaDevice device;
  private final long handle;
  private int users = 1;
  private boolean closed;
  private volatile boolean lost;

  private Context(Cuda cuda, CudaDevice device, long handle) {
    this.cuda = cuda;
    this.device = device;
    this.handle = handle;
  }

  /** Retains the primary context of a device. */
  public static Context of(Cuda cuda, CudaDevice device) {
    return new Context(
        cuda,
        device,
        cuda.getLong(
            "cuDevicePrimaryCtxRetain",
            out -> (int) cuda.primaryCtxRetain.invokeExact(out, device.handle())));
  }

  /** The device of this context. */
  public CudaDevice device() {
    return device;
  }

  Cuda cuda() {
    return cuda;
  }

  /** Counts something made in this context. */
  synchronized void retain() {
    if (users == 0) {
      throw new IllegalStateException("the context of cuda:" + device.index() + " is closed");
    }
    users++;
  }

  /** What {@link #retain} counted is gone. */
  synchronized void release() {
    users--;
    if (users == 0) {
      cuda.call.run(
          "cuDevicePrimaryCtxRelease",
          () -> (int) cuda.primaryCtxRelease.invokeExact(device.handle()));
    }
  }

  /** Makes this the calling thread's context. */
  public void makeCurrent() {
    int status;
    try {
      status = (int) cuda.ctxSetCurrent.invokeExact(handle);
    } catch (Throwable e) {
      throw CudaCall.failed("cuCtxSetCurrent", e);
    }
    check("cuCtxSetCurrent", status);
  }

  /** Makes a call in this context. */
  void run(String operation, CudaCall.Body body) {
    makeCurrent();
    int status;
    try {
      status = body.invoke();
    } catch (Throwable e) {
      throw CudaCall.failed(operation, e);
    }
    check(operation, status);
  }

  /** Passes when {@code status} is CUDA_SUCCESS. */
  void check(String operation, int status) {
    if (status != 0) {
      throw refused(operation, status, "");
    }
  }

  /** What the driver's refusal becomes. */
  CudaException refused(String operation, int status, String detail) {
    CudaException e = cuda.call.refused(operation, status, detail);
    lost |= e.losesContext();
    return e;
  }

  /**
   * Gives something of this context back. Once a kernel's error has been reported the context
   * answers everything with that error, which then says nothing new.
   */
  void giveBack(String operation, CudaCall.Body body) {
    boolean reported = lost;
    try {
      run(operation, body);
    } catch (CudaException e) {
      if (!reported || !e.losesContext()) {
        throw e;
      }
    } finally {
      release();
    }
  }

  /** Makes a call in this context that writes a handle or an address, and counts what it made. */
  long make(String operation, Cuda.Getter getter) {
    retain();
    try {
      makeCurrent();
      return cuda.getLong(operation, getter);
    } catch (RuntimeException e) {
      release();
      throw e;
    }
  }

  /** Waits until the device has done all work of this context. */
  public void synchronize() {
    run("cuCtxSynchronize", () -> (int) cuda.ctxSynchronize.invokeExact());
  }

  /** Whether a kernel's error was reported, after which nothing works in this context. */
  public boolean isLost() {
    return lost;
  }

  /** How much of the device's memory is free. */
  public Memory.Space space() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment free = arena.allocate(ValueLayout.JAVA_LONG);
      MemorySegment total = arena.allocate(ValueLayout.JAVA_LONG);
      run("cuMemGetInfo", () -> (int) cuda.memGetInfo.invokeExact(free, total));
      return new Memory.Space(
          free.get(ValueLayout.JAVA_LONG, 0), total.get(ValueLayout.JAVA_LONG, 0));
    }
  }

  @Override
  public synchronized void close() {
    if (closed) {
      throw new IllegalStateException("the context of cuda:" + device.index() + " is closed twice");
    }
    closed = true;
    release();
  }
}
