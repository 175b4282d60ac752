package dev.nibble.quant.quip;

import java.util.Random;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * Random orthogonal changes of basis on both sides of a linear map, after which its weights and the
 * second moments of its inputs have no directions of their own: U = H diag(outputs) and V = H
 * diag(inputs), with {@link HadamardTransform} H and random signs. W becomes U W V^T, and H, the
 * moments, V H V^T.
 */
final class Incoherence {
  private final HadamardTransform forOutputs;
  private final HadamardTransform forInputs;
  private final byte[] outputs;
  private final byte[] inputs;

  /** With these signs, 1 or -1. */
  Incoherence(
      HadamardTransform forOutputs,
      HadamardTransform forInputs,
      byte[] outputs,
      byte[] inputs) {
    this.forOutputs = forOutputs;
    this.forInputs = forInputs;
    this.outputs = outputs.clone();
    this.inputs = inputs.clone();
  }

  /** With signs drawn by a seed. */
  static Incoherence random(HadamardTransform forOutputs, HadamardTransform forInputs, long seed) {
    RandomGenerator random = new Random(seed);
    byte[] outputs = signs(forOutputs.size(), random);
    return new Incoherence(forOutputs, forInputs, outputs, signs(forInputs.size(), random));
  }

  private static byte[] signs(int n, RandomGenerator random) {
    byte[] signs = new byte[n];
    for (int i = 0; i < n; i++) {
      signs[i] = (byte) (random.nextBoolean() ? 1 : -1);
    }
    return signs;
  }

  /** The signs of outputs. */
  byte[] outputs() {
    return outputs.clone();
  }

  /** The signs of inputs. */
  byte[] inputs() {
    return inputs.clone();
  }

  /** W [O, I], by rows, becomes U W V^T. */
  void rotateWeight(float[] w) {
    rotateRows(w, forInputs, inputs);
    rotateColumns(w, forOutputs, outputs, inputs.length);
  }

  /** The moments [I, I] become V H V^T. */
  void rotateMoments(float[] h) {
    rotateRows(h, forInputs, inputs);
    rotateColumns(h, forInputs, inputs, inputs.length);
  }

  /** U W V^T becomes W again. */
  void undoWeight(float[] w) {
    int cols = inputs.length;
    IntStream.range(0, outputs.length)
        .parallel()
        .forEach(row -> {
          forInputs.undo(w, row * cols);
          multiply(w, row * cols, inputs);
        });
    columns(
        w,
        cols,
        outputs.length,
        column -> {
          forOutputs.undo(column, 0);
          multiply(column, 0, outputs);
        });
  }

  private static void rotateRows(float[] all, HadamardTransform transform, byte[] signs) {
    IntStream.range(0, all.length / signs.length)
        .parallel()
        .forEach(row -> {
          multiply(all, row * signs.length, signs);
          transform.apply(all, row * signs.length);
        });
  }

  private static void rotateColumns(
      float[] all, HadamardTransform transform, byte[] signs, int cols) {
    columns(
        all,
        cols,
        signs.length,
        column -> {
          multiply(column, 0, signs);
          transform.apply(column, 0);
        });
  }

  private interface Change {
    void of(float[] column);
  }

  private static void columns(float[] all, int cols, int rows, Change change) {
    IntStream.range(0, cols)
        .parallel()
        .forEach(c -> {
          float[] column = new float[rows];
          for (int r = 0; r < rows; r++) {
            column[r] = all[r * cols + c];
          }
          change.of(column);
          for (int r = 0; r < rows; r++) {
            all[r * cols + c] = column[r];
          }
        });
  }

  private static void multiply(float[] x, int at, byte[] signs) {
    for (int i = 0; i < signs.length; i++) {
      x[at + i] *= signs[i];
    }
  }
}
