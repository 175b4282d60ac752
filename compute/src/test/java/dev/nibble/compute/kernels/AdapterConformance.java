package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import org.junit.jupiter.api.Test;

/** What adapters need besides linear maps. */
abstract class AdapterConformance extends KernelCases {

  @Test
  void scaleColumns() {
    for (int[] size : MATRICES) {
      try (Trial t = trial(size)) {
        var out = t.output("out", size[0], size[1]);
        var x = t.normal("x", size[0], size[1]);
        var factors = t.parameter("factors", size[1]);
        t.run(k -> k.scaleColumns(out.get(), x.get(), factors.get()));
      }
      try (Trial t = trial(size)) {
        var x = t.gradient("x", size[0], size[1]);
        makeHostile(x);
        var factors = t.parameter("factors", size[1]);
        t.run(k -> k.scaleColumns(x.get(), x.get(), factors.get()));
      }
    }
  }

  @Test
  void columnDots() {
    for (int[] size : MATRICES) {
      try (Trial t = trial(size)) {
        var out =
            t.gradient("out", DType.F32, size[1]).within(Tolerance.ofSum(size[0]).ofTermsLike(1));
        var a = t.normal("a", size[0], size[1]);
        var b = t.normal("b", size[0], size[1]);
        t.run(k -> k.columnDots(out.get(), a.get(), b.get()));
      }
    }
  }

  @Test
  void inverseRowNorms() {
    for (int[] size : MATRICES) {
      int rank = Math.min(16, size[1]);
      for (double scale : new double[] {0.5, 2}) {
        try (Trial t = trial(size)) {
          var out = t.output("out", DType.F32, size[0]).within(Tolerance.ofSum(rank));
          var squares = t.parameter("squares", size[0]);
          for (int o = 0; o < size[0]; o++) {
            squares.set(o, 100 + squares.get().getDouble(o));
          }
          var b = t.parameter("b", size[0], rank);
          var p = t.parameter("p", rank, size[0]);
          var q = t.parameter("q", size[0], rank);
          t.run(k -> k.inverseRowNorms(out.get(), squares.get(), b.get(), p.get(), q.get(), scale));
        }
      }
    }
  }

  @Test
  void inverseRowNormsOfZeroIsInfinite() {
    try (Trial t = trial()) {
      var out = t.output("out", DType.F32, 3);
      var squares = t.input("squares", DType.F32, 3);
      var b = t.input("b", DType.F32, 3, 2);
      var p = t.parameter("p", 2, 3);
      var q = t.parameter("q", 3, 2);
      t.run(k -> k.inverseRowNorms(out.get(), squares.get(), b.get(), p.get(), q.get(), 1));
    }
  }

  @Test
  void gatherColumnsForward() {
    for (int[] size : MATRICES) {
      try (Trial t = trial(size)) {
        var table = t.parameter("table", size[0], size[1]);
        var columns = t.indices("columns", size[1], 19);
        var out = t.output("out", 19, size[0]).within(Tolerance.EXACT);
        t.run(k -> k.gatherColumnsForward(out.get(), table.get(), columns.get()));
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
        assertRefused(t, out, k -> k.gatherColumnsForward(out.get(), table.get(), columns.get()));
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
        t.run(k -> k.gatherColumnsBackward(dtable.get(), dout.get(), columns.get()));
      }
    }
  }

  /** Two samples; the last row is in none. */
  @Test
  void addNoise() {
    for (int cols : new int[] {1, 7, 64, 207}) {
      try (Trial t = trial(cols)) {
        var x = t.gradient("x", 17, cols);
        var segments = t.input("segments", DType.I32, 2, 4);
        int[] rows = {0, 5, 0, 5, 5, 11, 5, 11};
        for (int i = 0; i < rows.length; i++) {
          segments.get().setLong(i, rows[i]);
        }
        t.run(k -> k.addNoise(x.get(), segments.get(), 5, 0x5eed + cols));
      }
    }
  }
}
