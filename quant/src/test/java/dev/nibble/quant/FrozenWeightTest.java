package dev.nibble.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.FourBitFormat.QuantType;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Forward and backward against plain double loops over the dequantised weight. */
final class FrozenWeightTest {
  /** Tokens, outputs, inputs. */
  private static final int[][] SIZES = {
    {1, 1, 1}, {3, 5, 7}, {2, 19, 65}, {17, 33, 130}, {5, 64, 192}
  };

  private static Tensor random(
      Kernels kernels, Scope scope, Random random, DType dtype, long... dims) {
    Tensor t = scope.allocate("t", dtype, dims);
    float[] values = new float[Math.toIntExact(t.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() * 0.3);
    }
    TensorValues.put(kernels, t, values);
    return t;
  }

  private static List<FrozenWeight> weights(Kernels kernels, Scope scope, Tensor dense) {
    return List.of(
        new FrozenWeight.Dense(dense),
        fourBit(kernels, scope, dense, new FourBitFormat(QuantType.NF4, 64, true)),
        fourBit(kernels, scope, dense, new FourBitFormat(QuantType.NF4, 32, false)),
        fourBit(kernels, scope, dense, new FourBitFormat(QuantType.FP4, 128, true)));
  }

  private static FrozenWeight fourBit(
      Kernels kernels, Scope scope, Tensor dense, FourBitFormat format) {
    var q =
        new QuantizedAllocator(kernels, scope, format).allocate("q", dense.dim(0), dense.dim(1));
    kernels.products().quantize(q, dense);
    return new FrozenWeight.FourBit(q);
  }

  @ParameterizedTest
  @MethodSource("dev.nibble.quant.EachKernelSet#names")
  void forwardAndBackward(String set) {
    Random random = new Random(3);
    try (Kernels kernels = EachKernelSet.open(set)) {
      for (int[] size : SIZES) {
        for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
          try (Scope scope = Scope.open("test", kernels.memory())) {
            Tensor dense = random(kernels, scope, random, dtype, size[1], size[2]);
            for (FrozenWeight weight : weights(kernels, scope, dense)) {
              check(kernels, scope, random, weight, size[0]);
            }
          }
        }
      }
    }
  }

  private static void check(
      Kernels kernels, Scope scope, Random random, FrozenWeight weight, int n) {
    int outputs = Math.toIntExact(weight.rows());
    int inputs = Math.toIntExact(weight.cols());
    Tensor w = scope.allocate("w", DType.F32, outputs, inputs);
    weight.dequantizeInto(kernels, w);
    Tensor x = random(kernels, scope, random, DType.F32, n, inputs);
    Tensor out = random(kernels, scope, random, DType.F32, n, outputs);
    weight.forward(kernels, out, x);
    Tensor dout = random(kernels, scope, random, DType.F32, n, outputs);
    Tensor dx = random(kernels, scope, random, DType.F32, n, inputs);
    float[] before = TensorValues.of(kernels, dx);
    weight.backward(kernels, dx, dout);
    float[] xs = TensorValues.of(kernels, x);
    float[] ws = TensorValues.of(kernels, w);
    float[] outs = TensorValues.of(kernels, out);
    float[] douts = TensorValues.of(kernels, dout);
    float[] dxs = TensorValues.of(kernels, dx);
    // Sets may multiply in bfloat16, with 8 bits of precision, where the processor has it.
    for (int i = 0; i < n; i++) {
      for (int o = 0; o < outputs; o++) {
        double sum = 0;
        double size = 1e-6;
        for (int c = 0; c < inputs; c++) {
          double term = (double) xs[i * inputs + c] * ws[o * inputs + c];
          sum += term;
          size += term * term;
        }
        assertThat((double) outs[i * outputs + o]).isCloseTo(sum, within(0.02 * Math.sqrt(size)));
      }
      for (int c = 0; c < inputs; c++) {
        double sum = before[i * inputs + c];
        double size = 1e-6;
        for (int o = 0; o < outputs; o++) {
          double term = (double) douts[i * outputs + o] * ws[o * inputs + c];
          sum += term;
          size += term * term;
        }
        assertThat((double) dxs[i * inputs + c]).isCloseTo(sum, within(0.02 * Math.sqrt(size)));
      }
    }
  }
}
