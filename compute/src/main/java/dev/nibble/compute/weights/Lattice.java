package dev.nibble.compute.weights;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * A frozen matrix in points of {@link E8Lattice}: each eight neighbouring inputs are a point times
 * a scale, 2 bits a weight. What the points miss may be held too ("residual vector quantisation"),
 * in {@link E8Vectors} with 3 bits or in points again with 4. Products and the sum are rounded to
 * float32, one after another.
 *
 * @param codes I16 [O, I / 8], read without a sign
 * @param residuals codes of what the points miss: U8 [O, I / 8] with 3 bits, I16 with 4
 * @param scales F32 [1], or [2] where there are residuals
 */
public record Lattice(Tensor codes, Optional<Tensor> residuals, Tensor scales)
    implements TiledMatrix {
  private static final int EIGHT = E8Lattice.EIGHT;

  /** By how much finer the points of residuals are. */
  private static final float FINER_POINTS = 3.45f;

  /** By how much finer the vectors of residuals are. */
  private static final float FINER_VECTORS = 2;

  /** Checks that the parts fit each other. */
  public Lattice {
    boolean fit = residuals.isEmpty() || residuals.get().shape().equals(codes.shape());
    boolean words =
        residuals.isEmpty()
            || residuals.get().dtype() == DType.I16
            || residuals.get().dtype() == DType.U8;
    if (codes.dtype() != DType.I16
        || codes.shape().rank() != 2
        || !fit
        || !words
        || scales.dtype() != DType.F32
        || scales.elements() != (residuals.isPresent() ? 2 : 1)) {
      throw new IllegalArgumentException(
          "%s, %s, %s: expected I16 codes [O, I / 8], residuals in I16 or U8, and a F32 scale of each"
              .formatted(codes, residuals, scales));
    }
  }

  /** Of a weight: 2, 3 or 4. */
  public int bits() {
    return residuals.map(t -> t.dtype() == DType.I16 ? 4 : 3).orElse(2);
  }

  @Override
  public long rows() {
    return codes.dim(0);
  }

  @Override
  public long cols() {
    return codes.dim(1) * EIGHT;
  }

  @Override
  public long bytes() {
    return codes.bytes() + scales.bytes() + (residuals.isPresent() ? residuals.get().bytes() : 0);
  }

  @Override
  public Lattice over(UnaryOperator<Tensor> other) {
    return new Lattice(other.apply(codes), residuals.map(other), other.apply(scales));
  }

  /** Rows {@code from} (inclusive) to {@code to} (exclusive), a view. */
  Lattice slice(long from, long to) {
    return new Lattice(codes.slice(from, to), residuals.map(t -> t.slice(from, to)), scales);
  }

  /** The code of the eight elements from {@code 8 i} on. */
  public int code(long i) {
    return codes.getInt(i) & 0xffff;
  }

  @Override
  public void decode(long from, long n, MemorySegment to) {
    float[] point = new float[EIGHT];
    for (long i = from; i < from + n; ) {
      long eight = i / EIGHT;
      value(eight, point);
      for (long end = Math.min(from + n, (eight + 1) * EIGHT); i < end; i++) {
        to.set(FLOAT, (i - from) * Float.BYTES, point[(int) (i % EIGHT)]);
      }
    }
  }

  /** The eight elements from {@code 8 eight} on. */
  public void value(long eight, float[] to) {
    E8Lattice.point(code(eight), to, 0);
    scale(to, scales.getFloat(0));
    if (residuals.isPresent()) {
      float[] more = new float[EIGHT];
      int code = residuals.get().getInt(eight);
      if (bits() == 4) {
        E8Lattice.point(code & 0xffff, more, 0);
      } else {
        E8Vectors.vector(code & 0xff, more, 0);
      }
      scale(more, scales.getFloat(1));
      for (int i = 0; i < EIGHT; i++) {
        to[i] += more[i];
      }
    }
  }

  private static void scale(float[] x, float factor) {
    for (int i = 0; i < x.length; i++) {
      x[i] *= factor;
    }
  }

  /**
   * Rounds to the nearest point, all in float32. The first scale is the root of the mean square of
   * the elements, in float64, over {@link E8Lattice#SPREAD}, and no less than the least normal
   * number; that of residuals is 3.45 times finer with 4 bits and twice with 3. Residuals are
   * rounded after.
   */
  @Override
  public void encode(Tensor in) {
    double squares = 0;
    for (long i = 0; i < in.elements(); i++) {
      squares += in.getDouble(i) * in.getDouble(i);
    }
    putScale(Math.sqrt(squares / in.elements()));
    IntStream.range(0, Math.toIntExact(codes.elements()))
        .parallel()
        .forEach(i -> {
          float[] x = new float[EIGHT];
          in.getFloats((long) i * EIGHT, x);
          put(i, x);
        });
  }

  /** Sets the scales for elements whose mean square has this root. */
  public void putScale(double deviation) {
    float scale = (float) (deviation / E8Lattice.SPREAD);
    scales.setFloat(0, Math.max(scale, Float.MIN_NORMAL)); // no point is 0
    if (residuals.isPresent()) {
      scales.setFloat(1, scales.getFloat(0) / (bits() == 4 ? FINER_POINTS : FINER_VECTORS));
    }
  }

  /**
   * Rounds eight elements.
   *
   * @param x becomes what they are now
   */
  public void put(long eight, float[] x) {
    codes.setLong(eight, E8Lattice.nearest(scaled(x, scales.getFloat(0)), 0));
    if (residuals.isPresent()) {
      float[] first = new float[EIGHT];
      E8Lattice.point(code(eight), first, 0);
      scale(first, scales.getFloat(0));
      float[] rest = new float[EIGHT];
      for (int i = 0; i < EIGHT; i++) {
        rest[i] = x[i] - first[i];
      }
      float[] finer = scaled(rest, scales.getFloat(1));
      residuals
          .get()
          .setLong(eight, bits() == 4 ? E8Lattice.nearest(finer, 0) : E8Vectors.nearest(finer, 0));
    }
    value(eight, x);
  }

  private static float[] scaled(float[] x, float scale) {
    float[] scaled = new float[EIGHT];
    for (int i = 0; i < EIGHT; i++) {
      scaled[i] = x[i] / scale;
    }
    return scaled;
  }

  /** For example {@code q_proj.weight [64, 64] in points of E8, 2 bits}. */
  @Override
  public String toString() {
    return "%s %s in points of E8, %d bits"
        .formatted(codes.name(), Shape.of(rows(), cols()), bits());
  }
}
