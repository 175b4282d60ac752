package dev.nibble.quant.codebook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import dev.nibble.quant.codebook.CodebookFormat.Table;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class CodebookFormatTest {
  private static final int SIDE = 256;

  private static CodebookFormat format(Table table, boolean nested) {
    return new CodebookFormat(table, new BlockScales(64, nested));
  }

  @Test
  void tablesAreWhatTheirNamesSay() {
    assertThat(Table.E2M1.entries())
        .containsExactly(
            0, 0.5f / 6, 1 / 6f, 0.25f, 2 / 6f, 0.5f, 4 / 6f, 1, 0, -0.5f / 6, -1 / 6f, -0.25f,
            -2 / 6f, -0.5f, -4 / 6f, -1);
    float[] int4 = Table.INT4.entries();
    Arrays.sort(int4);
    for (int i = 0; i < 16; i++) {
      assertThat(int4[i] * 7).isCloseTo(Math.max(-7, i < 8 ? i - 7 : i - 8), within(1e-6f));
    }
    assertThat(Table.INT2.entries()).containsExactly(0, 1, 0, -1);
  }

  /** 2^(k-1) quantiles above 0 and one less below, of probabilities evenly up to 0.9677083. */
  @ParameterizedTest
  @EnumSource(
      value = Table.class,
      names = {"NF2", "NF3"})
  void normalFloatsAreQuantiles(Table table) {
    int half = 1 << (table.bits() - 1);
    double most = quantile(0.9677083);
    double[] expected =
        IntStream.range(-half + 1, half + 1)
            .mapToDouble(i -> {
              double probability = 0.5 + 0.4677083 * i / (i > 0 ? half : half - 1);
              return i == 0 ? 0 : quantile(probability) / most;
            })
            .toArray();
    float[] values = table.entries();
    assertThat(values).hasSize(2 * half);
    for (int i = 0; i < values.length; i++) {
      assertThat((double) values[i]).isCloseTo(expected[i], within(1e-6));
    }
  }

  /** Where the normal distribution reaches a probability, by halving. */
  private static double quantile(double probability) {
    double low = -5;
    double high = 5;
    while (high - low > 1e-9) {
      double middle = (low + high) / 2;
      if (probabilityBelow(middle) < probability) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** 1/2 + phi(x) (x + x^3/3 + x^5/(3*5) + …). */
  private static double probabilityBelow(double x) {
    double sum = 0;
    double term = x;
    for (int k = 1; k < 200; k++) {
      sum += term;
      term *= x * x / (2 * k + 1);
    }
    return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  @ParameterizedTest
  @EnumSource(Table.class)
  void bitsAreThoseOfTheBytes(Table table) {
    try (Kernels kernels = KernelSets.choose("cpu").open(KernelOptions.ofThreads(1));
        Scope scope = Scope.open("test", kernels.memory())) {
      for (boolean nested : new boolean[] {false, true}) {
        CodebookFormat format = format(table, nested);
        Codebook made = format.allocator(kernels, scope).allocate("w", SIDE, SIDE);
        assertThat(made.bits()).isEqualTo(table.bits());
        assertThat(8.0 * made.bytes() / made.elements()).isEqualTo(format.bitsPerWeight());
      }
    }
  }

  /** On normal weights: QLoRA's argument for NF4, and the same at three and two bits. */
  @Test
  void quantilesSuitNormalWeightsBest() {
    double nf4 = error(new FourBitFormat(QuantType.NF4, 64, true));
    double e2m1 = error(format(Table.E2M1, true));
    double int4 = error(format(Table.INT4, true));
    assertThat(nf4).isCloseTo(0.00846, within(0.0002)); // of the variance
    assertThat(e2m1).isCloseTo(0.01117, within(0.0003)).isGreaterThan(nf4);
    assertThat(int4).isCloseTo(0.01160, within(0.0003)).isGreaterThan(e2m1);
    assertThat(error(format(Table.NF3, true)))
        .isLessThan(error(format(Table.INT3, true)))
        .isGreaterThan(int4);
    assertThat(error(format(Table.NF2, true))).isGreaterThan(error(format(Table.INT3, true)));
  }

  private static double error(WeightFormat format) {
    Random random = new Random(7);
    try (Kernels kernels = KernelSets.choose("cpu").open(KernelOptions.ofThreads(1));
        Scope scope = Scope.open("test", kernels.memory())) {
      Tensor in = scope.allocate("in", DType.F32, SIDE, SIDE);
      for (long i = 0; i < in.elements(); i++) {
        in.setFloat(i, random.nextGaussian());
      }
      Tensor out = scope.allocate("out", DType.F32, SIDE, SIDE);
      var made = format.allocator(kernels, scope).allocate("w", SIDE, SIDE);
      format.encode(kernels, made, in);
      kernels.products().decode(out, made);
      double error = 0;
      double all = 0;
      for (long i = 0; i < in.elements(); i++) {
        double e = in.getFloat(i) - out.getFloat(i);
        error += e * e;
        all += (double) in.getFloat(i) * in.getFloat(i);
      }
      return error / all;
    }
  }

  @Test
  void noCheckpointStoresIt() {
    assertThatThrownBy(() -> format(Table.NF3, true).layout())
        .isInstanceOf(UnusableWeight.class)
        .hasMessageContaining("NF3, blocks of 64, double quantisation")
        .hasMessageContaining("no checkpoint");
  }
}
