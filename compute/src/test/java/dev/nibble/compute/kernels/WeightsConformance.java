package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.Tolerance.EXACT;
import static dev.nibble.compute.kernels.Tolerance.ofSum;
import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.Operands.Operand;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Groups;
import dev.nibble.compute.weights.Rotation;
import dev.nibble.compute.weights.TiledMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * Frozen matrices of every form: encoded and decoded to the bit as their own plain code does it,
 * and multiplied.
 */
abstract class WeightsConformance extends KernelCases {
  /**
   * Rows, columns, block of codebooks: whole blocks, blocks that straddle rows, short and odd ends,
   * many scales.
   */
  private static final int[][] BLOCKS = {
    {1, 1, 64},
    {1, 64, 64},
    {7, 19, 64},
    {3, 64, 32},
    {33, 31, 64},
    {16, 100, 128},
    {5, 207, 256},
    {64, 64, 64},
    {129, 130, 32}
  };

  private static final float[][] FOUR_BITS = {SampleMatrices.NF4, SampleMatrices.FP4};

  /** Sets have fast ways for 4 bits alone: these take the way of any form. */
  private static final float[][] OTHER_BITS = {
    SampleMatrices.ascending(2),
    SampleMatrices.ascending(4),
    SampleMatrices.ascending(8),
    SampleMatrices.ascending(256)
  };

  private static final int[][] FEW_BLOCKS = {{1, 1, 64}, {7, 19, 32}, {33, 31, 64}, {5, 64, 5}};

  /** Rows, columns, group: one of each, groups of whole and of broken vectors, whole rows. */
  private static final int[][] GROUPS = {
    {1, 1, 1}, {3, 7, 7}, {7, 24, 8}, {5, 33, 11}, {33, 128, 32}, {64, 64, 64}, {129, 256, 128}
  };

  /** The same for streams of codes, whose groups may straddle rows. */
  private static final int[][] STREAMS = {
    {1, 1, 1},
    {1, 8, 8},
    {3, 7, 7},
    {8, 9, 8},
    {6, 20, 8},
    {33, 40, 24},
    {64, 64, 64},
    {24, 100, 16}
  };

  /** Rows, columns, and one of how many elements is held apart: all, some, none. */
  private static final int[][] OUTLIERS = {
    {1, 1, 1}, {7, 19, 3}, {33, 128, 9}, {64, 64, 1_000_000}, {24, 1000, 50}
  };

  /** Rows and columns, which are whole points. */
  private static final int[][] POINTS = {{1, 8}, {7, 24}, {33, 128}, {64, 64}, {5, 1000}};

  /**
   * Rows, columns and the rank of a product beside it, sizes of which a Hadamard matrix is known.
   */
  private static final int[][] ROTATED = {{4, 8, 0}, {24, 56, 1}, {64, 176, 8}, {96, 64, 5}};

  /** The same for groups that an index names, and for whole zero points. */
  private static final int[][] INDEXED = {
    {1, 1, 1}, {3, 7, 7}, {6, 20, 4}, {33, 40, 8}, {5, 64, 64}, {24, 96, 16}
  };

  /** What the numbers of groups are held in; U8 stands for 8 bits with scales of their own. */
  private static final List<DType> NUMBERS = List.of(DType.F16, DType.U8, DType.F32, DType.BF16);

  WeightsConformance(Supplier<Kernels> set, DType activations) {
    super(set, activations);
  }

  private interface Body {
    void of(Trial t, TiledMatrix matrix, int turn);
  }

  /** Every form and shape; {@code turn} counts up, to take other choices by turns. */
  private void each(Body body) {
    int turn = 0;
    for (int[] shape : MATRICES) {
      turn = with(shape, turn, body, s -> s.dense(WEIGHTS.get(shape[0] % 3), shape[0], shape[1]));
    }
    for (int[] g : GROUPS) {
      turn = with(g, turn, body, s -> s.int8(g[0], g[1], g[2]));
    }
    for (int bits = 1; bits <= Byte.SIZE; bits++) {
      int width = bits;
      for (Groups.Axis axis : Groups.Axis.values()) {
        for (int[] g : STREAMS) {
          DType numbers = NUMBERS.get(turn % NUMBERS.size());
          Groups groups = new Groups(axis, g[2]);
          turn = with(g, turn, body, s -> s.stream(width, groups, numbers, g[0], g[1]));
        }
      }
    }
    for (int[] o : OUTLIERS) {
      DType dtype = turn % 2 == 0 ? DType.F16 : DType.BF16;
      turn = with(o, turn, body, s -> s.outliers(s.int8(o[0], o[1], o[1]), dtype, o[2]));
    }
    for (int[] p : POINTS) {
      for (int bits = 2; bits <= 4; bits++) {
        int width = bits;
        turn = with(p, turn, body, s -> s.lattice(width, p[0], p[1]));
      }
    }
    for (int round = 0; round < 3; round++) {
      for (int[] g : INDEXED) {
        int width = 1 + turn % Byte.SIZE;
        DType numbers = NUMBERS.get(turn % NUMBERS.size());
        DType floats = WEIGHTS.get(turn % WEIGHTS.size());
        Groups groups = new Groups(Groups.Axis.INPUTS, g[2]);
        turn = with(g, turn, body, s -> s.whole(width, g[2], floats, g[0], g[1]));
        turn = with(g, turn, body, s -> s.indexed(s.whole(width, g[2], floats, g[0], g[1])));
        turn = with(g, turn, body, s -> s.indexed(s.stream(width, groups, numbers, g[0], g[1])));
        int rows = new int[] {1, 3, 16}[round];
        turn = with(g, turn, body, s -> s.bilevel(width, g[2], rows, g[0], g[1]));
        turn = with(g, turn, body, s -> s.indexed(s.bilevel(width, g[2], rows, g[0], g[1])));
      }
    }
    for (float[] values : FOUR_BITS) {
      for (boolean nested : new boolean[] {false, true}) {
        for (int[] b : BLOCKS) {
          turn = with(b, turn, body, s -> s.codebook(values, nested, b[0], b[1], b[2]));
        }
        turn++;
      }
    }
    for (float[] values : OTHER_BITS) {
      for (int[] b : FEW_BLOCKS) {
        boolean nested = turn % 2 == 0;
        turn = with(b, turn, body, s -> s.codebook(values, nested, b[0], b[1], b[2]));
      }
    }
  }

  private interface Maker {
    TiledMatrix make(SampleMatrices samples);
  }

  private int with(int[] shape, int turn, Body body, Maker maker) {
    try (Trial t = trial(shape)) {
      body.of(t, maker.make(new SampleMatrices(t.random())), turn);
    }
    return turn + 1;
  }

  private static DType dtype(int turn) {
    return WEIGHTS.get(turn % WEIGHTS.size());
  }

  private static int tokens(int turn) {
    return new int[] {1, 17, 64}[turn % 3];
  }

  @Test
  void everyFormIsTried() {
    Set<Class<?>> tried = new HashSet<>();
    each((t, matrix, turn) -> tried.add(matrix.getClass()));
    assertThat(tried).containsExactlyInAnyOrder(TiledMatrix.class.getPermittedSubclasses());
  }

  @Test
  void encode() {
    each((t, matrix, turn) -> {
      var in = t.normal("in", dtype(turn), 0.02, matrix.rows(), matrix.cols());
      var out = MatrixOperand.output(t, matrix);
      t.run(k -> k.products().encode(out.get(), in.get()));
    });
  }

  /** Values on and beside the middle between two entries, where one rounding too many shows. */
  @Test
  void encodeBesideTheMiddlesOfACodebook() {
    for (float[] values : new float[][] {SampleMatrices.NF4, SampleMatrices.FP4, OTHER_BITS[1]}) {
      for (float factor : new float[] {1, 0.3f, 7e-5f}) {
        try (Trial t = trial()) {
          var in = t.parameter("in", 64, 70);
          float[] sorted = values.clone();
          Arrays.sort(sorted);
          for (int i = 0; i < 64 * 70; i++) {
            int c = t.random().nextInt(values.length - 1);
            float middle = (sorted[c] + sorted[c + 1]) * 0.5f * factor;
            in.set(
                i, i % 64 == 0 ? factor : middle + (t.random().nextInt(5) - 2) * Math.ulp(middle));
          }
          var matrix = new SampleMatrices(t.random()).codebook(values, false, 64, 70, 64);
          var out = MatrixOperand.output(t, matrix);
          t.run(k -> k.products().encode(out.get(), in.get()));
        }
      }
    }
  }

  /** Groups of zeros, of one sign, huge, tiny and subnormal. */
  @Test
  void encodeOfHostileGroups() {
    try (Trial t = trial()) {
      var in = t.parameter("in", 18, 64);
      makeHostile(in);
      for (int i = 0; i < 64; i++) {
        in.set(12 * 64 + i, 3 + i);
        in.set(13 * 64 + i, -3 - i);
        in.set(14 * 64 + i, i % 2 == 0 ? Float.MAX_VALUE : -Float.MAX_VALUE);
        in.set(15 * 64 + i, i * 1e-41f);
      }
      var out = MatrixOperand.output(t, new SampleMatrices(t.random()).int8(18, 64, 16));
      t.run(k -> k.products().encode(out.get(), in.get()));
    }
  }

  @Test
  void encodeOfHostileBlocks() {
    for (boolean nested : new boolean[] {false, true}) {
      try (Trial t = trial()) {
        var in = t.parameter("in", 13, 64);
        makeHostile(in);
        in.put(0, -0f, 1e-39f, -1e-39f);
        var matrix =
            new SampleMatrices(t.random()).codebook(SampleMatrices.NF4, nested, 13, 64, 64);
        var out = MatrixOperand.output(t, matrix);
        t.run(k -> k.products().encode(out.get(), in.get()));
      }
    }
    for (int cols : new int[] {64, 70, 128}) {
      try (Trial t = trial()) {
        var zeros = t.input("in", DType.F32, 3, cols);
        var matrix = new SampleMatrices(t.random()).codebook(SampleMatrices.NF4, true, 3, cols, 64);
        var out = MatrixOperand.output(t, matrix);
        t.run(k -> k.products().encode(out.get(), zeros.get()));
      }
    }
  }

  @Test
  void decode() {
    each((t, matrix, turn) -> {
      var in = MatrixOperand.input(t, matrix);
      var out = t.output("out", dtype(turn), matrix.rows(), matrix.cols()).within(EXACT);
      t.run(k -> k.products().decode(out.get(), in.get()));
    });
  }

  @Test
  void frozenForward() {
    each((t, matrix, turn) -> {
      int n = tokens(turn);
      var x = t.normal("x", n, matrix.cols());
      var weight = MatrixOperand.input(t, matrix);
      var out = t.output("out", n, matrix.rows()).within(sum(matrix, matrix.cols()));
      t.run(k -> k.products().frozenForward(out.get(), x.get(), weight.tiled()));
    });
  }

  @Test
  void frozenBackward() {
    each((t, matrix, turn) -> {
      int n = tokens(turn);
      var dx = t.gradient("dx", n, matrix.cols()).within(sum(matrix, matrix.rows()));
      var dout = t.normal("dout", n, matrix.rows());
      var weight = MatrixOperand.input(t, matrix);
      t.run(k -> k.products().frozenBackward(dx.get(), dout.get(), weight.tiled()));
    });
  }

  @Test
  void decodeRotated() {
    for (int[] size : ROTATED) {
      try (Trial t = trial(size)) {
        var matrix = new SampleMatrices(t.random()).rotated(size[0], size[1], size[2]);
        var in = MatrixOperand.input(t, matrix);
        var out = t.output("out", dtype(size[0]), size[0], size[1]).within(EXACT);
        t.run(k -> k.products().decode(out.get(), in.get()));
      }
    }
  }

  @Test
  void encodeRotated() {
    try (Trial t = trial()) {
      var in = t.normal("in", DType.F32, 0.02, 24, 56);
      var out = MatrixOperand.output(t, new SampleMatrices(t.random()).rotated(24, 56, 0));
      t.run(k -> k.products().encode(out.get(), in.get()));
    }
  }

  @Test
  void rotate() {
    rotations(ProductKernels::rotate);
  }

  @Test
  void rotateBack() {
    rotations(ProductKernels::rotateBack);
  }

  private interface Turn {
    void of(ProductKernels products, Tensor out, Tensor in, Rotation rotation);
  }

  /** Into another tensor and in place, rows of a power of two and of others. */
  private void rotations(Turn turn) {
    for (int n : new int[] {1, 2, 8, 12, 20, 28, 56, 64, 96, 176, 344, 1024}) {
      for (int rows : new int[] {1, 7}) {
        try (Trial t = trial(n, rows)) {
          var rotation = new RotationOperand(t, n);
          var in = t.normal("in", rows, n);
          var out = t.output("out", rows, n).within(ofSum(n));
          t.run(k -> turn.of(k.products(), out.get(), in.get(), rotation.get()));
        }
        try (Trial t = trial(n, rows)) {
          var rotation = new RotationOperand(t, n);
          var x = t.gradient("x", rows, n).within(ofSum(n));
          t.run(k -> turn.of(k.products(), x.get(), x.get(), rotation.get()));
        }
      }
    }
  }

  /** A rotation whose tensors are operands. */
  private record RotationOperand(Operand signs, Operand base) {
    RotationOperand(Trial t, int n) {
      this(t, new SampleMatrices(t.random()).rotation("rotation", n));
    }

    private RotationOperand(Trial t, Rotation values) {
      this(given(t, values.signs()), given(t, values.base()));
    }

    private static Operand given(Trial t, Tensor values) {
      Operand operand = t.input(values.name(), values.dtype(), values.shape().dims());
      operand.get().memory().copyFrom(values.memory());
      return operand;
    }

    Rotation get() {
      return new Rotation(signs.get(), base.get());
    }
  }

  /** Of products with its weights, which may cancel. */
  private static Tolerance sum(FrozenMatrix matrix, long terms) {
    float[] values = new float[Math.toIntExact(matrix.elements())];
    matrix.decode(0, values.length, MemorySegment.ofArray(values));
    float largest = 1;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return ofSum(terms).ofTermsLike(largest * Math.sqrt((double) terms));
  }
}
