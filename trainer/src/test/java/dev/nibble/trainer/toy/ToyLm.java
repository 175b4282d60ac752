package dev.nibble.trainer.toy;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Decoder;
import dev.nibble.trainer.model.LossSum;
import java.util.ArrayList;
import java.util.List;

/**
 * Bigrams with dropout: the logits after token t are table[t] + bias, entries of the table dropped
 * while training.
 */
public final class ToyLm implements CausalLm {
  /** Dropout's rate while training. */
  public static final double DROPOUT = 0.2;

  private final int vocab;
  private final Parameters parameters;
  private final Tensor table;
  private final Tensor bias;
  private final Tensor dTable;
  private final Tensor dBias;
  private final List<Long> seeds = new ArrayList<>();
  private Batch batch = new Batch(new int[0], new int[0], new int[0], new int[] {0});
  private long seed;

  /** A model of which every weight is 0. */
  public ToyLm(int vocab, Scope scope) {
    this.vocab = vocab;
    this.parameters =
        new Parameters.Builder()
            .add("bias", false, vocab)
            .add("table", true, vocab, vocab)
            .allocate(scope, "weights");
    this.table = parameters.named("table").weight();
    this.bias = parameters.named("bias").weight();
    this.dTable = parameters.named("table").gradient();
    this.dBias = parameters.named("bias").gradient();
  }

  /** The dropout seeds of all forward passes so far. */
  public List<Long> seeds() {
    return seeds;
  }

  @Override
  public int vocabSize() {
    return vocab;
  }

  @Override
  public int maxBatchTokens() {
    return 1024;
  }

  @Override
  public int maxPositions() {
    return 1024;
  }

  @Override
  public Parameters parameters() {
    return parameters;
  }

  @Override
  public LossSum forward(Batch newBatch, long newSeed) {
    batch = newBatch;
    seed = newSeed;
    seeds.add(newSeed);
    return loss(batch, true);
  }

  @Override
  public LossSum evaluate(Batch other) {
    return loss(other, false);
  }

  private LossSum loss(Batch b, boolean dropout) {
    LossSum sum = LossSum.ZERO;
    for (int i = 0; i < b.length(); i++) {
      if (b.targets()[i] != Batch.IGNORE) {
        double[] p = probabilities(b.tokens()[i], i, dropout);
        sum = sum.plus(new LossSum(-Math.log(p[b.targets()[i]]), 1));
      }
    }
    return sum;
  }

  @Override
  public void backward() {
    for (int i = 0; i < batch.length(); i++) {
      int target = batch.targets()[i];
      if (target == Batch.IGNORE) {
        continue;
      }
      int token = batch.tokens()[i];
      double[] p = probabilities(token, i, true);
      for (int v = 0; v < vocab; v++) {
        double d = p[v] - (v == target ? 1 : 0);
        dBias.setFloat(v, dBias.getFloat(v) + d);
        long at = (long) token * vocab + v;
        dTable.setFloat(at, dTable.getFloat(at) + d * kept(i, v, true));
      }
    }
  }

  private double kept(int position, int v, boolean dropout) {
    if (!dropout) {
      return 1;
    }
    return Dropout.isDropped(seed, (long) position * vocab + v, DROPOUT) ? 0 : 1 / (1 - DROPOUT);
  }

  private double[] probabilities(int token, int position, boolean dropout) {
    double[] p = new double[vocab];
    double sum = 0;
    for (int v = 0; v < vocab; v++) {
      double logit = table.getFloat((long) token * vocab + v) * kept(position, v, dropout);
      p[v] = Math.exp(logit + bias.getFloat(v));
      sum += p[v];
    }
    for (int v = 0; v < vocab; v++) {
      p[v] /= sum;
    }
    return p;
  }

  @Override
  public float[][] logits(Batch b) {
    float[][] logits = new float[b.length()][];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = logits(b.tokens()[i]);
    }
    return logits;
  }

  private float[] logits(int token) {
    float[] logits = new float[vocab];
    for (int v = 0; v < vocab; v++) {
      logits[v] = table.getFloat((long) token * vocab + v) + bias.getFloat(v);
    }
    return logits;
  }

  @Override
  public Decoder decoder(int sequences, int capacity) {
    return new Decoder() {
      private final int[] used = new int[sequences];

      @Override
      public int sequences() {
        return sequences;
      }

      @Override
      public void reset(int sequence) {
        used[sequence] = 0;
      }

      @Override
      public float[][] feed(int[] which, int[][] tokens) {
        float[][] logits = new float[which.length][];
        for (int i = 0; i < which.length; i++) {
          used[which[i]] += tokens[i].length;
          if (used[which[i]] > capacity) {
            throw new IllegalArgumentException("sequence " + which[i] + " is full");
          }
          logits[i] = ToyLm.this.logits(tokens[i][tokens[i].length - 1]);
        }
        return logits;
      }

      @Override
      public void close() {}
    };
  }
}
