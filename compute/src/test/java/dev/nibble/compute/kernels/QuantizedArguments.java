package dev.nibble.compute.kernels;

import dev.nibble.compute.kernels.Operands.Operand;
import dev.nibble.compute.tensor.DType;

/** A quantised matrix whose parts are made by {@link Operands}. */
record QuantizedArguments(
    Operand codes, Operand codebook, Scales scales, int rows, int cols, int block) {
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

  /** The arguments of {@link Quantized.Scales}. */
  sealed interface Scales {
    /** See {@link Quantized.Scales.Plain}. */
    record Plain(Operand absmax) implements Scales {}

    /** See {@link Quantized.Scales.Nested}. */
    record Nested(Operand codes, Operand absmax, Operand codebook, Operand offset)
        implements Scales {}
  }

  /** What {@code quantize} fills; the shape is rows, columns and block. */
  static QuantizedArguments output(Operands t, float[] codebook, boolean nested, int... shape) {
    int rows = shape[0];
    int cols = shape[1];
    int block = shape[2];
    int blocks = (rows * cols + block - 1) / block;
    var codes = t.output("codes", DType.U8, (rows * cols + 1) / 2).within(Tolerance.EXACT);
    return new QuantizedArguments(
        codes,
        t.input("codebook", DType.F32, 16).put(codebook),
        nested ? nestedOutput(t, blocks) : new Scales.Plain(exact(t, "absmax", blocks)),
        rows,
        cols,
        block);
  }

  private static Scales nestedOutput(Operands t, int blocks) {
    return new Scales.Nested(
        t.output("scaleCodes", DType.U8, blocks).within(Tolerance.EXACT),
        exact(t, "absmax", (blocks + NESTED_BLOCK - 1) / NESTED_BLOCK),
        t.input("scaleCodebook", DType.F32, 256).put(ascending()),
        exact(t, "offset", 1));
  }

  private static Operand exact(Operands t, String name, int n) {
    return t.output(name, DType.F32, n).within(Tolerance.EXACT);
  }

  /** A quantised random matrix; the shape is rows, columns and block. */
  static QuantizedArguments input(Operands t, float[] codebook, boolean nested, int... shape) {
    int rows = shape[0];
    int cols = shape[1];
    int block = shape[2];
    int blocks = (rows * cols + block - 1) / block;
    var codes = t.input("codes", DType.U8, (rows * cols + 1) / 2);
    randomBytes(t, codes);
    var table = t.input("codebook", DType.F32, 16).put(codebook);
    if (!nested) {
      return new QuantizedArguments(
          codes, table, new Scales.Plain(t.parameter("absmax", blocks)), rows, cols, block);
    }
    var scaleCodes = t.input("scaleCodes", DType.U8, blocks);
    randomBytes(t, scaleCodes);
    var scales =
        new Scales.Nested(
            scaleCodes,
            t.parameter("absmax", (blocks + NESTED_BLOCK - 1) / NESTED_BLOCK),
            t.input("scaleCodebook", DType.F32, 256).put(ascending()),
            t.parameter("offset", 1));
    return new QuantizedArguments(codes, table, scales, rows, cols, block);
  }

  private static void randomBytes(Operands t, Operand bytes) {
    for (long i = 0; i < bytes.get().elements(); i++) {
      bytes.get().setLong(i, t.random().nextInt(256));
    }
  }

  /** 256 ascending values in [-0.99, 1], denser around 0, with 0 itself. */
  private static float[] ascending() {
    float[] a = new float[256];
    for (int i = 0; i < 255; i++) {
      float x = (i - 127) / 127.5f;
      a[i] = x * x * x;
    }
    a[255] = 1;
    return a;
  }

  /** The copies of the call that is being made. */
  Quantized get() {
    Quantized.Scales s =
        switch (scales) {
          case Scales.Plain p -> new Quantized.Scales.Plain(p.absmax.get());
          case Scales.Nested n ->
              new Quantized.Scales.Nested(
                  n.codes.get(), n.absmax.get(), n.codebook.get(), n.offset.get(), NESTED_BLOCK);
        };
    return new Quantized(codes.get(), codebook.get(), s, rows, cols, block);
  }
}
