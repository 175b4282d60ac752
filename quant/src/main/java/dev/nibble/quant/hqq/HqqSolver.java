package dev.nibble.quant.hqq;

import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.Groups;
import dev.nibble.compute.weights.Groups.Axis;
import dev.nibble.quant.UnusableWeight;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The half-quadratic solver: keeps the scale of each group and moves its zero point so that sum |W
 * - Ŵ|^p, p = 0.7, falls. All in float32; a pass over the matrix for each iteration.
 *
 * <p>Start, for a group of least value low and largest value high: S = (2^b - 1) / (high - low), or
 * 1 where |high - low| <= 1e-4, at most 2e4; z = -low S, rounded with 4 bits. An iteration:
 *
 * <ul>
 *   <li>q = clamp(round(W S + z)), E = W - (q - z) / S
 *   <li>We = sign(E) max(|E| - |E|^(p-1) / 10, 0)
 *   <li>z = the group's mean of q - (W - We) S
 * </ul>
 *
 * <p>It ends after 20, or when the mean of |E| of the whole matrix has not fallen; the zero points
 * of that last iteration are kept, as the authors' library does. Then codes are rounded once more,
 * and 1/S and z are held.
 */
final class HqqSolver {
  private static final int ITERATIONS = 20;
  private static final float P = 0.7f;
  private static final float BETA = 10;
  private static final float NO_RANGE = 1e-4f;
  private static final float LARGEST_SCALE = 2e4f;

  /** Below this |E| shrinks to 0: beta^(-1 / (2 - p)), and a little less to be safe. */
  private static final float SHRUNK = 0.17f;

  /** Adding and subtracting this rounds a float below 2^22 to the nearest integer, ties to even. */
  private static final float ROUND = 0x1.8p23f;

  /** Weights of a block: groups side by side, so that loops over them are loops over vectors. */
  private static final int BLOCK = 1 << 14;

  private final Affine out;
  private final boolean optimize;
  private final Groups groups;
  private final int count;
  private final int size;
  private final int most;
  private final float[] scale;
  private final float[] zero;
  private final int side;

  HqqSolver(Affine out, boolean optimize) {
    this.out = out;
    this.optimize = optimize;
    groups = out.groups();
    size = groups.size();
    count = Math.toIntExact(out.scales().count());
    most = (1 << out.bits()) - 1;
    scale = new float[count];
    zero = new float[count];
    side = Math.clamp(BLOCK / size, 1, count);
  }

  /** Sets the matrix to the values' nearest. */
  void solve(Tensor in) {
    int blocks = Math.ceilDiv(count, side);
    blocks(blocks).forEach(b -> new Block(in, b).start());
    if (optimize) {
      float best = Float.POSITIVE_INFINITY;
      for (int i = 0; i < ITERATIONS; i++) {
        double sum = blocks(blocks).mapToDouble(b -> new Block(in, b).iterate()).sum();
        float mean = (float) (sum / in.elements());
        if (!(mean < best)) {
          break;
        }
        best = mean;
      }
    }
    byte[] codes = new byte[Math.toIntExact(in.elements())];
    blocks(blocks).forEach(b -> new Block(in, b).round(codes));
    out.putCodes(codes);
    float[] inverse = new float[count];
    for (int g = 0; g < count; g++) {
      inverse[g] = 1 / scale[g];
    }
    out.scales().put(inverse);
    out.zeros().put(zero);
    checkHeld(in);
  }

  private static IntStream blocks(int n) {
    return IntStream.range(0, n).parallel();
  }

  private void checkHeld(Tensor in) {
    for (int g = 0; g < count; g++) {
      if (!Float.isFinite(out.zeros().get(g))) {
        throw new UnusableWeight(
            "tensor '%s': the zero point %s of group %d is beyond float16; its weights lie in a narrow range far from 0, which HQQ with metadata in 16 bits cannot hold"
                .formatted(in.name(), zero[g], g));
      }
    }
  }

  /**
   * Neighbouring groups: w[k][j] is element k of group j. Loops run over the index of one array and
   * of its neighbours, which is what the compiler makes vectors of.
   */
  private final class Block {
    private final int first;
    private final int width;
    private final float[][] w;

    Block(Tensor in, int block) {
      first = block * side;
      width = Math.min(side, count - first);
      w = new float[size][width];
      if (groups.axis() == Axis.OUTPUTS) {
        for (int k = 0; k < size; k++) {
          in.getFloats(groups.element(first, k, count), w[k]);
        }
      } else {
        float[] group = new float[size];
        for (int j = 0; j < width; j++) {
          in.getFloats(groups.element(first + j, 0, count), group);
          for (int k = 0; k < size; k++) {
            w[k][j] = group[k];
          }
        }
      }
    }

    void start() {
      float[] low = w[0].clone();
      float[] high = w[0].clone();
      for (float[] x : w) {
        for (int j = 0; j < x.length; j++) {
          low[j] = Math.min(low[j], x[j]);
          high[j] = Math.max(high[j], x[j]);
        }
      }
      for (int j = 0; j < width; j++) {
        float range = high[j] - low[j];
        float s = Math.abs(range) <= NO_RANGE ? 1 : Math.min(most / range, LARGEST_SCALE);
        float z = -low[j] * s;
        scale[first + j] = s;
        zero[first + j] = out.bits() == 4 ? (float) Math.rint(z) : z;
      }
    }

    /** The sum of |E| before zero points move. */
    double iterate() {
      float[] s = Arrays.copyOfRange(scale, first, first + width);
      float[] z = Arrays.copyOfRange(zero, first, first + width);
      float[] mean = new float[width];
      float[] error = new float[width];
      float[] sums = new float[width];
      for (float[] x : w) {
        for (int j = 0; j < x.length; j++) {
          float q = clampedRound(x[j] * s[j] + z[j], most);
          float e = x[j] - (q - z[j]) / s[j];
          error[j] = e;
          sums[j] += Math.abs(e);
          mean[j] += q - x[j] * s[j];
        }
        for (int j = 0; j < error.length; j++) {
          if (Math.abs(error[j]) > SHRUNK) {
            mean[j] += shrunk(error[j]) * s[j];
          }
        }
      }
      double sum = 0;
      for (int j = 0; j < width; j++) {
        zero[first + j] = mean[j] / size;
        sum += sums[j];
      }
      return sum;
    }

    void round(byte[] codes) {
      for (int k = 0; k < size; k++) {
        for (int j = 0; j < width; j++) {
          float q = clampedRound(w[k][j] * scale[first + j] + zero[first + j], most);
          codes[(int) groups.element(first + j, k, count)] = (byte) (int) q;
        }
      }
    }
  }

  private static float clampedRound(float x, float most) {
    return (Math.min(Math.max(x, 0), most) + ROUND) - ROUND;
  }

  private static float shrunk(float e) {
    float magnitude = Math.abs(e);
    float left = magnitude - (float) Math.pow(magnitude, P - 1) / BETA;
    return left <= 0 ? 0 : Math.copySign(left, e);
  }
}
