package dev.nibble.compute.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A contiguous, row-major block of typed memory that a {@link Scope} (or a mapped file) owns.
 *
 * <p>A tensor computes nothing; {@code Kernels} do. Views ({@link #slice}, {@link #reshape}) share
 * memory with it. The element accessors are for the host, for small reads, tests and files, and are
 * not fast; on another device they throw an {@link IllegalStateException}.
 *
 * @param name what it is, for errors and memory tables; the part before the first '/' is its group
 * @param dtype element type
 * @param shape sizes, outermost first
 * @param device where the bytes lie
 * @param memory the bytes; on an accelerator a segment of length 0 that carries the address of the
 *     allocation and whether it is still alive
 * @param offset bytes from the start of {@code memory} to the first element; 0 on the host
 */
public record Tensor(
    String name, DType dtype, Shape shape, Device device, MemorySegment memory, long offset) {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble F64 =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Checks that host memory is exactly as long as shape and dtype say. */
  public Tensor {
    if (device instanceof Device.Host && memory.byteSize() != shape.elements() * dtype.bytes()) {
      throw new IllegalArgumentException(
          "tensor %s %s%s needs %d bytes, its memory has %d"
              .formatted(name, dtype, shape, shape.elements() * dtype.bytes(), memory.byteSize()));
    }
  }

  /** A host tensor over existing memory. */
  public static Tensor onHost(String name, DType dtype, Shape shape, MemorySegment memory) {
    return new Tensor(name, dtype, shape, Device.HOST, memory, 0);
  }

  /** Size of dimension {@code i}; negative {@code i} counts from the last. */
  public long dim(int i) {
    return shape.dim(i);
  }

  /** Number of elements. */
  public long elements() {
    return shape.elements();
  }

  /** Number of bytes. */
  public long bytes() {
    return shape.elements() * dtype.bytes();
  }

  /** Size of the last dimension; 1 for a scalar. */
  public long cols() {
    return shape.rank() == 0 ? 1 : shape.dim(-1);
  }

  /** Product of all dimensions but the last; 1 for a scalar or a vector. */
  public long rows() {
    return cols() == 0 ? 0 : elements() / cols();
  }

  /** Rows {@code from} (inclusive) to {@code to} (exclusive) of dimension 0, a view. */
  public Tensor slice(long from, long to) {
    if (shape.rank() == 0 || from < 0 || to < from || to > shape.dim(0)) {
      throw new IndexOutOfBoundsException("slice [%d, %d) of %s".formatted(from, to, this));
    }
    long row = shape.dim(0) == 0 ? 0 : bytes() / shape.dim(0);
    return view(shape.withDim0(to - from), from * row);
  }

  /** The same memory in another shape of as many elements. */
  public Tensor reshape(long... dims) {
    Shape s = Shape.of(dims);
    if (s.elements() != elements()) {
      throw new IllegalArgumentException("cannot view %s as %s".formatted(this, s));
    }
    return new Tensor(name, dtype, s, device, memory, offset);
  }

  /**
   * The first elements of this memory in a smaller shape: how one buffer serves batches of several
   * sizes.
   */
  public Tensor prefix(long... dims) {
    return part(0, dims);
  }

  /** {@code dims} elements from element {@code from} on, a view. */
  public Tensor part(long from, long... dims) {
    Shape s = Shape.of(dims);
    if (from < 0 || from + s.elements() > elements()) {
      throw new IndexOutOfBoundsException("%s at element %d of %s".formatted(s, from, this));
    }
    return view(s, from * dtype.bytes());
  }

  /** The same memory under another name. */
  public Tensor named(String newName) {
    return new Tensor(newName, dtype, shape, device, memory, offset);
  }

  private Tensor view(Shape part, long from) {
    return device instanceof Device.Host
        ? onHost(name, dtype, part, memory.asSlice(from, part.elements() * dtype.bytes()))
        : new Tensor(name, dtype, part, device, memory, offset + from);
  }

  /** Whether this has a size and no values, see {@link Memory#planned}. */
  public boolean isPlanned() {
    return device instanceof Device.Planned;
  }

  /** Where the first element lies, an address of the tensor's device. */
  public long address() {
    return memory.address() + offset;
  }

  /** The memory, where Java can reach it. */
  private MemorySegment hostMemory() {
    if (!(device instanceof Device.Host)) {
      throw new IllegalStateException(
          "%s%s lies on %s; copy it to the host first".formatted(name, shape, device));
    }
    return memory;
  }

  /** Element {@code i} as a float; converts from any dtype. */
  public float getFloat(long i) {
    return switch (dtype) {
      case F32 -> hostMemory().get(F32, i * 4);
      case F64 -> (float) hostMemory().get(F64, i * 8);
      case BF16 -> Half.fromBf16(hostMemory().get(I16, i * 2));
      case F16 -> Half.fromF16(hostMemory().get(I16, i * 2));
      default -> getLong(i);
    };
  }

  /** Element {@code i} as a double; converts from any dtype. */
  public double getDouble(long i) {
    return dtype == DType.F64 ? hostMemory().get(F64, i * 8) : getFloat(i);
  }

  /** Element {@code i} as a long; U8 is unsigned. Floating dtypes are refused. */
  public long getLong(long i) {
    return switch (dtype) {
      case I64 -> hostMemory().get(I64, i * 8);
      case I32 -> hostMemory().get(I32, i * 4);
      case I16 -> hostMemory().get(I16, i * 2);
      case I8 -> hostMemory().get(ValueLayout.JAVA_BYTE, i);
      case U8, BOOL -> hostMemory().get(ValueLayout.JAVA_BYTE, i) & 0xff;
      default -> throw new IllegalArgumentException("getLong on " + this);
    };
  }

  /** Element {@code i} as an int, see {@link #getLong}. */
  public int getInt(long i) {
    return Math.toIntExact(getLong(i));
  }

  /** Sets element {@code i}, rounding to the dtype; integer dtypes are refused. */
  public void setFloat(long i, double value) {
    switch (dtype) {
      case F32 -> hostMemory().set(F32, i * 4, (float) value);
      case F64 -> hostMemory().set(F64, i * 8, value);
      case BF16 -> hostMemory().set(I16, i * 2, Half.toBf16((float) value));
      case F16 -> hostMemory().set(I16, i * 2, Half.toF16((float) value));
      default -> throw new IllegalArgumentException("setFloat on " + this);
    }
  }

  /** Sets element {@code i} of an integer tensor. */
  public void setLong(long i, long value) {
    switch (dtype) {
      case I64 -> hostMemory().set(I64, i * 8, value);
      case I32 -> hostMemory().set(I32, i * 4, Math.toIntExact(value));
      case I16 -> hostMemory().set(I16, i * 2, (short) value);
      case I8, U8, BOOL -> hostMemory().set(ValueLayout.JAVA_BYTE, i, (byte) value);
      default -> throw new IllegalArgumentException("setLong on " + this);
    }
  }

  /** True when another tensor has this shape and the same values, in whatever dtype of floats. */
  public boolean hasValuesOf(Tensor other) {
    if (!shape.equals(other.shape)) {
      return false;
    }
    if (dtype == other.dtype) {
      return memory.mismatch(other.memory) < 0;
    }
    if (!dtype.isFloating() || !other.dtype.isFloating()) {
      return false;
    }
    for (long i = 0; i < elements(); i++) {
      if (getFloat(i) != other.getFloat(i)) {
        return false;
      }
    }
    return true;
  }

  /** All elements as floats, a copy. */
  public float[] toFloats() {
    float[] a = new float[Math.toIntExact(elements())];
    getFloats(0, a);
    return a;
  }

  /** Elements {@code from} and on as floats, as many as {@code to} has room for. */
  public void getFloats(long from, float[] to) {
    switch (dtype) {
      case F32 -> MemorySegment.copy(hostMemory(), F32, 4 * from, to, 0, to.length);
      case BF16 -> {
        short[] halves = halves(from, to.length);
        for (int i = 0; i < to.length; i++) {
          to[i] = Half.fromBf16(halves[i]);
        }
      }
      case F16 -> {
        short[] halves = halves(from, to.length);
        for (int i = 0; i < to.length; i++) {
          to[i] = Half.fromF16(halves[i]);
        }
      }
      default -> {
        for (int i = 0; i < to.length; i++) {
          to[i] = getFloat(from + i);
        }
      }
    }
  }

  /** The bits of elements of 16 bits, copied at once so that loops over them become vectors. */
  private short[] halves(long from, int n) {
    short[] bits = new short[n];
    MemorySegment.copy(hostMemory(), I16, 2 * from, bits, 0, n);
    return bits;
  }

  /** All elements of an integer tensor as ints, a copy. */
  public int[] toInts() {
    int[] a = new int[Math.toIntExact(elements())];
    for (int i = 0; i < a.length; i++) {
      a[i] = getInt(i);
    }
    return a;
  }

  /** Sets the first {@code values.length} elements, rounding to the dtype. */
  public Tensor put(float... values) {
    if (dtype == DType.F32) {
      MemorySegment.copy(values, 0, hostMemory(), F32, 0, values.length);
      return this;
    }
    for (int i = 0; i < values.length; i++) {
      setFloat(i, values[i]);
    }
    return this;
  }

  /** Sets the first {@code values.length} elements of an integer tensor. */
  public Tensor put(int... values) {
    if (dtype == DType.I32) {
      MemorySegment.copy(values, 0, hostMemory(), I32, 0, values.length);
      return this;
    }
    for (int i = 0; i < values.length; i++) {
      setLong(i, values[i]);
    }
    return this;
  }

  /** For example {@code layers.0.q_proj F32[64, 64] on host}. */
  @Override
  public String toString() {
    return name + " " + dtype + shape + " on " + device;
  }
}
