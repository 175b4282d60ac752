package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Codebook.Scales;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.Groups;
import dev.nibble.compute.weights.Lattice;
import dev.nibble.compute.weights.LowRank;
import dev.nibble.compute.weights.Numbers;
import dev.nibble.compute.weights.Rotated;
import dev.nibble.compute.weights.Rotation;
import dev.nibble.compute.weights.TiledMatrix;
import dev.nibble.compute.weights.WithOutliers;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Frozen matrices of every form with random values, on the host. */
public final class SampleMatrices {
  /** How names of tensors begin that are given where a matrix is encoded. */
  static final String TABLE = "table";

  /** The codebook of NF4 (arXiv:2305.14314, appendix E). */
  static final float[] NF4 = {
    -1,
    -0.6961928f,
    -0.52507305f,
    -0.3949175f,
    -0.28444138f,
    -0.18477343f,
    -0.091050036f,
    0,
    0.0795803f,
    0.1609302f,
    0.2461123f,
    0.33791524f,
    0.44070983f,
    0.562617f,
    0.72295684f,
    1
  };

  /** The codebook of bitsandbytes' FP4, in code order, which does not ascend. */
  static final float[] FP4 = {
    0, 0.0625f / 12, 8 / 12f, 1, 4 / 12f, 0.5f, 2 / 12f, 0.25f,
    0, -0.0625f / 12, -8 / 12f, -1, -4 / 12f, -0.5f, -2 / 12f, -0.25f
  };

  private static final int NESTED_BLOCK = 256;

  /** A copy of the codebook of NF4. */
  public static float[] nf4() {
    return NF4.clone();
  }

  /** A copy of the codebook of FP4. */
  public static float[] fp4() {
    return FP4.clone();
  }

  private final Random random;

  SampleMatrices(Random random) {
    this.random = random;
  }

  private static Tensor tensor(String name, DType dtype, long... dims) {
    Shape shape = Shape.of(dims);
    byte[] memory = new byte[Math.toIntExact(shape.elements() * dtype.bytes())];
    return Tensor.onHost(name, dtype, shape, MemorySegment.ofArray(memory));
  }

  private Tensor normal(String name, DType dtype, long... dims) {
    Tensor t = tensor(name, dtype, dims);
    for (long i = 0; i < t.elements(); i++) {
      t.setFloat(i, random.nextGaussian());
    }
    return t;
  }

  private Tensor bytes(String name, DType dtype, long... dims) {
    Tensor t = tensor(name, dtype, dims);
    random.nextBytes((byte[]) t.memory().heapBase().orElseThrow());
    return t;
  }

  Dense dense(DType dtype, int rows, int cols) {
    return new Dense(normal("weight", dtype, rows, cols));
  }

  /** Values of a table, ascending from -1 to 1, denser around 0, which is one of them. */
  static float[] ascending(int size) {
    float[] a = new float[size];
    for (int i = 0; i < size; i++) {
      int half = size / 2;
      float x = (i + 1 - half) / (float) half;
      a[i] = x * x * x;
    }
    return a;
  }

  Codebook codebook(float[] values, boolean nested, int rows, int cols, int block) {
    int n = rows * cols;
    int bits = Integer.numberOfTrailingZeros(values.length);
    int blocks = Math.ceilDiv(n, block);
    Scales scales =
        nested
            ? new Scales.Nested(
                bytes("scaleCodes", DType.U8, blocks),
                normal("absmax", DType.F32, Math.ceilDiv(blocks, NESTED_BLOCK)),
                tensor(TABLE + "OfScales", DType.F32, 256).put(ascending(256)),
                normal("offset", DType.F32, 1),
                NESTED_BLOCK)
            : new Scales.Plain(normal("absmax", DType.F32, blocks));
    return new Codebook(
        bytes("codes", DType.U8, Math.ceilDiv(n * bits, 8)),
        tensor(TABLE, DType.F32, values.length).put(values),
        scales,
        rows,
        cols,
        block);
  }

  Affine int8(int rows, int cols, int group) {
    Tensor scales = positive("scales", DType.F32, rows, cols / group);
    return Affine.ofInt8(
        bytes("codes", DType.I8, rows, cols), scales, bytes("zeros", DType.I8, rows, cols / group));
  }

  /** One of {@code rarity} elements of a matrix held apart, and room for a few more. */
  WithOutliers outliers(TiledMatrix base, DType dtype, int rarity) {
    Tensor starts = tensor("starts", DType.I32, base.rows() + 1);
    List<Integer> columns = new ArrayList<>();
    for (long row = 0; row < base.rows(); row++) {
      for (int col = 0; col < base.cols(); col++) {
        if (random.nextInt(rarity) == 0) {
          columns.add(col);
        }
      }
      starts.setLong(row + 1, columns.size());
    }
    Tensor held = tensor("columns", DType.I16, columns.size() + 3);
    for (int i = 0; i < columns.size(); i++) {
      held.setLong(i, columns.get(i));
    }
    return new WithOutliers(base, starts, held, normal("values", dtype, columns.size() + 3));
  }

  /** Points at random, in 2 to 4 bits; cols is a multiple of 8. */
  Lattice lattice(int bits, int rows, int cols) {
    return lattice("", bits, rows, cols);
  }

  private Lattice lattice(String name, int bits, int rows, int cols) {
    return new Lattice(
        bytes(name + "codes", DType.I16, rows, cols / 8),
        switch (bits) {
          case 2 -> Optional.empty();
          case 3 -> Optional.of(bytes(name + "residuals", DType.U8, rows, cols / 8));
          default -> Optional.of(bytes(name + "residuals", DType.I16, rows, cols / 8));
        },
        positive(name + "scales", DType.F32, bits == 2 ? 1 : 2));
  }

  /** Points in another basis, and a product beside them unless the rank is 0. */
  Rotated rotated(int rows, int cols, int rank) {
    return new Rotated(
        lattice(2, rows, cols),
        rank == 0
            ? Optional.empty()
            : Optional.of(
                new LowRank(lattice("left_", 4, rank, rows), lattice("right_", 4, rank, cols))),
        rotation(TABLE + "OfOutputs", rows),
        rotation(TABLE + "OfInputs", cols));
  }

  Rotation rotation(String name, int n) {
    Tensor signs = tensor(name + "Signs", DType.I8, n);
    for (int i = 0; i < n; i++) {
      signs.setLong(i, random.nextBoolean() ? 1 : -1);
    }
    return new Rotation(signs, Rotation.baseOf(n).orElseThrow().named(name + "Base"));
  }

  private Tensor positive(String name, DType dtype, long... dims) {
    Tensor t = tensor(name, dtype, dims);
    for (long i = 0; i < t.elements(); i++) {
      t.setFloat(i, 0.001 + random.nextDouble());
    }
    return t;
  }

  /**
   * A stream of codes, with numbers of groups of a dtype; of U8, in 8 bits with scales of theirs.
   */
  Affine stream(int bits, Groups groups, DType numbers, int rows, int cols) {
    long n = (long) rows * cols;
    long count = groups.count(n);
    return new Affine(
        bytes("codes", DType.U8, Affine.bytes(n, bits)),
        numbers("scales", numbers, count, 1 + (int) (count % 3), 0),
        numbers("zeros", numbers, count, 1, 1 << (bits - 1)),
        rows,
        cols,
        bits,
        groups);
  }

  /** A stream of codes in groups of inputs, with whole zero points. */
  Affine whole(int bits, int size, DType scales, int rows, int cols) {
    long n = (long) rows * cols;
    Tensor zeros = tensor("zeros", DType.U8, n / size);
    for (long g = 0; g < zeros.elements(); g++) {
      zeros.setLong(g, random.nextInt(1 << bits));
    }
    return new Affine(
        bytes("codes", DType.U8, Affine.bytes(n, bits)),
        new Numbers.Plain(positive("scales", scales, n / size)),
        new Numbers.Plain(zeros),
        rows,
        cols,
        bits,
        new Groups(Groups.Axis.INPUTS, size));
  }

  /**
   * A stream of codes in groups of inputs, with numbers in 3 bits: those of as many rows at the
   * same inputs share a pair in float16.
   */
  Affine bilevel(int bits, int size, int together, int rows, int cols) {
    return new Affine(
        bytes("codes", DType.U8, Affine.bytes((long) rows * cols, bits)),
        quantized("scales", rows, cols / size, together, 0),
        quantized("zeros", rows, cols / size, together, 1 << (bits - 1)),
        rows,
        cols,
        bits,
        new Groups(Groups.Axis.INPUTS, size));
  }

  private Numbers quantized(String name, int rows, int each, int together, double middle) {
    int bits = 3;
    long count = (long) rows * each;
    Numbers.Sharing sharing = new Numbers.Sharing(each, (long) each * together);
    Tensor scales = positive(name + "_scale", DType.F16, sharing.pairs(count));
    Tensor zeros = positive(name + "_zero", DType.F16, scales.elements());
    for (int pair = 0; pair < scales.elements(); pair++) {
      double scale = (0.5 + random.nextDouble()) * Math.max(middle, 1) / (1 << bits);
      scales.setFloat(pair, scale);
      zeros.setFloat(pair, middle == 0 ? -1 : (1 << (bits - 1)) - middle / scale);
    }
    Tensor codes = bytes(name, DType.U8, Affine.bytes(count, bits));
    return new Numbers.Quantized(codes, count, bits, scales, zeros, sharing);
  }

  /** The same matrix with inputs in groups at random, some of which may have none. */
  Affine indexed(Affine of) {
    Tensor index = tensor(TABLE + "OfGroups", DType.I32, of.cols());
    for (long i = 0; i < of.cols(); i++) {
      index.setLong(i, random.nextInt((int) of.cols() / of.groups().size()));
    }
    return new Affine(
        of.codes(),
        of.scales(),
        of.zeros(),
        of.rows(),
        of.cols(),
        of.bits(),
        of.groups(),
        Optional.of(index));
  }

  /** Numbers around {@code middle}, or above it where it is 0. */
  private Numbers numbers(String name, DType dtype, long count, int pairs, double middle) {
    if (dtype == DType.U8) {
      Tensor scales = tensor(name + "_scale", DType.F32, pairs);
      Tensor zeros = tensor(name + "_zero", DType.F32, pairs);
      for (int pair = 0; pair < pairs; pair++) {
        double scale = (0.5 + random.nextDouble()) * Math.max(middle, 1) / 256;
        scales.setFloat(pair, scale);
        zeros.setFloat(pair, middle == 0 ? -1 : 128 - middle / scale);
      }
      return new Numbers.Quantized(bytes(name, DType.U8, count), scales, zeros);
    }
    Tensor values = positive(name, dtype, count);
    for (long i = 0; i < count && middle > 0; i++) {
      values.setFloat(i, middle * (0.5 + random.nextDouble()));
    }
    return new Numbers.Plain(values);
  }
}
