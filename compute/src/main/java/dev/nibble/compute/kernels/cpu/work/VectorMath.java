package dev.nibble.compute.kernels.cpu.work;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Vector arithmetic in the width that the processor prefers.
 *
 * <p>The system property {@code nibble.cpu.vector.bits} (128, 256 or 512) sets another width: tests
 * use it. The width is a constant, as the compiler needs it to be.
 */
public final class VectorMath {
  /** Vectors of floats. */
  public static final VectorSpecies<Float> F = species();

  /** Vectors of ints, as wide. */
  public static final VectorSpecies<Integer> I = F.withLanes(int.class);

  /** Vectors of shorts, half as wide: as many lanes. */
  public static final VectorSpecies<Short> HALF =
      VectorSpecies.of(short.class, VectorShape.forBitSize(F.vectorBitSize() / 2));

  /** Floats of a vector. */
  public static final int LANES = F.length();

  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Ints in memory. */
  public static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Shorts in memory. */
  public static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Floats of one float32 partial sum, which is then added to a float64. */
  private static final int SUM_BLOCK = 1024;

  private static final VectorShuffle<Float> SWAP_8 = swap(8);
  private static final VectorShuffle<Float> SWAP_4 = swap(4);
  private static final VectorShuffle<Float> SWAP_2 = swap(2);
  private static final VectorShuffle<Float> SWAP_1 = swap(1);

  private static final float LN2_HIGH = 355f / 512;
  private static final FloatVector MINUS_LN2_HIGH = broadcast(-LN2_HIGH);
  private static final FloatVector MINUS_LN2_LOW = broadcast(LN2_HIGH - Math.log(2));
  private static final FloatVector LOG2_E = broadcast(1 / Math.log(2));
  // Adding 1.5 * 2^23 rounds to a whole number, which then stands in the low bits.
  private static final FloatVector ROUND = broadcast(12582912);
  // Beyond these, e^x is 0 and infinity.
  private static final FloatVector LEAST = broadcast(-104);
  private static final FloatVector MOST = broadcast(89);
  private static final FloatVector ONE = broadcast(1);
  private static final FloatVector TWO = broadcast(2);
  private static final FloatVector TANH_945 = broadcast(945);
  private static final FloatVector C2 = broadcast(1 / 2.0);
  private static final FloatVector C3 = broadcast(1 / 6.0);
  private static final FloatVector C4 = broadcast(1 / 24.0);
  private static final FloatVector C5 = broadcast(1 / 120.0);
  private static final FloatVector C6 = broadcast(1 / 720.0);
  private static final FloatVector C7 = broadcast(1 / 5040.0);

  private VectorMath() {}

  private static VectorSpecies<Float> species() {
    int bits = Integer.getInteger("nibble.cpu.vector.bits", 0);
    if (bits == 0) {
      bits = Math.min(512, FloatVector.SPECIES_PREFERRED.vectorBitSize());
    }
    return VectorSpecies.of(float.class, VectorShape.forBitSize(bits));
  }

  private static FloatVector broadcast(double x) {
    return FloatVector.broadcast(F, (float) x);
  }

  /** Floats {@code i} and on of a segment. */
  public static FloatVector load(MemorySegment m, long i) {
    return FloatVector.fromMemorySegment(F, m, i * 4, ByteOrder.LITTLE_ENDIAN);
  }

  /** Sets floats {@code i} and on of a segment. */
  public static void store(FloatVector v, MemorySegment m, long i) {
    v.intoMemorySegment(m, i * 4, ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * The address of {@code n} floats from element {@code from} on. Bounds are checked here, once;
   * loops over the address have no checks. The caller keeps the memory alive.
   */
  public static long span(MemorySegment m, long from, long n) {
    Objects.checkFromIndexSize(4 * from, 4 * n, m.byteSize());
    return m.address() + 4 * from;
  }

  /** Elements {@code i} and on of a {@link #span}. */
  public static FloatVector load(long span, int i) {
    return FloatVector.fromMemorySegment(
        F, UncheckedMemory.ALL, span + 4L * i, ByteOrder.LITTLE_ENDIAN);
  }

  /** Sets elements {@code i} and on of a {@link #span}. */
  public static void store(FloatVector v, long span, int i) {
    v.intoMemorySegment(UncheckedMemory.ALL, span + 4L * i, ByteOrder.LITTLE_ENDIAN);
  }

  /** Element {@code i} of a {@link #span}. */
  public static float get(long span, int i) {
    return UncheckedMemory.ALL.get(FLOAT, span + 4L * i);
  }

  /** Sets element {@code i} of a {@link #span}. */
  public static void set(long span, int i, float x) {
    UncheckedMemory.ALL.set(FLOAT, span + 4L * i, x);
  }

  /** Float {@code i} of a segment. */
  public static float get(MemorySegment m, long i) {
    return m.get(FLOAT, i * 4);
  }

  /** Sets float {@code i} of a segment. */
  public static void set(MemorySegment m, long i, float x) {
    m.set(FLOAT, i * 4, x);
  }

  /** Int {@code i} of a segment. */
  public static int getInt(MemorySegment m, long i) {
    return m.get(INT, i * 4);
  }

  /** The end of the whole vectors that fit between {@code from} and {@code to}. */
  public static long vectorEnd(long from, long to) {
    return to - (to - from) % LANES;
  }

  /** The end of the whole vectors of {@code n} elements. */
  public static int vectorEnd(int n) {
    return n - n % LANES;
  }

  /** e^x of one number, for the tail after the last whole vector. */
  public static float exp(float x) {
    return (float) Math.exp(x);
  }

  /**
   * The sum of the lanes in one fixed order: lanes half a vector apart first. {@code reduceLanes}
   * may add in another order once the compiler has replaced it, and then the same call on the same
   * inputs would give other bits later in a run.
   */
  private static float sum(FloatVector v) {
    if (LANES >= 16) {
      v = v.add(v.rearrange(SWAP_8));
    }
    if (LANES >= 8) {
      v = v.add(v.rearrange(SWAP_4));
    }
    v = v.add(v.rearrange(SWAP_2));
    v = v.add(v.rearrange(SWAP_1));
    return v.lane(0);
  }

  /** Exchanges lanes {@code distance} apart. */
  private static VectorShuffle<Float> swap(int distance) {
    return VectorShuffle.fromOp(F, i -> (i ^ distance) % LANES);
  }

  /**
   * sum_i a[i] b[i]. Over segments: over addresses it was no faster, and RMSNorm's backward at
   * times became four times slower.
   */
  public static double dot(MemorySegment a, long aFrom, MemorySegment b, long bFrom, long n) {
    double sum = 0;
    for (long from = 0; from < n; from += SUM_BLOCK) {
      long to = Math.min(n, from + SUM_BLOCK);
      long end = vectorEnd(from, to);
      FloatVector s = FloatVector.zero(F);
      long i = from;
      for (; i < end; i += LANES) {
        s = load(a, aFrom + i).fma(load(b, bFrom + i), s);
      }
      sum += sum(s);
      for (; i < to; i++) {
        sum += get(a, aFrom + i) * get(b, bFrom + i);
      }
    }
    return sum;
  }

  /** sum_i a[i]. */
  public static double sum(MemorySegment a, long from, long n) {
    double sum = 0;
    for (long first = 0; first < n; first += SUM_BLOCK) {
      long to = Math.min(n, first + SUM_BLOCK);
      long end = vectorEnd(first, to);
      FloatVector s = FloatVector.zero(F);
      long i = first;
      for (; i < end; i += LANES) {
        s = s.add(load(a, from + i));
      }
      sum += sum(s);
      for (; i < to; i++) {
        sum += get(a, from + i);
      }
    }
    return sum;
  }

  /** The largest of {@code n} floats, apart from NaN; -infinity of none. */
  public static float max(MemorySegment m, long from, long n) {
    return max(span(m, from, n), Math.toIntExact(n));
  }

  private static float max(long m, int n) {
    FloatVector v0 = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    FloatVector v1 = v0;
    FloatVector v2 = v0;
    FloatVector v3 = v0;
    int i = 0;
    for (; i <= n - 4 * LANES; i += 4 * LANES) {
      v0 = larger(v0, load(m, i));
      v1 = larger(v1, load(m, i + LANES));
      v2 = larger(v2, load(m, i + 2 * LANES));
      v3 = larger(v3, load(m, i + 3 * LANES));
    }
    for (; i <= n - LANES; i += LANES) {
      v0 = larger(v0, load(m, i));
    }
    float max = larger(larger(v0, v1), larger(v2, v3)).reduceLanes(VectorOperators.MAX);
    for (; i < n; i++) {
      float x = get(m, i);
      max = x > max ? x : max;
    }
    return max;
  }

  /** Not max, which takes several instructions to keep NaN. */
  private static FloatVector larger(FloatVector v, FloatVector x) {
    return v.blend(x, x.compare(VectorOperators.GT, v));
  }

  /**
   * to[i] = exp(factor * from[i] - shift) within 2 units in the last place; returns their sum. The
   * two may be the same floats. With y = n ln 2 + r and |r| at most ln(2)/2, e^y is the Taylor
   * polynomial of degree 7 for e^r, times 2^n in two factors so that results near the ends of the
   * range are right.
   *
   * <p>A loop rather than a function of a vector: once the compiler has made a large method of
   * that, it calls it, and each vector goes through the heap.
   */
  public static double exp(
      MemorySegment from,
      long fromStart,
      MemorySegment to,
      long toStart,
      long n,
      float factor,
      float shift) {
    long source = span(from, fromStart, n);
    long target = span(to, toStart, n);
    double sum = 0;
    for (long first = 0; first < n; first += SUM_BLOCK) {
      long x = source + 4 * first;
      long y = target + 4 * first;
      int length = (int) Math.min(SUM_BLOCK, n - first);
      sum += exp(x, y, length, factor, shift);
    }
    return sum;
  }

  private static double exp(long from, long to, int n, float factor, float shift) {
    int end = vectorEnd(n);
    FloatVector s = FloatVector.zero(F);
    FloatVector scale = FloatVector.broadcast(F, factor);
    FloatVector minusShift = FloatVector.broadcast(F, -shift);
    int i = 0;
    for (; i < end; i += LANES) {
      FloatVector y = load(from, i).fma(scale, minusShift);
      // Not min and max, which take several instructions to keep NaN.
      y = y.blend(LEAST, y.compare(VectorOperators.LT, LEAST));
      y = y.blend(MOST, y.compare(VectorOperators.GT, MOST));
      FloatVector shifted = y.fma(LOG2_E, ROUND);
      FloatVector whole = shifted.sub(ROUND);
      FloatVector r = whole.fma(MINUS_LN2_LOW, whole.fma(MINUS_LN2_HIGH, y));
      FloatVector p =
          C7.fma(r, C6).fma(r, C5).fma(r, C4).fma(r, C3).fma(r, C2).fma(r, ONE).fma(r, ONE);
      IntVector exponent = shifted.reinterpretAsInts().sub(ROUND.reinterpretAsInts());
      IntVector half = exponent.lanewise(VectorOperators.ASHR, 1);
      FloatVector e = p.mul(powerOfTwo(half)).mul(powerOfTwo(exponent.sub(half)));
      store(e, to, i);
      s = s.add(e);
    }
    double sum = sum(s);
    for (; i < n; i++) {
      float e = exp(Math.fma(get(from, i), factor, -shift));
      set(to, i, e);
      sum += e;
    }
    return sum;
  }

  private static FloatVector powerOfTwo(IntVector n) {
    return n.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
  }

  /**
   * m[i] = cap * tanh(m[i] / cap), the tanh within a few units in the last place. Small x takes the
   * continued fraction x / (1 + x^2 / (3 + x^2 / (5 + ...))), cut after 9; elsewhere 1 - 2 / (e^2x
   * + 1) loses nothing.
   *
   * @param work scratch for {@code n} floats
   */
  public static void softCap(MemorySegment m, long from, long n, float cap, MemorySegment work) {
    exp(m, from, work, 0, n, 2 / cap, 0);
    softCap(span(m, from, n), Math.toIntExact(n), cap, span(work, 0, n));
  }

  private static void softCap(long m, int n, float cap, long exp) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      FloatVector x = load(m, i).div(cap);
      FloatVector square = x.mul(x);
      FloatVector top = square.add(105f).fma(square, TANH_945);
      FloatVector bottom = square.mul(15f).add(420f).fma(square, TANH_945);
      FloatVector small = x.mul(top).div(bottom);
      FloatVector large = ONE.sub(TWO.div(load(exp, i).add(1f)));
      FloatVector tanh = small.blend(large, x.abs().compare(VectorOperators.GT, 0.625f));
      store(tanh.mul(cap), m, i);
    }
    for (; i < n; i++) {
      set(m, i, (float) Math.tanh(get(m, i) / cap) * cap);
    }
  }

  /** sum[i] += terms[i]. */
  public static void add(MemorySegment sum, MemorySegment terms, long n) {
    add(span(sum, 0, n), span(terms, 0, n), Math.toIntExact(n));
  }

  private static void add(long sum, long terms, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      store(load(sum, i).add(load(terms, i)), sum, i);
    }
    for (; i < n; i++) {
      set(sum, i, get(sum, i) + get(terms, i));
    }
  }

  /** m[i] *= factor. */
  public static void scale(MemorySegment m, long from, long n, float factor) {
    scale(span(m, from, n), Math.toIntExact(n), factor);
  }

  private static void scale(long m, int n, float factor) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      store(load(m, i).mul(factor), m, i);
    }
    for (; i < n; i++) {
      set(m, i, get(m, i) * factor);
    }
  }

  /** m[i] = 0. */
  public static void zero(MemorySegment m, long from, long n) {
    if (n > 0) {
      m.asSlice(from * 4, n * 4).fill((byte) 0);
    }
  }
}
