package dev.nibble.compute.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.NestedScales;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * 4-bit weights that are larger than the conformance suite's: blocks of threads that take several
 * turns, long sums of scales, and each number of tokens that is multiplied without dequantising.
 */
@Tag("cuda")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class FourBitTest {
  private static final int BLOCK = 32;
  private static final int NESTED_BLOCK = 256;

  private final Random random = new Random(11);
  private Kernels kernels;
  private Scope device;
  private Scope host;

  @BeforeAll
  void open() {
    kernels = Emulator.open(DType.BF16);
    device = Scope.open("test", kernels.memory());
    host = Scope.open("test", Memory.host());
  }

  @AfterAll
  void close() {
    device.close();
    host.close();
    kernels.close();
  }

  private Tensor toDevice(Tensor t) {
    Tensor copy = device.allocate(t.name(), t.dtype(), t.shape().dims());
    kernels.moving().copy(copy, t);
    return copy;
  }

  private Tensor toHost(Tensor t) {
    Tensor copy = host.allocate(t.name(), t.dtype(), t.shape().dims());
    kernels.moving().copy(copy, t);
    return copy;
  }

  private Tensor normal(String name, DType dtype, long... dims) {
    Tensor t = host.allocate(name, dtype, dims);
    for (long i = 0; i < t.elements(); i++) {
      t.setFloat(i, random.nextGaussian());
    }
    return t;
  }

  private Codebook quantize(Tensor weight, boolean nested) {
    long n = weight.elements();
    long blocks = n / BLOCK;
    Tensor codebook = host.allocate("codebook", DType.F32, 16);
    for (int i = 0; i < 16; i++) {
      codebook.setFloat(i, (i - 7) / 8.0);
    }
    Codebook.Scales scales =
        nested
            ? new Codebook.Scales.Nested(
                device.allocate("codes", DType.U8, blocks),
                device.allocate("absmax", DType.F32, (blocks + NESTED_BLOCK - 1) / NESTED_BLOCK),
                toDevice(ascending()),
                device.allocate("offset", DType.F32, 1),
                NESTED_BLOCK)
            : new Codebook.Scales.Plain(device.allocate("absmax", DType.F32, blocks));
    Codebook out =
        new Codebook(
            device.allocate("codes", DType.U8, n / 2),
            toDevice(codebook),
            scales,
            weight.rows(),
            weight.cols(),
            BLOCK);
    kernels.products().encode(out, toDevice(weight));
    return out;
  }

  private Tensor ascending() {
    Tensor t = host.allocate("codebook", DType.F32, 256);
    for (int i = 0; i < 256; i++) {
      double x = (i - 127) / 128.0;
      t.setFloat(i, x * x * x);
    }
    return t;
  }

  @Test
  void nestedScalesAreThoseOfTheFormat() {
    // 9600 scales: sums of them go through three levels.
    Tensor weight = normal("weight", DType.F32, 600, 512);
    Codebook plain = quantize(weight, false);
    Codebook nested = quantize(weight, true);
    assertThat(toHost(nested.codes()).toInts()).isEqualTo(toHost(plain.codes()).toInts());

    float[] scales = toHost(((Codebook.Scales.Plain) plain.scales()).absmax()).toFloats();
    var got = (Codebook.Scales.Nested) nested.scales();
    float offset = NestedScales.offset(scales);
    assertThat(toHost(got.offset()).getFloat(0)).isEqualTo(offset);
    byte[] codeOfBin = NestedScales.codeOfBin(ascending().toFloats());
    int[] codes = toHost(got.codes()).toInts();
    float[] absmax = toHost(got.absmax()).toFloats();
    for (int first = 0; first < scales.length; first += NESTED_BLOCK) {
      int end = Math.min(scales.length, first + NESTED_BLOCK);
      float largest = 0;
      for (int b = first; b < end; b++) {
        largest = Math.max(largest, Math.abs(scales[b] - offset));
      }
      assertThat(absmax[first / NESTED_BLOCK]).isEqualTo(largest);
      for (int b = first; b < end; b++) {
        int bin = NestedScales.bin((scales[b] - offset) * (1 / largest));
        assertThat(codes[b]).as("scale %d", b).isEqualTo(codeOfBin[bin] & 0xff);
      }
    }
    // And back: every weight, from those codes.
    float[] table = toHost(nested.codebook()).toFloats();
    float[] scaleTable = ascending().toFloats();
    int[] pairs = toHost(nested.codes()).toInts();
    Tensor out = device.allocate("out", DType.F32, 600, 512);
    kernels.products().decode(out, nested);
    float[] weights = toHost(out).toFloats();
    for (int i = 0; i < weights.length; i++) {
      int b = i / BLOCK;
      float product = scaleTable[codes[b]] * absmax[b / NESTED_BLOCK];
      int code = i % 2 == 0 ? pairs[i / 2] >> 4 : pairs[i / 2] & 15;
      assertThat(weights[i]).as("weight %d", i).isEqualTo(table[code] * (product + offset));
    }
  }

  @Test
  void fewTokens() {
    for (boolean nested : new boolean[] {false, true}) {
      // Rows and columns that are no multiples of what a block and its warps take.
      Codebook weight = quantize(normal("weight", DType.BF16, 37, 1312), nested);
      Tensor dequantized = device.allocate("weight", DType.BF16, 37, 1312);
      kernels.products().decode(dequantized, weight);
      Tensor w = toHost(dequantized);
      for (int n : new int[] {1, 2, 7, 8, 9, 16, 17}) {
        Tensor x = normal("x", DType.BF16, n, 1312);
        Tensor out = device.allocate("out", DType.BF16, n, 37);
        kernels.products().frozenForward(out, toDevice(x), weight);
        Tensor got = toHost(out);
        for (int i = 0; i < n; i++) {
          for (int o = 0; o < 37; o++) {
            double sum = 0;
            for (int j = 0; j < 1312; j++) {
              sum += (double) x.getFloat(i * 1312L + j) * w.getFloat(o * 1312L + j);
            }
            assertThat(Math.abs(got.getDouble(i * 37L + o) - sum))
                .as("[%d, %d] of %d tokens", i, o, n)
                .isLessThanOrEqualTo(0x1p-8 * Math.abs(sum) + 1e-3);
          }
        }
      }
    }
  }
}
