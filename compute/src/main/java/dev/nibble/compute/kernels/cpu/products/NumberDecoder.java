package dev.nibble.compute.kernels.cpu.products;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.LANES;

import dev.nibble.compute.kernels.cpu.work.Conversion;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Numbers;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Reads the scales or zero points of neighbouring groups into an array of floats. */
interface NumberDecoder {

  /** to[k] = number g + k, for k below n. */
  void read(long g, float[] to, int n);

  /** Of numbers on the host. */
  static NumberDecoder of(Numbers numbers) {
    return switch (numbers) {
      case Numbers.Plain(Tensor values) when values.dtype().isFloating() ->
          (g, to, n) -> plain(values, g, to, n);
      case Numbers.Quantized q when CodeStream.fits(q.bits()) -> new Quantized(q);
      default -> (g, to, n) -> oneByOne(numbers, g, to, 0, n);
    };
  }

  private static void plain(Tensor values, long g, float[] to, int n) {
    int k = 0;
    for (; k + LANES <= n; k += LANES) {
      Conversion.load(values, g + k).intoArray(to, k);
    }
    for (; k < n; k++) {
      to[k] = values.getFloat(g + k);
    }
  }

  private static void oneByOne(Numbers numbers, long g, float[] to, int from, int end) {
    for (int k = from; k < end; k++) {
      to[k] = numbers.get(g + k);
    }
  }

  /** Codes become floats where they go to, and are shifted and scaled there. */
  final class Quantized implements NumberDecoder {
    private final Numbers.Quantized numbers;
    private final CodeStream codes;

    private Quantized(Numbers.Quantized numbers) {
      this.numbers = numbers;
      codes = new CodeStream(numbers.codes().memory(), numbers.bits(), false);
    }

    @Override
    public void read(long g, float[] to, int n) {
      int k = 0;
      for (; k < n && (g + k) % CodeStream.EIGHT != 0; k++) {
        to[k] = codes.one(g + k);
      }
      for (; k + CodeStream.EIGHT <= n && codes.hasEight(g + k); k += CodeStream.EIGHT) {
        floats(g + k).intoArray(to, k);
      }
      for (; k < n; k++) {
        to[k] = codes.one(g + k);
      }
      Numbers.Sharing sharing = numbers.sharing();
      for (k = 0; k < n; ) {
        long pair = sharing.pair(g + k);
        boolean alone = sharing.stride() == 1;
        long run = alone ? sharing.span() - (g + k) % sharing.span() : pairsFrom(sharing, g + k);
        int end = (int) Math.min(n, k + run);
        if (alone) {
          shareOne(pair, to, k, end);
        } else {
          shareMany(pair, to, k, end);
        }
        k = end;
      }
    }

    private FloatVector floats(long g) {
      return (FloatVector)
          codes.eight(g).convertShape(VectorOperators.I2F, FloatVector.SPECIES_256, 0);
    }

    private static long pairsFrom(Numbers.Sharing sharing, long g) {
      return sharing.stride() - g % sharing.stride();
    }

    /** Of codes that share one pair. */
    private void shareOne(long pair, float[] to, int from, int end) {
      float zero = numbers.zeros().getFloat(pair);
      float scale = numbers.scales().getFloat(pair);
      int k = from;
      for (; k + LANES <= end; k += LANES) {
        FloatVector.fromArray(F, to, k).sub(zero).mul(scale).intoArray(to, k);
      }
      for (; k < end; k++) {
        to[k] = (to[k] - zero) * scale;
      }
    }

    /** Of codes with neighbouring pairs, from {@code pair} on. */
    private void shareMany(long pair, float[] to, int from, int end) {
      int k = from;
      for (; k + LANES <= end; k += LANES) {
        FloatVector zero = Conversion.load(numbers.zeros(), pair + k - from);
        FloatVector scale = Conversion.load(numbers.scales(), pair + k - from);
        FloatVector.fromArray(F, to, k).sub(zero).mul(scale).intoArray(to, k);
      }
      for (; k < end; k++) {
        long p = pair + k - from;
        to[k] = (to[k] - numbers.zeros().getFloat(p)) * numbers.scales().getFloat(p);
      }
    }
  }
}
