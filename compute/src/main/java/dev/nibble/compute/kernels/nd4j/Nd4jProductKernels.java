package dev.nibble.compute.kernels.nd4j;

import static dev.nibble.compute.kernels.nd4j.Nd4jArguments.require;

import dev.nibble.compute.kernels.ProductKernels;
import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataType;

/** Linear maps, their biases, and 4-bit quantisation. */
final class Nd4jProductKernels implements ProductKernels {
  @Override
  public void linearForward(Tensor out, Tensor x, Tensor weight) {
    Nd4jLinear.forward(out, x, Nd4jLinear.dense(weight), 1, 0);
  }

  @Override
  public void linearForwardAdd(Tensor out, Tensor x, Tensor weight, double scale) {
    Nd4jLinear.forward(out, x, Nd4jLinear.dense(weight), scale, 1);
  }

  @Override
  public void linearBackward(Tensor dx, Tensor dout, Tensor weight, double scale) {
    Nd4jLinear.backward(dx, dout, Nd4jLinear.dense(weight), scale);
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
  public void quantize(Quantized out, Tensor in) {
    require(out.elements() == in.elements(), "quantize", out.codes(), in);
    Nd4jQuantizer.quantize(out, in);
  }

  @Override
  public void dequantize(Tensor out, Quantized in) {
    require(out.elements() == in.elements(), "dequantize", out, in.codes());
    Nd4jQuantizer.dequantize(out, in);
  }

  @Override
  public void quantizedLinearForward(Tensor out, Tensor x, Quantized weight) {
    Nd4jLinear.forward(out, x, Nd4jLinear.fourBit(weight), 1, 0);
  }

  @Override
  public void quantizedLinearBackward(Tensor dx, Tensor dout, Quantized weight) {
    Nd4jLinear.backward(dx, dout, Nd4jLinear.fourBit(weight), 1);
  }
}
