package dev.nibble.compute.kernels.nd4j;

import static dev.nibble.compute.kernels.nd4j.Nd4jArguments.require;

import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Rotation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Rotations of rows [N, q 2^k] as two matrix products: by H_2^k, and by H_q beside it. */
final class Nd4jRotation {

  private Nd4jRotation() {}

  static void apply(Tensor out, Tensor in, Rotation rotation) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray signed = work.keep(rows(work, in, rotation).mulRowVector(signs(work, rotation)));
      work.matrix(out).assign(mixed(work, signed, rotation, base(work, rotation)));
    }
  }

  static void undo(Tensor out, Tensor in, Rotation rotation) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray base = work.keep(base(work, rotation).transpose());
      INDArray mixed = mixed(work, rows(work, in, rotation), rotation, base);
      work.matrix(out).assign(mixed.muliRowVector(signs(work, rotation)));
    }
  }

  private static INDArray rows(Nd4jWork work, Tensor in, Rotation rotation) {
    require(in.cols() == rotation.size(), "rotate", in, rotation.signs());
    return work.matrix(in);
  }

  private static INDArray signs(Nd4jWork work, Rotation rotation) {
    return work.cast(work.view(rotation.signs(), 1, rotation.size()), DataType.FLOAT);
  }

  private static INDArray base(Nd4jWork work, Rotation rotation) {
    return work.cast(work.matrix(rotation.base()), DataType.FLOAT);
  }

  private static INDArray mixed(Nd4jWork work, INDArray x, Rotation rotation, INDArray base) {
    long rows = x.rows();
    long q = rotation.base().dim(0);
    long power = rotation.power();
    INDArray within = work.keep(work.reshape(x, rows * q, power).mmul(sylvester(work, power)));
    // [q, rows, power], so that one product takes all rows.
    INDArray across = work.keep(work.reshape(within, rows, q, power).permute(1, 0, 2));
    INDArray all = work.keep(base.mmul(work.reshape(across, q, rows * power)));
    INDArray back = work.keep(work.reshape(all, q, rows, power).permute(1, 0, 2));
    return work.reshape(back, rows, q * power).muli(1 / Math.sqrt((double) rotation.size()));
  }

  private static INDArray sylvester(Nd4jWork work, long power) {
    int n = Math.toIntExact(power);
    float[][] h = new float[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        h[i][j] = Integer.bitCount(i & j) % 2 == 0 ? 1 : -1;
      }
    }
    return work.keep(Nd4j.createFromArray(h));
  }
}
