package dev.nibble.compute.weights;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * A frozen matrix in integers of a few bits with a scale and a zero point for each group of
 * elements: {@code w[i] = (code[i] - zero[g]) * scale[g]} with g the group of i. The difference is
 * rounded to float32, and the product again.
 *
 * @param codes I8 [O, I], signed, with 8 bits; or U8 [ceil(O*I*bits / 8)], not signed: a stream of
 *     the flattened matrix, in which code i takes the bits from i*bits on, counted from the lowest
 *     of the first byte
 * @param scales one for each group
 * @param zeros one for each group: what stands for 0; I8 beside codes of I8, else U8 or real
 *     numbers
 * @param rows output features O
 * @param cols input features I
 * @param bits of a code, 1 to 8
 * @param groups how elements share scales and zero points
 * @param index for groups along inputs that are not consecutive, beside codes that are not signed:
 *     I32 [I], the group of each input, from 0 to I / size - 1, which nothing here checks. Element
 *     (o, i) is in group o * I / size + index[i], and a group may have any number of inputs
 */
public record Affine(
    Tensor codes,
    Numbers scales,
    Numbers zeros,
    long rows,
    long cols,
    int bits,
    Groups groups,
    Optional<Tensor> index)
    implements TiledMatrix {

  /** Checks that the parts fit each other. */
  public Affine {
    if (bits < 1 || bits > Byte.SIZE) {
      throw new IllegalArgumentException(codes + ": codes of " + bits + " bits");
    }
    long n = Math.multiplyExact(rows, cols);
    boolean signed = codes.dtype() == DType.I8 && bits == Byte.SIZE;
    if (!signed) {
      require(codes, DType.U8, bytes(n, bits));
    } else if (!codes.shape().equals(Shape.of(rows, cols))) {
      throw new IllegalArgumentException("%s: expected I8[%d, %d]".formatted(codes, rows, cols));
    }
    long count = groups.count(n);
    if (scales.count() != count || zeros.count() != count) {
      throw new IllegalArgumentException(
          "%s: expected %d scales and zero points, got %d and %d"
              .formatted(codes, count, scales.count(), zeros.count()));
    }
    if (zeros instanceof Numbers.Plain(Tensor values)) {
      DType dtype = values.dtype();
      if (signed ? dtype != DType.I8 : dtype != DType.U8 && !dtype.isFloating()) {
        throw new IllegalArgumentException(
            "%s: zero points %s beside codes %s".formatted(codes, dtype, codes.dtype()));
      }
    }
    if (index.isPresent()) {
      require(index.get(), DType.I32, cols);
      if (signed || groups.axis() != Groups.Axis.INPUTS || cols % groups.size() != 0) {
        throw new IllegalArgumentException(
            "%s: an index is for groups along inputs that divide them, of codes that are not signed"
                .formatted(codes));
      }
    }
  }

  /** A matrix whose groups are as {@code groups} says. */
  public Affine(
      Tensor codes, Numbers scales, Numbers zeros, long rows, long cols, int bits, Groups groups) {
    this(codes, scales, zeros, rows, cols, bits, groups, Optional.empty());
  }

  /**
   * Signed codes of 8 bits, in groups of consecutive inputs.
   *
   * @param codes I8 [O, I]
   * @param scales F32 [O, I / group], positive
   * @param zeros I8 [O, I / group]
   */
  public static Affine ofInt8(Tensor codes, Tensor scales, Tensor zeros) {
    require(scales, DType.F32, scales.elements());
    require(zeros, DType.I8, scales.elements());
    boolean matrices = codes.shape().rank() == 2 && scales.shape().rank() == 2;
    if (!matrices
        || codes.dim(0) != scales.dim(0)
        || scales.cols() == 0
        || codes.cols() % scales.cols() != 0) {
      throw new IllegalArgumentException(
          "%s: expected scales of [%d, groups], got %s".formatted(codes, codes.rows(), scales));
    }
    int group = Math.toIntExact(codes.cols() / scales.cols());
    return new Affine(
        codes,
        new Numbers.Plain(scales),
        new Numbers.Plain(zeros),
        codes.rows(),
        codes.cols(),
        Byte.SIZE,
        new Groups(Groups.Axis.INPUTS, group));
  }

  private static void require(Tensor t, DType dtype, long elements) {
    if (t.dtype() != dtype || t.elements() != elements) {
      throw new IllegalArgumentException(
          "%s: expected %s with %d elements".formatted(t, dtype, elements));
    }
  }

  /** Bytes of a stream of {@code n} codes. */
  public static long bytes(long n, int bits) {
    return Math.ceilDiv(Math.multiplyExact(n, bits), (long) Byte.SIZE);
  }

  /** Whether codes are I8. */
  public boolean signed() {
    return codes.dtype() == DType.I8;
  }

  /** Whether zero points are whole numbers, and so codes themselves. */
  private boolean wholeZeros() {
    return zeros instanceof Numbers.Plain(Tensor values) && !values.dtype().isFloating();
  }

  /** The group of element {@code i}, among all groups; on the host where there is an index. */
  public long group(long i) {
    return index.isPresent()
        ? i / cols * (cols / groups.size()) + index.get().getInt(i % cols)
        : groups.of(i, scales.count());
  }

  /** The least code. */
  private int least() {
    return signed() ? Byte.MIN_VALUE : 0;
  }

  /** The largest code less the least. */
  private int steps() {
    return (1 << bits) - 1;
  }

  @Override
  public long bytes() {
    return codes.bytes()
        + scales.bytes()
        + zeros.bytes()
        + (index.isPresent() ? index.get().bytes() : 0);
  }

  @Override
  public Affine over(UnaryOperator<Tensor> other) {
    return new Affine(
        other.apply(codes),
        scales.over(other),
        zeros.over(other),
        rows,
        cols,
        bits,
        groups,
        index.map(other));
  }

  @Override
  public void decode(long from, long n, MemorySegment to) {
    for (long i = from; i < from + n; i++) {
      long g = group(i);
      float value = (code(i) - zeros.get(g)) * scales.get(g);
      to.set(FLOAT, (i - from) * Float.BYTES, value);
    }
  }

  /** The code of element {@code i}, on the host. */
  public int code(long i) {
    return signed() ? codes.getInt(i) : code(codes, bits, i);
  }

  /** Code {@code i} of a stream, on the host. */
  static int code(Tensor stream, int bits, long i) {
    long bit = i * bits;
    long at = bit / Byte.SIZE;
    int shift = (int) (bit % Byte.SIZE);
    int word = stream.getInt(at);
    if (shift + bits > Byte.SIZE) {
      word |= stream.getInt(at + 1) << Byte.SIZE;
    }
    return (word >> shift) & ((1 << bits) - 1);
  }

  /**
   * Writes a stream of codes, not signed.
   *
   * @param all the codes, in their low bits
   * @param to U8, on the host; the bits after the last code are 0
   */
  public static void pack(byte[] all, int bits, Tensor to) {
    if (bits == Byte.SIZE) {
      MemorySegment.copy(all, 0, to.memory(), ValueLayout.JAVA_BYTE, 0, all.length);
      return;
    }
    // Eight codes fill whole bytes.
    IntStream.range(0, Math.ceilDiv(all.length, Byte.SIZE))
        .parallel()
        .forEach(e -> {
          long word = 0;
          int from = e * Byte.SIZE;
          for (int i = from; i < Math.min(all.length, from + Byte.SIZE); i++) {
            word |= (long) (all[i] & 0xff) << ((i - from) * bits);
          }
          long at = (long) e * bits;
          for (int k = 0; k < Math.min(bits, to.elements() - at); k++) {
            to.setLong(at + k, (word >> (k * Byte.SIZE)) & 0xff);
          }
        });
  }

  /** Sets all codes, on the host. */
  public void putCodes(byte[] all) {
    pack(all, bits, codes);
  }

  /**
   * Rounds to the nearest, all in float32. Of a group, low is the least value and high the largest;
   * with whole zero points 0 is counted among them, so that 0 stays 0:
   *
   * <ul>
   *   <li>scale = high / (2^bits-1) - low / (2^bits-1), or 1 when that is 0
   *   <li>zero = least code - low / scale; where it is a whole number, rounded and clamped to the
   *       codes
   *   <li>code = round(x / scale + zero), clamped, with scale and zero as they are held
   * </ul>
   *
   * <p>round is to the nearest integer, to even in a tie. Where scales and zero points are F32 a
   * value is off by half a scale at most.
   */
  @Override
  public void encode(Tensor in) {
    int count = Math.toIntExact(scales.count());
    Members members = members();
    float[] scale = new float[count];
    float[] zero = new float[count];
    IntStream.range(0, count).parallel().forEach(g -> range(in, members, g, scale, zero));
    scales.put(scale);
    zeros.put(zero);
    byte[] all = new byte[Math.toIntExact(elements())];
    IntStream.range(0, count)
        .parallel()
        .forEach(g -> {
          for (int k = 0; k < members.size(g); k++) {
            int i = (int) members.element(g, k);
            all[i] = (byte) round(in.getFloat(i) / scales.get(g) + zeros.get(g));
          }
        });
    putCodes(all);
  }

  /** Which elements are in a group. */
  private interface Members {
    int size(int g);

    long element(int g, int k);
  }

  private Members members() {
    if (index.isPresent()) {
      int[] of = index.get().toInts();
      int each = Math.toIntExact(cols / groups.size());
      int[][] inputs =
          IntStream.range(0, each)
              .mapToObj(g -> IntStream.range(0, of.length).filter(i -> of[i] == g).toArray())
              .toArray(int[][]::new);
      return new Members() {
        @Override
        public int size(int g) {
          return inputs[g % each].length;
        }

        @Override
        public long element(int g, int k) {
          return g / each * cols + inputs[g % each][k];
        }
      };
    }
    long count = scales.count();
    return new Members() {
      @Override
      public int size(int g) {
        return groups.size();
      }

      @Override
      public long element(int g, int k) {
        return groups.element(g, k, count);
      }
    };
  }

  private void range(Tensor in, Members members, int g, float[] scale, float[] zero) {
    boolean whole = wholeZeros() || members.size(g) == 0;
    float low = whole ? 0 : Float.POSITIVE_INFINITY;
    float high = whole ? 0 : Float.NEGATIVE_INFINITY;
    for (int k = 0; k < members.size(g); k++) {
      float x = in.getFloat(members.element(g, k));
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
    float range = high / steps() - low / steps();
    scale[g] = range == 0 ? 1 : range;
    zero[g] = least() - low / scale[g];
    if (wholeZeros()) {
      zero[g] = round(zero[g]);
    }
  }

  private int round(float x) {
    return Math.clamp((long) Math.rint(x), least(), least() + steps());
  }

  /** For example {@code q_proj.weight [64, 64] in 4-bit integers, groups of 32}. */
  @Override
  public String toString() {
    return "%s %s in %d-bit integers, groups of %d%s"
        .formatted(
            codes.name(),
            Shape.of(rows, cols),
            bits,
            groups.size(),
            index.isPresent() ? " by an index" : "");
  }
}
