package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** One tensor on the host for each operand; counts the bytes that a call must move. */
final class PlainOperands implements Operands, AutoCloseable {
  /** Normal values that are drawn; larger tensors repeat them. */
  private static final long DRAWN = 1 << 16;

  private final Scope scope = Scope.open("benchmark", Memory.host());
  private final Random random = new Random(1);
  private final DType activations;
  private long bytes;

  PlainOperands(DType activations) {
    this.activations = activations;
  }

  private record Plain(Tensor get) implements Operand {
    @Override
    public Operand within(Tolerance t) {
      return this;
    }

    @Override
    public Operand put(float... values) {
      get.put(values);
      return this;
    }

    @Override
    public Operand set(long i, double value) {
      get.setFloat(i, value);
      return this;
    }
  }

  /** Bytes of inputs, of outputs, and twice those of what is changed in place. */
  long bytes() {
    return bytes;
  }

  @Override
  public DType activations() {
    return activations;
  }

  @Override
  public Random random() {
    return random;
  }

  private Tensor allocate(String name, DType dtype, long[] dims, int moved) {
    Tensor t = scope.allocate(name, dtype, dims);
    bytes += moved * t.bytes();
    return t;
  }

  private Tensor fill(Tensor t, double factor) {
    long drawn = Math.min(DRAWN, t.elements());
    for (long i = 0; i < drawn; i++) {
      t.setFloat(i, factor * random.nextGaussian());
    }
    MemorySegment m = t.memory();
    for (long filled = drawn * t.dtype().bytes(); filled < t.bytes(); filled *= 2) {
      MemorySegment.copy(m, 0, m, filled, Math.min(filled, t.bytes() - filled));
    }
    return t;
  }

  @Override
  public Operand normal(String name, DType dtype, double factor, long... dims) {
    return new Plain(fill(allocate(name, dtype, dims, 1), factor));
  }

  @Override
  public Operand indices(String name, int limit, long n) {
    Tensor t = allocate(name, DType.I32, new long[] {n}, 1);
    for (long i = 0; i < n; i++) {
      t.setLong(i, random.nextInt(limit));
    }
    return new Plain(t);
  }

  @Override
  public Operand input(String name, DType dtype, long... dims) {
    return new Plain(allocate(name, dtype, dims, 1));
  }

  @Override
  public Operand output(String name, DType dtype, long... dims) {
    return new Plain(allocate(name, dtype, dims, 1));
  }

  @Override
  public Operand gradient(String name, DType dtype, long... dims) {
    return new Plain(fill(allocate(name, dtype, dims, 2), 1));
  }

  @Override
  public Operand codes(String name, long n) {
    Tensor t = allocate(name, DType.U8, new long[] {n}, 2);
    byte[] codes = new byte[Math.toIntExact(n)];
    random.nextBytes(codes);
    MemorySegment.copy(MemorySegment.ofArray(codes), 0, t.memory(), 0, n);
    return new Plain(t);
  }

  @Override
  public void close() {
    scope.close();
  }
}
