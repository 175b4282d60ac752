package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.Tolerance.EXACT;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.tensor.DType;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Filling, copying, adding, and gathering rows. */
class MovingConformance extends KernelCases {
  /**
   * Halfway between two bfloat16 or binary16 values, to even and to odd; overflow; subnormals;
   * signs; not a number.
   */
  private static final float[] ROUNDINGS = {
    0,
    -0f,
    1,
    -1,
    0x1.01p0f,
    0x1.03p0f,
    0x1.010002p0f,
    0x1.00fffep0f,
    -0x1.03p0f,
    0x1.002p0f,
    0x1.006p0f,
    0x1.002002p0f,
    65504,
    65519.99f,
    65520,
    -70000,
    3.4e38f,
    Float.MAX_VALUE,
    Float.MIN_VALUE,
    1e-40f,
    5.9604645e-8f,
    2.9802322e-8f,
    2.9802326e-8f,
    6.1e-5f,
    8.940697e-8f,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    Float.NaN
  };

  MovingConformance(Supplier<Kernels> set, DType activations) {
    super(set, activations);
  }

  @Test
  void fill() {
    for (DType dtype :
        new DType[] {DType.F32, DType.BF16, DType.F16, DType.F64, DType.I32, DType.I64, DType.U8}) {
      for (int n : SIZES) {
        try (Trial t = trial(n)) {
          var out = t.output("out", dtype, n).within(EXACT);
          t.run(k -> k.moving().fill(out.get(), dtype.isFloating() ? -1.7 : 8.6));
        }
      }
    }
  }

  @Test
  void copy() {
    DType[] floating = {DType.F32, DType.BF16, DType.F16};
    for (DType from : floating) {
      for (DType to : floating) {
        for (int n : SIZES) {
          try (Trial t = trial(n)) {
            var in = t.normal("in", from, 10, n);
            var out = t.output("out", to, n).within(EXACT);
            t.run(k -> k.moving().copy(out.get(), in.get()));
          }
        }
      }
    }
  }

  @Test
  void copyRoundsToNearestEven() {
    for (DType to : WEIGHTS) {
      try (Trial t = trial()) {
        var in = t.input("in", DType.F32, ROUNDINGS.length).put(ROUNDINGS);
        var out = t.output("out", to, ROUNDINGS.length).within(EXACT);
        t.run(k -> k.moving().copy(out.get(), in.get()));
      }
    }
  }

  @Test
  void copyWidensEveryHalfExactly() {
    for (DType from : new DType[] {DType.BF16, DType.F16}) {
      try (Trial t = trial()) {
        var in = t.input("in", from, 1 << 16);
        for (int bits = 0; bits < 1 << 16; bits++) {
          in.get().memory().setAtIndex(ValueLayout.JAVA_SHORT, bits, (short) bits);
        }
        var out = t.output("out", DType.F32, 1 << 16).within(EXACT);
        t.run(k -> k.moving().copy(out.get(), in.get()));
      }
    }
  }

  @Test
  void copyKeepsIntegers() {
    for (DType dtype : new DType[] {DType.I32, DType.U8, DType.I64}) {
      try (Trial t = trial()) {
        var in = t.input("in", dtype, 33);
        for (int i = 0; i < 33; i++) {
          in.get().setLong(i, 7L * i);
        }
        var out = t.output("out", dtype, 33).within(EXACT);
        t.run(k -> k.moving().copy(out.get(), in.get()));
      }
    }
  }

  @Test
  void copyRefusesAnotherSize() {
    try (Trial t = trial()) {
      var in = t.normal("in", 7);
      var out = t.output("out", 8);
      assertThatThrownBy(() -> t.run(k -> kernels().moving().copy(out.get(), in.get())))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("out")
          .hasMessageContaining("in");
    }
  }

  @Test
  void gatherRowsForward() {
    for (DType dtype : WEIGHTS) {
      for (int[] size : MATRICES) {
        try (Trial t = trial(size)) {
          var table = t.normal("table", dtype, 1, size[0], size[1]);
          var rows = t.indices("rows", size[0], 17);
          var out = t.output("out", 17, size[1]).within(EXACT);
          t.run(k -> k.moving().gatherRowsForward(out.get(), table.get(), rows.get()));
        }
      }
    }
  }

  @Test
  void gatherRowsForwardRefusesARowOutside() {
    for (int row : new int[] {-1, 5}) {
      try (Trial t = trial()) {
        var table = t.normal("table", 5, 3);
        var rows = t.input("rows", DType.I32, 1);
        rows.get().setLong(0, row);
        var out = t.output("out", 1, 3);
        assertRefused(
            t, out, k -> k.moving().gatherRowsForward(out.get(), table.get(), rows.get()));
      }
    }
  }

  /** Into the gradient of a table that trains, and into that of activations that were chosen. */
  @Test
  void gatherRowsBackward() {
    for (DType dtype : EnumSet.of(DType.F32, activations())) {
      for (int[] size : MATRICES) {
        gatherRowsBackward(dtype, size);
      }
    }
  }

  private void gatherRowsBackward(DType dtype, int[] size) {
    try (Trial t = trial(size)) {
      var dtable =
          t.gradient("dtable", dtype, size[0], size[1]).within(Tolerance.ofSum(40).ofTermsLike(1));
      var dout = t.normal("dout", 40, size[1]);
      var rows = t.indices("rows", size[0], 40);
      t.run(k -> k.moving().gatherRowsBackward(dtable.get(), dout.get(), rows.get()));
    }
  }

  /** Rows, columns, first column, width: whole rows, edges, and one column. */
  private static final int[][] COLUMNS = {
    {1, 1, 0, 1}, {3, 7, 0, 7}, {17, 31, 5, 16}, {5, 208, 207, 1}, {40, 100, 1, 99}, {2, 64, 32, 32}
  };

  @Test
  void columnsForward() {
    for (int[] size : COLUMNS) {
      try (Trial t = trial(size)) {
        var x = t.normal("x", size[0], size[1]);
        var out = t.output("out", size[0], size[3]).within(EXACT);
        t.run(k -> k.moving().columnsForward(out.get(), x.get(), size[2]));
      }
    }
  }

  @Test
  void columnsBackward() {
    for (int[] size : COLUMNS) {
      try (Trial t = trial(size)) {
        var dx = t.gradient("dx", size[0], size[1]);
        var dout = t.normal("dout", size[0], size[3]);
        t.run(k -> k.moving().columnsBackward(dx.get(), dout.get(), size[2]));
      }
    }
  }

  @Test
  void columnsForwardRefusesAPartThatSticksOut() {
    for (int from : new int[] {-1, 3}) {
      try (Trial t = trial()) {
        var x = t.normal("x", 4, 5);
        var out = t.output("out", 4, 3);
        assertThatThrownBy(() -> kernels().moving().columnsForward(out.get(), x.get(), from))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("columns");
      }
    }
  }

  @Test
  void gatherColumnsForward() {
    for (int[] size : MATRICES) {
      try (Trial t = trial(size)) {
        var table = t.parameter("table", size[0], size[1]);
        var columns = t.indices("columns", size[1], 19);
        var out = t.output("out", 19, size[0]).within(Tolerance.EXACT);
        t.run(k -> k.moving().gatherColumnsForward(out.get(), table.get(), columns.get()));
      }
    }
  }

  @Test
  void gatherColumnsForwardRefusesAColumnOutside() {
    for (int column : new int[] {-1, 5}) {
      try (Trial t = trial()) {
        var table = t.parameter("table", 3, 5);
        var columns = t.input("columns", DType.I32, 1);
        columns.get().setLong(0, column);
        var out = t.output("out", 1, 3);
        assertRefused(
            t, out, k -> k.moving().gatherColumnsForward(out.get(), table.get(), columns.get()));
      }
    }
  }

  @Test
  void gatherColumnsBackward() {
    for (int[] size : MATRICES) {
      try (Trial t = trial(size)) {
        var dtable =
            t.gradient("dtable", DType.F32, size[0], size[1])
                .within(Tolerance.ofSum(40).ofTermsLike(1));
        var dout = t.normal("dout", 40, size[0]);
        var columns = t.indices("columns", size[1], 40);
        t.run(k -> k.moving().gatherColumnsBackward(dtable.get(), dout.get(), columns.get()));
      }
    }
  }
}
