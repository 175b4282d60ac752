package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A kernel set whose memory Java cannot touch, as an accelerator's: tensors are segments of no
 * bytes that carry an address. Kernels of the host do the work, so results are theirs to the bit.
 * It takes its own tensors only, and others in {@link MovingKernels#copy}.
 *
 * <p>For tests of what is built on kernels.
 */
public final class DistantKernels extends InterceptedKernels {
  private static final AtomicInteger OPENED = new AtomicInteger();

  private final Kernels near;
  private final DType activations;
  private final Device device = new Device.Cuda(OPENED.getAndIncrement());
  private final Map<Long, Long> sizes = new ConcurrentHashMap<>();
  private final AtomicLong waits = new AtomicLong();
  private final MovingKernels moving = new Moving();

  private DistantKernels(Kernels near, DType activations) {
    super(near);
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

  /** How often the host had to wait for a result: copies from the device to the host. */
  public long waits() {
    return waits.get();
  }

  @Override
  public String name() {
    return "distant " + near.name();
  }

  @Override
  public Memory memory() {
    return new Far();
  }

  @Override
  public DType activations() {
    return activations;
  }

  @Override
  public MovingKernels moving() {
    return moving;
  }

  @Override
  public Pager pager(Scope scope, long[] pageBytes, Paging paging) {
    return Pager.resident(scope, pageBytes);
  }

  @Override
  protected void call(Operation operation, Object[] args) {
    Object[] readable = new Object[args.length];
    for (int i = 0; i < args.length; i++) {
      readable[i] =
          switch (args[i]) {
            case Tensor t -> readable(t);
            case FrozenMatrix m -> m.over(this::readable);
            case Object other -> other;
          };
    }
    operation.run(readable);
  }

  /** The only operations that reach the host's memory: copies. */
  private final class Moving implements MovingKernels {
    @Override
    public void copy(Tensor out, Tensor in) {
      if (isOwn(in) && !isOwn(out)) {
        waits.incrementAndGet();
      }
      near.moving().copy(onEitherSide(out), onEitherSide(in));
    }

    private Tensor onEitherSide(Tensor t) {
      return t.device() instanceof Device.Host ? t : readable(t);
    }

    @Override
    public void fill(Tensor out, double value) {
      DistantKernels.super.moving().fill(out, value);
    }

    @Override
    public void gatherRowsForward(Tensor out, Tensor table, Tensor rows) {
      DistantKernels.super.moving().gatherRowsForward(out, table, rows);
    }

    @Override
    public void gatherRowsBackward(Tensor dtable, Tensor dout, Tensor rows) {
      DistantKernels.super.moving().gatherRowsBackward(dtable, dout, rows);
    }

    @Override
    public void columnsForward(Tensor out, Tensor x, long from) {
      DistantKernels.super.moving().columnsForward(out, x, from);
    }

    @Override
    public void columnsBackward(Tensor dx, Tensor dout, long from) {
      DistantKernels.super.moving().columnsBackward(dx, dout, from);
    }

    @Override
    public void gatherColumnsForward(Tensor out, Tensor table, Tensor columns) {
      DistantKernels.super.moving().gatherColumnsForward(out, table, columns);
    }

    @Override
    public void gatherColumnsBackward(Tensor dtable, Tensor dout, Tensor columns) {
      DistantKernels.super.moving().gatherColumnsBackward(dtable, dout, columns);
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
