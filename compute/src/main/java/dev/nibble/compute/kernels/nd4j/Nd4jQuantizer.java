package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.NestedScales;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Encoding and decoding of frozen matrices, some blocks at a time; those in 4 bits by ND4J. */
final class Nd4jQuantizer {
  private static final long MOST_ELEMENTS = 1 << 20;

  /** What bitsandbytes divides by where a block has only zeros. */
  private static final float LEAST = 1e-38f;

  private Nd4jQuantizer() {}

  /** Whether codes are of 4 bits and blocks begin with whole bytes. */
  static boolean fits(Codebook weight) {
    return weight.bits() == 4 && weight.block() % 2 == 0;
  }

  static void encode(FrozenMatrix out, Tensor in) {
    switch (out) {
      case Dense(Tensor t) -> {
        try (Nd4jWork work = new Nd4jWork()) {
          work.flat(t).assign(work.flat(in));
        }
      }
      case Codebook codebook when fits(codebook) -> quantize(codebook, in);
      default -> out.encode(in);
    }
  }

  private static void quantize(Codebook out, Tensor in) {
    long n = out.elements();
    long whole = n / out.block() * out.block();
    float[] scales = new float[Math.toIntExact(out.blocks())];
    float[] codebook = out.codebook().toFloats();
    int[] ascending = ascending(codebook);
    long step = Math.max(1, MOST_ELEMENTS / out.block()) * out.block();
    for (long from = 0; from < n; from = from < whole ? Math.min(whole, from + step) : n) {
      boolean full = from < whole;
      long to = full ? Math.min(whole, from + step) : n;
      try (Nd4jWork work = new Nd4jWork()) {
        long width = full ? out.block() : to - from;
        INDArray x =
            work.cast(
                work.view(in.part(from, to - from), (to - from) / width, width), DataType.FLOAT);
        INDArray absmax = work.keep(work.keep(Transforms.abs(x, true)).max(true, 1));
        float[] found = work.reshape(absmax, absmax.length()).toFloatVector();
        System.arraycopy(found, 0, scales, Math.toIntExact(from / out.block()), found.length);
        INDArray divisor = work.keep(Transforms.max(absmax, LEAST, true));
        INDArray v = normalised(work, x, divisor, full);
        pack(
            out.codes().part(from / 2, (to - from + 1) / 2),
            codes(work, v, codebook, ascending),
            work);
      }
    }
    switch (out.scales()) {
      case Codebook.Scales.Plain p -> p.absmax().put(scales);
      case Codebook.Scales.Nested nested -> nest(nested, scales);
    }
  }

  /**
   * The scaled block, clamped to [-1, 1]; a short last block is divided, the others multiplied by a
   * reciprocal.
   */
  private static INDArray normalised(Nd4jWork work, INDArray x, INDArray divisor, boolean full) {
    INDArray v =
        full
            ? work.keep(x.mulColumnVector(work.keep(divisor.rdiv(1f))))
            : work.keep(x.divColumnVector(divisor));
    v = work.keep(Transforms.max(v, -1, true));
    return work.keep(Transforms.min(v, 1, true));
  }

  private static int[] ascending(float[] codebook) {
    return IntStream.range(0, codebook.length)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> codebook[i] + 0f))
        .mapToInt(i -> i)
        .toArray();
  }

  /** The code of each value, and of a 0 that makes their number even. */
  private static INDArray codes(Nd4jWork work, INDArray v, float[] codebook, int[] ascending) {
    INDArray values = work.reshape(v, v.length());
    if (v.length() % 2 == 1) {
      values = work.keep(Nd4j.concat(0, values, work.empty(1).assign(0)));
    }
    float[] middles = new float[15];
    for (int i = 0; i < 15; i++) {
      middles[i] = (codebook[ascending[i]] + codebook[ascending[i + 1]]) * 0.5f;
    }
    INDArray below =
        work.less(work.keep(Nd4j.create(middles, 1, 15)), work.reshape(values, values.length(), 1));
    INDArray count = work.keep(work.cast(below, DataType.INT32).sum(1));
    INDArray ordered = work.cast(count, DataType.INT32);
    return work.gather(work.keep(Nd4j.createFromArray(ascending)), ordered);
  }

  private static void pack(Tensor out, INDArray codes, Nd4jWork work) {
    INDArray pairs = work.reshape(codes, codes.length() / 2, 2);
    INDArray high = work.keep(work.keep(pairs.getColumn(0)).mul(16));
    work.flat(out).assign(high.addi(work.keep(pairs.getColumn(1))));
  }

  private static void nest(Codebook.Scales.Nested out, float[] scales) {
    float offset = NestedScales.offset(scales);
    out.offset().put(offset);
    byte[] codeOfBin = NestedScales.codeOfBin(out.codebook().toFloats());
    for (int from = 0; from < scales.length; from += out.block()) {
      int to = Math.min(scales.length, from + out.block());
      try (Nd4jWork work = new Nd4jWork()) {
        INDArray d =
            work.keep(Nd4j.createFromArray(Arrays.copyOfRange(scales, from, to))).subi(offset);
        float absmax = d.amaxNumber().floatValue();
        out.absmax().setFloat(from / out.block(), absmax);
        d.muli(absmax > 0 ? 1 / absmax : 0);
        for (int b = from; b < to; b++) {
          out.codes().setLong(b, codeOfBin[NestedScales.bin(d.getFloat(b - from))]);
        }
      }
    }
  }

  /** The scales of blocks from (inclusive) to to (exclusive). */
  private static INDArray scales(Nd4jWork work, Codebook.Scales scales, long from, long to) {
    return switch (scales) {
      case Codebook.Scales.Plain p -> work.flat(p.absmax().part(from, to - from));
      case Codebook.Scales.Nested s -> {
        INDArray codes = work.cast(work.flat(s.codes().part(from, to - from)), DataType.INT32);
        INDArray values = work.gather(work.flat(s.codebook()), codes);
        int[] blocks =
            IntStream.range(Math.toIntExact(from), Math.toIntExact(to))
                .map(b -> b / s.block())
                .toArray();
        values.muli(work.gather(work.flat(s.absmax()), work.keep(Nd4j.createFromArray(blocks))));
        yield values.addi(s.offset().getFloat(0));
      }
    };
  }

  /**
   * Values of a frozen matrix from element from (inclusive) to to (exclusive) in float32, flat. In
   * 4 bits, from begins a block and to ends one, or the matrix.
   */
  static INDArray weights(Nd4jWork work, FrozenMatrix weight, long from, long to) {
    return switch (weight) {
      case Dense(Tensor t) -> work.cast(work.flat(t.part(from, to - from)), DataType.FLOAT);
      case Codebook codebook when fits(codebook) -> fourBit(work, codebook, from, to);
      default -> work.decoded(weight, from, to - from);
    };
  }

  private static INDArray fourBit(Nd4jWork work, Codebook q, long from, long to) {
    long block = q.block();
    long bytes = (to - from + 1) / 2;
    INDArray codes = work.cast(work.flat(q.codes().part(from / 2, bytes)), DataType.INT32);
    INDArray pairs = work.gather(pairs(work, q.codebook()), codes);
    INDArray w = work.reshape(pairs, bytes * 2);
    INDArray scales = scales(work, q.scales(), from / block, (to + block - 1) / block);
    long whole = (to - from) / block;
    if (whole > 0) {
      work.reshape(part(work, w, 0, whole * block), whole, block)
          .muliColumnVector(work.reshape(part(work, scales, 0, whole), whole, 1));
    }
    if (whole * block < to - from) {
      part(work, w, whole * block, to - from).muli(scales.getFloat(whole));
    }
    return part(work, w, 0, to - from);
  }

  private static INDArray part(Nd4jWork work, INDArray a, long from, long to) {
    return work.keep(a.get(NDArrayIndex.interval(from, to)));
  }

  /** The two values of each byte, [256, 2]. */
  private static INDArray pairs(Nd4jWork work, Tensor codebook) {
    float[] values = codebook.toFloats();
    float[] pairs = new float[512];
    for (int i = 0; i < 256; i++) {
      pairs[2 * i] = values[i >> 4];
      pairs[2 * i + 1] = values[i & 15];
    }
    return work.keep(Nd4j.create(pairs, 256, 2));
  }

  static void decode(Tensor out, FrozenMatrix in) {
    long block = in instanceof Codebook codebook && fits(codebook) ? codebook.block() : 1;
    long step = Math.max(1, MOST_ELEMENTS / block) * block;
    for (long from = 0; from < in.elements(); from += step) {
      long to = Math.min(in.elements(), from + step);
      try (Nd4jWork work = new Nd4jWork()) {
        work.flat(out.part(from, to - from)).assign(weights(work, in, from, to));
      }
    }
  }
}
