package dev.nibble.compute.kernels.nd4j;

import static dev.nibble.compute.kernels.nd4j.Nd4jArguments.require;

import dev.nibble.compute.kernels.ProductKernels;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Rotation;
import dev.nibble.compute.weights.TiledMatrix;
import org.nd4j.linalg.api.buffer.DataType;

/** Linear maps, their biases, and frozen matrices. */
final class Nd4jProductKernels implements ProductKernels {
  @Override
  public void linearForward(Tensor out, Tensor x, Tensor weight) {
    Nd4jLinear.forward(out, x, new Dense(weight), 1, 0);
  }

  @Override
  public void linearForwardAdd(Tensor out, Tensor x, Tensor weight, double scale) {
    Nd4jLinear.forward(out, x, new Dense(weight), scale, 1);
  }

  @Override
  public void linearBackward(Tensor dx, Tensor dout, Tensor weight, double scale) {
    Nd4jLinear.backward(dx, dout, new Dense(weight), scale);
  }

  @Override
  public void linearBackwardWeight(Tensor dweight, Tensor dout, Tensor x, double scale) {
    Nd4jLinear.backwardWeight(dweight, dout, x, scale);
  }

  @Override
  public void biasForward(Tensor out, Tensor bias) {
    require(bias.elements() == out.cols(), "bias", out, bias);
    try (Nd4jWork work = new Nd4jWork()) {
      work.matrix(out).addiRowVector(work.cast(work.view(bias, 1, out.cols()), DataType.FLOAT));
    }
  }

  @Override
  public void biasBackward(Tensor dbias, Tensor dout) {
    require(dbias.elements() == dout.cols(), "bias", dbias, dout);
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(dbias).addi(work.keep(work.matrix(dout).sum(0)));
    }
  }

  @Override
  public void encode(FrozenMatrix out, Tensor in) {
    require(out.elements() == in.elements(), "encode", in);
    Nd4jQuantizer.encode(out, in);
  }

  @Override
  public void decode(Tensor out, FrozenMatrix in) {
    require(out.elements() == in.elements(), "decode", out);
    Nd4jQuantizer.decode(out, in);
  }

  @Override
  public void frozenForward(Tensor out, Tensor x, TiledMatrix weight) {
    Nd4jLinear.forward(out, x, weight, 1, 0);
  }

  @Override
  public void frozenBackward(Tensor dx, Tensor dout, TiledMatrix weight) {
    Nd4jLinear.backward(dx, dout, weight, 1);
  }

  @Override
  public void rotate(Tensor out, Tensor in, Rotation rotation) {
    Nd4jRotation.apply(out, in, rotation);
  }

  @Override
  public void rotateBack(Tensor out, Tensor in, Rotation rotation) {
    Nd4jRotation.undo(out, in, rotation);
  }
}
