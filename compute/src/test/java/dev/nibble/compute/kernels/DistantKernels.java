package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A kernel set whose memory Java cannot touch, as an accelerator's: tensors are segments of no
 * bytes that carry an address. Kernels of the host do the work, so results are theirs to the bit.
 * It takes its own tensors only, and others in {@link Kernels#copy}.
 *
 * <p>For tests of what is built on kernels.
 */
public final class DistantKernels {
  private static final AtomicInteger OPENED = new AtomicInteger();

  private final Kernels near;
  private final DType activations;
  private final Device device = new Device.Cuda(OPENED.getAndIncrement());
  private final Map<Long, Long> sizes = new ConcurrentHashMap<>();
  private final AtomicLong waits = new AtomicLong();

  private DistantKernels(Kernels near, DType activations) {
    this.near = near;
    this.activations = activations;
  }

  /** The same kernels at a distance; closing the distant ones closes these. */
  public static DistantKernels of(Kernels near) {
    return new DistantKernels(near, near.activations());
  }

  /** The reference kernels at a distance, with activations in this dtype. */
  public static DistantKernels ofReference(DType activations) {
    return new DistantKernels(new ReferenceKernels(), activations);
  }

  /** The set. */
  public Kernels kernels() {
    return (Kernels)
        Proxy.newProxyInstance(
            Kernels.class.getClassLoader(),
            new Class<?>[] {Kernels.class},
            (proxy, method, args) ->
                switch (method.getName()) {
                  case "name" -> "distant " + near.name();
                  case "memory" -> new Far();
                  case "activations" -> activations;
                  case "pager" -> Pager.resident((Scope) args[0], (long[]) args[1]);
                  default -> call(method, args == null ? new Object[0] : args);
                });
  }

  /** How often the host had to wait for a result: copies from the device to the host. */
  public long waits() {
    return waits.get();
  }

  private Object call(Method method, Object[] args) throws Throwable {
    boolean copies = method.getName().equals("copy");
    if (copies && isOwn((Tensor) args[1]) && !isOwn((Tensor) args[0])) {
      waits.incrementAndGet();
    }
    Object[] readable = new Object[args.length];
    for (int i = 0; i < args.length; i++) {
      readable[i] =
          switch (args[i]) {
            case Tensor t -> copies && t.device() instanceof Device.Host ? t : readable(t);
            case Quantized q -> q.over(this::readable);
            case Object other -> other;
          };
    }
    try {
      return method.invoke(near, readable);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private boolean isOwn(Tensor t) {
    return t.device().equals(device);
  }

  /** The tensor as the host's kernels take it. */
  @SuppressWarnings("restricted") // memory of ours, within its allocation
  private Tensor readable(Tensor t) {
    if (!isOwn(t)) {
      throw new IllegalArgumentException("%s is no tensor of %s".formatted(t, device));
    }
    long end = t.offset() + t.bytes();
    if (end > sizes.getOrDefault(t.memory().address(), 0L)) {
      throw new IllegalArgumentException("%s ends behind its allocation".formatted(t));
    }
    MemorySegment bytes = t.memory().reinterpret(end).asSlice(t.offset());
    return Tensor.onHost(t.name(), t.dtype(), t.shape(), bytes);
  }

  private final class Far implements Memory {
    @Override
    public Device device() {
      return device;
    }

    @Override
    public MemorySegment allocate(long bytes, Arena arena) {
      MemorySegment real = arena.allocate(Math.max(bytes, 1), 64);
      sizes.put(real.address(), bytes);
      return real.asSlice(0, 0);
    }
  }
}
