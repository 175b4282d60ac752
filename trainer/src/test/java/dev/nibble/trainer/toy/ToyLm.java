package dev.nibble.trainer.toy;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Decoder;
import dev.nibble.trainer.objective.ForwardPasses;
import dev.nibble.trainer.objective.LossSum;
import dev.nibble.trainer.objective.Objective;
import dev.nibble.trainer.objective.Outputs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;

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
  private final Tensor row; // [1, V]

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
    this.row = scope.allocate("logits", DType.F32, 1, vocab);
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
  public LossSum accumulate(Batch batch, long seed, Objective objective) {
    seeds.add(seed);
    return objective.accumulate(new ToyPasses(new ToyOutputs(batch, OptionalLong.of(seed))), batch);
  }

  @Override
  public LossSum evaluate(Batch batch, Objective objective) {
    return objective.evaluate(new ToyPasses(new ToyOutputs(batch, OptionalLong.empty())), batch);
  }

  @Override
  public Optional<String> firstNonFinite(Batch batch) {
    return parameters.all().stream()
        .filter(p ->
            IntStream.range(0, (int) p.weight().elements())
                .anyMatch(i -> !Float.isFinite(p.weight().getFloat(i))))
        .findFirst()
        .map(Parameters.Parameter::name);
  }

  private record ToyPasses(Outputs model) implements ForwardPasses {
    @Override
    public Outputs base() {
      throw new IllegalStateException("all weights train");
    }
  }

  /** Logits a row at a time; with dropout where there is a seed. */
  private final class ToyOutputs implements Outputs {
    private final Batch batch;
    private final OptionalLong seed;

    ToyOutputs(Batch batch, OptionalLong seed) {
      this.batch = batch;
      this.seed = seed;
    }

    @Override
    public void read(int[] positions, LogitsReader reader) {
      for (int i = 0; i < positions.length; i++) {
        fillRow(positions[i]);
        reader.read(i, row);
      }
    }

    @Override
    public void accumulate(int[] positions, LogitsGradient loss) {
      for (int i = 0; i < positions.length; i++) {
        fillRow(positions[i]);
        loss.differentiate(row, i, row);
        for (int v = 0; v < vocab; v++) {
          float d = row.getFloat(v);
          dBias.setFloat(v, dBias.getFloat(v) + d);
          long at = at(positions[i], v);
          dTable.setFloat(at, dTable.getFloat(at) + d * kept(positions[i], v));
        }
      }
    }

    private void fillRow(int position) {
      for (int v = 0; v < vocab; v++) {
        row.setFloat(v, table.getFloat(at(position, v)) * kept(position, v) + bias.getFloat(v));
      }
    }

    private long at(int position, int v) {
      return (long) batch.tokens()[position] * vocab + v;
    }

    private double kept(int position, int v) {
      if (seed.isEmpty()) {
        return 1;
      }
      long index = (long) position * vocab + v;
      return Dropout.isDropped(seed.getAsLong(), index, DROPOUT) ? 0 : 1 / (1 - DROPOUT);
    }
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
  public Optional<String> baseIsLost() {
    return Optional.of("all weights train");
  }

  @Override
  public Decoder baseDecoder(int sequences, int capacity) {
    throw new IllegalStateException("all weights train");
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
      public int keep(int sequence, int length) {
        used[sequence] = length;
        return length;
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
