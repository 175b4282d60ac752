package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.kernels.DynamicMap;
import dev.nibble.compute.kernels.OptimizerKernels.AdamWStep;
import dev.nibble.compute.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** AdamW with 8-bit moments, some blocks at a time. */
final class Nd4jEightBit {
  /** Each element is compared with 255 thresholds at once. */
  private static final long MOST_BLOCKS = 32;

  private static final long BLOCK = DynamicMap.BLOCK;

  private Nd4jEightBit() {}

  static void adamW(
      Tensor weight,
      Tensor m,
      Tensor mScales,
      Tensor v,
      Tensor vScales,
      Tensor gradient,
      AdamWStep step) {
    long n = weight.elements();
    long whole = n / BLOCK * BLOCK;
    for (long from = 0; from < n; ) {
      long to = from < whole ? Math.min(whole, from + MOST_BLOCKS * BLOCK) : n;
      long count = to - from;
      long width = Math.min(BLOCK, count);
      long block = from / BLOCK;
      try (Nd4jWork work = new Nd4jWork()) {
        State first = new State(m.part(from, count), mScales.part(block, count / width), width);
        State second = new State(v.part(from, count), vScales.part(block, count / width), width);
        INDArray p = first.decode(work, DynamicMap.SIGNED);
        INDArray q = second.decode(work, DynamicMap.UNSIGNED);
        INDArray g = work.view(gradient.part(from, count), count / width, width);
        Nd4jOptimizerKernels.moments(work, p, q, g, step);
        Nd4jOptimizerKernels.move(
            work, work.view(weight.part(from, count), count / width, width), p, q, step);
        first.encode(work, p, DynamicMap.SIGNED);
        second.encode(work, q, DynamicMap.UNSIGNED);
      }
      from = to;
    }
  }

  /** Blocks of one width. */
  private record State(Tensor codes, Tensor scales, long width) {

    INDArray decode(Nd4jWork work, DynamicMap map) {
      INDArray indices = work.cast(work.flat(codes), DataType.INT32);
      INDArray values = work.gather(work.keep(Nd4j.createFromArray(map.codebook())), indices);
      INDArray blocks = work.reshape(values, scales.elements(), width);
      return blocks.muliColumnVector(work.view(scales, scales.elements(), 1));
    }

    void encode(Nd4jWork work, INDArray x, DynamicMap map) {
      INDArray absmax = work.keep(work.keep(Transforms.abs(x, true)).max(true, 1));
      work.view(scales, scales.elements(), 1).assign(absmax);
      INDArray divisor = work.keep(Transforms.max(absmax, Float.MIN_NORMAL, true));
      INDArray u = work.reshape(work.keep(x.divColumnVector(divisor)), x.length(), 1);
      float[] thresholds = map.thresholds();
      INDArray below = work.less(work.keep(Nd4j.create(thresholds, 1, thresholds.length)), u);
      work.flat(codes).assign(work.keep(work.cast(below, DataType.INT32).sum(1)));
    }
  }
}
